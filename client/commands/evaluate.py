"""`marquee evaluate`: how well does it do on your own pictures."""

from __future__ import annotations

import asyncio
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from client.catalogue import PersonChoice
from client.commands._running import err, out, run, write_json
from client.commands._session import policy_option, signals_option, starting
from client.enrolling import Outcome, PictureResult, enroll_gallery
from client.evaluation import (
    Evaluation,
    EvaluationOptions,
    JudgedProbe,
    count_identical,
    identify_probes,
    probe_files,
)
from client.folders import PerformerFolder, read_gallery
from client.metrics import Interval
from client.supervisor.stack import StackOptions, throw_away_folder
from client.values import Policy, Signal

__all__ = ["evaluate", "report_document"]

_TITLES = {
    "rank1": "rank-1 (known probes)",
    "rank5": "rank-5 (known probes)",
    "fnir_at_fpir_0.01": "FNIR at FPIR 1%",
    "fnir_at_fpir_0.1": "FNIR at FPIR 10%",
    "detection_failures": "nobody found",
    "identified_known": "status IDENTIFIED and right (known)",
    "identified_wrongly": "status IDENTIFIED and wrong (known)",
    "identified_unknown": "status IDENTIFIED (unknown)",
    "availability_face": "face visible",
    "availability_tattoo": "tattoo visible",
    "availability_body": "body visible",
}


@click.command()
@click.argument(
    "gallery", metavar="GALLERY_DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.argument("probes", metavar="PROBE_DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures as JSON."
)
@policy_option
@signals_option
@click.option(
    "--in-flight", type=click.IntRange(1, 32), default=4, show_default=True, help="Requests at a time."
)
def evaluate(
    gallery: Path,
    probes: Path,
    report: Path | None,
    policy: Policy,
    signals: tuple[Signal, ...],
    in_flight: int,
) -> None:
    """Measure identification: enrol GALLERY_DIR, identify PROBE_DIR, compare with the folder names.

    Both hold one folder for each performer; probe folders that the gallery has not are unknowns. The person
    with the largest face is judged. Everything happens on throw-away data that is deleted at the end. By
    running this you attest that everybody in the pictures is an adult. docs/evaluate.md explains the figures.
    """
    options = EvaluationOptions(policy=policy, signals=signals, in_flight=in_flight)
    enrolled, judged = read_gallery(gallery), read_gallery(probes)
    run(lambda: _evaluate(enrolled, judged, options, report))


async def _evaluate(
    gallery: Sequence[PerformerFolder],
    probes: Sequence[PerformerFolder],
    options: EvaluationOptions,
    report: Path | None,
) -> int:
    files = probe_files(gallery, probes)
    n_identical = await asyncio.to_thread(count_identical, gallery, files)
    started = time.monotonic()
    with throw_away_folder() as data:
        async with starting(data, StackOptions(always_embedded=True)) as marquee:
            with _progress("enrolling", sum(len(folder.pictures) for folder in gallery)) as step:
                enrolled = await enroll_gallery(
                    marquee,
                    gallery,
                    attests_adults=True,
                    choice=PersonChoice.LARGEST_FACE,
                    on_result=lambda _: step(),
                )
            enrol_seconds = time.monotonic() - started
            with _progress("identifying", len(files)) as step:
                judged = await identify_probes(marquee, files, options, on_judged=lambda _: step())
    seconds = {"enrol": enrol_seconds, "all": time.monotonic() - started}
    evaluation = Evaluation(enrolled, judged, gallery=gallery, n_identical=n_identical)
    _show(evaluation)
    _remark(evaluation, enrolled, judged)
    if report is not None:
        write_json(report, report_document(evaluation, options, judged, seconds))
    return 0


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    columns = (TextColumn(f"{what:12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.update(task, advance=1)


def _show(evaluation: Evaluation) -> None:
    counts = evaluation.counts
    out.print(
        f"{counts['n_gallery']} performers in the gallery ({counts['n_gallery_images']} pictures); "
        f"{counts['n_known']} probes of them, {counts['n_unknown']} of "
        f"{counts['n_unknown_identities']} unknown people",
        soft_wrap=True,
    )
    table = Table("figure", "value", "95% interval")
    for column in (1, 2):
        table.columns[column].justify = "right"
    for key, interval in evaluation.figures.items():
        table.add_row(_TITLES[key], *_cells(interval))
    out.print(table)


def _cells(interval: Interval) -> tuple[str, str]:
    if interval.value is None or interval.low is None or interval.high is None:
        return "n/a", ""
    return f"{interval.value:.2%}", f"{interval.low:.2%} .. {interval.high:.2%}"


def _remark(evaluation: Evaluation, enrolled: Sequence[PictureResult], judged: Sequence[JudgedProbe]) -> None:
    """What a reader of the figures must know."""
    counts = evaluation.counts
    for result in enrolled:
        if result.outcome is Outcome.REJECTED:
            err.print(f"[yellow]not enrolled: {escape(str(result.path))}: {escape(result.reason)}[/]")
    for each in judged:
        if each.error:
            err.print(f"[yellow]not identified: {escape(str(each.file.path))}: {escape(each.error)}[/]")
    if counts["n_probes_also_in_gallery"]:
        err.print(
            f"[yellow]{counts['n_probes_also_in_gallery']} probes are files of the gallery too; "
            "they flatter the figures[/]"
        )
    if counts["n_degraded"]:
        err.print(f"[yellow]{counts['n_degraded']} probes were answered without one of the signals[/]")


def report_document(
    evaluation: Evaluation,
    options: EvaluationOptions,
    judged: Sequence[JudgedProbe],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """The JSON report; docs/evaluate.md documents every key."""
    figures = {
        key: {"value": interval.value, "low": interval.low, "high": interval.high}
        for key, interval in evaluation.figures.items()
    }
    return {
        **figures,
        **evaluation.counts,
        "thresholds": dict(evaluation.thresholds),
        "policy": options.policy.value,
        "signals": [signal.value for signal in options.signals],
        "seconds": {key: round(value, 3) for key, value in seconds.items()},
        "version": version("marquee"),
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "probes": [_probe_document(each) for each in judged],
    }


def _probe_document(judged: JudgedProbe) -> dict[str, Any]:
    best = judged.person.best if judged.person else None
    return {
        "file": str(judged.file.path),
        "identity": judged.file.identity,
        "is_known": judged.probe.is_known,
        "rank": judged.probe.rank,
        "score": best.score if best else None,
        "best": best.name if best else None,
        "status": judged.person.status.value if judged.person else None,
        "signals": sorted(judged.person.signals) if judged.person else [],
        "error": judged.error,
    }
