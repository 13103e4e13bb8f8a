"""A small sample of the community's published database, as docs/transfer.md describes its layout."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import voyager  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

from client.transfer.folder import sha256_of

__all__ = ["CommunityFolder", "community_folder", "unit_vectors", "write_index", "write_manifest"]

FACE_DIMENSION, TATTOO_DIMENSION = 512, 1280

_TABLES = """
CREATE TABLE performers (
    id INTEGER PRIMARY KEY, canonical_name TEXT, gender TEXT, country TEXT, birth_date TEXT,
    career_start_year INTEGER, career_end_year INTEGER, image_url TEXT
);
CREATE TABLE stashbox_ids (performer_id INTEGER, endpoint TEXT, stashbox_performer_id TEXT);
CREATE TABLE aliases (performer_id INTEGER, alias TEXT);
CREATE TABLE faces (
    id INTEGER PRIMARY KEY, performer_id INTEGER, facenet_index INTEGER, arcface_index INTEGER, image_url
    TEXT, source_endpoint TEXT, quality_score REAL
);
CREATE TABLE tattoos (performer_id INTEGER, location TEXT, description TEXT, source TEXT);
CREATE TABLE piercings (performer_id INTEGER, location TEXT, description TEXT, source TEXT);
CREATE TABLE body_proportions (
    performer_id INTEGER, shoulder_hip_ratio REAL, leg_torso_ratio REAL, arm_span_height_ratio REAL,
    confidence REAL
);
"""


@dataclass(frozen=True, slots=True)
class CommunityFolder:
    """The folder, and what is in it."""

    root: Path
    facenet: NDArray[np.float32]
    """By position (n, 512)."""
    universal_ids: list[str] = field(default_factory=list)

    def change_database(self, script: str) -> None:
        """Run SQL on performers.db, and put its new checksum into the manifest."""
        with sqlite3.connect(self.root / "performers.db") as connection:
            connection.executescript(script)
        connection.close()
        write_manifest(self.root)


def community_folder(root: Path, *, people: int = 4, faces_each: int = 2) -> CommunityFolder:
    """Write the folder: `people` adults of stashdb.org, each with faces of both embedders and one tattoo."""
    root.mkdir()
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(people)]
    universal = [f"stashdb.org:{id_}" for id_ in ids]
    owners = [person for person in range(people) for _ in range(faces_each)]
    connection = sqlite3.connect(root / "performers.db")
    connection.executescript(_TABLES)
    for number, id_ in enumerate(ids):
        _add_person(connection, number + 1, id_)
    for position, person in enumerate(owners):
        connection.execute(
            "INSERT INTO faces VALUES (NULL, ?, ?, ?, ?, 'stashdb', ?)",
            (person + 1, position, position, f"https://cdn.example.org/{position}.jpg", 0.9),
        )
    connection.commit()
    connection.close()
    facenet = unit_vectors(len(owners), FACE_DIMENSION, seed=1)
    write_index(root / "face_facenet.voy", facenet)
    write_index(root / "face_arcface.voy", unit_vectors(len(owners), FACE_DIMENSION, seed=2))
    write_index(root / "tattoo_embeddings.voy", unit_vectors(people, TATTOO_DIMENSION, seed=3))
    (root / "faces.json").write_text(json.dumps([universal[person] for person in owners]))
    entries = {
        str(number): {"universal_id": one, "image_url": f"https://cdn.example.org/tattoo{number}.jpg"}
        for number, one in enumerate(universal)
    }
    (root / "tattoo_embeddings.json").write_text(json.dumps(entries))
    write_manifest(root)
    return CommunityFolder(root, facenet, universal)


def write_manifest(root: Path, **facts: object) -> None:
    """State the checksums of every file as they are now. `facts`: further fields."""
    names = sorted(path.name for path in root.iterdir() if path.name != "manifest.json")
    checksums = {name: sha256_of(root / name) for name in names}
    (root / "manifest.json").write_text(json.dumps({"version": "2026.01", "checksums": checksums, **facts}))


def write_index(path: Path, vectors: NDArray[np.float32], positions: Sequence[int] | None = None) -> None:
    """A Voyager file that is quick to build; nobody searches in it."""
    index = voyager.Index(voyager.Space.Cosine, num_dimensions=vectors.shape[1], M=4, ef_construction=8)
    index.add_items(np.ascontiguousarray(vectors), list(positions or range(len(vectors))))
    index.save(str(path))


def unit_vectors(count: int, dimension: int, *, seed: int) -> NDArray[np.float32]:
    """Vectors of length 1 (count, dimension)."""
    vectors = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _add_person(connection: sqlite3.Connection, number: int, id_: str) -> None:
    rows: Mapping[str, tuple[object, ...]] = {
        "performers": (number, f"Person {number}", "female", "US", "1990-05-01", 2012, None, None),
        "stashbox_ids": (number, "https://stashdb.org/graphql", id_),
        "aliases": (number, f"Alias {number}"),
        "tattoos": (number, "left forearm", "rose", "stashdb"),
        "piercings": (number, "navel", "", "stashdb"),
        "body_proportions": (number, 1.4, 1.1, 1.0, 0.8),
    }
    for table, values in rows.items():
        places = ", ".join("?" for _ in values)
        connection.execute(f"INSERT INTO {table} VALUES ({places})", values)
