"""Marquee's own export: the names and the forms of its files, and reading them back.

Docs/transfer.md has all of it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from chassis.errors import InvalidInput
from client.catalogue import BreastRecord, Performer
from client.transfer.folder import ExportFolder
from client.transfer.source import IncomingPerformer, IncomingText, IncomingVector, VectorSet
from client.transfer.universal_id import all_ids
from client.transfer.values import NOWHERE, Observation, PerformerRecord
from client.transfer.voyager_file import SPACE, VectorFile
from client.values import ExternalId, Signal

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "OBSERVATIONS",
    "PERFORMERS",
    "POSITIONS",
    "SET_ASIDE",
    "OwnExport",
    "observation_document",
    "performer_document",
]

FORMAT = "marquee-export"
FORMAT_VERSION = 1
PERFORMERS = "performers.json"
POSITIONS: Mapping[Signal, str] = {Signal.FACE: "faces.json", Signal.TATTOO: "tattoos.json"}
"""Universal ids by position."""
OBSERVATIONS: Mapping[Signal, str] = {Signal.FACE: "faces.jsonl", Signal.TATTOO: "tattoos.jsonl"}
"""One line for each position: everything known of the face or tattoo besides its vectors."""

SET_ASIDE: Mapping[Signal, tuple[str, str]] = {Signal.FACE: ("faces_set_aside.json", "faces_set_aside.jsonl")}
"""The same of faces in reserve and quarantine: apart, so that whoever reads the others searches none."""

_SEARCHED = {signal: (POSITIONS[signal], OBSERVATIONS[signal]) for signal in POSITIONS}
_BATCH = 1000


class OwnExport:
    """A folder that `marquee export` wrote.

    Raises InvalidInput for a damaged folder, or one of a newer version.
    """

    title = "export of Marquee"
    remarks: tuple[str, ...] = ()

    def __init__(self, folder: ExportFolder, *, adult_attested: bool) -> None:
        self._folder = folder
        self._adult_attested = adult_attested
        if folder.manifest.get("format_version") != FORMAT_VERSION:
            raise InvalidInput(f"{folder.root}: written by another version of Marquee")
        self._performers = _listed(folder.document(PERFORMERS), f"{folder.root / PERFORMERS}")
        self.performer_count = len(self._performers)
        with _malformed(folder, "manifest.json"):
            searched = [self._set(entry, _SEARCHED) for entry in folder.manifest["indexes"]]
            aside = [self._set(entry, SET_ASIDE) for entry in folder.manifest.get("set_aside", ())]
        self.sets = (*searched, *aside)

    def performers(self) -> Iterator[IncomingPerformer]:
        for document in self._performers:
            with _malformed(self._folder, PERFORMERS):
                record = _record(document, self._adult_attested)
            yield IncomingPerformer(all_ids(record.performer), record)

    def texts(self) -> Iterator[IncomingText]:
        return iter(())

    def _set(self, entry: Mapping[str, Any], files: Mapping[Signal, tuple[str, str]]) -> VectorSet:
        signal, dimension = Signal(entry["signal"]), int(entry["dimension"])
        if signal not in files or entry["space"] != SPACE or dimension < 1:
            raise InvalidInput(
                f"{self._folder.root}: {entry['file']}: of a signal or space that is not known"
            )
        self._folder.verified(entry["file"])
        read = partial(self._vectors, files[signal], str(entry["file"]), dimension)
        return VectorSet(signal, str(entry["model"]), str(entry["version"]), int(entry["count"]), read)

    def _vectors(self, files: tuple[str, str], name: str, dimension: int) -> Iterator[IncomingVector]:
        positions_file, observations_file = files
        owners = _listed(self._folder.document(positions_file), str(self._folder.root / positions_file))
        with _malformed(self._folder, observations_file):
            seen = [_observation(line) for line in self._folder.lines(observations_file)]
        if len(owners) != len(seen):
            raise InvalidInput(f"{self._folder.root}: {positions_file} and {observations_file} do not agree")
        for positions, vectors in VectorFile(self._folder.verified(name), dimension=dimension).batches(
            _BATCH
        ):
            for position, vector in zip(positions, vectors, strict=True):
                if position < len(seen):
                    yield IncomingVector(str(owners[position]), vector.tobytes(), seen[position])


def performer_document(record: PerformerRecord, universal: str) -> dict[str, Any]:
    """A performer as JSON values; what is not known is left out."""
    one = record.performer
    document = {
        "id": one.id,
        "universal_id": universal,
        "name": one.name,
        "aliases": list(one.aliases),
        "external_ids": [{"authority": each.authority, "id": each.id} for each in one.external_ids],
        "birth_date": one.birth_date.isoformat() if one.birth_date else None,
        "career_start_year": one.career_start_year,
        "career_end_year": one.career_end_year,
        "adult_attested": one.adult_attested,
        "gender": one.gender,
        "country": one.country,
        "image_url": one.image_url,
        "urls": list(one.urls),
        "breast_history": [_breast_document(each) for each in one.breast_history],
        "body_ratios": dict(record.body_ratios),
    }
    return {name: value for name, value in document.items() if value not in (None, "", [], {}, 0, False)}


def observation_document(seen: Observation) -> dict[str, Any]:
    """A face or tattoo as JSON values; what is not known is left out."""
    document = {
        "image_hash": seen.image_hash,
        "uri": seen.uri,
        "date": seen.date.isoformat() if seen.date else None,
        "quality": seen.quality,
        "box": list(seen.box),
        "region": seen.region,
        "confidence": seen.confidence,
        "removed": seen.removed.isoformat() if seen.removed else None,
        "tattoo_id": seen.tattoo_id,
        "state": seen.state,
        "state_reason": seen.state_reason,
        "is_confirmed": seen.is_confirmed or None,
        "since": seen.since.isoformat() if seen.since else None,
        "fingerprint": seen.fingerprint.hex(),
    }
    return {name: value for name, value in document.items() if value not in (None, "")}


@contextmanager
def _malformed(folder: ExportFolder, name: str) -> Iterator[None]:
    """Turns what a document of another form raises into InvalidInput."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise InvalidInput(f"{folder.root / name}: not as `marquee export` writes it") from exc


def _listed(document: object, where: str) -> Sequence[Any]:
    if not isinstance(document, list):
        raise InvalidInput(f"{where}: not a list")
    return document


def _record(document: Mapping[str, Any], adult_attested: bool) -> PerformerRecord:
    performer = Performer(
        id=document.get("id", ""),
        name=document["name"],
        aliases=tuple(document.get("aliases", ())),
        external_ids=tuple(
            ExternalId(one["authority"], one["id"]) for one in document.get("external_ids", ())
        ),
        birth_date=_date(document.get("birth_date")),
        career_start_year=document.get("career_start_year", 0),
        career_end_year=document.get("career_end_year", 0),
        adult_attested=bool(document.get("adult_attested", False)) or adult_attested,
        gender=document.get("gender", ""),
        country=document.get("country", ""),
        image_url=document.get("image_url", ""),
        urls=tuple(document.get("urls", ())),
        breast_history=tuple(_breast_record(one) for one in document.get("breast_history", ())),
    )
    ratios = {str(name): float(value) for name, value in document.get("body_ratios", {}).items()}
    return PerformerRecord(performer, ratios)


def _breast_document(one: BreastRecord) -> dict[str, Any]:
    document = {
        "size_category": one.size_category,
        "natural_probability": one.natural_probability,
        "effective_from": one.effective_from.isoformat() if one.effective_from else None,
        "effective_until": one.effective_until.isoformat() if one.effective_until else None,
        "source": one.source,
    }
    return {name: value for name, value in document.items() if value not in (None, "")}


def _breast_record(document: Mapping[str, Any]) -> BreastRecord:
    probability = document.get("natural_probability")
    return BreastRecord(
        size_category=str(document.get("size_category", "")),
        natural_probability=None if probability is None else float(probability),
        effective_from=_date(document.get("effective_from")),
        effective_until=_date(document.get("effective_until")),
        source=str(document.get("source", "")),
    )


def _observation(document: Mapping[str, Any]) -> Observation:
    x, y, width, height = (float(value) for value in document.get("box", NOWHERE))
    return Observation(
        quality=float(document["quality"]),
        image_hash=str(document["image_hash"]),
        uri=str(document.get("uri", "")),
        date=_date(document.get("date")),
        box=(x, y, width, height),
        region=str(document.get("region", "")),
        confidence=float(document.get("confidence", 0.0)),
        removed=_date(document.get("removed")),
        tattoo_id=str(document.get("tattoo_id", "")),
        state=str(document.get("state", "")),
        state_reason=str(document.get("state_reason", "")),
        is_confirmed=bool(document.get("is_confirmed", False)),
        since=_date(document.get("since")),
        fingerprint=bytes.fromhex(str(document.get("fingerprint", ""))),
    )


def _date(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
