"""Every error Marquee raises on purpose, grouped by cause. `chassis.status` maps each to a gRPC code.

A message is written for the caller: it names what was wrong with the request or which part is missing,
and never carries a path, a query or a stack of the server.
"""

__all__ = [
    "MarqueeError",
    "InvalidInput",
    "InvalidImage",
    "NotFound",
    "Conflict",
    "Refused",
    "Overloaded",
    "Unavailable",
    "DeadlineExceeded",
    "Unsupported",
    "ConfigError",
    "ModelError",
    "StoreError",
    "DamagedRow",
    "InternalError",
    "AlreadyRunning",
]


class MarqueeError(Exception):
    """The root: catch it to handle anything Marquee reports on purpose."""


class InvalidInput(MarqueeError):
    """The caller's fault: a request that can never succeed as it is."""


class InvalidImage(InvalidInput):
    """The caller's fault: bytes that are no picture Marquee accepts: empty, truncated, too large."""


class NotFound(MarqueeError):
    """The caller's fault: an id that does not exist, or no longer does."""


class Conflict(MarqueeError):
    """The caller's fault: the change contradicts what is stored, such as another performer's external id."""


class Refused(MarqueeError):
    """Nobody's fault: a policy says no, such as a performer who is under age."""


class Overloaded(MarqueeError):
    """Nobody's fault: the process has as much work as it takes; try later."""


class Unavailable(MarqueeError):
    """Our side's fault: something this process needs (database, model, another service) is not there now."""


class DeadlineExceeded(MarqueeError):
    """Nobody's fault: the time the caller gave is over."""


class Unsupported(MarqueeError):
    """Nobody's fault: a valid request for something this version cannot do."""


class ConfigError(MarqueeError):
    """The owner's fault: a setting is unknown, missing or out of range. The message names the field."""


class ModelError(MarqueeError):
    """A model file is missing, corrupted or not what its table row says. The message names the model."""


class StoreError(MarqueeError):
    """The database cannot be used: an older schema, a changed migration, an unreachable server."""


class DamagedRow(StoreError):
    """A row in the database does not hold what it should; others may be fine."""


class InternalError(MarqueeError):
    """Our own fault: a part was asked for something that it refuses. Only the log has the cause."""


class AlreadyRunning(MarqueeError):
    """The owner's fault: another `marquee up` holds this data folder."""
