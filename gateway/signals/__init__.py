"""The gateway's side of the signal services: the contract's messages in, domain values out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.signals.base import (
    Query,
    Rejection,
    Scores,
    SignalClient,
    SignalOutcome,
    SignalScore,
    Similarities,
    Trust,
)
from gateway.signals.body import BodyClient
from gateway.signals.counted import Column, Counted
from gateway.signals.enrolled_face import EnrolledFace, FacePage
from gateway.signals.face import FaceClient
from gateway.signals.face_counts import FaceCounts
from gateway.signals.pending import ChangingClient, Pending, PendingPage
from gateway.signals.tattoo import TattooClient
from gateway.signals.transfer import TransferClient, VectorPage, VectorsTaken

__all__ = [
    "Signals",
    "SignalClient",
    "ChangingClient",
    "FaceClient",
    "FaceCounts",
    "TattooClient",
    "BodyClient",
    "Column",
    "EnrolledFace",
    "FacePage",
    "Counted",
    "Query",
    "SignalScore",
    "Trust",
    "Scores",
    "Similarities",
    "SignalOutcome",
    "Rejection",
    "Pending",
    "PendingPage",
    "TransferClient",
    "VectorPage",
    "VectorsTaken",
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

    @property
    def changing(self) -> tuple[ChangingClient[Any], ...]:
        """Those that can change their models; a body is measured, whatever model finds it."""
        return (self.face, self.tattoo)
