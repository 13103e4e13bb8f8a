"""Files that are whole or not there: written aside, made durable, renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from chassis.errors import ConfigError
from client.transfer.folder import sha256_of

__all__ = ["as_list", "facts_of", "new_folder_beside", "put_in_place", "write_lines"]

_ONLY_OWNER = 0o700


def new_folder_beside(target: Path) -> Path:
    """An empty folder that only its owner may enter, to become `target`; what an earlier try left there is
    deleted.

    Raises ConfigError when something is at `target` already, OSError when it cannot be made.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} is there already: name a new folder")
    aside = target.with_name(f".{target.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=_ONLY_OWNER, parents=True)
    return aside


def as_list(lines: Sequence[str]) -> list[str]:
    """Lines of a JSON list with one value a line."""
    return ["[", *(f"{line}," for line in lines[:-1]), *lines[-1:], "]"]


def write_lines(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(f"{line}\n")
        _sync(file)


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def facts_of(path: Path) -> dict[str, Any]:
    return {"sha256": sha256_of(path), "bytes": path.stat().st_size}


def put_in_place(aside: Path, target: Path) -> None:
    """Rename the folder; after a power cut it is there whole or not at all."""
    _sync_folder(aside)
    with suppress(FileNotFoundError):
        target.rmdir()  # an empty one
    os.rename(aside, target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
