"""The photographs: people with several and people with one, a folder each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SAME_FACE", "Photographs", "read_photographs", "is_for_calibration"]

SAME_FACE = (
    ("Christian_Gimenez", "Julio_Rossi"),
    ("Hasan_Wirayuda", "Hassan_Wirajuda"),
    ("Annie_Machon", "David_Shayler"),
)
"""Names of one face: a name in two spellings, a wrong name, and a picture of two people under both names."""


@dataclass(frozen=True, slots=True)
class Photographs:
    """File paths by person, in the order of their names."""

    identities: dict[str, tuple[Path, ...]]
    """People with at least two photographs."""
    distractors: dict[str, tuple[Path, ...]]
    """People nobody knows."""

    @property
    def files(self) -> list[Path]:
        """All photographs."""
        groups = [*self.identities.values(), *self.distractors.values()]
        return [file for group in groups for file in group]


def read_photographs(root: Path, *, limit: int | None = None) -> Photographs:
    """The folders `identities` and `distractors` below `root`; of each the first `limit` people.

    Raises FileNotFoundError when they are not there.
    """
    identities, distractors = (_people(root / name, limit) for name in ("identities", "distractors"))
    several = {name: files for name, files in identities.items() if len(files) > 1}
    return Photographs(several, distractors)


def is_for_calibration(name: str) -> bool:
    """Whether numbers may be fitted on this person; those for whom they may not are for reporting."""
    return int(hashlib.md5(name.encode()).hexdigest(), 16) // 2 % 2 == 0


def _people(folder: Path, limit: int | None) -> dict[str, tuple[Path, ...]]:
    people = sorted(entry for entry in folder.iterdir() if entry.is_dir())[:limit]
    return {person.name: tuple(sorted(person.glob("*.jpg"))) for person in people}
