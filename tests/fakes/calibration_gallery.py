"""A made-up gallery whose similarities are known: performers in several shoots, written past the services."""

from __future__ import annotations

import datetime
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np
from numpy.typing import NDArray

from services.body.kinds import KINDS
from services.body.measurement import Measurement
from services.body.population import MEANS, SPREADS
from services.body.table import RATIOS
from services.body.template import encode
from services.face.table import BUILT_IN_ROWS
from tests.fakes.tattoo_models import LAYOUT_DIMENSION
from tests.fakes.tattoo_service import MODEL, VERSION

__all__ = ["FACE_MODEL", "Shoots", "fill_gallery"]

FACE_MODEL = "dlib_resnet"
_FIRST_DAY = datetime.date(2020, 1, 1)
_BOX = [1.0, 2.0, 30.0, 40.0]


@dataclass(frozen=True, slots=True)
class Shoots:
    """How a gallery is made. Two views of one performer are alike by about 1 / (1 + noise^2)."""

    performers: int = 40
    images: int = 3
    """Of each performer, each of another day."""
    face_noise: float = 0.3
    tattoo_noise: float | None = 0.3
    """None: nobody has a tattoo."""
    are_dated: bool = True
    are_built_alike: bool | None = None
    """Whether a performer's bodies are of one person; None: nobody has a body."""


async def fill_gallery(dsn: str, shoots: Shoots, *, seed: int = 0) -> list[str]:
    """Enrol them; their ids. The database must be migrated, and services read it when they start."""
    rng = np.random.default_rng(seed)
    ids = [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(shoots.performers)]
    connection = await asyncpg.connect(dsn)
    try:
        await connection.executemany(_PERFORMER, [(one,) for one in ids])
        await connection.executemany(_FACE, _faces(ids, shoots, rng))
        if shoots.tattoo_noise is not None:
            await connection.executemany(_TATTOO, _tattoos(ids, shoots, rng))
        if shoots.are_built_alike is not None:
            await connection.executemany(_BODY, _bodies(ids, shoots, rng))
    finally:
        await connection.close()
    return ids


def _faces(ids: Sequence[str], shoots: Shoots, rng: np.random.Generator) -> list[tuple[object, ...]]:
    row = BUILT_IN_ROWS[FACE_MODEL]
    return [
        (one, row.name, row.version, vector.tobytes(), 0.9, _BOX, *_image(one, number, shoots))
        for one in ids
        for number, vector in enumerate(_views(rng, row.dimension, shoots.images, shoots.face_noise))
    ]


def _tattoos(ids: Sequence[str], shoots: Shoots, rng: np.random.Generator) -> list[tuple[object, ...]]:
    noise = shoots.tattoo_noise or 0.0
    return [
        (one, MODEL, VERSION, vector.tobytes(), 0.8, _BOX, *_image(one, number, shoots))
        for one in ids
        for number, vector in enumerate(_views(rng, LAYOUT_DIMENSION, shoots.images, noise))
    ]


def _bodies(ids: Sequence[str], shoots: Shoots, rng: np.random.Generator) -> list[tuple[object, ...]]:
    """Measured with half the error that is usual in the best view."""
    error = SPREADS / 2
    found: list[tuple[object, ...]] = []
    for one in ids:
        person = rng.normal(size=len(KINDS))
        for number in range(shoots.images):
            shown = person if shoots.are_built_alike else rng.normal(size=len(KINDS))
            logs = MEANS + SPREADS * shown + error * rng.normal(size=len(KINDS))
            vector = encode(Measurement(logs, error**-2.0))
            found.append((one, *RATIOS.key, vector.tobytes(), 0.9, _BOX, *_image(one, number, shoots)))
    return found


def _views(rng: np.random.Generator, dimension: int, count: int, noise: float) -> NDArray[np.float32]:
    """Of one performer, (count, dimension), of length 1."""
    own = rng.normal(size=dimension)
    views = own + noise * rng.normal(size=(count, dimension))
    return np.asarray(views / np.linalg.norm(views, axis=1, keepdims=True), "<f4")


def _image(performer_id: str, number: int, shoots: Shoots) -> tuple[str, datetime.date | None]:
    day = _FIRST_DAY + datetime.timedelta(days=number)
    content = f"{performer_id} {number}".encode()
    return hashlib.sha256(content).hexdigest(), day if shoots.are_dated else None


_PERFORMER = """
INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1::uuid, 'A', 'a', 'a')
"""
_FACE = """
INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash, image_date)
VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8)
"""
_BODY = """
INSERT INTO body.measurements (performer_id, model, version, vector, quality, box, image_hash, image_date,
    source)
VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8, '')
"""
_TATTOO = """
INSERT INTO tattoo.performer_tattoos (performer_id, model, version, embedding, quality, box, image_hash,
    first_seen_date, body_region, image_url, confidence)
VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8, 'unknown', '', 0.5)
"""
