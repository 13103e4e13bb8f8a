"""`marquee import`: an export of another installation, or the community's published database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from chassis.errors import MarqueeError
from client.commands._running import err, out, run
from client.commands._session import data_option, open_marquee, server_option
from client.commands.export import counting
from client.transfer.importing import ImportSummary, import_from, open_folder

__all__ = ["import_"]


def _to_versions(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    versions = {}
    for value in values:
        model, _, version = value.partition("=")
        if not model or not version:
            raise click.BadParameter(f"{value!r} is not MODEL=VERSION, such as facenet512=community")
        versions[model] = version
    return versions


@click.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@server_option
@data_option
@click.option(
    "--adult-attested",
    is_flag=True,
    help="You attest that everybody in the folder whose birth date is unknown is an adult in every picture.",
)
@click.option(
    "--version",
    "versions",
    metavar="MODEL=VERSION",
    multiple=True,
    callback=_to_versions,
    help="Version under which vectors of a model of the community's are stored; may be given several times.",
)
def import_(
    folder: Path, server: str | None, data: Path, adult_attested: bool, versions: dict[str, str]
) -> None:
    """Read FOLDER, which `marquee export` wrote, or which holds the community's published database.

    Checksums are compared before anything is opened. Only adults are taken: without a birth date only those
    with an id of a source that lists adults only, unless you attest. Nobody who was forgotten comes back.
    Stop and repeat it at any time: what is there is passed over.

    Exit code 0: everything is there; 3: something was left out, the tables say what and why.
    """
    run(lambda: _import(server, data, folder, adult_attested, versions))


async def _import(
    server: str | None, data: Path, folder: Path, adult_attested: bool, versions: Mapping[str, str]
) -> int:
    with err.status("comparing checksums ..."):
        incoming = await asyncio.to_thread(
            open_folder, folder, adult_attested=adult_attested, versions=versions
        )
    vectors = sum(one.count for one in incoming.sets)
    err.print(
        f"{incoming.title}: {incoming.performer_count:,} performers, {vectors:,} vectors", highlight=False
    )
    async with open_marquee(server, data) as marquee:
        try:
            with counting() as step:
                summary = await import_from(marquee, incoming, on_step=step)
        except (MarqueeError, asyncio.CancelledError):
            err.print("what was counted is stored; the command goes on from there when it is repeated")
            raise
    _show(summary)
    return 0 if summary.is_complete else 3


def _show(summary: ImportSummary) -> None:
    table = Table("", "new", "there before", "left out")
    for column in table.columns[1:]:
        column.justify = "right"
    refused = sum(summary.refused.values())
    table.add_row("performers", f"{summary.created:,}", f"{summary.known:,}", f"{refused:,}")
    for one in summary.sets:
        left_out = sum(one.left_out.values())
        name = f"{one.signal.value} vectors of {one.model} {one.version}"
        table.add_row(name, f"{one.stored:,}", f"{one.known:,}", f"{left_out:,}")
    out.print(table)
    for line in _lines(summary):
        out.print(escape(line), highlight=False, soft_wrap=True)


def _lines(summary: ImportSummary) -> list[str]:
    """What the table does not say."""
    lines = [f"{count:,} performers left out: {reason}" for reason, count in summary.refused.most_common()]
    for one in summary.sets:
        lines += [
            f"{count:,} vectors of {one.model} left out: {reason}"
            for reason, count in one.left_out.most_common()
        ]
    for one in summary.sets:
        lines += [
            f"{count:,} {one.signal.value}s stored, not searchable: {reason}"
            for reason, count in one.not_searchable.most_common()
        ]
    if summary.regions or summary.texts_without_region:
        lines.append(
            f"{summary.regions:,} body regions of tattoos learned from words; "
            f"{summary.texts_without_region:,} texts name no region"
        )
    return [*lines, *summary.remarks]
