"""`python -m bench.latency [--json FILE]`: Identify end to end, all signals against face only.

The whole system runs as `marquee up` runs it, on a throw-away data folder; a gallery of portraits is enrolled
(and timed), then single requests are sent one after another, all signals, the same by BAYESIAN, and face only
in turn, so that a drift of the machine's speed meets all of them.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import psutil

from bench.enrolling import portrait_images
from bench.latency.pictures import DEFAULT_DATA, TimedPicture, portraits, whole_figure
from bench.report import print_heading, print_table, write_json
from client.api import Marquee
from client.supervisor.stack import Stack, StackOptions, running_stack, throw_away_folder
from client.values import Identification, Policy, Signal

_SEED = 20261122
# The limits the system is built to, milliseconds at p50 and bytes.
_TARGETS_MS = {"250x250 face": 120.0, "1080p, one person": 250.0}
_TARGET_BYTES = 1.5 * 2**30
_TARGET_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked for."""

    signals: tuple[Signal, ...] = ()
    policy: Policy = Policy.WEIGHTED


_ALL = "all signals"
_CHOICES = {
    _ALL: Choice(),
    "all signals, BAYESIAN": Choice(policy=Policy.BAYESIAN),
    "face only": Choice((Signal.FACE,)),
}


@dataclass(frozen=True, slots=True)
class Series:
    """Times of one picture kind and one choice of signals, milliseconds."""

    picture: str
    signals: str
    n: int
    p50: float
    p95: float
    gateway_p50: float
    second_round_p50: float
    """Since the last signal had looked: people, Score, Lookup, names and fusion."""
    second_round_share: float
    """Of the gateway's time, median."""
    observe_p50: dict[str, float]
    score_p50: dict[str, float]
    cpu_per_request: dict[str, float]


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=DEFAULT_DATA,
    show_default=True,
    help="Labeled Faces in the Wild: a folder `identities` with one folder for each person.",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
@click.option("--requests", default=60, show_default=True, help="Requests of each series.")
@click.option("--gallery", default=200, show_default=True, help="Portraits to enrol.")
def main(data: Path, json_path: Path | None, requests: int, gallery: int) -> None:
    """Measure latency, enrolment and memory."""
    try:
        people = portraits(data, gallery)
    except FileNotFoundError as exc:
        raise click.ClickException(f"no photographs in {data}: name their folder with --data") from exc
    asyncio.run(_measure(people, json_path, requests))


async def _measure(people: Sequence[TimedPicture], json_path: Path | None, requests: int) -> None:
    print_heading("bench/latency", seed=_SEED)
    options = StackOptions(always_embedded=True)
    with throw_away_folder() as folder:
        async with (
            running_stack(folder, options) as stack,
            Marquee.connect(stack.address) as marquee,
        ):
            at_rest = _memory(stack)
            per_second = await _enroll(marquee, people)
            series = [
                each
                for name, pictures in _kinds(people).items()
                for each in await _time_choices(marquee, stack, name, pictures, requests)
            ]
            after_load = _memory(stack)
    _print_series(series)
    _print_memory(at_rest, after_load)
    print_table(
        "Enrolment", ["what", "images a second"], [[f"{len(people)} portraits, 250x250", f"{per_second:.1f}"]]
    )
    write_json(
        json_path,
        {
            "seed": _SEED,
            "series": [asdict(each) for each in series],
            "enrolled_images_per_second": per_second,
            "memory_at_rest_bytes": at_rest,
            "memory_after_load_bytes": after_load,
        },
    )


def _kinds(people: Sequence[TimedPicture]) -> dict[str, list[TimedPicture]]:
    return {"250x250 face": list(people[:20]), "1080p, one person": [whole_figure()]}


async def _enroll(marquee: Marquee, people: Sequence[TimedPicture]) -> float:
    """Enrol one portrait a performer; images a second over the whole stream."""
    images = await portrait_images(marquee, people)
    started = time.perf_counter()
    replies = [reply async for reply in marquee.enroll(images)]
    return len(replies) / (time.perf_counter() - started)


async def _time_choices(
    marquee: Marquee, stack: Stack, name: str, pictures: Sequence[TimedPicture], requests: int
) -> list[Series]:
    taken: dict[str, list[tuple[float, Identification]]] = {choice: [] for choice in _CHOICES}
    cpu: dict[str, dict[str, float]] = {choice: {} for choice in _CHOICES}
    for wanted in _CHOICES.values():
        await marquee.identify(pictures[0].data, signals=wanted.signals, policy=wanted.policy)
    for turn in range(requests):
        for choice, wanted in _CHOICES.items():
            before = _cpu_seconds(stack)
            data = pictures[turn % len(pictures)].data
            started = time.perf_counter()
            answer = await marquee.identify(data, signals=wanted.signals, policy=wanted.policy)
            taken[choice].append(((time.perf_counter() - started) * 1e3, answer))
            for process, seconds in _cpu_seconds(stack).items():
                cpu[choice][process] = cpu[choice].get(process, 0.0) + seconds - before[process]
    return [_series(name, choice, taken[choice], cpu[choice]) for choice in _CHOICES]


def _series(
    picture: str, signals: str, taken: Sequence[tuple[float, Identification]], cpu: dict[str, float]
) -> Series:
    walls = sorted(wall for wall, _ in taken)
    second = [_second_round(answer) for _, answer in taken]
    return Series(
        picture=picture,
        signals=signals,
        n=len(walls),
        p50=statistics.median(walls),
        p95=walls[int(0.95 * (len(walls) - 1))],
        gateway_p50=statistics.median(answer.elapsed_ms for _, answer in taken),
        second_round_p50=statistics.median(second),
        second_round_share=statistics.median(
            part / answer.elapsed_ms for part, (_, answer) in zip(second, taken, strict=True)
        ),
        observe_p50=_stage(taken, "observe_ms"),
        score_p50=_stage(taken, "score_ms"),
        cpu_per_request={process: seconds * 1e3 / len(walls) for process, seconds in cpu.items()},
    )


def _second_round(answer: Identification) -> float:
    return answer.elapsed_ms - max(report.observe_ms for report in answer.reports.values())


def _stage(taken: Sequence[tuple[float, Identification]], field: str) -> dict[str, float]:
    """Median milliseconds of one stage by signal."""
    times: dict[str, list[float]] = {}
    for _, answer in taken:
        for signal, report in answer.reports.items():
            times.setdefault(signal, []).append(getattr(report, field))
    return {signal: statistics.median(each) for signal, each in times.items()}


def _cpu_seconds(stack: Stack) -> dict[str, float]:
    """User and system seconds of each process so far."""
    times = {
        name: psutil.Process(process.pid).cpu_times()
        for name, process in stack.processes.items()
        if process.pid is not None
    }
    return {name: each.user + each.system for name, each in times.items()}


def _memory(stack: Stack) -> dict[str, int]:
    """Proportional set size of each process, bytes: shared pages are counted once over all processes."""
    sizes = {
        name: _family_bytes(process.pid)
        for name, process in stack.processes.items()
        if process.pid is not None
    }
    if stack.database is not None and stack.database.pid is not None:
        sizes["postgres"] = _family_bytes(stack.database.pid)
    return sizes


def _family_bytes(pid: int) -> int:
    process = psutil.Process(pid)
    return sum(each.memory_full_info().pss for each in [process, *process.children(recursive=True)])


def _print_series(series: Sequence[Series]) -> None:
    signals = ["face", "tattoo", "body"]
    print_table(
        "Identify, one request at a time, milliseconds",
        [
            *("picture, signals", "n", "p50", "p95", "target p50", "gateway"),
            f"second round, target {_TARGET_SHARE:.0%}",
            *(f"{signal} observe" for signal in signals),
        ],
        [
            [
                f"{each.picture}, {each.signals}",
                each.n,
                f"{each.p50:.0f}",
                f"{each.p95:.0f}",
                f"{_TARGETS_MS[each.picture]:.0f}" if each.signals.startswith(_ALL) else "",
                f"{each.gateway_p50:.0f}",
                f"{each.second_round_p50:.1f} ({each.second_round_share:.0%})",
                *(f"{each.observe_p50.get(signal, 0):.0f}" for signal in signals),
            ]
            for each in series
        ],
    )
    processes = list(series[0].cpu_per_request)
    print_table(
        "Processor time of one request by process, milliseconds (share)",
        ["picture, signals", *processes],
        [[f"{each.picture}, {each.signals}", *_shares(each, processes)] for each in series],
    )


def _shares(series: Series, processes: Sequence[str]) -> list[str]:
    total = sum(series.cpu_per_request.values()) or 1.0
    return [
        f"{series.cpu_per_request[name]:.0f} ({series.cpu_per_request[name] / total:.0%})"
        for name in processes
    ]


def _print_memory(at_rest: dict[str, int], after_load: dict[str, int]) -> None:
    rows = [[name, _mb(size), _mb(after_load[name])] for name, size in at_rest.items()]
    rows.append(["total", _mb(sum(at_rest.values())), _mb(sum(after_load.values()))])
    print_table(
        f"Memory (proportional set size), MB; target at rest {_mb(_TARGET_BYTES)}",
        ["process", "at rest", "after load"],
        rows,
    )


def _mb(size: float) -> str:
    return f"{size / 2**20:.0f}"


if __name__ == "__main__":
    main()
