"""A rack without hardware, sans-I/O: (topic, payload) in and out, time as an argument."""
