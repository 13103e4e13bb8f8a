"""Virtual people: the face of one person of LFW, the tattoo of another one of BIVTatt, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.faces.dataset import is_for_calibration, read_photographs
from bench.fusion.pictured import Pictured, photographed

__all__ = ["Cast", "VirtualPerson", "read_cast"]


@dataclass(frozen=True, slots=True)
class VirtualPerson:
    """Somebody to be seen; of strangers nothing is ever enrolled."""

    number: int
    """Performers from 0 on, then strangers."""
    name: str
    is_stranger: bool
    portraits: Sequence[Path]
    """LFW's photographs; of performers the first one is enrolled."""
    tattoos: Sequence[Pictured]
    """Views of the one tattoo; none for who has none."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Performers, half of them tattooed, and strangers, all of whom have a tattoo to show."""

    performers: Sequence[VirtualPerson]
    strangers: Sequence[VirtualPerson]

    @property
    def tattooed(self) -> Sequence[VirtualPerson]:
        return [one for one in self.performers if one.tattoos]

    @property
    def plain(self) -> Sequence[VirtualPerson]:
        return [one for one in self.performers if not one.tattoos]


def read_cast(data: Path, *, seed: int) -> Cast:
    """One performer for each tattoo of the half of BIVTatt that sets no number, and as many without one.

    Faces are of people of LFW with at least three photographs, of the half that sets no number; strangers of
    people who have one. Raises FileNotFoundError where `lfw` or `bivtatt` is not in `data`.
    """
    photographs = read_photographs(data / "lfw")
    worn, strange = photographed(data / "bivtatt", fitting=False, seed=seed)
    if not worn or not strange:
        raise FileNotFoundError(f"{data / 'bivtatt'} has no photographs")
    rng = np.random.default_rng(seed)
    faces = [
        (name, files)
        for name, files in photographs.identities.items()
        if len(files) >= 3 and not is_for_calibration(name)
    ]
    known = [faces[one] for one in rng.permutation(len(faces))[: 2 * len(worn)]]
    others = [(name, of) for name, of in photographs.distractors.items() if not is_for_calibration(name)]
    unknown = [others[one] for one in rng.permutation(len(others))]
    performers = [
        VirtualPerson(number, name, False, files, worn[number // 2] if number % 2 == 0 else ())
        for number, (name, files) in enumerate(known)
    ]
    strangers = [
        VirtualPerson(len(performers) + number, name, True, files, strange[number % len(strange)])
        for number, (name, files) in enumerate(unknown)
    ]
    return Cast(performers, strangers)
