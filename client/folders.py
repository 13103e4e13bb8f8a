"""Galleries on disk: one folder for each performer, pictures in it, facts in an optional performer.json."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pydantic

from chassis.errors import InvalidInput
from client.catalogue import Performer
from client.values import ExternalId

__all__ = ["PerformerFolder", "Picture", "read_gallery", "FACTS_FILE", "PICTURE_SUFFIXES"]

FACTS_FILE = "performer.json"
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class Picture:
    """One image file of a performer's folder."""

    path: Path
    date: date | None


@dataclass(frozen=True, slots=True)
class PerformerFolder:
    """One performer as a folder describes them; nothing is enrolled yet."""

    path: Path
    performer: Performer
    pictures: tuple[Picture, ...]
    """By file name."""
    ignored: tuple[Path, ...] = ()
    """Files that are no pictures Marquee reads."""

    @property
    def name(self) -> str:
        """The folder's name: what probe folders are matched with."""
        return folder_id(self.path)


class _Facts(pydantic.BaseModel):
    """performer.json; docs/client.md shows one. Unknown keys are errors, so that a typo costs no date."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    external_ids: Mapping[str, str] = pydantic.Field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    birth_date: date | None = None
    career_start_year: int = pydantic.Field(default=0, ge=0, le=9999)
    career_end_year: int = pydantic.Field(default=0, ge=0, le=9999)
    adult_attested: bool = False
    gender: str = ""
    country: str = ""
    image_url: str = ""
    urls: tuple[str, ...] = ()
    dates: Mapping[str, date] = pydantic.Field(default_factory=dict)
    """Day each file was taken, by file name."""


def read_gallery(directory: Path) -> list[PerformerFolder]:
    """The performers of `directory`, by name; hidden files and folders are left out.

    Raises InvalidInput when it is no folder, holds no folders, or a performer.json is not as documented.
    """
    if not directory.is_dir():
        raise InvalidInput(f"{directory}: no such folder")
    folders = [_read_folder(path) for path in _visible(directory) if path.is_dir()]
    if not folders:
        raise InvalidInput(f"{directory}: no folders in it; one folder for each performer is expected")
    return folders


def folder_id(path: Path) -> str:
    """The name of a folder as an id: composed Unicode, so that a copy from another system stays the same."""
    return unicodedata.normalize("NFC", path.resolve().name)


def _read_folder(path: Path) -> PerformerFolder:
    facts = _read_facts(path / FACTS_FILE)
    files = [file for file in _visible(path) if file.is_file() and file.name != FACTS_FILE]
    pictures = [file for file in files if file.suffix.lower() in PICTURE_SUFFIXES]
    _check_dates(path, facts, {file.name for file in pictures})
    return PerformerFolder(
        path=path,
        performer=_performer(path, facts),
        pictures=tuple(Picture(file, facts.dates.get(file.name)) for file in pictures),
        ignored=tuple(file for file in files if file not in set(pictures)),
    )


def _visible(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if not path.name.startswith("."))


def _read_facts(path: Path) -> _Facts:
    if not path.exists():
        return _Facts()
    try:
        return _Facts.model_validate_json(path.read_bytes())
    except pydantic.ValidationError as exc:
        problem = exc.errors(include_url=False, include_input=False)[0]
        field_name = ".".join(str(part) for part in problem["loc"])
        raise InvalidInput(f"{path}: {field_name or 'the file'}: {problem['msg']}") from exc
    except OSError as exc:
        raise InvalidInput(f"{path}: cannot be read ({exc.strerror})") from exc


def _check_dates(path: Path, facts: _Facts, names: set[str]) -> None:
    for name in facts.dates:
        if name not in names:
            raise InvalidInput(f"{path / FACTS_FILE}: dates: no picture {json.dumps(name)} in the folder")


def _performer(path: Path, facts: _Facts) -> Performer:
    given = tuple(ExternalId(authority, each) for authority, each in sorted(facts.external_ids.items()))
    return Performer(
        name=facts.name or folder_id(path).replace("_", " "),
        aliases=facts.aliases,
        external_ids=given or (ExternalId("folder", folder_id(path)),),
        birth_date=facts.birth_date,
        career_start_year=facts.career_start_year,
        career_end_year=facts.career_end_year,
        adult_attested=facts.adult_attested,
        gender=facts.gender,
        country=facts.country,
        image_url=facts.image_url,
        urls=facts.urls,
    )
