"""`marquee tattoos`: a performer's tattoos, a search over everybody's, and what the owner sets right."""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from chassis.errors import InvalidInput
from client._tattoos_wire import REGIONS
from client.api import Marquee
from client.commands._running import out, run
from client.commands._session import data_option, open_marquee, server_option
from client.commands._tattoo_tables import clear_line, tattoos_table, views_table
from client.commands.forget import parse_reference
from client.tattoo_values import TattooedPerformer
from client.tattoos import UNSAID, Unsaid

__all__ = ["tattoos"]

_FORGET_IT = "unknown"
_Day = datetime.date | Unsaid | None
_region = click.Choice(REGIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Correction:
    """What the owner says of one tattoo; ids may be their first digits."""

    tattoo: str
    first_seen: _Day
    removed: _Day
    place: str
    merge: tuple[str, ...]
    split: tuple[str, ...]
    delete: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.delete or self.tattoo or self.merge or self.split or self.place or self.says_days)

    @property
    def says_days(self) -> bool:
        return self.first_seen is not UNSAID or self.removed is not UNSAID


def _to_day(_context: click.Context, _parameter: click.Parameter, value: str | None) -> _Day:
    if value is None:
        return UNSAID
    if value == _FORGET_IT:
        return None
    try:
        return datetime.date.fromisoformat(value)
    except ValueError as exc:
        raise click.BadParameter(f"{value!r} is no day, such as 2021-05-30") from exc


@click.command()
@click.argument("performer", metavar="[ID|AUTHORITY:ID]", default="")
@server_option
@data_option
@click.option("--region", "regions", type=_region, multiple=True, help="Only there; may be repeated.")
@click.option("--words", default="", help="Only where a source says all these words, such as dragon.")
@click.option("--views", "with_views", is_flag=True, help="Show every view of every tattoo.")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="Most performers shown."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--tattoo", default="", metavar="ID", help="The tattoo to correct.")
@click.option("--first-seen", callback=_to_day, metavar="DAY", help="First day it was there; or unknown.")
@click.option(
    "--removed", callback=_to_day, metavar="DAY", help="Day from which it is gone; or unknown: it is there."
)
@click.option("--place", type=_region, default=None, help="Where it is.")
@click.option("--merge", multiple=True, metavar="ID", help="This tattoo is the same; may be repeated.")
@click.option("--split", multiple=True, metavar="VIEW", help="This view shows another one; may be repeated.")
@click.option(
    "--delete-view", "delete", multiple=True, metavar="VIEW", help="This view is wrong; may be repeated."
)
def tattoos(
    performer: str,
    server: str | None,
    data: Path,
    regions: tuple[str, ...],
    words: str,
    with_views: bool,
    limit: int,
    as_json: bool,
    place: str | None,
    **said: Any,
) -> None:
    """List the tattoos of a performer, or search those of everybody by region and words.

    A performer is named by id, or by an external id such as folder:Ann_Lee. Tattoos and views are named by
    the digits that the list shows. What is said of a tattoo stays, whatever is enrolled later:

    \b
    marquee tattoos folder:Ann_Lee
    marquee tattoos --region left_forearm --words dragon
    marquee tattoos folder:Ann_Lee --tattoo 1f3a90c2 --removed 2021-05-30
    marquee tattoos folder:Ann_Lee --tattoo 1f3a90c2 --merge 77b0e4d1
    """
    correction = _Correction(place=place or "", **said)
    show = _Show(with_views=with_views, as_json=as_json, with_names=not performer)
    run(lambda: _main(performer, server, data, regions, words, limit, correction, show))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Show:
    """How to print."""

    with_views: bool
    as_json: bool
    with_names: bool


async def _main(
    performer: str,
    server: str | None,
    data: Path,
    regions: Sequence[str],
    words: str,
    limit: int,
    correction: _Correction,
    show: _Show,
) -> int:
    if correction and not performer:
        raise InvalidInput(
            "whose tattoo is corrected is not said: an id, or authority:id such as folder:Ann_Lee"
        )
    async with open_marquee(server, data) as marquee:
        performer_id = (await marquee.get(parse_reference(performer))).performer.id if performer else ""
        if correction:
            await _correct(marquee, performer_id, correction)
        found = marquee.tattoos.search(
            performer_id=performer_id, regions=regions, words=words, page_size=min(limit, 1000)
        )
        shown = await _first(found, limit)
    _print(shown, show)
    return 0


async def _first(found: AsyncGenerator[TattooedPerformer], limit: int) -> list[TattooedPerformer]:
    shown: list[TattooedPerformer] = []
    async with aclosing(found):
        async for each in found:
            shown.append(each)
            if len(shown) == limit:
                break
    return shown


async def _correct(marquee: Marquee, performer_id: str, said: _Correction) -> None:
    """Do what is said, in the order: delete, split, merge, dates and place."""
    known = [
        tattoo async for each in marquee.tattoos.search(performer_id=performer_id) for tattoo in each.tattoos
    ]
    views = [view.id for tattoo in known for view in tattoo.views]
    if said.delete:
        await marquee.tattoos.delete_views(performer_id, [_whole(one, views) for one in said.delete])
    says_more = said.split or said.merge or said.place or said.says_days
    if said.tattoo and not says_more:
        raise InvalidInput(
            "nothing is said of the tattoo: --first-seen, --removed, --place, --merge or --split"
        )
    if not says_more:
        return
    if not said.tattoo:
        raise InvalidInput("which tattoo is meant is not said: --tattoo and the digits that the list shows")
    ids = [tattoo.id for tattoo in known]
    tattoo_id = _whole(said.tattoo, ids)
    if said.split:
        await marquee.tattoos.split(performer_id, tattoo_id, [_whole(one, views) for one in said.split])
    if said.merge:
        await marquee.tattoos.merge(performer_id, [tattoo_id, *(_whole(one, ids) for one in said.merge)])
    if said.place or said.says_days:
        await marquee.tattoos.update(
            performer_id, tattoo_id, first_seen=said.first_seen, removed=said.removed, region=said.place
        )


def _whole(digits: str, ids: Iterable[str]) -> str:
    """The one id that begins so. Raises InvalidInput for none, or several."""
    found = [one for one in ids if digits and one.startswith(digits.lower())]
    if len(found) != 1:
        raise InvalidInput(f"{digits!r} is the beginning of {len(found)} ids of the performer's")
    return found[0]


def _print(shown: Sequence[TattooedPerformer], show: _Show) -> None:
    if show.as_json:
        click.echo(json.dumps([_document(one) for one in shown], indent=2, default=str))
        return
    if not shown:
        out.print("no such tattoos")
        return
    out.print(tattoos_table(shown, with_names=show.with_names))
    for one in shown:
        if clear := clear_line(one.statements):
            out.print(clear, soft_wrap=True)
        for tattoo in one.tattoos if show.with_views else ():
            out.print(views_table(tattoo))


def _document(one: TattooedPerformer) -> dict[str, Any]:
    return {
        "id": one.performer.id,
        "name": one.performer.name,
        "tattoos": [asdict(tattoo) for tattoo in one.tattoos],
        "statements": [asdict(statement) for statement in one.statements],
    }
