"""Why a picture could not be fetched."""

from __future__ import annotations

from enum import StrEnum

from chassis.errors import MarqueeError

__all__ = ["Failure", "FetchFailed"]


class Failure(StrEnum):
    """The words that the server keeps; those that pass are the contract's."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    UNREADABLE = "unreadable"
    """A file that cannot be read, or is too large: its owner may mend it."""

    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    REFUSED = "refused"
    """Any other status that is no picture."""
    TOO_LARGE = "too_large"
    NOT_AN_IMAGE = "not_an_image"
    COMPRESSED = "compressed"
    """Packed although we asked for it as it is: nothing is unpacked, so nothing can blow up."""
    PRIVATE_ADDRESS = "private_address"
    BAD_URL = "bad_url"
    TOO_MANY_REDIRECTS = "too_many_redirects"

    @property
    def is_passing(self) -> bool:
        """Whether another try may end otherwise."""
        return self in _PASSING


_PASSING = frozenset(
    {
        Failure.TIMEOUT,
        Failure.UNREACHABLE,
        Failure.SERVER_ERROR,
        Failure.RATE_LIMITED,
        Failure.UNREADABLE,
    }
)


class FetchFailed(MarqueeError):
    """The other side's fault, or the URL's: no picture came. The words name the URL.

    `is_over`: waiting for it now would take too long, so only another run may try again.
    """

    def __init__(self, failure: Failure, detail: str, *, is_over: bool = False) -> None:
        super().__init__(detail)
        self.failure = failure
        self.is_over = is_over
