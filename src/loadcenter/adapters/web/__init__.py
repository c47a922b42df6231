"""REST, live WebSocket and the built view, for browsers and programs."""
