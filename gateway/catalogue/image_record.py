"""An image of a performer as the catalogue keeps it: where it comes from, what became of it. Pure."""

from __future__ import annotations

import datetime
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from chassis.errors import InvalidInput

__all__ = [
    "FOLDER",
    "UNKNOWN",
    "PASSING_REASONS",
    "ImageState",
    "ImageOutcome",
    "ImageRecord",
    "clean_source",
    "clean_failure",
    "derived_source",
    "image_key",
]

FOLDER = "folder"
"""The source of images that are named by a path."""
UNKNOWN = "unknown"
"""The source of images that came without saying from where."""
PASSING_REASONS = frozenset(
    {
        # Of a rejection: somebody did not answer, or the owner may still attest.
        "unavailable",
        "deadline_exceeded",
        "age_not_attested",
        # Of a failure to read it.
        "timeout",
        "unreachable",
        "server_error",
        "rate_limited",
        "unreadable",
    }
)
"""Reasons that pass by themselves: another try may end otherwise."""

_LONGEST_SOURCE = 200
# A key is part of an index, whose rows PostgreSQL keeps below 2704 bytes.
_LONGEST_KEY = 2000
_FAILURE = re.compile(r"[a-z][a-z0-9_]{0,63}")
# One letter before the colon is a drive.
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)


class ImageState(StrEnum):
    """What became of an image."""

    KNOWN = "known"
    FAILED = "failed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutcome:
    """What is to be recorded of an image.

    `source`: lower case; empty: derived. `uri` and `image_hash`: at least one of them. `reason`: of a
    rejection or a failure. `signals`: names of those that have something of an accepted image.
    """

    performer_id: str
    source: str = ""
    uri: str = ""
    image_hash: str = ""
    image_date: datetime.date | None = None
    state: ImageState
    reason: str = ""
    detail: str = ""
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """As recorded. `is_open`: whether it is worth another try."""

    source: str
    image_key: str
    uri: str
    image_hash: str
    image_date: datetime.date | None
    state: ImageState
    reason: str
    detail: str
    signals: tuple[str, ...]
    is_open: bool


def clean_source(source: str) -> str:
    """A source's name in the form that names are compared in. Raises InvalidInput."""
    clean = source.strip().casefold()
    if len(clean.encode()) > _LONGEST_SOURCE or not clean.isprintable():
        raise InvalidInput(f"source: longer than {_LONGEST_SOURCE} bytes, or not printable")
    return clean


def clean_failure(failure: str) -> str:
    """A failure's word; empty for none. Raises InvalidInput."""
    if failure and not _FAILURE.fullmatch(failure):
        raise InvalidInput("failure: not a word of lower-case letters, digits and underscores")
    return failure


def derived_source(uri: str) -> str:
    """Whose image it is when nobody says: the host of a URL, FOLDER for a path, UNKNOWN for nothing."""
    if not uri:
        return UNKNOWN
    if not _SCHEME.match(uri):
        return FOLDER
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return UNKNOWN
    if parts.scheme == "file":
        return FOLDER
    is_fit = host.isprintable() and len(host.encode()) <= _LONGEST_SOURCE
    return host if host and is_fit else UNKNOWN


def image_key(uri: str, image_hash: str) -> str:
    """What tells one image of a performer from another: URL or path, else the hash of its bytes."""
    if not uri:
        return f"sha256:{image_hash}"
    if len(uri.encode()) > _LONGEST_KEY:
        return f"uri-sha256:{hashlib.sha256(uri.encode()).hexdigest()}"
    return uri
