"""`marquee enroll`: learn performers from a gallery, one folder each."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from client.catalogue import PersonChoice
from client.commands._running import err, out, run, write_json
from client.commands._session import data_option, open_marquee, server_option
from client.enrolling import OnResult, Outcome, PictureResult, enroll_gallery
from client.folders import PerformerFolder, read_gallery

__all__ = ["enroll"]

_MOST_ROWS = 40
_QUESTION = "Do you attest that everybody in these pictures is an adult (18 or older) in every one of them?"


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@server_option
@data_option
@click.option("--adults", is_flag=True, help="Attest that everybody in DIR is an adult in every picture.")
@click.option(
    "--largest-face",
    is_flag=True,
    help="Pictures are portraits: the performer is whoever has the largest face. By default a picture of "
    "several people is enrolled only if one face agrees with those enrolled.",
)
@click.option(
    "--json",
    "report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what became of each picture.",
)
def enroll(
    directory: Path, server: str | None, data: Path, adults: bool, largest_face: bool, report: Path | None
) -> None:
    """Enrol the pictures in DIR: one folder for each performer, its name is the performer's.

    A performer.json in a folder may give name, ids elsewhere, birth date and days of pictures; see
    docs/client.md. Repeat the command at any time: what is enrolled is skipped.

    Exit code 0: every picture is enrolled; 3: some were rejected, the table says why.
    """
    folders = read_gallery(directory)
    attests = adults or _attested(folders)
    choice = PersonChoice.LARGEST_FACE if largest_face else PersonChoice.ONLY_OR_AGREEING
    run(lambda: _enroll(folders, server, data, attests=attests, choice=choice, report=report))


def _attested(folders: Sequence[PerformerFolder]) -> bool:
    """Ask once, and only if a folder says nothing about its performer's age."""
    unsaid = [f for f in folders if f.performer.birth_date is None and not f.performer.adult_attested]
    if not unsaid:
        return False
    err.print(f"{len(unsaid)} of {len(folders)} folders give no birth date.")
    if not sys.stdin.isatty():
        err.print("[yellow]Their pictures will be rejected: attest with --adults.[/]")
        return False
    return click.confirm(_QUESTION, err=True)


async def _enroll(
    folders: Sequence[PerformerFolder],
    server: str | None,
    data: Path,
    *,
    attests: bool,
    choice: PersonChoice,
    report: Path | None,
) -> int:
    async with open_marquee(server, data) as marquee:
        with _progress(sum(len(folder.pictures) for folder in folders)) as step:
            results = await enroll_gallery(
                marquee, folders, attests_adults=attests, choice=choice, on_result=step
            )
    _show(folders, results)
    if report is not None:
        write_json(report, [_document(result) for result in results])
    return 3 if any(result.outcome is Outcome.REJECTED for result in results) else 0


@contextmanager
def _progress(total: int) -> Iterator[OnResult]:
    """A bar on stderr; gives the callback that moves it."""
    columns = (TextColumn("enrolling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    rejected = 0
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=err) as progress:
        task = progress.add_task("", total=total, note="")

        def step(result: PictureResult) -> None:
            nonlocal rejected
            rejected += result.outcome is Outcome.REJECTED
            progress.update(task, advance=1, note=f"{rejected} rejected" if rejected else "")

        yield step


def _show(folders: Sequence[PerformerFolder], results: Sequence[PictureResult]) -> None:
    rejected = [result for result in results if result.outcome is Outcome.REJECTED]
    out.print(_performers_table(folders, results))
    if rejected:
        out.print(_rejections_table(rejected))
    for folder in folders:
        for path in folder.ignored:
            err.print(f"[dim]passed over {escape(str(path))}: no picture Marquee reads (JPEG, PNG, WebP)[/]")
    for signal, count in Counter(name for result in results for name in result.missing).items():
        err.print(f"[yellow]{signal} did not answer for {count} pictures; repeat the command later[/]")
    counts = Counter(result.outcome for result in results)
    out.print(", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome))


def _performers_table(folders: Sequence[PerformerFolder], results: Sequence[PictureResult]) -> Table:
    """Performers with rejections first where there are too many to show all."""
    counts: dict[Path, Counter[Outcome]] = {folder.path: Counter() for folder in folders}
    for result in results:
        counts[result.folder.path][result.outcome] += 1
    shown = sorted(folders, key=lambda folder: -counts[folder.path][Outcome.REJECTED])[:_MOST_ROWS]
    title = None if len(shown) == len(folders) else f"{len(shown)} of {len(folders)} performers"
    table = Table("performer", *(outcome.value for outcome in Outcome), title=title)
    for folder in shown:
        row = (str(counts[folder.path][outcome] or "") for outcome in Outcome)
        table.add_row(escape(folder.performer.name), *row)
    return table


def _rejections_table(rejected: Sequence[PictureResult]) -> Table:
    title = f"{len(rejected)} rejected"
    if len(rejected) > _MOST_ROWS:
        title += f"; the first {_MOST_ROWS}, all of them with --json FILE"
    table = Table("picture", "reason", title=title)
    for result in rejected[:_MOST_ROWS]:
        table.add_row(escape(f"{result.folder.path.name}/{result.path.name}"), escape(result.reason))
    return table


def _document(result: PictureResult) -> dict[str, Any]:
    return {
        "file": str(result.path),
        "performer": result.folder.performer.name,
        "performer_id": result.performer_id,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "signals": list(result.signals),
        "missing": list(result.missing),
    }
