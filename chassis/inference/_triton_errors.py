"""What Triton's status codes mean to us."""

from __future__ import annotations

from tritonclient.utils import InferenceServerException

from chassis.errors import DeadlineExceeded, InternalError, MarqueeError, ModelError, Unavailable

__all__ = ["error_of", "is_worth_another_try"]

_PREFIX = "StatusCode."
# Triton's own words, without a code of their own, for a request that waited longer than it may.
_WAITED_TOO_LONG = "Request timeout expired"


def error_of(error: InferenceServerException, model: str) -> MarqueeError:
    """The error that a call on `model` ends with. Its message names the model and shows nothing of Triton.

    | Triton says | cause | error |
    | --- | --- | --- |
    | UNAVAILABLE, CANCELLED | not there, stopping, or its queue is full | Unavailable |
    | DEADLINE_EXCEEDED | it was too slow | DeadlineExceeded |
    | NOT_FOUND | it has no such model or version | ModelError |
    | INVALID_ARGUMENT, RESOURCE_EXHAUSTED | we sent what it refuses | InternalError |
    | anything else | the model failed | ModelError |
    """
    match _code(error):
        case "UNAVAILABLE" | "CANCELLED":
            return Unavailable(f"Triton cannot run model {model!r} now; try later")
        case "DEADLINE_EXCEEDED":
            return DeadlineExceeded(f"Triton did not run model {model!r} in time")
        case "NOT_FOUND":
            return ModelError(f"Triton has no model {model!r}")
        case "INVALID_ARGUMENT" | "RESOURCE_EXHAUSTED":
            return InternalError(f"Triton refuses what it is sent for model {model!r}")
        case _:
            return ModelError(f"model {model!r} failed in Triton")


def is_worth_another_try(error: BaseException) -> bool:
    """Whether the same call may succeed a little later: Triton is not there, or the model's queue is full.

    Not when the request waited in the queue for all the time it had.
    """
    if not isinstance(error, InferenceServerException):
        return False
    return _code(error) == "UNAVAILABLE" and _WAITED_TOO_LONG not in str(error.message())


def _code(error: InferenceServerException) -> str:
    return str(error.status() or "").removeprefix(_PREFIX)
