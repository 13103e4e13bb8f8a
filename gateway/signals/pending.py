"""Observations that wait for a new model's description, and the signals that have such."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.geometry import Box
from chassis.protos import from_proto_box, parse_date, parse_image_source, parse_uuid
from gateway.observations import Observed, SeenT
from gateway.signals.base import SignalClient, SignalOutcome
from marquee.common.v1 import common_pb2

__all__ = ["Pending", "PendingPage", "ChangingClient", "pending_of"]


@dataclass(frozen=True, slots=True)
class Pending:
    """An enrolled observation that a model being prepared does not describe yet; all as stored.

    `box`: pixels of the picture as shown. `region`: of a tattoo, unspecified for others.
    """

    performer_id: str
    box: Box
    source: common_pb2.ImageSource
    region: common_pb2.BodyRegion.ValueType

    @property
    def date(self) -> datetime.date | None:
        """Day of the image; None when unknown."""
        return parse_date(self.source.date)


@dataclass(frozen=True, slots=True)
class PendingPage:
    """Some pending observations; how many there are on all pages; the next page's token, "" on the last."""

    observations: tuple[Pending, ...]
    next_page_token: str
    total: int


class ChangingClient(SignalClient, Protocol[SeenT]):
    """A signal that can change its models: what is enrolled is described again while the old ones serve."""

    async def observe(self, image: bytes, *, max_candidates: int, timeout: float) -> Observed[SeenT]: ...

    async def pending(
        self,
        *,
        performer_id: str = "",
        image_hash: str = "",
        page_size: int,
        page_token: str = "",
        timeout: float,
    ) -> PendingPage:
        """Pending observations; of one performer and one image where these are given. At most 1000 a page.

        Raises InvalidInput too: the token is none of the signal's.
        """

    async def reembed(
        self, performer_id: str, matches: Sequence[tuple[Pending, SeenT]], *, timeout: float
    ) -> SignalOutcome:
        """Describe stored observations by what is seen at their place now; they keep box, source and region.

        Raises NotFound too: no such performer.
        """


def pending_of(
    observations: Sequence[common_pb2.PendingObservation], *, next_page_token: str, total: int
) -> PendingPage:
    """Raises InvalidInput for an observation that is not as the contract says."""
    return PendingPage(tuple(_pending(one) for one in observations), next_page_token, total)


def _pending(observation: common_pb2.PendingObservation) -> Pending:
    parse_image_source(observation.source)
    return Pending(
        parse_uuid(observation.performer_id),
        from_proto_box(observation.box),
        observation.source,
        observation.region,
    )
