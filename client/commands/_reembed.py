"""`marquee backfill --reembed`: describe again what is enrolled, for models that are being prepared."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from chassis.errors import MarqueeError
from client.api import Marquee
from client.backfill_results import ImageResult, Outcome
from client.backfilling import OnResult, Plan, describe_again, plan_backfill, states_after
from client.commands._running import err, out, write_json
from client.commands._session import open_marquee
from client.fetching import Fetcher, FetchLimits
from client.rendering import share_text
from client.sources import Root
from client.system import ServiceState
from client.values import Signal

__all__ = ["reembed"]

_MOST_ROWS = 40
# In the table in any case; the others only where there are some.
_ALWAYS_SHOWN = (Outcome.DESCRIBED, Outcome.MISSED, Outcome.GONE, Outcome.CHANGED, Outcome.UNREADABLE)

_States = Mapping[Signal, ServiceState]


async def reembed(
    server: str | None, data: Path, *, roots: Sequence[Root], limits: FetchLimits, report: Path | None
) -> int:
    """Do it, tell what became of everything, and give the exit code."""
    async with open_marquee(server, data) as marquee:
        with err.status("asking what has to be described ..."):
            plan = await plan_backfill(marquee)
        _announce(plan)
        async with Fetcher(limits) as fetcher:
            results = await _describe(marquee, plan, roots, fetcher)
        states = await states_after(marquee, plan, results)
    if plan.totals:
        _show(plan, results, states)
    if report is not None:
        write_json(report, _document(plan, results, states))
    return 3 if _is_left(plan, results, states) else 0


def _announce(plan: Plan) -> None:
    for signal in plan.unavailable:
        err.print(f"[yellow]{signal.value} could not be asked; repeat the command later[/]")
    for signal, total in plan.totals.items():
        if total.change.problem:
            err.print(f"[yellow]{signal.value}: {escape(total.change.problem)}[/]")
    if not plan.totals:
        out.print("no signal is changing its models: nothing to describe")


async def _describe(
    marquee: Marquee, plan: Plan, roots: Sequence[Root], fetcher: Fetcher
) -> list[ImageResult]:
    done = 0
    with _progress(len(plan.images)) as step:

        def on_result(result: ImageResult) -> None:
            nonlocal done
            done += result.is_done
            step(result)

        try:
            return await describe_again(
                marquee, plan.images, roots=roots, fetcher=fetcher, on_result=on_result
            )
        except (MarqueeError, asyncio.CancelledError):
            err.print(f"{done} of {len(plan.images)} pictures are described; the command goes on from there")
            raise


@contextmanager
def _progress(total: int) -> Iterator[OnResult]:
    """A bar on stderr; gives the callback that moves it."""
    columns = (TextColumn("describing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    left = 0
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=err, disable=total == 0) as progress:
        task = progress.add_task("", total=total, note="")

        def step(result: ImageResult) -> None:
            nonlocal left
            left += not result.is_done
            progress.update(task, advance=1, note=f"{left} not described" if left else "")

        yield step


def _is_left(plan: Plan, results: Sequence[ImageResult], states: _States) -> bool:
    """Whether another run has something to do, or somebody else before the switch can be made."""
    if plan.unavailable or not all(result.is_done for result in results):
        return True
    known = [states.get(signal) for signal in plan.totals]
    return any(state is None or state.is_preparing or state.model_change for state in known)


def _show(plan: Plan, results: Sequence[ImageResult], states: _States) -> None:
    out.print(_signals_table(plan, results, states))
    left = [result for result in results if not result.is_done]
    if left:
        _show_left(left)
    for signal, state in states.items():
        _tell_state(signal, state)


def _tell_state(signal: Signal, state: ServiceState) -> None:
    change = state.model_change
    if not state.is_preparing:
        out.print(f"[green]{signal.value} has switched to the new models[/]")
    if change is not None and change.problem:
        err.print(f"[yellow]{signal.value}: {escape(change.problem)}[/]")
    if change is not None and change.pending and not state.is_preparing:
        err.print(f"[yellow]{signal.value}: what still waits may not be found until it is described[/]")


def _signals_table(plan: Plan, results: Sequence[ImageResult], states: _States) -> Table:
    """Observations, not pictures: one picture may show several tattoos."""
    counts = {signal: _counts(signal, results) for signal in plan.totals}
    shown = [one for one in Outcome if one in _ALWAYS_SHOWN or any(each[one] for each in counts.values())]
    table = Table("signal", *(one.value for one in shown), "still waiting", "coverage", "switched")
    for column in table.columns[1:]:
        column.justify = "right"
    for signal, each in counts.items():
        outcomes = (str(each[one] or "") for one in shown)
        table.add_row(signal.value, *outcomes, *_figures(signal, states))
    return table


def _figures(signal: Signal, states: _States) -> tuple[str, str, str]:
    """Still waiting, coverage now of the share that is needed, and whether the switch is made."""
    if signal not in states:
        return ("?", "?", "did not answer")
    switched = "not yet" if states[signal].is_preparing else "[green]yes[/]"
    change = states[signal].model_change
    if change is None:
        return ("", "100%", switched)
    coverage = f"{share_text(change.coverage)} of {share_text(change.switch_coverage)}"
    return (str(change.pending), coverage, switched)


def _counts(signal: Signal, results: Sequence[ImageResult]) -> Counter[Outcome]:
    return sum((result.outcomes.get(signal, Counter()) for result in results), Counter())


def _show_left(left: Sequence[ImageResult]) -> None:
    more = f"; the first {_MOST_ROWS}, all of them with --json FILE" if len(left) > _MOST_ROWS else ""
    out.print(f"{len(left)} pictures not described{more}:")
    for result in left[:_MOST_ROWS]:
        out.print(f"  {escape(result.detail)}", highlight=False, soft_wrap=True)


def _document(plan: Plan, results: Sequence[ImageResult], states: _States) -> dict[str, Any]:
    return {
        "signals": {
            signal.value: {
                "outcomes": {one.value: count for one, count in _counts(signal, results).items()},
                "has_switched": signal in states and not states[signal].is_preparing,
                "change": _change(states.get(signal)),
            }
            for signal in plan.totals
        },
        "unavailable": [signal.value for signal in plan.unavailable],
        "pictures": [_picture(result) for result in results],
    }


def _change(state: ServiceState | None) -> dict[str, Any] | None:
    """None when everything is described, or the signal did not answer."""
    return asdict(state.model_change) if state is not None and state.model_change is not None else None


def _picture(result: ImageResult) -> dict[str, Any]:
    return {
        "uri": result.image.uri,
        "image_hash": result.image.image_hash,
        "performer_id": result.image.performer_id,
        "signals": {
            signal.value: {one.value: count for one, count in counts.items()}
            for signal, counts in result.outcomes.items()
        },
        "detail": result.detail,
    }
