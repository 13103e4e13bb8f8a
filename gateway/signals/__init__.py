"""The gateway's side of the signal services: the contract's messages in, domain values out."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.signals.base import Query, Rejection, Scores, SignalClient, SignalOutcome, SignalScore
from gateway.signals.body import BodyClient
from gateway.signals.face import FaceClient
from gateway.signals.tattoo import TattooClient

__all__ = [
    "Signals",
    "SignalClient",
    "FaceClient",
    "TattooClient",
    "BodyClient",
    "Query",
    "SignalScore",
    "Scores",
    "SignalOutcome",
    "Rejection",
]


@dataclass(frozen=True, slots=True)
class Signals:
    """One client for each signal."""

    face: FaceClient
    tattoo: TattooClient
    body: BodyClient

    @property
    def all(self) -> tuple[FaceClient, TattooClient, BodyClient]:
        """In the order in which answers list them."""
        return (self.face, self.tattoo, self.body)
