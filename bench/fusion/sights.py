"""Which skin pictures show: regions that the body service says to be in view, and those that are bare."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench.regions.placing import Looked, look_at_folder
from marquee.common.v1 import common_pb2
from marquee.common.v1.common_pb2 import BodyRegion

__all__ = ["Region", "Sight", "Sights", "read_sights"]

Region: TypeAlias = BodyRegion.ValueType


@dataclass(frozen=True, slots=True)
class Sight:
    """One picture of a person."""

    said: Mapping[Region, float]
    """Regions said to be in view, with their visibility, 0.5..1."""
    bare: frozenset[Region]
    """Those that truly show skin."""


@dataclass(frozen=True, slots=True)
class Sights:
    """Rendered pictures in which somebody is found."""

    pictures: tuple[Sight, ...] = ()
    tattooed: tuple[Region, ...] = ()
    """Of each tattoo that is seen: its region. So often are tattoos there."""


def read_sights(sets: Sequence[Path], cache: Path, *, split: str) -> Sights:
    """Of the studio's sets those that are scenes of a split; looked at once."""
    chosen = [folder for folder in sets if _plan_of(folder) == ("scenes", split)]
    looked = [one for folder in chosen for one in _looked(folder, cache)]
    pictures = [_sight(one) for one in looked if one.visibilities]
    tattooed = [_region(each.region) for one in looked for each in one.truth.tattoos]
    return Sights(tuple(pictures), tuple(tattooed))


def _plan_of(folder: Path) -> tuple[str, str]:
    """What the studio was asked for."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    return plan["mode"], plan["split"]


def _looked(folder: Path, cache: Path) -> list[Looked]:
    kept = cache / "sights" / f"{folder.name}.pickle"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_suffix(".new")
        aside.write_bytes(pickle.dumps(asyncio.run(look_at_folder(folder))))
        aside.rename(kept)
    looked: list[Looked] = pickle.loads(kept.read_bytes())
    return looked


def _sight(looked: Looked) -> Sight:
    return Sight(
        {_region(name): value for name, value in looked.visibilities.items()},
        frozenset(_region(name) for name, pixels in looked.truth.region_pixels.items() if pixels > 0),
    )


def _region(name: str) -> Region:
    return common_pb2.BodyRegion.Value(f"BODY_REGION_{name}")
