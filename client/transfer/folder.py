"""The folder of an export: which files it has by its manifest, and whether they are whole.

A damaged index can crash the library that reads it, so nothing is opened before its checksum was compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from chassis.errors import InvalidInput

__all__ = ["MANIFEST", "ExportFolder", "sha256_of"]

MANIFEST = "manifest.json"

_LARGEST_DOCUMENT = 2**31
_SHA256_DIGITS = 64
_NAMES = ("name", "path", "file", "filename")
_DIGESTS = ("sha256", "checksum", "sha256sum", "hash")
_SIZES = ("bytes", "size", "size_bytes")


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the manifest says of one file."""

    sha256: str
    size: int | None


class ExportFolder:
    """Files of one folder, named in its manifest.

    Raises InvalidInput for a folder without a manifest, or one that names files elsewhere.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        if not root.is_dir():
            raise InvalidInput(f"{root}: not a folder")
        self.manifest = self._document(MANIFEST)
        if not isinstance(self.manifest, dict):
            raise InvalidInput(f"{root / MANIFEST}: not a manifest")
        self._files = dict(_files(self.manifest))
        for name in self._files:
            self._path(name)
        self._verified: set[str] = set()

    def __repr__(self) -> str:
        return f"ExportFolder({str(self.root)!r}, {len(self._files)} files)"

    def has(self, name: str) -> bool:
        """Whether there is such a file in the folder."""
        return self._path(name).exists()

    def verified(self, name: str) -> Path:
        """The path of a file that is what the manifest says.

        Raises InvalidInput for a file that is not there, has no checksum, or another one.
        """
        path = self._path(name)
        if name in self._verified:
            return path
        facts = self._files.get(name)
        if facts is None or not facts.sha256:
            raise InvalidInput(f"{path}: the manifest has no SHA-256 of it")
        if not path.is_file():
            raise InvalidInput(f"{path}: the manifest names it, and it is not there")
        if facts.size is not None and path.stat().st_size != facts.size:
            raise InvalidInput(
                f"{path}: {path.stat().st_size} bytes, the manifest says {facts.size}: truncated?"
            )
        if sha256_of(path) != facts.sha256:
            raise InvalidInput(f"{path}: not the SHA-256 of the manifest: it is damaged, or was changed")
        self._verified.add(name)
        return path

    def document(self, name: str) -> Any:
        """A verified JSON file, parsed. Raises InvalidInput."""
        return self._document(self.verified(name).name)

    def lines(self, name: str) -> Iterator[Any]:
        """The lines of a verified file, each a JSON value. Raises InvalidInput."""
        path = self.verified(name)
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                yield _parsed(line, f"{path}, line {number}")

    def _document(self, name: str) -> Any:
        path = self._path(name)
        try:
            if path.stat().st_size > _LARGEST_DOCUMENT:
                raise InvalidInput(f"{path}: larger than {_LARGEST_DOCUMENT} bytes")
            return _parsed(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as exc:
            raise InvalidInput(f"{path}: cannot be read") from exc

    def _path(self, name: str) -> Path:
        """The file of that name in the folder itself, wherever a link leads."""
        is_plain = (
            name not in ("", ".", "..") and PurePosixPath(name).name == PureWindowsPath(name).name == name
        )
        path = self.root / name
        if not is_plain or path.resolve().parent != self.root.resolve():
            raise InvalidInput(f"{self.root / MANIFEST}: names {name!r}, which is not in the folder")
        return path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidInput(f"{where}: not JSON") from exc


def _files(manifest: Mapping[str, Any]) -> Iterator[tuple[str, _Facts]]:
    """What a manifest says of its files, in any of the forms that are in use: see docs/transfer.md."""
    for key in ("files", "checksums", "sha256"):
        entries = manifest.get(key)
        if isinstance(entries, dict):
            yield from ((str(name), _facts(facts)) for name, facts in entries.items())
        elif isinstance(entries, list):
            for facts in entries:
                if isinstance(facts, dict):
                    yield str(_first(facts, _NAMES, "")), _facts(facts)


def _facts(entry: object) -> _Facts:
    if isinstance(entry, dict):
        size = _first(entry, _SIZES, None)
        return _Facts(_digest(_first(entry, _DIGESTS, "")), size if isinstance(size, int) else None)
    return _Facts(_digest(entry), None)


def _first(entry: Mapping[str, Any], names: tuple[str, ...], default: object) -> object:
    return next((entry[name] for name in names if name in entry), default)


def _digest(text: object) -> str:
    digest = str(text).lower().removeprefix("sha256:")
    return digest if len(digest) == _SHA256_DIGITS else ""
