"""Small Python packages made for one test."""

import importlib
import uuid
from collections.abc import Mapping
from pathlib import Path

__all__ = ["make_package"]


def make_package(folder: Path, migrations: Mapping[str, str]) -> str:
    """Write a package with a `migrations` folder of these files into `folder` and return its unique name.

    The caller puts `folder` on sys.path.
    """
    name = f"package_{uuid.uuid4().hex}"
    directory = folder / name / "migrations"
    directory.mkdir(parents=True)
    (folder / name / "__init__.py").write_text("")
    for file, text in migrations.items():
        (directory / file).write_bytes(text.encode())
    importlib.invalidate_caches()
    return name
