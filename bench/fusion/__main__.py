"""`python -m bench.fusion --rendered FOLDER`: policies compared on virtual performers, slice by slice."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import structlog
from rich.progress import track

from bench.fusion.figures import Answers, Figures, figures_of
from bench.fusion.policies import BAYESIAN, Policies
from bench.fusion.sources import Faces, Tattoos, read_faces, read_tattoos
from bench.fusion.virtual import SLICES, Probe, dressed, probes_of
from bench.report import print_heading, print_table, write_json
from chassis.signal.calibration import Calibration
from chassis.signal.shipped_calibration import shipped_for
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS
from services.tattoo.table import built_in_embedder

PLACEBO = "placebo: tattoos shuffled"
_RESAMPLES = 300


def main() -> None:
    """Observe what is not in the cache, draw, measure, print, write."""
    options = _options()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print_heading("fusion, virtual performers", seed=options.seed)
    faces = read_faces(options.data / "lfw", options.cache, seed=options.seed)
    tattoos = read_tattoos(options.rendered, seed=options.seed)
    policies = _policies(options)
    report: dict[str, Mapping[str, Figures]] = {}
    for name in track(SLICES, "slices"):
        report[name] = _slice(name, faces, tattoos, policies, options)
    for name, figures in report.items():
        _print(name, figures)
    payload = {
        "seed": options.seed, "gallery": options.gallery, "performers": len(faces.performers),
        "designs": tattoos.designs,
        "slices": {name: {one: asdict(of) for one, of in v.items()} for name, v in report.items()},
    }  # fmt: skip
    write_json(options.json, payload)


def _slice(
    name: str, faces: Faces, tattoos: Tattoos, policies: Policies, options: argparse.Namespace
) -> Mapping[str, Figures]:
    """Every policy on the same probes, and BAYESIAN once more on tattoos that were shuffled."""
    probes, shuffled = [], []
    for draw in range(options.draws):
        rng = np.random.default_rng([options.seed, draw])
        wearing = dressed(rng, len(faces.performers), tattoos.designs)
        found = list(
            probes_of(
                faces, tattoos, wearing, SLICES[name], gallery=options.gallery, seed=options.seed + draw
            )
        )
        probes += found
        shuffled += [_shuffled(one, rng) for one in found]
    answers = {policy: (probes, decide) for policy, decide in policies.all().items()}
    answers[PLACEBO] = shuffled, policies.all()[BAYESIAN]
    figures = {}
    for policy, (pictures, decide) in answers.items():
        firsts = [decide(one) for one in pictures]
        judged = Answers(
            owners=np.array([one.owner for one in pictures]),
            is_stranger=np.array([one.is_stranger for one in pictures]),
            is_right=np.array(
                [first.candidate == f"z{one.owner}" for one, first in zip(pictures, firsts, strict=True)]
            ),
            scores=np.array([min(1.0, first.score) for first in firsts]),
        )
        figures[policy] = figures_of(judged, unknown=options.unknown, resamples=_RESAMPLES, seed=options.seed)
    return figures


def _shuffled(probe: Probe, rng: np.random.Generator) -> Probe:
    """With the tattoos' similarities given to other performers at random."""
    values = list(probe.tattoo.values())
    order = rng.permutation(len(values))
    tattoo = {one: values[int(place)] for one, place in zip(probe.tattoo, order, strict=True)}
    best = sorted(tattoo, key=lambda one: -tattoo[one])[:20]
    face = sorted(probe.face, key=lambda one: -probe.face[one])[:20]
    return Probe(
        probe.owner, probe.is_stranger, probe.face, probe.face_quality, tattoo, probe.tattoo_quality,
        frozenset([*best, *face]),
    )  # fmt: skip


def _policies(options: argparse.Namespace) -> Policies:
    rows = [BUILT_IN_ROWS[name] for name in DEFAULT_EMBEDDERS]
    tattoo = built_in_embedder()
    return Policies(
        face=_needed(shipped_for("services.face", [row.key for row in rows])),
        tattoo=_needed(shipped_for("services.tattoo", [tattoo.key])),
        face_point=rows[0].operating_point,
        tattoo_point=tattoo.operating_point,
        gallery=options.gallery,
        unknown=options.unknown,
    )


def _needed(calibration: Calibration | None) -> Calibration:
    if calibration is None:
        raise SystemExit("no calibration ships for the built-in embedders: python -m bench.calibration")
    return calibration


def _print(name: str, figures: Mapping[str, Figures]) -> None:
    first = next(iter(figures.values()))
    rows = [
        [policy, str(one.rank1), str(one.fnir), str(one.ece), str(one.brier)]
        for policy, one in figures.items()
    ]
    columns = ["", "rank-1", "FNIR at FPIR 1%", "ECE", "Brier"]
    print_table(f"{name}: {first.probes} probes, {first.strangers} of strangers", columns, rows)


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.fusion", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with lfw")
    parser.add_argument("--rendered", type=Path, action="append", required=True, help="a set of the studio's")
    parser.add_argument("--cache", type=Path, default=Path("build/fusion"), help="what can be made again")
    parser.add_argument("--gallery", type=int, default=108_000, help="performers, most of them synthetic")
    parser.add_argument("--draws", type=int, default=3, help="who wears what, drawn so often")
    parser.add_argument("--unknown", type=float, default=0.3, help="share of strangers, 0..1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
