"""Between the messages about whole tattoos and domain values, checked."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from chassis.errors import InvalidInput
from chassis.protos import parse_date, parse_uuid, to_proto_box
from chassis.signal.requests import check_count
from marquee.common.v1 import common_pb2, tattoos_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from services.tattoo.catalogue import CatalogueQuery, CatalogueView, ListedPerformer, ListedTattoo
from services.tattoo.owner_store import OwnerChange
from services.tattoo.region_names import region_name, region_value
from services.tattoo.regions_store import Knowledge, RegionStatement

__all__ = ["parse_query", "parse_change", "parse_merged", "parse_views", "to_proto_performer"]

_USUAL_PAGE, _MOST_ON_A_PAGE = 100, 1000
_MOST_REGIONS, _LONGEST_WORDS = 50, 200
_MOST_MERGED, _MOST_VIEWS = 100, 1000


def parse_query(request: pb.ListTattoosRequest) -> CatalogueQuery:
    """Raises InvalidInput naming the field, as everything here that parses."""
    wanted = request.filter
    if request.page_size > _MOST_ON_A_PAGE:
        raise InvalidInput(f"page_size: more than {_MOST_ON_A_PAGE}")
    if len(wanted.words) > _LONGEST_WORDS or "\0" in wanted.words:
        raise InvalidInput(f"filter.words: longer than {_LONGEST_WORDS} characters, or with a NUL in it")
    check_count("filter.regions", len(wanted.regions), least=0, most=_MOST_REGIONS)
    query = CatalogueQuery(
        performer_id=parse_uuid(wanted.performer_id) if wanted.performer_id else "",
        regions=tuple(dict.fromkeys(region_name(one) for one in wanted.regions)),
        words=wanted.words,
        size=request.page_size or _USUAL_PAGE,
    )
    if not request.page_token:
        return query
    return CatalogueQuery(
        performer_id=query.performer_id,
        regions=query.regions,
        words=query.words,
        size=query.size,
        after=parse_uuid(request.page_token, field="page_token"),
    )


def parse_change(change: tattoos_pb2.TattooChange) -> OwnerChange:
    parsed = OwnerChange(
        says_since=change.HasField("first_seen_date"),
        since=parse_date(change.first_seen_date, field="change.first_seen_date"),
        says_removed=change.HasField("removed_date"),
        removed=parse_date(change.removed_date, field="change.removed_date"),
        region=region_name(change.region) if change.region else "",
    )
    if parsed == OwnerChange():
        raise InvalidInput("change: nothing is said")
    return parsed


def parse_merged(tattoo_ids: Sequence[str]) -> list[str]:
    ids = list(dict.fromkeys(parse_uuid(one, field="tattoo_ids") for one in tattoo_ids))
    check_count("tattoo_ids", len(ids), least=2, most=_MOST_MERGED)
    return ids


def parse_views(view_ids: Sequence[str]) -> list[str]:
    check_count("view_ids", len(view_ids), least=1, most=_MOST_VIEWS)
    return list(dict.fromkeys(parse_uuid(one, field="view_ids") for one in view_ids))


def to_proto_performer(performer: ListedPerformer) -> tattoos_pb2.PerformerTattoos:
    return tattoos_pb2.PerformerTattoos(
        performer_id=performer.performer_id,
        tattoos=[_tattoo(one) for one in performer.tattoos],
        statements=[_statement(one) for one in performer.statements],
    )


def _tattoo(tattoo: ListedTattoo) -> tattoos_pb2.Tattoo:
    return tattoos_pb2.Tattoo(
        tattoo_id=tattoo.tattoo_id,
        region=region_value(tattoo.whole.region),
        first_seen_date=_iso(tattoo.whole.first_seen),
        removed_date=_iso(tattoo.whole.removed),
        confidence=max(one.known.confidence for one in tattoo.views),
        views=[_view(one) for one in tattoo.views],
        is_confirmed=any(one.is_pinned for one in tattoo.views),
    )


def _view(view: CatalogueView) -> tattoos_pb2.TattooView:
    known = view.known
    return tattoos_pb2.TattooView(
        view_id=known.view_id,
        source=common_pb2.ImageSource(image_hash=known.image_hash, uri=view.uri, date=_iso(known.first_seen)),
        box=to_proto_box(known.box),
        region=region_value(known.region),
        confidence=known.confidence,
        quality=view.quality,
        origin=view.origin,
    )


def _statement(statement: RegionStatement) -> tattoos_pb2.TattooStatement:
    return tattoos_pb2.TattooStatement(
        region=region_value(statement.region),
        is_clear=statement.knowledge is Knowledge.KNOWN_CLEAR,
        source=statement.source,
        words=statement.description,
        since_date=_iso(statement.since),
        until_date=_iso(statement.until),
    )


def _iso(day: datetime.date | None) -> str:
    return day.isoformat() if day else ""
