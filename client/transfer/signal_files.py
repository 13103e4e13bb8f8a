"""What an export collects of one signal: positions, and an index for each model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from client.transfer.values import Observation, VectorRow
from client.transfer.voyager_file import VectorFileWriter
from client.values import Signal

__all__ = ["ModelIndex", "SignalFiles"]

_TATTOOS = "tattoo_embeddings.voy"
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(slots=True)
class ModelIndex:
    """The growing index of one model."""

    name: str
    version: str
    index: VectorFileWriter


@dataclass(slots=True)
class SignalFiles:
    """Positions are given in the order in which observations are met, whichever model described them."""

    signal: Signal
    prefix: str = ""
    """Of the files' names; "": the signal's."""
    positions: dict[tuple[str, str, tuple[float, ...]], int] = field(default_factory=dict)
    owners: list[str] = field(default_factory=list)
    seen: list[Observation] = field(default_factory=list)
    models: dict[tuple[str, str], ModelIndex] = field(default_factory=dict)

    def add(self, rows: Iterable[VectorRow]) -> None:
        """Put vectors into their models' indices."""
        portions: dict[tuple[str, str], list[tuple[int, bytes]]] = defaultdict(list)
        for row in rows:
            portions[(row.model, row.version)].append((self._position(row), row.vector))
        for key, portion in portions.items():
            vectors = np.stack([np.frombuffer(vector, "<f4") for _, vector in portion])
            if key not in self.models:
                self.models[key] = ModelIndex(*key, VectorFileWriter(vectors.shape[1]))
            self.models[key].index.add([position for position, _ in portion], vectors)

    def file_names(self) -> dict[tuple[str, str], str]:
        """A name for each model's file; of tattoos the fullest index has the name that others know."""
        fullest = max(self.models, key=lambda key: len(self.models[key].index), default=None)
        names: dict[tuple[str, str], str] = {}
        for number, key in enumerate(self.models):
            plain = _UNFIT.sub("_", f"{self.prefix or self.signal.value}_{key[0]}_{key[1]}")
            is_taken = f"{plain}.voy" in names.values()
            names[key] = f"{plain}_{number}.voy" if is_taken else f"{plain}.voy"
            if self.signal is Signal.TATTOO and key == fullest:
                names[key] = _TATTOOS
        return names

    def _position(self, row: VectorRow) -> int:
        key = (row.performer_id, row.seen.image_hash, row.seen.box if self.signal is Signal.TATTOO else ())
        if key not in self.positions:
            self.positions[key] = len(self.seen)
            self.owners.append(row.performer_id)
            self.seen.append(row.seen)
        return self.positions[key]
