"""`python -m bench.fusion.speed [--json FILE]`: processor time of fusing, WEIGHTED and BAYESIAN in turn."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from bench.fusion.drawn import BELIEF, Picture, draw_picture
from bench.fusion.policies import BAYESIAN, WEIGHTED
from bench.report import print_heading, print_table, write_json
from gateway.fusing import fuse_bayesian, fuse_weighted
from gateway.options import IdentifyOptions

_SEED = 20261127
_CASES = {"careers": False, "everything": True}
_PEOPLE, _CANDIDATES = (1, 2, 3, 4), (20, 50, 200)
_OPTIONS = IdentifyOptions()


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds of processor time of one policy on one picture, as `known`, `people`, `candidates` say."""

    known: str
    people: int
    candidates: int
    policy: str
    p50: float
    p95: float


def main() -> None:
    """Draw, time, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="Write the figures to this file.")
    parser.add_argument("--turns", type=int, default=100, help="Fusions of each picture by each policy.")
    options = parser.parse_args()
    print_heading("fusion, processor time", seed=_SEED)
    timed = [
        one
        for known, people, candidates in product(_CASES, _PEOPLE, _CANDIDATES)
        for one in _timed(known, people, candidates, turns=options.turns)
    ]
    _print(timed)
    payload = {"seed": _SEED, "turns": options.turns, "series": [asdict(one) for one in timed]}
    write_json(options.json, payload)


def _timed(known: str, people: int, candidates: int, *, turns: int) -> list[Timed]:
    """Both policies in turn, so that a drift of the machine's speed meets both."""
    rng = np.random.default_rng([_SEED, people, candidates])
    picture = draw_picture(rng, people=people, candidates=candidates, is_all_known=_CASES[known])
    taken: dict[str, list[float]] = {name: [] for name in _POLICIES}
    for _ in range(turns + 2):
        for name, fuse in _POLICIES.items():
            started = time.process_time()
            fuse(picture)
            taken[name].append((time.process_time() - started) * 1e3)
    # The first two warmed up.
    return [
        Timed(known, people, candidates, name, *np.quantile(each[2:], [0.5, 0.95]).tolist())
        for name, each in taken.items()
    ]


def _weighted(picture: Picture) -> object:
    return fuse_weighted(picture.scene, picture.looks, picture.compared, _OPTIONS)


def _bayesian(picture: Picture) -> object:
    # Every picture comes once: what is worked out for all of its people is not there before.
    around = replace(picture.circumstances)
    return fuse_bayesian(picture.scene, picture.compared, _OPTIONS, BELIEF, around)


_POLICIES: Mapping[str, Callable[[Picture], object]] = {WEIGHTED: _weighted, BAYESIAN: _bayesian}


def _print(timed: Sequence[Timed]) -> None:
    rows: dict[tuple[str, int, int], list[str]] = {}
    for one in timed:
        row = rows.setdefault((one.known, one.people, one.candidates), [])
        row += [f"{one.p50:.2f}", f"{one.p95:.2f}"]
    print_table(
        "Fusing one picture without a date, milliseconds of processor time",
        [
            "known of each candidate",
            "people",
            "candidates",
            *(f"{p} {q}" for p in _POLICIES for q in ("p50", "p95")),
        ],
        [[*key, *row] for key, row in rows.items()],
    )


if __name__ == "__main__":
    main()
