"""An export that is quick to make, however many vectors it has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import voyager  # type: ignore[import-untyped]  # ships no types

from client.transfer.folder import sha256_of

__all__ = ["export_folder"]

_DIMENSION = 8


def export_folder(root: Path, *, faces: int, people: int) -> Path:
    """Write an export of `people` adults with `faces` faces in all, of the model `other`."""
    root.mkdir()
    universal = [f"stashdb.org:{number}" for number in range(people)]
    _write(root / "performers.json", [_performer(number, one) for number, one in enumerate(universal)])
    _write(root / "faces.json", [universal[number % people] for number in range(faces)])
    _write(root / "tattoos.json", [])
    lines = (
        json.dumps({"image_hash": f"{number:064x}", "uri": f"/pictures/{number}.jpg", "quality": 0.5})
        for number in range(faces)
    )
    (root / "faces.jsonl").write_text("".join(f"{line}\n" for line in lines))
    (root / "tattoos.jsonl").write_text("")
    _write_index(root / "face_other_1.voy", faces)
    index = {
        "file": "face_other_1.voy",
        "signal": "face",
        "model": "other",
        "version": "1",
        "dimension": _DIMENSION,
        "space": "cosine",
        "count": faces,
    }
    files = {path.name: {"sha256": sha256_of(path), "bytes": path.stat().st_size} for path in root.iterdir()}
    manifest = {"format": "marquee-export", "format_version": 1, "indexes": [index], "files": files}
    _write(root / "manifest.json", manifest)
    return root


def _performer(number: int, universal: str) -> dict[str, object]:
    authority, _, id_ = universal.partition(":")
    return {
        "name": f"Person {number}",
        "external_ids": [{"authority": authority, "id": id_}],
        "birth_date": "1990-01-01",
    }


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document))


def _write_index(path: Path, count: int) -> None:
    """Nobody searches in it: as few links as possible, 20 microseconds a vector."""
    vectors = np.random.default_rng(7).normal(size=(count, _DIMENSION)).astype(np.float32)
    index = voyager.Index(voyager.Space.Cosine, num_dimensions=_DIMENSION, M=2, ef_construction=2)
    index.resize(count)
    index.add_items(vectors, list(range(count)), num_threads=1)
    index.save(str(path))
