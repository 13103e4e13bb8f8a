"""`marquee coverage`: what is enrolled, what is missing, and what each source brought."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from client.api import Marquee
from client.commands._coverage_tables import (
    headline,
    performers_table,
    signals_table,
    sources_table,
    target_line,
)
from client.commands._running import err, out, run
from client.commands._session import data_option, open_marquee, server_option
from client.coverage import Coverage, CoverageFilter, PerformerCoverage

__all__ = ["coverage"]

_PAGE = 1000
# A table of everybody helps nobody who has a hundred thousand performers.
_MOST_ROWS = 1000


@click.command()
@server_option
@data_option
@click.option("--performers", "with_performers", is_flag=True, help="List every performer too.")
@click.option("--below-target", is_flag=True, help="List the performers who have less than is wanted.")
@click.option("--without-faces", is_flag=True, help="List the performers who have no face.")
@click.option(
    "--without-source",
    metavar="NAME",
    default="",
    help="List the performers of whom this source, such as stashdb.org, has brought no face.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def coverage(
    server: str | None,
    data: Path,
    with_performers: bool,
    below_target: bool,
    without_faces: bool,
    without_source: str,
    as_json: bool,
) -> None:
    """Say how well the enrolled observations cover the performers, and what each source brought.

    What is wanted of each performer is set by gateway.target_faces, target_good_faces and target_bodies.
    Options that list combine: only performers for whom all of them hold.
    """
    wanted = CoverageFilter(
        only_below_target=below_target, only_without_faces=without_faces, without_faces_from=without_source
    )
    is_listing = with_performers or wanted != CoverageFilter()
    run(lambda: _coverage(server, data, wanted if is_listing else None, as_json=as_json))


async def _coverage(server: str | None, data: Path, wanted: CoverageFilter | None, *, as_json: bool) -> int:
    async with open_marquee(server, data) as marquee:
        with err.status("counting ..."):
            totals = await marquee.coverage()
            performers = None if wanted is None else await _list(marquee, wanted)
    if as_json:
        click.echo(json.dumps(_document(totals, performers), indent=2))
    else:
        _show(totals, performers)
    for signal in totals.unavailable:
        err.print(f"[yellow]{signal.value} did not answer; its numbers are missing[/]")
    return 0


async def _list(marquee: Marquee, wanted: CoverageFilter) -> list[PerformerCoverage]:
    return [each async for each in marquee.performer_coverage(wanted, page_size=_PAGE)]


def _document(totals: Coverage, performers: list[PerformerCoverage] | None) -> dict[str, Any]:
    document = asdict(totals)
    if performers is not None:
        document["page"] = [_performer(each) for each in performers]
    return document


def _performer(each: PerformerCoverage) -> dict[str, Any]:
    return {
        "id": each.performer.id,
        "name": each.performer.name,
        "age_status": each.performer.age_status,
        "observations": {signal: count.observations for signal, count in each.signals.items()},
        "faces": None if each.faces is None else asdict(each.faces),
        "is_below_target": each.is_below_target,
        "sources": [asdict(source) for source in each.sources],
    }


def _show(totals: Coverage, performers: list[PerformerCoverage] | None) -> None:
    out.print(headline(totals), soft_wrap=True)
    out.print(signals_table(totals))
    out.print(target_line(totals), soft_wrap=True)
    if totals.sources:
        out.print(sources_table(totals.sources))
    if performers is None:
        return
    if len(performers) > _MOST_ROWS:
        out.print(f"{len(performers)} performers; the first {_MOST_ROWS}, all of them with --json")
    if performers:
        out.print(performers_table(performers[:_MOST_ROWS]))
    else:
        out.print("no such performers")
