"""Which sets of embedders a signal has, as recorded, and how far a change is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["ModelKey", "ModelRecord", "ModelSet", "Sets", "Progress", "agreed", "is_another_file"]

ModelKey = tuple[str, str]
"""Name and version; vectors of different keys are never compared."""


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One embedder as it is recorded."""

    name: str
    version: str
    facts: Mapping[str, Any]
    """JSON values: whatever its signal needs to run it again."""

    @property
    def key(self) -> ModelKey:
        return (self.name, self.version)

    @property
    def digest(self) -> str | None:
        """SHA-256 of the owner's file; None where the version says which file it is."""
        digest = self.facts.get("sha256")
        return digest if isinstance(digest, str) else None


@dataclass(frozen=True, slots=True)
class ModelSet:
    """Embedders that are used together, the primary first."""

    generation: int
    models: tuple[ModelRecord, ...]

    @property
    def keys(self) -> tuple[ModelKey, ...]:
        return tuple(model.key for model in self.models)


@dataclass(frozen=True, slots=True)
class Sets:
    """What the database says now."""

    serving: ModelSet
    preparing: ModelSet | None = None

    @property
    def wanted(self) -> ModelSet:
        """The set that everything enrolled should be described by."""
        return self.preparing or self.serving

    @property
    def generations(self) -> tuple[int, int | None]:
        """Numbers of the set that serves, and of the one that is prepared."""
        return self.serving.generation, self.preparing.generation if self.preparing else None

    @property
    def records(self) -> dict[ModelKey, ModelRecord]:
        """Every embedder of both sets."""
        preparing = self.preparing.models if self.preparing is not None else ()
        return {one.key: one for one in (*preparing, *self.serving.models)}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a change is."""

    observations: int
    """Enrolled, whichever model describes them."""
    described: int
    """Of these, those that every wanted model describes."""

    @property
    def is_complete(self) -> bool:
        return self.described == self.observations

    def reaches(self, share: float) -> bool:
        """Whether at least this share, 0..1, is described; of nothing all is."""
        return self.described >= share * self.observations


def is_another_file(wanted: ModelRecord, recorded: ModelRecord) -> bool:
    """Whether both files are known, and are not the same."""
    return None not in (wanted.digest, recorded.digest) and wanted.digest != recorded.digest


def agreed(
    wanted: Sequence[ModelRecord], recorded: Mapping[ModelKey, ModelRecord]
) -> tuple[ModelRecord, ...]:
    """What is wanted; of an embedder whose file is another one, and its version not, what is recorded.

    The vectors that are stored under the version are those of the file from before. A file that is not here
    now stays recorded.
    """
    return tuple(_agreed(one, recorded.get(one.key)) for one in wanted)


def _agreed(wanted: ModelRecord, recorded: ModelRecord | None) -> ModelRecord:
    if recorded is None:
        return wanted
    if is_another_file(wanted, recorded):
        return recorded
    digest = wanted.digest or recorded.digest
    return replace(wanted, facts={**wanted.facts, "sha256": digest}) if digest else wanted
