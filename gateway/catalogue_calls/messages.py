"""Performers as the catalogue's answers have them."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from gateway import age
from gateway.catalogue.coverage import CoveredPerformer
from gateway.catalogue.performer import Performer
from gateway.ledger_translation import to_proto_faces, to_proto_sources
from gateway.translation import to_proto_counts, to_proto_performer
from marquee.gateway.v1 import catalogue_pb2 as pb

__all__ = ["PerformerMessages"]


class PerformerMessages:
    """Knows what day it is, and whom to believe about ages."""

    def __init__(self, *, adults_only: frozenset[str], today: Callable[[], datetime.date]) -> None:
        self._adults_only = adults_only
        self._today = today

    def performer(self, performer: Performer) -> pb.Performer:
        status = age.status_of(
            birth_date=performer.birth_date,
            adult_attested=bool(performer.adult_attested),
            authorities=[one.authority for one in performer.external_ids],
            adults_only_authorities=self._adults_only,
            today=self._today(),
        )
        return to_proto_performer(performer, status)

    def covered(self, one: CoveredPerformer) -> pb.PerformerCoverage:
        return pb.PerformerCoverage(
            performer=self.performer(one.performer),
            signals=to_proto_counts(one.counts),
            faces=to_proto_faces(one.faces),
            is_below_target=one.is_below_target,
            sources=to_proto_sources(one.sources),
        )
