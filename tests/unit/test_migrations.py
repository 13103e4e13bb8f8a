"""Reading migrations from packages: what is accepted, what is refused and how it is named."""

import hashlib
import importlib
import sys
import zipfile
from pathlib import Path

import pytest

from chassis.errors import StoreError
from chassis.postgres import SchemaSource, load_migrations
from tests.fakes.packages import make_package


def source(package: str) -> SchemaSource:
    """Return the schema `face` filled from `package`."""
    return SchemaSource("face", package)


def test_files_come_in_order_with_their_checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrations are sorted by number and carry the SHA-256 of their text; other files are left alone."""
    monkeypatch.syspath_prepend(tmp_path)
    package = make_package(
        tmp_path, {"0002_more.sql": "SELECT 2;\n", "0001_faces.sql": "SELECT 1;\n", "README.md": "words"}
    )
    first, second = load_migrations(source(package))
    assert (first.version, first.name, first.label) == (1, "faces", "face/0001_faces")
    assert (second.version, second.name, second.sql) == (2, "more", "SELECT 2;\n")
    assert first.checksum == hashlib.sha256(b"SELECT 1;\n").hexdigest()


def test_line_ends_do_not_change_a_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout with CRLF line ends has the same migrations as one with LF."""
    monkeypatch.syspath_prepend(tmp_path)
    unix = make_package(tmp_path, {"0001_a.sql": "SELECT 1;\n\nSELECT 2;\n"})
    windows = make_package(tmp_path, {"0001_a.sql": "SELECT 1;\r\n\r\nSELECT 2;\r\n"})
    assert load_migrations(source(unix)) == load_migrations(source(windows))


def test_migrations_are_found_in_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read as package data, so a package imported from a zip archive works."""
    package = make_package(tmp_path, {"0001_a.sql": "SELECT 1;"})
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in (tmp_path / package).rglob("*.*"):
            packed.write(file, file.relative_to(tmp_path))
    for file in (tmp_path / package).rglob("*.*"):
        file.unlink()
    monkeypatch.syspath_prepend(archive)
    importlib.invalidate_caches()
    assert [one.label for one in load_migrations(source(package))] == ["face/0001_a"]
    assert str(archive) in str(sys.modules[package].__file__)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"0001_a.sql": "", "0003_c.sql": ""}, r"face/0003_c: number 0002 is missing"),
        ({"0002_b.sql": ""}, r"face/0002_b: number 0001 is missing"),
        ({"0001_a.sql": "", "0001_b.sql": ""}, r"face/0001_[ab]: its number is there twice"),
        ({"0000_a.sql": ""}, r"face/0000_a"),
        ({"1_a.sql": ""}, r"face/1_a.sql: its name is not"),
        ({"0001_Upper.sql": ""}, r"face/0001_Upper.sql: its name is not"),
        ({"0001_a.sql": "BEGIN;\nSELECT 1;\nCOMMIT;"}, r"face/0001_a: it must not begin or end"),
        ({"0001_a.sql": "SELECT 1;\n  commit work ;"}, r"face/0001_a: it must not begin or end"),
        ({"notes.md": ""}, r"has no migrations"),
    ],
)
def test_what_is_not_as_it_must_be_is_named(
    files: dict[str, str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gaps, duplicates, odd names and files that handle transactions are refused with their name."""
    monkeypatch.syspath_prepend(tmp_path)
    package = make_package(tmp_path, files)
    with pytest.raises(StoreError, match=complaint):
        load_migrations(source(package))


def test_the_body_of_a_function_may_begin_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BEGIN and END of PL/pgSQL are not statements about transactions."""
    monkeypatch.syspath_prepend(tmp_path)
    body = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  NULL;\nEND;\n$$;"
    package = make_package(tmp_path, {"0001_f.sql": body})
    assert len(load_migrations(source(package))) == 1


@pytest.mark.parametrize("package", ["no_such_package_here", "chassis"])
def test_a_package_without_migrations_is_named(package: str) -> None:
    """A package that does not exist or has no folder of migrations is a StoreError with its name."""
    with pytest.raises(StoreError, match=package):
        load_migrations(source(package))


@pytest.mark.parametrize("schema", ["", "Face", "face; DROP SCHEMA catalogue", "1face"])
def test_a_schema_is_a_plain_name(schema: str) -> None:
    """A schema's name goes into SQL as it is, so only plain names are taken."""
    with pytest.raises(StoreError, match="no name for a schema"):
        SchemaSource(schema, "chassis")
