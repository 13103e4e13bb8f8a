"""Weights of our own: files that are part of the project, trusted by checksum like any other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from chassis.errors import ModelError

__all__ = ["CommittedFile", "read_committed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedFile:
    """One file inside a Python package of ours."""

    module: str
    """The Python package, such as "services.tattoo"."""
    path: str
    """Path inside it, with forward slashes."""
    sha256: str
    """Checksum of the file, 64 lower-case hex digits."""

    def __str__(self) -> str:
        return f"{self.module.replace('.', '/')}/{self.path}"


def read_committed(file: CommittedFile) -> bytes:
    """Return its bytes. Raises ModelError when it is not there or holds other bytes than pinned."""
    try:
        data = files(file.module).joinpath(file.path).read_bytes()
    except (ModuleNotFoundError, OSError) as exc:
        raise ModelError(f"{file} cannot be read: the installation is not complete") from exc
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ModelError(f"{file} is not the pinned file")
    return data
