"""`python -m loadcenter`."""

from loadcenter.apps.cli import main

main()
