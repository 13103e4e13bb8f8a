"""performers.db of the community's published database, read tolerantly: its columns have had several names.

Only what is there is read; docs/transfer.md lists the tables and the names that are understood.
"""

from __future__ import annotations

import datetime
import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from chassis.errors import InvalidInput
from client.catalogue import Performer
from client.transfer.values import PerformerRecord
from client.values import ExternalId

__all__ = ["CommunityDatabase", "CommunityFace", "CommunityText", "authority_of"]

_AUTHORITIES = {
    "stashdb": "stashdb.org",
    "theporndb": "theporndb.net",
    "tpdb": "theporndb.net",
    "api.theporndb.net": "theporndb.net",
    "fansdb": "fansdb.cc",
    "javstash": "javstash.org",
    "pmvstash": "pmvstash.org",
}
_RATIOS = ("shoulder_hip_ratio", "leg_torso_ratio", "arm_span_height_ratio")
_PERFORMER = ("performer_id", "performer")
_NAMES = ("canonical_name", "name", "performer_name")
_BIRTH = ("birth_date", "birthdate", "date_of_birth")
_AUTHORITY = ("endpoint", "source_endpoint", "authority", "stashbox", "source", "site")
_STASH_ID = ("stashbox_performer_id", "stash_id", "stashbox_id", "external_id", "remote_id", "id")
_URL = ("image_url", "url", "source_url")
_QUALITY = ("quality_score", "quality")


@dataclass(frozen=True, slots=True)
class CommunityFace:
    """A row of `faces`: whose, its places in the two indices, and the picture."""

    performer: int
    positions: Mapping[str, int]
    """By the column's name without `_index`: facenet, arcface."""
    image_url: str
    quality: float | None
    authority: str


@dataclass(frozen=True, slots=True)
class CommunityText:
    """A row of `tattoos`: what a stash-box says of one."""

    performer: int
    location: str
    description: str
    authority: str


class CommunityDatabase:
    """The file, opened for reading only. Every call raises InvalidInput for what is no such database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._reading():
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            tables = self._connection.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
            )
            self._columns = {row["name"]: self._columns_of(row["name"]) for row in tables.fetchall()}
        if "performers" not in self._columns:
            raise InvalidInput(f"{path}: has no table performers")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def count(self, table: str) -> int:
        """Rows of a table; 0 when it is not there."""
        if table not in self._columns:
            return 0
        with self._reading():
            return int(self._connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])

    def performers(self) -> Iterator[tuple[int, PerformerRecord]]:
        """Every performer with the number that the other tables use."""
        aliases = self._grouped("aliases", lambda row: _text(_first(row, ("alias", "name"))))
        ids = self._grouped("stashbox_ids", _external_id)
        ratios = {_number(_first(row, _PERFORMER)): _ratios(row) for row in self._rows("body_proportions")}
        for row in self._rows("performers"):
            number = _number(_first(row, ("id", "performer_id")))
            performer = Performer(
                name=_text(_first(row, _NAMES)),
                aliases=tuple(dict.fromkeys(filter(None, aliases.get(number, ())))),
                external_ids=tuple(dict.fromkeys(filter(None, ids.get(number, ())))),
                birth_date=_date(_first(row, _BIRTH)),
                career_start_year=_year(_first(row, ("career_start_year", "career_start"))),
                career_end_year=_year(_first(row, ("career_end_year", "career_end"))),
                gender=_text(_first(row, ("gender",))),
                country=_country(_first(row, ("country",))),
                image_url=_http(_first(row, _URL)),
            )
            yield number, PerformerRecord(performer, ratios.get(number, {}))

    def faces(self) -> Iterator[CommunityFace]:
        """Every row of `faces`."""
        for row in self._rows("faces"):
            positions = {
                name.removesuffix("_index"): int(row[name])
                for name in row
                if name.endswith("_index") and isinstance(row[name], int)
            }
            yield CommunityFace(
                _number(_first(row, _PERFORMER)),
                positions,
                _http(_first(row, _URL)),
                _share(_first(row, _QUALITY)),
                authority_of(_first(row, _AUTHORITY)),
            )

    def texts(self) -> Iterator[CommunityText]:
        """Every row of `tattoos`."""
        for row in self._rows("tattoos"):
            yield CommunityText(
                _number(_first(row, _PERFORMER)),
                _text(_first(row, ("location", "body_location", "position"))),
                _text(_first(row, ("description", "text"))),
                authority_of(_first(row, _AUTHORITY)),
            )

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        """Rows of a table by column, in the order in which they are stored; none when it is not there."""
        if table not in self._columns:
            return
        with self._reading():
            for row in self._connection.execute(f'SELECT * FROM "{table}"'):
                yield dict(zip(self._columns[table], tuple(row), strict=True))

    def _grouped(self, table: str, value: Any) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = defaultdict(list)
        for row in self._rows(table):
            found[_number(_first(row, _PERFORMER))].append(value(row))
        return found

    def _columns_of(self, table: str) -> tuple[str, ...]:
        rows = self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        return tuple(str(row["name"]).lower() for row in rows)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, OverflowError, UnicodeDecodeError) as exc:
            raise InvalidInput(f"{self._path}: not a readable SQLite database") from exc


def authority_of(endpoint: object) -> str:
    """The authority that an endpoint means: `stashdb`, `https://stashdb.org/graphql` -> stashdb.org.

    "" for none.
    """
    text = _text(endpoint).lower()
    host = urlsplit(text).hostname or "" if "//" in text else text.partition("/")[0]
    return _AUTHORITIES.get(host, host)


def _external_id(row: Mapping[str, Any]) -> ExternalId | None:
    named = {name: value for name, value in row.items() if name != "performer_id"}
    authority, id_ = authority_of(_first(named, _AUTHORITY)), _text(_first(named, _STASH_ID))
    return ExternalId(authority, id_) if authority and id_ else None


def _ratios(row: Mapping[str, Any]) -> dict[str, float]:
    """Ratios that were measured; a confidence of 0 says that they were not."""
    confidence = row.get("confidence")
    if isinstance(confidence, (int, float)) and confidence <= 0:
        return {}
    values = {name: row[name] for name in _RATIOS if isinstance(row.get(name), (int, float))}
    return {name: float(value) for name, value in values.items() if math.isfinite(value) and value > 0}


def _first(row: Mapping[str, Any], names: Sequence[str]) -> object:
    """The first of these columns that the row has a value in."""
    return next((row[name] for name in names if row.get(name) is not None), None)


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError as exc:
        raise InvalidInput("performers.db: a performer's number is not one") from exc


def _text(value: object) -> str:
    """Without control characters and spaces around it; "" for nothing and for bytes."""
    if value is None or isinstance(value, bytes):
        return ""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(value)).split())


def _http(value: object) -> str:
    text = _text(value)
    return text if text.startswith(("http://", "https://")) and " " not in text else ""


def _date(value: object) -> datetime.date | None:
    """A whole date; what is less exact is not known."""
    try:
        return datetime.date.fromisoformat(_text(value)[:10])
    except ValueError:
        return None


def _year(value: object) -> int:
    text = _text(value)[:4]
    return int(text) if text.isdecimal() else 0


def _country(value: object) -> str:
    text = _text(value).upper()
    return text if len(text) == 2 and text.isascii() and text.isalpha() else ""


def _share(value: object) -> float | None:
    is_number = isinstance(value, (int, float)) and math.isfinite(value)
    return min(1.0, max(0.0, float(value))) if is_number and isinstance(value, (int, float)) else None
