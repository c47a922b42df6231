"""Use cases. They talk to the world only through the ports of `ports.py`."""
