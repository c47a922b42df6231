"""MQTT: the link to any 3.1.1 broker, the embedded broker and the credentials of devices."""
