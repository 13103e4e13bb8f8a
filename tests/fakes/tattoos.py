"""Enrolled tattoos and rows of the model table for tests."""

import datetime

import numpy as np

from chassis.geometry import Box
from chassis.signal.operating_point import OperatingPoint
from services.tattoo.enrolled import KnownTattoo, TattooRow
from services.tattoo.table import EmbedderRow
from services.tattoo.template import ModelKey, Vector

__all__ = ["DIMENSION", "LEFT", "RIGHT", "UP", "embedder_row", "row"]

DIMENSION = 4
LEFT: Vector = np.array([1, 0, 0, 0], np.float32)
RIGHT: Vector = -LEFT
UP: Vector = np.array([0, 1, 0, 0], np.float32)


def embedder_row(name: str, *, impostor_p99: float = 0.3, genuine_median: float = 0.7) -> EmbedderRow:
    """An embedder of four values that no file is behind."""
    point = OperatingPoint(
        impostor_p99=impostor_p99,
        genuine_median=genuine_median,
        identification_confidence=0.5,
        provenance="made up",
    )
    return EmbedderRow(name=name, version="1", size=16, dimension=DIMENSION, operating_point=point)


def row(
    seq: int,
    performer_id: str,
    vector: Vector,
    *,
    model: ModelKey = ("a", "1"),
    region: str = "unknown",
    image: str = "",
    box: Box = Box(0, 0, 10, 10),  # noqa: B008  # a frozen value
) -> TattooRow:
    """A committed row; each seq is another image unless `image` says otherwise."""
    known = KnownTattoo(
        tattoo_id=f"id-{seq}",
        view_id=f"view-{seq}",
        region=region,
        first_seen=datetime.date(2020, 1, 1),
        removed=None,
        confidence=0.9,
        image_hash=image or f"{seq:064d}",
        box=box,
    )
    return TattooRow(seq, performer_id, model, vector, known)
