"""Between the contract's messages and the client's values: tattoos."""

from __future__ import annotations

from datetime import date

from chassis.errors import InvalidInput
from chassis.geometry import Box
from client import _wire
from client.tattoo_values import Tattoo, TattooedPerformer, TattooStatement, TattooView
from marquee.common.v1 import common_pb2, tattoos_pb2
from marquee.gateway.v1 import tattoos_pb2 as gateway_pb2

__all__ = ["REGIONS", "to_region", "tattooed_performer", "tattoos"]

_PREFIX = "BODY_REGION_"
REGIONS = tuple(name.removeprefix(_PREFIX).lower() for name, value in common_pb2.BodyRegion.items() if value)
"""Every region's name."""


def to_region(name: str) -> common_pb2.BodyRegion.ValueType:
    """Raises InvalidInput for a name that is none of `REGIONS`."""
    if name not in REGIONS:
        raise InvalidInput(f"{name!r} is no body region, such as left_forearm")
    return common_pb2.BodyRegion.Value(_PREFIX + name.upper())


def tattooed_performer(message: gateway_pb2.TattooedPerformer) -> TattooedPerformer:
    return TattooedPerformer(
        performer=_wire.performer(message.performer),
        tattoos=tattoos(message.tattoos),
        statements=tuple(_statement(one) for one in message.tattoos.statements),
    )


def tattoos(message: tattoos_pb2.PerformerTattoos) -> tuple[Tattoo, ...]:
    return tuple(_tattoo(one) for one in message.tattoos)


def _tattoo(message: tattoos_pb2.Tattoo) -> Tattoo:
    return Tattoo(
        id=message.tattoo_id,
        region=_region(message.region),
        first_seen=_date(message.first_seen_date),
        removed=_date(message.removed_date),
        confidence=round(message.confidence, 6),
        views=tuple(_view(one) for one in message.views),
        is_confirmed=message.is_confirmed,
    )


def _view(message: tattoos_pb2.TattooView) -> TattooView:
    box = message.box
    return TattooView(
        id=message.view_id,
        uri=message.source.uri,
        image_hash=message.source.image_hash,
        date=_date(message.source.date),
        box=Box(box.x, box.y, box.width, box.height),
        region=_region(message.region),
        confidence=round(message.confidence, 6),
        quality=round(message.quality, 6),
        origin=message.origin,
    )


def _statement(message: tattoos_pb2.TattooStatement) -> TattooStatement:
    return TattooStatement(
        region=_region(message.region),
        is_clear=message.is_clear,
        source=message.source,
        words=message.words,
        since=_date(message.since_date),
        until=_date(message.until_date),
    )


def _region(value: common_pb2.BodyRegion.ValueType) -> str:
    """`elsewhere` for a region that this client does not know yet."""
    if value not in common_pb2.BodyRegion.values():
        return "elsewhere"
    return common_pb2.BodyRegion.Name(value).removeprefix(_PREFIX).lower()


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
