"""`python -m bench.faces`: rank-1 and open-set figures of the face signal, dlib's embedder beside it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray
from rich.progress import Progress

from bench.faces.comparing import Comparison, draw_trials
from bench.faces.dataset import Photographs, is_for_calibration, read_photographs
from bench.faces.fitting import fit_point, fit_threshold, rates_at
from bench.faces.observing import Look, observe_all
from bench.faces.protocol import Figure, Figures, measure
from bench.report import print_heading, print_table, write_json
from chassis.config import load_config
from services.face.config import FaceConfig
from services.face.table import EmbedderRow

_TARGETS = {
    "rank1": ">= 98.8",
    "rank1_with_distractors": ">= 98.0",
    "fnir_at_fpir_1": "<= 5.0",
    "fnir_at_fpir_10": "",
}
_QUALITY_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.01)


def main() -> None:
    """Observe what is not in the cache, measure, print, write."""
    options = _options()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    photographs = read_photographs(options.data, limit=options.limit)
    config = load_config(FaceConfig)
    print_heading("faces", seed=options.seed)
    with Progress() as progress:
        look = asyncio.run(observe_all(photographs.files, config, cache=options.cache, progress=progress))
    payload = {
        "seed": options.seed,
        "draws": options.draws,
        "photographs": _counts(photographs, look),
        "figures": _report_figures(photographs, look, options),
        "held_out_half": _report_half(photographs, look, options),
        "operating_points": _report_points(photographs, look, options),
        "quality": _report_quality(photographs, look),
    }
    write_json(options.json, payload)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faces", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/lfw"), help="photographs")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--limit", type=int, help="people of each kind, for a quick look")
    parser.add_argument("--draws", type=int, default=10, help="draws of gallery photographs (default: 10)")
    parser.add_argument("--resamples", type=int, default=500, help="bootstrap resamples (default: 500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "marquee-bench-faces",
        help="observations already made; a run that was stopped goes on from there",
    )
    return parser.parse_args()


def _comparisons(look: Look) -> dict[str, Comparison]:
    """All embedders in use together, then each alone."""
    rows = look.ensemble.rows
    sets: dict[str, tuple[EmbedderRow, ...]] = {" + ".join(row.name for row in rows): rows}
    sets |= {row.name: (row,) for row in rows}
    return {name: Comparison(chosen, look.seen) for name, chosen in sets.items()}


def _strangers(photographs: Photographs) -> list[Path]:
    return [files[0] for files in photographs.distractors.values()]


def _figures(
    comparison: Comparison,
    identities: Mapping[str, Sequence[Path]],
    strangers: Sequence[Path],
    options: argparse.Namespace,
) -> Figures:
    trials = draw_trials(comparison, identities, strangers, draws=options.draws, seed=options.seed)
    return measure(trials, resamples=options.resamples, seed=options.seed)


def _report_figures(
    photographs: Photographs, look: Look, options: argparse.Namespace
) -> dict[str, dict[str, object]]:
    people, strangers = photographs.identities, _strangers(photographs)
    figures = {name: _figures(one, people, strangers, options) for name, one in _comparisons(look).items()}
    title = f"All {len(people)} identities, {len(strangers)} distractors"
    _print_figures(title, figures)
    return {name: asdict(one) for name, one in figures.items()}


def _report_half(
    photographs: Photographs, look: Look, options: argparse.Namespace
) -> dict[str, dict[str, object]]:
    """The same on identities that no number of the model table was fitted on."""
    people = {name: files for name, files in photographs.identities.items() if not is_for_calibration(name)}
    strangers = _strangers(photographs)
    figures = {name: _figures(one, people, strangers, options) for name, one in _comparisons(look).items()}
    _print_figures(f"The {len(people)} identities that nothing was fitted on", figures)
    return {name: asdict(one) for name, one in figures.items()}


def _report_points(
    photographs: Photographs, look: Look, options: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """What the model table should say, fitted on one half of the identities, and how it does on the other."""
    halves: list[dict[str, tuple[Path, ...]]] = [{}, {}]
    for name, files in photographs.identities.items():
        halves[0 if is_for_calibration(name) else 1][name] = files
    strangers = _strangers(photographs)
    unknown_halves = [
        [file for file in strangers if is_for_calibration(file.parent.name) == chosen]
        for chosen in (True, False)
    ]
    fitted: dict[str, dict[str, float]] = {}
    for name, comparison in _comparisons(look).items():
        trials = [
            draw_trials(comparison, people, unknown, draws=options.draws, seed=options.seed)
            for people, unknown in zip(halves, unknown_halves, strict=True)
        ]
        threshold = fit_threshold(trials[0], fpir=0.01)
        fpir, tpir = rates_at(trials[1], threshold)
        fitted[name] = {"identification_confidence": threshold, "fpir": fpir, "tpir": tpir}
        if len(comparison.rows) == 1:
            point = fit_point(comparison, comparison.rows[0], halves[0])
            fitted[name] |= {key: float(value) for key, value in asdict(point).items()}
    _print_points(fitted)
    return fitted


def _report_quality(photographs: Photographs, look: Look) -> list[dict[str, float]]:
    """How the similarity of genuine pairs follows the lower quality of the two."""
    comparison = next(iter(_comparisons(look).values()))
    qualities, positions = [], []
    for files in photographs.identities.values():
        scores = comparison.scores(files, files)
        for first, one in enumerate(files):
            for second in range(first):
                a, b = look.seen[one], look.seen[files[second]]
                if a is not None and b is not None:
                    qualities.append(min(a.factors.quality, b.factors.quality))
                    positions.append(scores[first, second])
    return _print_quality(np.array(qualities), np.array(positions))


def _counts(photographs: Photographs, look: Look) -> dict[str, int]:
    missed = sum(seen is None for seen in look.seen.values())
    return {
        "identities": len(photographs.identities),
        "distractors": len(photographs.distractors),
        "photographs": len(look.seen),
        "missed_faces": missed,
    }


def _print_figures(title: str, figures: Mapping[str, Figures]) -> None:
    columns = ["%, with 95% interval", *figures, "target"]
    rows = [
        [key, *(_percent(getattr(one, key)) for one in figures.values()), target]
        for key, target in _TARGETS.items()
    ]
    print_table(title, columns, rows)


def _print_points(fitted: Mapping[str, Mapping[str, float]]) -> None:
    keys = ("impostor_p99", "genuine_median", "identification_confidence", "fpir", "tpir")
    rows = [
        [name, *(f"{point[key]:.4f}" if key in point else "" for key in keys)]
        for name, point in fitted.items()
    ]
    print_table("Operating points: fitted on one half, FPIR and TPIR of the other half", ["", *keys], rows)


def _print_quality(qualities: NDArray[np.float64], positions: NDArray[np.float64]) -> list[dict[str, float]]:
    bins = []
    for low, high in pairwise(_QUALITY_EDGES):
        chosen = positions[(qualities >= low) & (qualities < high)]
        if len(chosen):
            bins.append(
                {
                    "low": low,
                    "pairs": len(chosen),
                    "median": float(np.median(chosen)),
                    "below_0.5": float((chosen < 0.5).mean()),
                }
            )
    rows = [
        [f"{one['low']:.1f} and more", one["pairs"], f"{one['median']:.3f}", f"{one['below_0.5']:.3f}"]
        for one in bins
    ]
    print_table(
        "Genuine pairs by the lower quality of the two",
        ["quality", "pairs", "median position", "share below 0.5"],
        rows,
    )
    return bins


def _percent(figure: Figure) -> str:
    return f"{100 * figure.value:.2f} ({100 * figure.low:.2f}-{100 * figure.high:.2f})"


if __name__ == "__main__":
    main()
