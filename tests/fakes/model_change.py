"""A signal's change of models without models: what waits, in an order that stays, and the switch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chassis.errors import InvalidInput
from marquee.common.v1 import common_pb2

__all__ = ["FakeChange", "pending_of"]


class FakeChange:
    """Observations that wait for another model; without any from the start, no change is going on.

    `switch_coverage`: as told; what waits goes on waiting after the switch.
    """

    def __init__(
        self, waiting: Iterable[common_pb2.PendingObservation] = (), *, switch_coverage: float = 0.95
    ) -> None:
        self.waiting = dict(enumerate(waiting, start=1))
        self.switch_coverage = switch_coverage
        self.problem = ""
        self.is_model_away = False
        """Whether the new model describes nothing: what is offered is then known already."""
        self._observations = len(self.waiting)

    def status(self) -> common_pb2.ModelChange | None:
        """None when no change is going on, and nothing is left of one."""
        if not self.waiting and not self.problem:
            return None
        described = self._observations - len(self.waiting)
        return common_pb2.ModelChange(
            observations=self._observations,
            described=described,
            switch_coverage=self.switch_coverage,
            problem=self.problem,
        )

    def page(
        self, only: common_pb2.PendingFilter, *, size: int, token: str
    ) -> tuple[list[common_pb2.PendingObservation], str, int]:
        """One page, the token of the next, and how many are on all pages. Raises InvalidInput."""
        if token and not token.isdecimal():
            raise InvalidInput("page_token: not a token of this service")
        found = {
            number: one
            for number, one in self.waiting.items()
            if only.performer_id in ("", one.performer_id) and only.image_hash in ("", one.source.image_hash)
        }
        later = [number for number in found if number > int(token or 0)]
        shown = later[: size or 100]
        following = str(shown[-1]) if len(later) > len(shown) else ""
        return [found[number] for number in shown], following, len(found)

    def describe(self, performer_id: str, observation: Any) -> bool:
        """Whether the observation offered is one that waits, which it then does no longer."""
        for number, one in self.waiting.items() if not self.is_model_away else ():
            if one == pending_of(performer_id, observation):
                del self.waiting[number]
                return True
        return False

    def forget(self, performer_id: str) -> None:
        """As the cascade does."""
        gone = [number for number, one in self.waiting.items() if one.performer_id == performer_id]
        for number in gone:
            del self.waiting[number]
        self._observations -= len(gone)


def pending_of(performer_id: str, observation: Any) -> common_pb2.PendingObservation:
    """An enrolled observation as one that waits; a face has no region."""
    return common_pb2.PendingObservation(
        performer_id=performer_id,
        box=observation.box,
        source=observation.source,
        region=getattr(observation, "region", common_pb2.BODY_REGION_UNSPECIFIED),
    )
