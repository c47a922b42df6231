"""The only place that wires things together, and the command line."""
