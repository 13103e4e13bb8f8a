"""`marquee export`: everything that is enrolled, for other programs and other installations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from client.commands._running import err, out, run
from client.commands._session import data_option, open_marquee, server_option
from client.transfer.exporting import Exported, export_to
from client.transfer.universal_id import PREFERRED

__all__ = ["export", "counting"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@server_option
@data_option
@click.option(
    "--prefer",
    metavar="AUTHORITY[,AUTHORITY]",
    default=",".join(PREFERRED),
    show_default=True,
    help="Whose ids stand for the performers, in this order.",
)
def export(folder: Path, server: str | None, data: Path, prefer: str) -> None:
    """Write performers, faces and tattoos into the new folder FOLDER.

    performers.json, faces.json and tattoos.json (universal ids by position), a Voyager index of vectors for
    each model, and a manifest with checksums; docs/transfer.md describes all of it. `marquee import` reads it
    back. An export that is interrupted leaves nothing behind under that name.

    The folder holds biometric data: keep it as you keep the database.
    """
    preferred = [name.strip().lower() for name in prefer.split(",") if name.strip()]
    run(lambda: _export(server, data, folder, preferred))


async def _export(server: str | None, data: Path, folder: Path, preferred: list[str]) -> int:
    async with open_marquee(server, data) as marquee:
        with counting() as step:
            done = await export_to(marquee, folder, preferred=preferred, on_step=step)
    _show(folder, done)
    return 0


@contextmanager
def counting() -> Iterator[Callable[[str, int], None]]:
    """A line on stderr for each kind of thing, with how many there were so far; gives what counts them."""
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=err) as progress:
        tasks = {}

        def step(what: str, count: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=None)
            progress.update(tasks[what], advance=count)

        yield step


def _show(folder: Path, done: Exported) -> None:
    table = Table("written", "count")
    table.columns[1].justify = "right"
    table.add_row("performers", f"{done.performers:,}")
    for signal, count in done.observations.items():
        table.add_row(f"{signal.value}s", f"{count:,}")
    for name, count in done.vectors.items():
        table.add_row(f"vectors in {name}", f"{count:,}")
    out.print(table)
    out.print(f"{folder} is complete", highlight=False, soft_wrap=True)
