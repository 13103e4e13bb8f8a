"""The calls of TattooCatalogueService: what `Marquee.tattoos` gives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import date
from enum import Enum, auto

import grpc

from client import _tattoos_wire
from client._streams import errors_translated
from client.tattoo_values import Tattoo, TattooedPerformer
from marquee.common.v1 import common_pb2
from marquee.common.v1 import tattoos_pb2 as common
from marquee.gateway.v1 import tattoos_pb2, tattoos_pb2_grpc

__all__ = ["Unsaid", "UNSAID", "Tattoos"]


class Unsaid(Enum):
    """A field that is left as it is."""

    UNSAID = auto()


UNSAID = Unsaid.UNSAID


class Tattoos:
    """Tattoos as the owner sees them. Every change is committed when its call returns.

    Changes raise NotFound for no such performer, tattoo or view, and return all tattoos of the performer.
    """

    def __init__(self, channel: grpc.aio.Channel, *, timeout: float) -> None:
        self._stub = tattoos_pb2_grpc.TattooCatalogueServiceStub(channel)
        self._timeout = timeout

    async def search(
        self, *, performer_id: str = "", regions: Iterable[str] = (), words: str = "", page_size: int = 100
    ) -> AsyncGenerator[TattooedPerformer]:
        """Performers with tattoos, by id; fetched page by page.

        performer_id: only this one's; regions: only in one of these, such as left_forearm; words: only where
        a source says all of them. Raises NotFound for no such performer, InvalidInput for no region.
        """
        wanted = common.TattooFilter(
            performer_id=performer_id, regions=[_tattoos_wire.to_region(one) for one in regions], words=words
        )
        token = ""
        while True:
            request = tattoos_pb2.ListTattoosRequest(filter=wanted, page_size=page_size, page_token=token)
            with errors_translated():
                reply = await self._stub.ListTattoos(request, timeout=self._timeout)
            for each in reply.performers:
                yield _tattoos_wire.tattooed_performer(each)
            token = reply.next_page_token
            if not token:
                return

    async def update(
        self,
        performer_id: str,
        tattoo_id: str,
        *,
        first_seen: date | Unsaid | None = UNSAID,
        removed: date | Unsaid | None = UNSAID,
        region: str = "",
    ) -> tuple[Tattoo, ...]:
        """Say when a tattoo came and went, and where it is; None takes a day back that was said.

        Raises InvalidInput when nothing is said or it would be gone before it came, Refused for a first day
        before the performer's eighteenth birthday.
        """
        change = common.TattooChange(
            first_seen_date=_day(first_seen),
            removed_date=_day(removed),
            region=_tattoos_wire.to_region(region) if region else common_pb2.BODY_REGION_UNSPECIFIED,
        )
        request = tattoos_pb2.UpdateTattooRequest(
            performer_id=performer_id, tattoo_id=tattoo_id, change=change
        )
        with errors_translated():
            reply = await self._stub.UpdateTattoo(request, timeout=self._timeout)
        return _tattoos_wire.tattoos(reply.tattoos)

    async def merge(self, performer_id: str, tattoo_ids: Sequence[str]) -> tuple[Tattoo, ...]:
        """Make one of 2 to 100 tattoos; the first one's id and region stay."""
        request = tattoos_pb2.MergeTattoosRequest(performer_id=performer_id, tattoo_ids=tattoo_ids)
        with errors_translated():
            reply = await self._stub.MergeTattoos(request, timeout=self._timeout)
        return _tattoos_wire.tattoos(reply.tattoos)

    async def split(self, performer_id: str, tattoo_id: str, view_ids: Sequence[str]) -> tuple[Tattoo, ...]:
        """Make a tattoo of its own of some views. Raises InvalidInput when no view would be left."""
        request = tattoos_pb2.SplitTattooRequest(
            performer_id=performer_id, tattoo_id=tattoo_id, view_ids=view_ids
        )
        with errors_translated():
            reply = await self._stub.SplitTattoo(request, timeout=self._timeout)
        return _tattoos_wire.tattoos(reply.tattoos)

    async def delete_views(self, performer_id: str, view_ids: Sequence[str]) -> tuple[Tattoo, ...]:
        """Delete views; they are not enrolled again from the same pictures."""
        request = tattoos_pb2.DeleteTattooViewsRequest(performer_id=performer_id, view_ids=view_ids)
        with errors_translated():
            reply = await self._stub.DeleteTattooViews(request, timeout=self._timeout)
        return _tattoos_wire.tattoos(reply.tattoos)


def _day(said: date | Unsaid | None) -> str | None:
    """None leaves the field unset; "" takes back."""
    if isinstance(said, Unsaid):
        return None
    return said.isoformat() if said is not None else ""
