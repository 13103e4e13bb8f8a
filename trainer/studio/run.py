"""Renders a data set with several processes. Killed and started again it goes on where it was.

A picture and its truth are written under other names and then renamed, the truth last: a picture with a truth
is whole. `truth.jsonl` gathers them in the order of their numbers.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chassis.errors import Conflict
from trainer.studio.orders import Mode, Order, Orders
from trainer.studio.seeds import Split
from trainer.studio.truth import SCHEMA, PictureTruth

__all__ = ["Take", "render", "read_truth", "missing", "gather", "write_whole"]

_PLAN = "plan.json"


Take = Callable[[Order, str], tuple[bytes, PictureTruth]]
"""Takes the picture of an order: its file's bytes, and its truth with that path. Runs in other processes."""


def render(
    out: Path, take: Take, *, mode: Mode, split: Split, seed: int, pictures: int, workers: int
) -> None:
    """Take every picture of a data set that is not there yet, then write `truth.jsonl`.

    Raises Conflict when `out` holds another data set.
    """
    _same_plan(out, {"schema": SCHEMA, "mode": mode, "split": str(split), "seed": seed})
    orders = Orders(mode=mode, split=split, seed=seed, pictures=pictures)
    groups = _groups(missing(out, pictures), orders.group)
    with _progress() as progress:
        task = progress.add_task(
            f"{mode}, {split}", total=pictures, completed=pictures - sum(map(len, groups))
        )
        for _ in _worked(_Job(out, take, orders), groups, workers):
            progress.advance(task)
    gather(out, pictures)


@dataclass(frozen=True, slots=True)
class _Job:
    out: Path
    take: Take
    orders: Orders

    def take_one(self, number: int) -> int:
        path = f"pictures/{number // 1000:03d}/{number:06d}.jpg"
        encoded, truth = self.take(self.orders.order(number), path)
        write_whole(self.out / path, encoded)
        write_whole(_truth_path(self.out, number), (truth.model_dump_json() + "\n").encode())
        return number


def missing(out: Path, pictures: int) -> list[int]:
    """Numbers under `pictures` that have no truth yet."""
    return [number for number in range(pictures) if not _truth_path(out, number).exists()]


def gather(out: Path, pictures: int) -> int:
    """Write `truth.jsonl` of what is there; returns the number of its lines."""
    lines = 0
    aside = out / "truth.jsonl.new"
    with aside.open("w") as stream:
        for number in range(pictures):
            path = _truth_path(out, number)
            if path.exists():
                stream.write(path.read_text().rstrip("\n") + "\n")
                lines += 1
    os.replace(aside, out / "truth.jsonl")
    return lines


def read_truth(out: Path) -> Iterator[PictureTruth]:
    """The truths of a data set that is done, or of what has been gathered of it."""
    with (out / "truth.jsonl").open() as stream:
        for line in stream:
            yield PictureTruth.model_validate_json(line)


def _same_plan(out: Path, plan: dict[str, object]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    path = out / _PLAN
    if path.exists() and json.loads(path.read_text()) != plan:
        raise Conflict(f"{out} holds another data set: {path.read_text().strip()}")
    write_whole(path, (json.dumps(plan) + "\n").encode())


def _groups(numbers: list[int], size: int) -> list[list[int]]:
    """Numbers by performer: what one process should take in a row."""
    groups: dict[int, list[int]] = {}
    for number in numbers:
        groups.setdefault(number // size, []).append(number)
    return list(groups.values())


def _worked(job: _Job, groups: list[list[int]], workers: int) -> Iterator[int]:
    """Numbers of pictures as they become ready."""
    if workers <= 1:
        for group in groups:
            for number in group:
                yield job.take_one(number)
        return
    # Spawned, not forked: the body model's library holds threads.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, initializer=_begin, initargs=(job,)) as pool:
        for numbers in pool.imap_unordered(_take_group, groups):
            yield from numbers


_job: list[_Job] = []
"""Of a process that takes pictures: the one job that it has."""


def _begin(job: _Job) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _job[:] = [job]


def _take_group(group: list[int]) -> list[int]:
    return [_job[0].take_one(number) for number in group]


def _truth_path(out: Path, number: int) -> Path:
    return out / "truth" / f"{number // 1000:03d}" / f"{number:06d}.json"


def write_whole(path: Path, data: bytes) -> None:
    """All of a file or nothing of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(data)
    os.replace(aside, path)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
