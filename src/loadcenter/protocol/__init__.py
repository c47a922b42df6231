"""Bytes and topics to domain values and back, sans-I/O; the rules are those of `spec/mqtt.md`."""
