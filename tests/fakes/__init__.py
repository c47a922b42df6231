"""In-memory stand-ins for the ports of `loadcenter.services.ports`."""
