"""The list of built files in a folder of models, with the checksum each must have."""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from chassis.errors import ModelError

__all__ = ["BuiltFile", "Manifest", "write_durably", "link_or_copy"]


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """What is remembered of a built file."""

    version: str
    """Of the spec it was built from."""
    source_sha256: str
    """Of the file inside the package."""
    sha256: str
    """Of the ONNX file."""
    bytes: int


class Manifest:
    """One JSON file, replaced as a whole; read again for each question, because another process may build."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, BuiltFile]:
        """Return the built files by the name of their model; a damaged manifest vouches for none.

        Raises ModelError when it is there and cannot be read.
        """
        try:
            rows = json.loads(self._path.read_text())
            return {name: BuiltFile(**row) for name, row in rows.items()}
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, AttributeError):
            return {}
        except OSError as exc:
            raise ModelError(f"the list of built models cannot be read: {exc.strerror}") from exc

    def add(self, name: str, built: BuiltFile) -> None:
        """Remember one more file. The caller holds the lock of the folder."""
        rows = {**self.read(), name: built}
        text = json.dumps({key: asdict(row) for key, row in sorted(rows.items())}, indent=2)
        aside = self._path.with_suffix(".partial")
        write_durably(aside, text.encode())
        os.replace(aside, self._path)


def write_durably(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def link_or_copy(source: Path, target: Path) -> None:
    """One file under two names where the file system can; built files are replaced, never written to."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
