"""What is true of rendered pictures, as far as regions need it: the studio's JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.geometry import Box, Point

__all__ = ["TrueTattoo", "TruePicture", "read_folder"]

_LEAST_PIXELS = 60
_LEAST_SEEN = 0.25
# Ink that changes its skin by less is seen by nobody, the studio says.
_LEAST_CONTRAST = 0.1


@dataclass(frozen=True, slots=True)
class TrueTattoo:
    """A tattoo that is seen: at least a quarter of its ink."""

    region: str
    """Where most of its ink lies, a name of the contract without its prefix."""
    shares: dict[str, float]
    """Share of the ink in each region."""
    box: Box
    outline: tuple[Point, ...]
    pixels: int
    view_angle: float
    """Degrees between its skin and the camera's direction, 0 seen straight on."""


@dataclass(frozen=True, slots=True)
class TruePicture:
    """One picture of one person."""

    path: Path
    performer: str
    shot: str
    yaw: float
    """Degrees, 0 from the front, 90 from the person's left, 180 from behind; of somebody who stands."""
    pose: str
    skin_pixels: int
    region_pixels: dict[str, int]
    ink_pixels: int
    tattoos: tuple[TrueTattoo, ...]


def read_folder(folder: Path) -> Iterator[TruePicture]:
    """Pictures named in any FOLDER/*.jsonl, by path; of an unfinished set those in truth."""
    files = sorted(folder.glob("*.jsonl")) or sorted(folder.glob("truth/**/*.json"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    for record in sorted(map(json.loads, lines), key=lambda one: str(one["picture"])):
        yield _picture(folder, record)


def _picture(folder: Path, record: dict[str, Any]) -> TruePicture:
    tattoos = record["tattoos"]
    return TruePicture(
        path=folder / record["picture"],
        performer=record["performer_id"],
        shot=record["camera"]["shot"],
        yaw=record["camera"]["yaw"],
        pose=record["pose"],
        skin_pixels=record["skin_pixels"],
        region_pixels=record["region_pixels"],
        ink_pixels=sum(one["pixels"] for one in tattoos),
        tattoos=tuple(_tattoo(one) for one in tattoos if _is_seen(one)),
    )


def _is_seen(tattoo: dict[str, Any]) -> bool:
    return bool(
        tattoo["box"]
        and tattoo["pixels"] >= _LEAST_PIXELS
        and tattoo["visible_fraction"] >= _LEAST_SEEN
        and tattoo["contrast"] >= _LEAST_CONTRAST
        and tattoo["box"]["w"] > 0
        and tattoo["box"]["h"] > 0
    )


def _tattoo(record: dict[str, Any]) -> TrueTattoo:
    box = record["box"]
    return TrueTattoo(
        region=record["region"],
        shares=record["region_shares"],
        box=Box(box["x"], box["y"], box["w"], box["h"]),
        outline=tuple(Point(x, y) for x, y in record["polygon"]),
        pixels=record["pixels"],
        view_angle=record["view_angle"],
    )
