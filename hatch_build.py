"""Build hook: puts the built web view into the wheel and the source distribution."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ViewHook(BuildHookInterface[Any]):
    """Builds the view, unless it is not wanted (editable install) or came along (source distribution)."""

    def dependencies(self) -> list[str]:
        """Return what the build environment needs besides hatchling: Node.js, where the machine has none."""
        view = self._view()
        return [] if self._came_along(view) or view.system_node() else [view.NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Leave a built view in the static folder, which `artifacts` in pyproject.toml then packs."""
        view = self._view()
        if version != "editable" and not self._came_along(view):
            view.build(Path(self.root))

    def _came_along(self, view: ModuleType) -> bool:
        return Path(self.root, "PKG-INFO").exists() and view.built_view(Path(self.root)).exists()

    def _view(self) -> ModuleType:
        # A build runs with an import path of its own, on which scripts/ is not.
        spec = importlib.util.spec_from_file_location("view", Path(self.root, "scripts", "view.py"))
        assert spec is not None
        assert spec.loader is not None
        view = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(view)
        return view
