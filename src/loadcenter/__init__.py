"""Loadcenter: control center for an open, networked power distribution unit."""

__version__ = "0.1.0"
