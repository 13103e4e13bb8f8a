"""Shares of people, faces and tattoos; pictures are drawn again for the intervals. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.people.judging import Fate, Grouped, Judged
from bench.regions.figures import Share, share_of

__all__ = ["BINS", "Looked", "of_clearness", "of_faces", "of_people", "of_tattoos"]

BINS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of one picture, with tattoos as they were found, or as they are."""

    name: str
    kind: str
    people: tuple[Judged, ...]
    grouped: tuple[Grouped, ...]
    boxes: tuple[Fate, ...]
    """Of every tattoo box that lies on somebody."""


def of_people(looked: Sequence[Looked], *, seed: int) -> Mapping[str, Share]:
    """Of people who are seen: found at all, as two, with a part of somebody else; and people of nobody."""
    rows = [(one.name, person) for one in looked for person in one.people]
    told = [(one.name, not group.is_there) for one in looked for group in one.grouped]
    return {
        "found": share_of([(name, person.instances > 0) for name, person in rows], seed=seed),
        "face found": share_of(
            [(name, person.is_face_found) for name, person in rows if person.has_face], seed=seed
        ),
        "body found": share_of([(name, person.is_body_found) for name, person in rows], seed=seed),
        "split in two": share_of([(name, person.instances > 1) for name, person in rows], seed=seed),
        "merged": share_of([(name, person.is_merged) for name, person in rows], seed=seed),
        "people told who are not there": share_of(told, seed=seed),
    }


def of_faces(looked: Sequence[Looked], *, seed: int) -> Mapping[str, Share]:
    """Whose body a face was grouped with, where face and body are both found."""
    rows = [(one.name, person.face) for one in looked for person in one.people if person.face is not None]
    fates = (Fate.OWN, Fate.OTHER, Fate.NOT_THERE, Fate.NOBODY)
    return {str(fate): share_of([(name, found is fate) for name, found in rows], seed=seed) for fate in fates}


def of_tattoos(looked: Sequence[Looked], *, seed: int) -> Mapping[str, Share]:
    """To whom tattoos that show were given; and of all boxes on somebody, how many went to somebody else."""
    rows = [(one.name, fate) for one in looked for person in one.people for fate in person.tattoos]
    boxes = [(one.name, fate is Fate.OTHER) for one in looked for fate in one.boxes]
    shares = {
        str(fate): share_of([(name, found is fate) for name, found in rows], seed=seed) for fate in Fate
    }
    return {**shares, "boxes leaked": share_of(boxes, seed=seed)}


def of_clearness(looked: Sequence[Looked], *, seed: int) -> Mapping[str, Share]:
    """Of people put together, by the clearness that is told: how many are one person through and through."""
    rows = [(one.name, group) for one in looked for group in one.grouped if group.has_joined]
    return {
        f"{low:g} to {high:g}": share_of(
            [
                (name, group.is_pure)
                for name, group in rows
                if low <= group.clearness < high or high == 1 == group.clearness
            ],
            seed=seed,
        )
        for low, high in pairwise(BINS)
    }
