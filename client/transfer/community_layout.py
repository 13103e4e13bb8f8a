"""The published layout of the community's database as an import reads it. docs/transfer.md describes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from chassis.errors import InvalidInput
from client.transfer.community_database import CommunityDatabase, CommunityFace, authority_of
from client.transfer.folder import ExportFolder
from client.transfer.source import IncomingPerformer, IncomingText, IncomingVector, VectorSet
from client.transfer.universal_id import all_ids
from client.transfer.values import Observation, PerformerRecord, unseen_hash
from client.transfer.voyager_file import VectorFile
from client.values import ExternalId, Signal

__all__ = ["DATABASE", "IMPORTED_VERSION", "TATTOO_MODEL", "CommunityExport"]

DATABASE = "performers.db"
IMPORTED_VERSION = "community"
"""Version under which the community's vectors are stored.

The embedder that made them is configured with it.
"""
TATTOO_MODEL = "community_tattoo"
"""Model under which the community's tattoo vectors are stored."""

_FACE_FILES = {
    "face_facenet.voy": ("facenet512", "facenet"),
    "face_arcface.voy": ("arcface", "arcface"),
}
_FACE_DIMENSION, _TATTOO_DIMENSION = 512, 1280
_FACE_OWNERS = "faces.json"
_TATTOO_FILE = "tattoo_embeddings.voy"
_TATTOO_OWNERS = ("tattoo_embeddings.json", "tattoos.json")
_NESTED = ("positions", "mapping", "index", "faces", "tattoos", "embeddings", "ids")
_OWNER = ("universal_id", "performer", "performer_id", "stash_id", "id")
_BATCH = 1000
# The publisher states none for some faces, and none for tattoos.
_UNKNOWN_QUALITY = 0.5


class CommunityExport:
    """A folder with performers.db.

    Raises InvalidInput for a damaged folder.
    """

    title = "community database"

    def __init__(
        self, folder: ExportFolder, *, adult_attested: bool, versions: Mapping[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._adult_attested = adult_attested
        self._versions = versions or {}
        self._database = CommunityDatabase(folder.verified(DATABASE))
        self.performer_count = self._database.count("performers")
        self.sets = tuple(self._sets())
        piercings = self._database.count("piercings")
        self.remarks = (f"{piercings:,} piercings are not used",) if piercings else ()

    def performers(self) -> Iterator[IncomingPerformer]:
        """An external id that two performers claim is nobody's: it would join them."""
        owners: dict[ExternalId, int] = {}
        claimed: set[ExternalId] = set()
        for number, record in self._database.performers():
            claimed.update(
                one for one in record.performer.external_ids if owners.setdefault(one, number) != number
            )
        for number, record in self._database.performers():
            performer = _replaced(record, claimed, self._adult_attested)
            yield IncomingPerformer((_key(number), *all_ids(performer.performer)), performer)

    def texts(self) -> Iterator[IncomingText]:
        for text in self._database.texts():
            if text.location or text.description:
                authority = text.authority or "community"
                yield IncomingText(_key(text.performer), text.location, text.description, authority)

    def _sets(self) -> Iterator[VectorSet]:
        for name, (model, column) in _FACE_FILES.items():
            if self._folder.has(name):
                read = partial(self._faces, name, column)
                yield self._set(Signal.FACE, model, name, _FACE_DIMENSION, read)
        if self._folder.has(_TATTOO_FILE):
            yield self._set(Signal.TATTOO, TATTOO_MODEL, _TATTOO_FILE, _TATTOO_DIMENSION, self._tattoos)

    def _set(self, signal: Signal, model: str, name: str, dimension: int, read: Any) -> VectorSet:
        count = len(VectorFile(self._folder.verified(name), dimension=dimension))
        return VectorSet(signal, model, self._versions.get(model, IMPORTED_VERSION), count, read)

    def _faces(self, name: str, column: str) -> Iterator[IncomingVector]:
        rows = _by_column(self._database.faces(), column)
        owners = self._owners(_FACE_OWNERS) if self._folder.has(_FACE_OWNERS) else {}
        file = VectorFile(self._folder.verified(name), dimension=_FACE_DIMENSION)
        for positions, vectors in file.batches(_BATCH):
            for position, vector in zip(positions, vectors, strict=True):
                row = rows.get(position, owners.get(position, ""))
                yield _face(row, vector.tobytes())

    def _tattoos(self) -> Iterator[IncomingVector]:
        name = next((one for one in _TATTOO_OWNERS if self._folder.has(one)), _TATTOO_OWNERS[0])
        entries = _by_position(self._folder.document(name))
        file = VectorFile(self._folder.verified(_TATTOO_FILE), dimension=_TATTOO_DIMENSION)
        for positions, vectors in file.batches(_BATCH):
            for position, vector in zip(positions, vectors, strict=True):
                yield _tattoo(entries.get(position), vector.tobytes())

    def _owners(self, name: str) -> dict[int, str]:
        return {
            position: _owner(entry) for position, entry in _by_position(self._folder.document(name)).items()
        }


def _replaced(record: PerformerRecord, claimed: set[ExternalId], adult_attested: bool) -> PerformerRecord:
    performer = record.performer
    ids = tuple(one for one in performer.external_ids if one not in claimed)
    is_attested = adult_attested and performer.birth_date is None
    return PerformerRecord(
        replace(performer, external_ids=ids, adult_attested=is_attested), record.body_ratios
    )


def _key(number: int) -> str:
    return f"#{number}"


def _by_column(faces: Iterable[CommunityFace], column: str) -> dict[int, CommunityFace | str]:
    """Rows by position; a position that two performers claim is nobody's: ""."""
    found: dict[int, CommunityFace | str] = {}
    for face in faces:
        if (position := face.positions.get(column)) is not None:
            other = found.setdefault(position, face)
            if isinstance(other, CommunityFace) and other.performer != face.performer:
                found[position] = ""
    return found


def _face(row: CommunityFace | str, vector: bytes) -> IncomingVector:
    """By the database where it knows the position, else by a universal id."""
    if isinstance(row, str):
        return IncomingVector(row, vector, _seen("", _UNKNOWN_QUALITY, vector))
    quality = _UNKNOWN_QUALITY if row.quality is None else row.quality
    return IncomingVector(_key(row.performer), vector, _seen(row.image_url, quality, vector), row.authority)


def _tattoo(entry: object, vector: bytes) -> IncomingVector:
    facts = entry if isinstance(entry, dict) else {}
    url = str(facts.get("image_url") or facts.get("url") or "")
    seen = _seen(url, _UNKNOWN_QUALITY, vector, is_tattoo=True)
    return IncomingVector(_owner(entry), vector, seen, authority_of(facts.get("source")))


def _seen(url: str, quality: float, vector: bytes, *, is_tattoo: bool = False) -> Observation:
    """A picture without a URL is known by its vector: importing a later release finds it again."""
    uri = url or f"vector:{hashlib.sha256(vector).hexdigest()}"
    region, confidence = ("unknown", _UNKNOWN_QUALITY) if is_tattoo else ("", 0.0)
    return Observation(
        quality=quality, image_hash=unseen_hash(uri), uri=uri, region=region, confidence=confidence
    )


def _owner(entry: object) -> str:
    """The universal id of an entry, with its authority in the form that external ids have."""
    if isinstance(entry, dict):
        entry = next((entry[name] for name in _OWNER if entry.get(name)), "")
    authority, colon, id_ = str(entry or "").rpartition(":")
    return f"{authority_of(authority)}:{id_}" if colon else ""


def _by_position(document: object) -> dict[int, object]:
    """A list, or an object with positions as names; either may be inside another object."""
    if isinstance(document, dict):
        nested = next(
            (document[name] for name in _NESTED if isinstance(document.get(name), (dict, list))), None
        )
        if nested is not None:
            return _by_position(nested)
        return {int(name): entry for name, entry in document.items() if str(name).isdecimal()}
    if isinstance(document, list):
        return dict(enumerate(document))
    raise InvalidInput("positions: neither a list nor an object")
