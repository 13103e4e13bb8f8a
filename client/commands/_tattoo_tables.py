"""Tattoos as people read them. Pure but for rich's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.markup import escape
from rich.table import Table

from client.tattoo_values import Tattoo, TattooedPerformer, TattooStatement

__all__ = ["SHORT_ID", "tattoos_table", "views_table", "clear_line"]

SHORT_ID = 8
"""Digits of an id that are shown; a command takes them for the whole."""
_OBSERVED = "observed"


def tattoos_table(performers: Iterable[TattooedPerformer], *, with_names: bool) -> Table:
    """A line for each tattoo, and for each region of which there are only words."""
    table = Table(*(["performer"] if with_names else []), "tattoo", "region", "first seen", "removed")
    for column in ("views", "confidence"):
        table.add_column(column, justify="right")
    table.add_column("source")
    table.add_column("words")
    for one in performers:
        name = [escape(one.performer.name)] if with_names else []
        for tattoo in one.tattoos:
            table.add_row(*name, *_tattoo(tattoo, _said_of(one.statements, tattoo.region)))
        seen = {tattoo.region for tattoo in one.tattoos}
        for statement in one.statements:
            if _is_words(statement) and statement.region not in seen:
                table.add_row(*name, *_words_only(statement))
    return table


def views_table(tattoo: Tattoo) -> Table:
    """A line for each view."""
    table = Table(
        "view", "picture", "date", "region", title=f"{tattoo.id[:SHORT_ID]} {_plain(tattoo.region)}"
    )
    for column in ("confidence", "quality"):
        table.add_column(column, justify="right")
    for view in tattoo.views:
        table.add_row(
            view.id[:SHORT_ID],
            escape(view.uri or view.image_hash[:SHORT_ID]),
            _day(view.date),
            _plain(view.region),
            f"{view.confidence:.2f}",
            f"{view.quality:.2f}",
        )
    return table


def clear_line(statements: Sequence[TattooStatement]) -> str:
    """Who says that nothing is there; empty when nobody does."""
    regions: dict[str, list[str]] = {}
    for one in statements:
        if one.is_clear:
            regions.setdefault(one.source, []).append(_plain(one.region))
    return "; ".join(
        f"{escape(source)} says that {len(found)} regions are clear" for source, found in regions.items()
    )


def _tattoo(tattoo: Tattoo, said: Sequence[TattooStatement]) -> list[str]:
    return [
        tattoo.id[:SHORT_ID],
        _plain(tattoo.region),
        _day(tattoo.first_seen),
        _day(tattoo.removed),
        str(len(tattoo.views)),
        f"{tattoo.confidence:.2f}",
        ", ".join(sorted({view.origin for view in tattoo.views} | {escape(one.source) for one in said})),
        "; ".join(escape(one.words) for one in said if one.words),
    ]


def _words_only(statement: TattooStatement) -> list[str]:
    days = [_day(statement.since), _day(statement.until)]
    source, words = escape(statement.source), escape(statement.words)
    return ["", _plain(statement.region), *days, "", "", source, words]


def _said_of(statements: Sequence[TattooStatement], region: str) -> list[TattooStatement]:
    return [one for one in statements if _is_words(one) and one.region == region]


def _is_words(statement: TattooStatement) -> bool:
    return not statement.is_clear and statement.source != _OBSERVED


def _plain(region: str) -> str:
    return region.replace("_", " ")


def _day(day: object) -> str:
    return str(day) if day else ""
