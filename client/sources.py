"""Reading enrolled pictures again from where they came, and only if they are still the same bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from urllib.parse import urlsplit
from urllib.request import url2pathname

from chassis.errors import InvalidInput
from chassis.images import image_hash
from client.picture_file import read_picture

__all__ = ["Trouble", "SourceUnusable", "Root", "read_source", "source_path"]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class Trouble(StrEnum):
    """Why a picture cannot be described again."""

    GONE = "gone"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    REMOTE = "not fetched"
    """At a URL, which this version does not fetch."""


class SourceUnusable(InvalidInput):
    """The owner's fault: the picture is not, or no longer, where and what it was at enrolment."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(detail)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that has moved: what was under `old` is under `new` now."""

    old: PurePath
    new: Path


def read_source(uri: str, digest: str, roots: Sequence[Root] = ()) -> bytes:
    """The bytes of an enrolled picture: those whose SHA-256 (hexadecimal) is `digest`.

    uri: a path or a file:// URL, as stored at enrolment. Raises SourceUnusable, whose words name the file.
    """
    path = source_path(uri, roots)
    data = _read(path)
    if image_hash(data) != digest:
        raise SourceUnusable(Trouble.CHANGED, f"{path}: is not the picture that was enrolled")
    return data


def source_path(uri: str, roots: Sequence[Root] = ()) -> Path:
    """Where the picture should be now. Raises SourceUnusable for a URL elsewhere, or none at all.

    Of several roots that hold the path the longest counts.
    """
    if not uri:
        raise SourceUnusable(Trouble.GONE, "it was enrolled without saying where it came from")
    path = PurePath(_local_path(uri))
    for root in sorted(roots, key=lambda root: -len(root.old.parts)):
        if path.is_relative_to(root.old):
            return root.new / path.relative_to(root.old)
    return Path(path)


def _local_path(uri: str) -> str:
    if not _SCHEME.match(uri):
        return uri
    parts = urlsplit(uri)
    if parts.scheme.lower() != "file" or parts.netloc not in ("", "localhost"):
        raise SourceUnusable(Trouble.REMOTE, f"{uri}: URLs are not fetched in this version")
    return url2pathname(parts.path)


def _read(path: Path) -> bytes:
    """Raises SourceUnusable. Only regular files: a pipe that somebody enrolled from would never end."""
    try:
        if path.exists() and not path.is_file():
            raise SourceUnusable(Trouble.UNREADABLE, f"{path}: is no file")
        return read_picture(path)
    except SourceUnusable:
        raise
    except InvalidInput as exc:
        is_gone = isinstance(exc.__cause__, FileNotFoundError | NotADirectoryError)
        raise SourceUnusable(Trouble.GONE if is_gone else Trouble.UNREADABLE, str(exc)) from exc
    except (OSError, ValueError) as exc:  # a folder that may not be entered; a NUL in the path
        raise SourceUnusable(Trouble.UNREADABLE, f"{path}: cannot be read ({exc})") from exc
