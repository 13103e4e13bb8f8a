"""Reading enrolled pictures again from where they came, and only if they are still the same bytes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from urllib.parse import urlsplit
from urllib.request import url2pathname

from chassis.errors import InvalidInput
from chassis.images import image_hash
from client.fetching import Failure, Fetcher, FetchFailed
from client.picture_file import read_picture

__all__ = ["Trouble", "SourceUnusable", "Root", "read_source", "source_path", "is_remote"]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class Trouble(StrEnum):
    """Why a picture cannot be described again."""

    GONE = "gone"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    REMOTE = "not fetched"
    """At a URL that is not fetched: another scheme than http, an address that is not public."""
    UNREACHABLE = "unreachable"
    """At a URL that did not answer this time."""


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


async def read_source(
    uri: str, digest: str, roots: Sequence[Root] = (), fetcher: Fetcher | None = None
) -> bytes:
    """The bytes of an enrolled picture: those whose SHA-256 (hexadecimal) is `digest`.

    uri: a path or a URL, as stored at enrolment; one of http is read by the fetcher. Raises SourceUnusable,
    whose words name the file or URL.
    """
    if is_remote(uri):
        data, name = await _fetched(uri, fetcher), uri
    else:
        path = source_path(uri, roots)
        data, name = await asyncio.to_thread(_read, path), str(path)
    if await asyncio.to_thread(image_hash, data) != digest:
        raise SourceUnusable(Trouble.CHANGED, f"{name}: is not the picture that was enrolled")
    return data


def is_remote(uri: str) -> bool:
    """Whether it is to be fetched by http or https."""
    return _SCHEME.match(uri) is not None and uri.partition(":")[0].lower() in ("http", "https")


async def _fetched(uri: str, fetcher: Fetcher | None) -> bytes:
    """Raises SourceUnusable."""
    if fetcher is None:
        raise SourceUnusable(Trouble.REMOTE, f"{uri}: URLs are not fetched here")
    try:
        return await fetcher.fetch(uri)
    except FetchFailed as exc:
        trouble = Trouble.UNREACHABLE if exc.failure.is_passing else _TROUBLES.get(exc.failure)
        raise SourceUnusable(trouble or Trouble.UNREADABLE, str(exc)) from exc


# Failures that do not pass; the others mean that what is there is no picture.
_TROUBLES = {
    Failure.NOT_FOUND: Trouble.GONE,
    Failure.PRIVATE_ADDRESS: Trouble.REMOTE,
    Failure.BAD_URL: Trouble.REMOTE,
}


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
        raise SourceUnusable(Trouble.REMOTE, f"{uri}: neither a file nor http or https")
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
