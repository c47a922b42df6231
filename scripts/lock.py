"""Resolve the requirements into lock files with hashes, for every platform and without any registry's address.

    requirements.lock       what the server needs, and the build backend: `make demo`
    requirements-dev.lock   the same versions and the development tools: `make test`, `make check`
    requirements-node.lock  Node.js from PyPI, only for a machine that has no fit one of its own

Arguments are passed on to `uv pip compile`, for example `--upgrade`.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from view import NODE_WHEEL

ROOT = Path(__file__).resolve().parent.parent
UV = "uv==0.13.9"


def main(arguments: list[str]) -> None:
    """Write the three lock files beside pyproject.toml."""
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", UV], check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    backend = project["build-system"]["requires"]
    resolve("requirements.lock", ["pyproject.toml", "-"], backend, arguments)
    held = ["--constraint", "requirements.lock"]
    resolve("requirements-dev.lock", ["pyproject.toml", "-", "--extra", "dev", *held], backend, arguments)
    resolve("requirements-node.lock", ["-"], [NODE_WHEEL], arguments)


def resolve(output: str, sources: list[str], extra: list[str], arguments: list[str]) -> None:
    """Write `output` from the `sources` and the `extra` requirements."""
    print(f"==> Resolving {output}", flush=True)
    fixed = ["--universal", "--python-version", "3.11", "--generate-hashes", "--quiet"]
    command = [sys.executable, "-m", "uv", "pip", "compile", *sources, *fixed, "--output-file", output]
    # uv writes this command at the top of the file instead of its own, which would name local paths.
    environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    subprocess.run(
        [*command, *arguments], cwd=ROOT, check=True, text=True, input="\n".join(extra), env=environment
    )


if __name__ == "__main__":
    main(sys.argv[1:])
