"""`marquee coverage`: what is enrolled, and what is missing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from client.api import Marquee
from client.catalogue import Coverage, PerformerCoverage
from client.commands._running import err, out, run
from client.commands._session import data_option, open_marquee, server_option
from client.values import Signal

__all__ = ["coverage"]

_SIGNALS = (Signal.FACE, Signal.TATTOO, Signal.BODY)


@click.command()
@server_option
@data_option
@click.option("--performers", "with_performers", is_flag=True, help="List every performer too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def coverage(server: str | None, data: Path, with_performers: bool, as_json: bool) -> None:
    """Say how well the enrolled observations cover the performers."""
    run(lambda: _coverage(server, data, with_performers=with_performers, as_json=as_json))


async def _coverage(server: str | None, data: Path, *, with_performers: bool, as_json: bool) -> int:
    async with open_marquee(server, data) as marquee:
        totals = await marquee.coverage()
        performers = await _list(marquee) if with_performers else None
    if as_json:
        click.echo(json.dumps(_document(totals, performers), indent=2))
    else:
        _show(totals, performers or [])
    for signal in totals.unavailable:
        err.print(f"[yellow]{signal.value} did not answer; its numbers are missing[/]")
    return 0


async def _list(marquee: Marquee) -> list[PerformerCoverage]:
    return [each async for each in marquee.performer_coverage()]


def _document(totals: Coverage, performers: list[PerformerCoverage] | None) -> dict[str, object]:
    document: dict[str, object] = asdict(totals)
    if performers is not None:
        document["page"] = [
            {
                "id": each.performer.id,
                "name": each.performer.name,
                "age_status": each.performer.age_status,
                "observations": {signal: count.observations for signal, count in each.signals.items()},
            }
            for each in performers
        ]
    return document


def _show(totals: Coverage, performers: list[PerformerCoverage]) -> None:
    out.print(
        f"{totals.performers} performers; {totals.without_observations} with nothing enrolled; "
        f"{totals.age_unverified} adult by attestation only (AGE_UNVERIFIED)",
        soft_wrap=True,
    )
    table = Table("signal", "performers", "of all", "observations")
    for signal, count in totals.signals.items():
        share = f"{count.performers / totals.performers:.0%}" if totals.performers else ""
        table.add_row(signal.value, str(count.performers), share, str(count.observations))
    out.print(table)
    if performers:
        out.print(_performers_table(performers))


def _performers_table(performers: list[PerformerCoverage]) -> Table:
    table = Table("performer", "id", "age", *(signal.value for signal in _SIGNALS))
    for each in performers:
        counts = (each.signals.get(signal) for signal in _SIGNALS)
        cells = ("?" if count is None else str(count.observations) for count in counts)
        table.add_row(escape(each.performer.name), each.performer.id, each.performer.age_status.value, *cells)
    return table
