"""`marquee backfill`: enrol more of performers who have less than is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chassis.errors import MarqueeError
from client.api import Marquee
from client.commands._filling_tables import Tally, sources_table
from client.commands._running import err, out, write_json
from client.commands._session import open_marquee
from client.fetching import Fetcher, FetchLimits
from client.filling import OnPerformer, OnPicture, fill
from client.filling_results import Filled, Outcome, PictureResult
from client.filling_sources import (
    Pictures,
    ToFill,
    folder_pictures,
    folders_to_fill,
    known_pictures,
    performers_to_fill,
)
from client.folders import PerformerFolder

__all__ = ["Filling", "fill_up"]

_MOST_ROWS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What is wanted. `folders`: where the pictures are; None: at the URLs that the server knows."""

    source: str
    missing_only: bool
    folders: Sequence[PerformerFolder] | None
    limits: FetchLimits
    at_a_time: int


async def fill_up(server: str | None, data: Path, wanted: Filling, report: Path | None) -> int:
    """Do it, tell what became of everything, and give the exit code."""
    tally = Tally()
    async with open_marquee(server, data) as marquee, Fetcher(wanted.limits) as fetcher:
        with err.status("asking who has less than is wanted ..."):
            performers, pictures = await _plan(marquee, fetcher, wanted)
        try:
            with _progress(len(performers), tally) as (on_picture, on_performer):
                await fill(
                    marquee,
                    performers,
                    pictures,
                    at_a_time=wanted.at_a_time,
                    on_picture=on_picture,
                    on_performer=on_performer,
                )
        except (MarqueeError, asyncio.CancelledError):
            _show(tally, len(performers))
            err.print("stopped; the command goes on from there, and tries no picture twice")
            raise
        finally:
            if report is not None:
                write_json(report, tally.document())
    _show(tally, len(performers))
    return 3 if tally.is_left else 0


async def _plan(marquee: Marquee, fetcher: Fetcher, wanted: Filling) -> tuple[Sequence[ToFill], Pictures]:
    if wanted.folders is None:
        found = performers_to_fill(marquee, source=wanted.source, missing_only=wanted.missing_only)
        return [each async for each in found], known_pictures(marquee, fetcher, source=wanted.source)
    folders = await folders_to_fill(marquee, wanted.folders)
    for folder in folders.unknown:
        name = escape(str(folder.path))
        err.print(f"[yellow]{name}: nobody with this id; `marquee enroll` adds performers[/]")
    if folders.enough:
        err.print(f"{folders.enough} performers have enough")
    return list(folders.wanted), folder_pictures(marquee, folders.wanted)


@contextmanager
def _progress(total: int, tally: Tally) -> Iterator[tuple[OnPicture, OnPerformer]]:
    """A bar on stderr, by performers; gives the callbacks that move it and keep the tally."""
    columns = (TextColumn("performers"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=err, disable=total == 0) as progress:
        task = progress.add_task("", total=total, note="")

        def on_picture(result: PictureResult) -> None:
            tally.add(result)
            progress.update(task, note=f"{tally.enrolled} of {len(tally.pictures)} pictures enrolled")

        def on_performer(filled: Filled) -> None:
            tally.performers.append(filled)
            progress.update(task, advance=1)

        yield on_picture, on_performer


def _show(tally: Tally, total: int) -> None:
    if not total:
        out.print("nobody below the target of whom pictures are known that are worth a try")
        return
    if tally.pictures:
        out.print(sources_table(tally.pictures))
    left = [one for one in tally.pictures if one.detail and one.outcome is not Outcome.REJECTED]
    for one in left[:_MOST_ROWS]:
        out.print(f"  {escape(one.name)}: {escape(one.detail)}", highlight=False, soft_wrap=True)
    if len(left) > _MOST_ROWS:
        out.print(f"  and {len(left) - _MOST_ROWS} more; all of them with --json FILE")
    out.print(tally.headline(total), soft_wrap=True)
