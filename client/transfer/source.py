"""What an import reads, in whatever layout it was: performers, vectors, texts, by the folder's own keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from client.transfer.values import Observation, PerformerRecord
from client.values import Signal

__all__ = ["Incoming", "IncomingPerformer", "IncomingText", "IncomingVector", "VectorSet"]


@dataclass(frozen=True, slots=True)
class IncomingPerformer:
    """A performer, and the keys by which the rest of the folder speaks of them."""

    keys: tuple[str, ...]
    record: PerformerRecord


@dataclass(frozen=True, slots=True)
class IncomingVector:
    """A vector of an observation; `key`: whose, "" when the folder does not say."""

    key: str
    vector: bytes = field(repr=False)
    seen: Observation
    source: str = ""
    """Who names the picture, such as stashdb.org; "" when nobody does."""


@dataclass(frozen=True, slots=True)
class IncomingText:
    """What a source says of a tattoo."""

    key: str
    location: str
    description: str
    source: str


@dataclass(frozen=True, slots=True)
class VectorSet:
    """The vectors of one model."""

    signal: Signal
    model: str
    version: str
    count: int
    vectors: Callable[[], Iterator[IncomingVector]]


class Incoming(Protocol):
    """A folder that is whole.

    What it gives is read as it is asked for; none of it raises but InvalidInput.
    """

    @property
    def title(self) -> str:
        """What kind of folder it is, for people."""

    @property
    def performer_count(self) -> int: ...

    @property
    def sets(self) -> tuple[VectorSet, ...]: ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of the folder is not imported, for people."""

    def performers(self) -> Iterator[IncomingPerformer]: ...

    def texts(self) -> Iterator[IncomingText]: ...
