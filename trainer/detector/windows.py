"""Keeps what the frozen backbone says of windows, so that the head can learn from them again and again.

A folder a side of windows, in it parts of PART windows, each written aside and renamed: a run that was killed
goes on. What a window shows hangs on the seed, its side and its number alone.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from trainer.detector.lessons import draw_lesson
from trainer.learning.mobilenet import EXPANDED, Backbone, State
from trainer.learning.truth import Picture

__all__ = ["FULL", "PART", "Batch", "Windows", "make_windows"]

FULL = 6.0
"""Largest value of an activation (ReLU6): they are stored as bytes, 0..255 for 0..FULL."""
PART = 50
"""Windows of a part."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of one side."""

    side: int
    """Pixels."""
    levels: tuple[NDArray[np.uint8], ...]
    """Activations [n, rows, columns, channels] at each stride."""
    boxes: tuple[NDArray[np.float32], ...]
    """Of each window, [t, 4]: tattoos; left, top, right, bottom."""
    ignored: tuple[NDArray[np.float32], ...]
    """The same of what counts neither way."""


def make_windows(
    folder: Path,
    pictures: Sequence[Picture],
    *,
    state: State | None,
    side: int,
    count: int,
    seed: int,
    workers: int,
) -> None:
    """Make what is missing of `count` windows of `side` pixels. state: weights of the backbone.

    Raises ValueError where the folder holds windows of this side by another seed or of other pictures.
    """
    where = folder / str(side)
    where.mkdir(parents=True, exist_ok=True)
    plan, kept = json.dumps({"seed": seed, "pictures": len(pictures)}), where / "plan.json"
    if kept.exists() and kept.read_text() != plan:
        raise ValueError(f"{where} holds other windows: {kept.read_text()}")
    kept.write_text(plan)
    jobs = [
        _Job(where / f"{part:04d}", side, seed, part)
        for part in range(-(-count // PART))
        if not (where / f"{part:04d}").exists()
    ]
    for _ in track(_made(jobs, pictures, state, workers), f"windows of {side}", total=len(jobs)):
        pass


def _made(
    jobs: Sequence[_Job], pictures: Sequence[Picture], state: State | None, workers: int
) -> Iterator[None]:
    """Each job when it is done. workers: processes; 0: this one."""
    if workers == 0:
        _begin(pictures, state)
        yield from map(_make_part, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, initializer=_begin, initargs=(pictures, state)) as pool:
        yield from pool.imap_unordered(_make_part, jobs)


class Windows:
    """The windows in some folders. Raises ValueError for a folder without any."""

    def __init__(self, folders: Sequence[Path]) -> None:
        parts: dict[int, list[Path]] = {}
        for folder in folders:
            found = [part for part in sorted(folder.glob("[0-9]*/[0-9]*")) if part.suffix == ""]
            if not found:
                raise ValueError(f"{folder} holds no windows: make them first")
            for part in found:
                parts.setdefault(int(part.parent.name), []).append(part)
        self._parts = parts
        self._levels: dict[Path, list[NDArray[np.uint8]]] = {}
        self._truth: dict[Path, list[list[NDArray[np.float32]]]] = {}

    def __len__(self) -> int:
        return PART * sum(map(len, self._parts.values()))

    def draw(self, rng: np.random.Generator, pixels: int) -> Batch:
        """Windows of one side, `pixels` in all; each window is as likely as another."""
        sides = sorted(self._parts)
        seen = np.array([len(self._parts[side]) * side**2 for side in sides], float)
        side = sides[int(rng.choice(len(sides), p=seen / seen.sum()))]
        chosen = [
            (self._parts[side][int(rng.integers(len(self._parts[side])))], int(rng.integers(PART)))
            for _ in range(max(1, pixels // side**2))
        ]
        levels = (np.stack([self._of(part)[k][i] for part, i in chosen]) for k in range(len(EXPANDED)))
        boxes, ignored = (tuple(self._true(part)[k][i] for part, i in chosen) for k in range(2))
        return Batch(side, tuple(levels), boxes, ignored)

    def _of(self, part: Path) -> list[NDArray[np.uint8]]:
        if part not in self._levels:
            self._levels[part] = [np.load(part / f"{k}.npy", mmap_mode="r") for k in range(len(EXPANDED))]
        return self._levels[part]

    def _true(self, part: Path) -> list[list[NDArray[np.float32]]]:
        if part not in self._truth:
            with np.load(part / "truth.npz") as truth:
                self._truth[part] = [
                    np.split(truth[name], np.cumsum(truth[f"{name}_counts"])[:-1])
                    for name in ("boxes", "ignored")
                ]
        return self._truth[part]


@dataclass(frozen=True, slots=True)
class _Job:
    part: Path
    side: int
    seed: int
    number: int


_begun: list[tuple[Sequence[Picture], Backbone]] = []
"""Of this process: what its jobs need."""


def _begin(pictures: Sequence[Picture], state: State | None) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _begun[:] = [(pictures, Backbone(state).eval())]


@torch.no_grad()
def _make_part(job: _Job) -> None:
    [(pictures, backbone)] = _begun
    seeds = [[job.seed, job.side, job.number * PART + i] for i in range(PART)]
    lessons = [draw_lesson(np.random.default_rng(seed), pictures, job.side) for seed in seeds]
    levels: list[list[NDArray[np.uint8]]] = [[] for _ in EXPANDED]
    for lesson in lessons:
        picture = torch.from_numpy(lesson.pixels).permute(2, 0, 1)[None].float().div(255)
        for kept, level in zip(levels, backbone.expansions(picture), strict=True):
            bytes_of = level[0].permute(1, 2, 0).mul(255 / FULL).round().byte()
            kept.append(np.ascontiguousarray(bytes_of.numpy()))
    aside = job.part.with_suffix(".partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    for k, kept in enumerate(levels):
        np.save(aside / f"{k}.npy", np.stack(kept))
    boxes, ignored = [one.boxes for one in lessons], [one.ignored for one in lessons]
    np.savez(
        aside / "truth.npz",
        boxes=np.concatenate(boxes),
        boxes_counts=np.array(list(map(len, boxes))),
        ignored=np.concatenate(ignored),
        ignored_counts=np.array(list(map(len, ignored))),
    )
    aside.rename(job.part)
