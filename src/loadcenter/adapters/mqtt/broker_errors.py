"""Why the embedded broker does not run."""


class BrokerStartError(Exception):
    """The embedded broker cannot start. The message says why and what to do."""


class BrokerReloadError(Exception):
    """The embedded broker did not take over a change of devices. The message says why."""
