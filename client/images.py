"""Images of performers as the server remembers them, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from client.coverage import ImageState
from client.values import Signal

__all__ = ["ImageReport", "ImageRecord"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReport:
    """An image that is known of, or that could not be read."""

    performer_id: str
    uri: str
    """URL or path."""
    source: str = ""
    """Who names it; empty: the host of the URL, `folder` for a path."""
    date: date | None = None
    failure: str = ""
    """A word such as not_found; empty: nobody tried yet. The contract lists those that pass."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """What became of an image."""

    source: str
    uri: str
    image_hash: str
    """"" until its bytes were read."""
    date: date | None
    state: ImageState
    reason: str
    detail: str
    signals: tuple[Signal, ...]
    """Of an accepted one: those that have something of it."""
    is_open: bool
    """Whether it is worth another try."""
