"""Which URLs are fetched at all."""

from __future__ import annotations

from yarl import URL

from client.fetching.failures import Failure, FetchFailed

__all__ = ["checked_url", "next_url"]

_LONGEST = 4096
_SCHEMES = frozenset({"http", "https"})


def checked_url(text: str) -> URL:
    """The URL, if it is http or https, with a host and without credentials. Raises FetchFailed."""
    if len(text) > _LONGEST:
        raise FetchFailed(Failure.BAD_URL, f"{text[:80]}...: longer than {_LONGEST} characters")
    try:
        return _checked(URL(text), text)
    except (ValueError, TypeError) as exc:
        raise FetchFailed(Failure.BAD_URL, f"{text}: is no URL ({exc})") from exc


def next_url(current: URL, location: str) -> URL:
    """Where a redirect leads. Raises FetchFailed, as for the first URL."""
    try:
        return _checked(current.join(URL(location)), location)
    except (ValueError, TypeError) as exc:
        raise FetchFailed(Failure.BAD_URL, f"{current}: leads to {location!r}, which is no URL") from exc


def _checked(url: URL, text: str) -> URL:
    if url.scheme not in _SCHEMES:
        raise FetchFailed(Failure.BAD_URL, f"{text}: neither http nor https")
    if not url.host:
        raise FetchFailed(Failure.BAD_URL, f"{text}: names no host")
    if url.user is not None or url.password is not None:
        # Not repeated: the words end up in logs and reports.
        raise FetchFailed(Failure.BAD_URL, "a URL with a user name or password is not fetched")
    return url
