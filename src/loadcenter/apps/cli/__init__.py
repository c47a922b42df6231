"""The command line: `loadcenter`."""

from loadcenter.apps.cli.main import main

__all__ = ["main"]
