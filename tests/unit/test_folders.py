"""Reading a gallery: one folder for each performer, facts from performer.json."""

import json
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import InvalidInput
from client.folders import PerformerFolder, read_gallery
from client.values import ExternalId


def _folder(gallery: Path, name: str, *files: str, facts: Any = None) -> Path:
    folder = gallery / name
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_bytes(b"content is not looked at")
    if facts is not None:
        (folder / "performer.json").write_text(facts if isinstance(facts, str) else json.dumps(facts))
    return folder


def _only(gallery: Path) -> PerformerFolder:
    (found,) = read_gallery(gallery)
    return found


def test_a_folder_is_a_performer(tmp_path: Path) -> None:
    """The folder's name is the id and, with spaces for underscores, the name; pictures come sorted."""
    _folder(tmp_path, "Ann_Lee", "b.JPG", "a.png", "c.webp", "d.jpeg")
    found = _only(tmp_path)
    assert found.performer.name == "Ann Lee"
    assert found.performer.external_ids == (ExternalId("folder", "Ann_Lee"),)
    assert [picture.path.name for picture in found.pictures] == ["a.png", "b.JPG", "c.webp", "d.jpeg"]
    assert not found.performer.adult_attested


def test_other_files_are_named_not_read(tmp_path: Path) -> None:
    """What is no picture is listed as ignored; hidden files and folders are not even that."""
    _folder(tmp_path, "Ann", "a.jpg", "clip.mp4", ".DS_Store")
    _folder(tmp_path, ".cache", "b.jpg")
    (tmp_path / "readme.txt").write_text("beside the folders")
    found = _only(tmp_path)
    assert [path.name for path in found.ignored] == ["clip.mp4"]
    assert len(found.pictures) == 1


def test_facts_come_from_performer_json(tmp_path: Path) -> None:
    """Ids given there replace the folder's name as an id; dates belong to files."""
    facts = {
        "name": "Ann Lee",
        "external_ids": {"stashdb.org": "0b1c"},
        "aliases": ["Annie"],
        "birth_date": "1990-02-28",
        "career_start_year": 2012,
        "adult_attested": True,
        "dates": {"a.jpg": "2020-05-01"},
    }
    _folder(tmp_path, "ann", "a.jpg", "b.jpg", facts=facts)
    found = _only(tmp_path)
    assert found.name == "ann"
    assert found.performer.external_ids == (ExternalId("stashdb.org", "0b1c"),)
    assert found.performer.birth_date == date(1990, 2, 28)
    assert found.performer.adult_attested
    assert found.performer.aliases == ("Annie",)
    assert [picture.date for picture in found.pictures] == [date(2020, 5, 1), None]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ("{", "Invalid JSON"),
        ({"birthdate": "1990-01-01"}, "birthdate"),
        ({"birth_date": "yesterday"}, "birth_date"),
        ({"dates": {"missing.jpg": "2020-01-01"}}, "missing.jpg"),
    ],
)
def test_a_wrong_performer_json_is_named(tmp_path: Path, facts: Any, words: str) -> None:
    """A typo is an error that names file and field, because a birth date must not be lost silently."""
    _folder(tmp_path, "ann", "a.jpg", facts=facts)
    with pytest.raises(InvalidInput, match=words) as raised:
        read_gallery(tmp_path)
    assert "performer.json" in str(raised.value)


def test_the_same_name_in_other_unicode_is_the_same_id(tmp_path: Path) -> None:
    """A gallery copied from a system that decomposes accents keeps its ids."""
    composed, decomposed = unicodedata.normalize("NFC", "Zoë"), unicodedata.normalize("NFD", "Zoë")
    _folder(tmp_path / "one", composed, "a.jpg")
    _folder(tmp_path / "two", decomposed, "a.jpg")
    one, two = _only(tmp_path / "one"), _only(tmp_path / "two")
    assert one.name == two.name
    assert one.performer.external_ids == two.performer.external_ids


def test_no_gallery_is_an_error(tmp_path: Path) -> None:
    """A folder that is missing, or has no folders in it, is said to be so."""
    with pytest.raises(InvalidInput, match="no such folder"):
        read_gallery(tmp_path / "missing")
    (tmp_path / "loose.jpg").write_bytes(b"x")
    with pytest.raises(InvalidInput, match="one folder for each performer"):
        read_gallery(tmp_path)
