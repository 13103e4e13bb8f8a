"""`marquee calibrate`: fit likelihood ratios to your own library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from client.calibrating import (
    CalibrationOutcome,
    CalibrationProgress,
    CalibrationReport,
    Estimate,
    OnProgress,
    PairedTest,
    SignalCalibration,
)
from client.commands._running import err, out, run
from client.commands._session import data_option, open_marquee, server_option, signals_option
from client.rendering import calibration_text
from client.values import Signal

__all__ = ["calibrate"]

_WORDS = {
    CalibrationOutcome.FITTED: "[green]fitted[/]",
    CalibrationOutcome.NOT_BETTER: "not better",
    CalibrationOutcome.TOO_FEW_PAIRS: "[yellow]too few pairs[/]",
    CalibrationOutcome.DISCARDED: "discarded",
    CalibrationOutcome.UNSPECIFIED: "",
}


@click.command()
@signals_option
@click.option("--dry-run", is_flag=True, help="Measure and judge, and store nothing.")
@click.option("--discard", is_flag=True, help="Measure nothing; use again what ships.")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Of what is drawn."
)
@click.option(
    "--probes",
    type=click.IntRange(100, 20_000),
    default=2000,
    show_default=True,
    help="Images of each signal to compare, at most.",
)
@server_option
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def calibrate(
    signals: tuple[Signal, ...],
    dry_run: bool,
    discard: bool,
    seed: int,
    probes: int,
    server: str | None,
    data: Path,
    as_json: bool,
) -> None:
    """Learn from your own pictures what a similarity is worth: face, tattoo and body.

    Enrolled pictures of one performer from different days are compared with each other, and with those of
    others. What is learned is used where it is better than what ships, judged on performers that it was not
    learned from. It takes minutes and is stored at the end; Ctrl-C before that stores nothing.

    Exit code 0: done; 3: too little is enrolled for one of the signals, the body only where it is named.
    """
    run(
        lambda: _calibrate(
            signals, dry_run, discard, seed=seed, probes=probes, server=server, data=data, as_json=as_json
        )
    )


async def _calibrate(
    signals: tuple[Signal, ...],
    dry_run: bool,
    discard: bool,
    *,
    seed: int,
    probes: int,
    server: str | None,
    data: Path,
    as_json: bool,
) -> int:
    async with open_marquee(server, data) as marquee:
        with _shown_progress() as on_progress:
            report = await marquee.calibrate(
                signals=signals,
                dry_run=dry_run,
                discard=discard,
                seed=seed,
                max_probes=probes,
                on_progress=on_progress,
            )
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2))
    else:
        _show(report)
    too_few = any(
        one.outcome is CalibrationOutcome.TOO_FEW_PAIRS and (signals or one.signal is not Signal.BODY)
        for one in report.signals
    )
    return 3 if too_few else 0


@contextmanager
def _shown_progress() -> Iterator[OnProgress]:
    """A bar for each signal and stage, on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def on_progress(one: CalibrationProgress) -> None:
            name = f"{one.signal.value}: {one.stage.value}"
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None)
            bars.update(tasks[name], completed=one.done, total=one.total or None)

        yield on_progress


def _show(report: CalibrationReport) -> None:
    table = Table(
        "signal",
        "outcome",
        "performers",
        "genuine pairs",
        "undated",
        "impostor pairs",
        "C_llr own",
        "C_llr shipped",
    )
    for column in table.columns[2:]:
        column.justify = "right"
    are_measured = any(one.outcome is not CalibrationOutcome.DISCARDED for one in report.signals)
    for one in report.signals:
        table.add_row(one.signal.value, _WORDS[one.outcome], *_cells(one))
    if are_measured:
        out.print(table)
    for one in report.signals:
        lines = [
            one.detail,
            *([_test_text(one.paired_test)] if one.paired_test else []),
            calibration_text(one.in_use),
        ]
        for line in lines:
            out.print(f"{one.signal.value}: {escape(line)}", highlight=False, soft_wrap=True)
    if report.is_dry_run:
        out.print("[yellow]a dry run: nothing was stored[/]")


def _cells(one: SignalCalibration) -> tuple[str, ...]:
    counts = (one.performers, one.genuine_pairs, one.undated_pairs, one.impostor_pairs)
    held_out = one.held_out
    figures = (f"{held_out.own:.3f}", f"{held_out.shipped:.3f}") if held_out is not None else ("", "")
    return (*(f"{count:,}" for count in counts), *figures)


def _test_text(test: PairedTest) -> str:
    if not test.is_tested or test.rank1_gain is None or test.log_gain is None:
        why = f"{test.images} images have both, {test.least_images} are needed"
        if test.images >= test.least_images:
            why = "one of the two has no calibration"
        return f"with faces untested: {why}; the weight stays as it is"
    return (
        f"with faces, on {test.images} images of {test.performers} performers: rank-1 {test.rank1_face:.1%} "
        f"by face alone, {test.rank1_both:.1%} by both; gain {_estimate_text(test.rank1_gain)} in rank-1, "
        f"{_estimate_text(test.log_gain)} in log probability"
    )


def _estimate_text(one: Estimate) -> str:
    return f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})"
