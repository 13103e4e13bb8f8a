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

from bench.faces.comparing import Comparison, best_trial, draw_trials
from bench.faces.dataset import Photographs, is_for_calibration, read_photographs
from bench.faces.fitting import fit_point, fit_threshold, rates_at
from bench.faces.observing import Look, observe_all
from bench.faces.protocol import Figure, Figures, Trial, measure
from bench.report import print_heading, print_table, write_json
from chassis.config import load_config
from services.face.config import FaceConfig
from services.face.ensemble import Ensemble
from services.face.table import EmbedderRow

_TARGETS = {
    "rank1": ">= 98.8",
    "rank1_with_distractors": ">= 98.0",
    "fnir_at_fpir_1": "<= 5.0",
    "fnir_at_fpir_10": "",
}
# On half of the people: with all of them in the gallery it is twice as much.
_FITTED_FPIR = 0.005
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
    everybody = photographs.identities
    held_out = _half(everybody, is_calibration=False)
    payload = {
        "seed": options.seed,
        "draws": options.draws,
        "photographs": _counts(photographs, look),
        "figures": _report_figures(
            f"All {len(everybody)} identities, {len(photographs.distractors)} distractors",
            everybody,
            photographs,
            look,
            options,
        ),
        "held_out_half": _report_figures(
            f"The {len(held_out)} identities that nothing was fitted on", held_out, photographs, look, options
        ),
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


def _report_figures(
    title: str,
    people: Mapping[str, Sequence[Path]],
    photographs: Photographs,
    look: Look,
    options: argparse.Namespace,
) -> dict[str, dict[str, object]]:
    """Figures with gallery photographs drawn at random, and with the best one of each."""
    strangers = _strangers(photographs)
    report: dict[str, dict[str, object]] = {}
    for choice in ("drawn at random", "of the best quality"):
        figures: dict[str, Figures] = {}
        for name, comparison in _comparisons(look).items():
            trials = (
                [best_trial(comparison, people, strangers)]
                if choice == "of the best quality"
                else draw_trials(comparison, people, strangers, draws=options.draws, seed=options.seed)
            )
            figures[name] = measure(trials, resamples=options.resamples, seed=options.seed)
        _print_figures(f"{title}; gallery photograph {choice}", figures)
        report[choice] = {name: asdict(one) for name, one in figures.items()}
    return report


def _report_points(
    photographs: Photographs, look: Look, options: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """What the model table should say, fitted on one half of the people; how it does on the other."""
    fitted: dict[str, dict[str, float]] = {}
    for name, comparison in _comparisons(look).items():
        ours, others = (_half_trials(comparison, photographs, half, options) for half in (True, False))
        confidence = Ensemble(comparison.rows).identification_confidence
        fpir, tpir = rates_at(others, confidence)
        fitted[name] = {
            "fitted_confidence": fit_threshold(ours, fpir=_FITTED_FPIR),
            "identification_confidence": confidence,
            "fpir": fpir,
            "tpir": tpir,
        }
        if len(comparison.rows) == 1:
            people = _half(photographs.identities, is_calibration=True)
            point = fit_point(comparison, comparison.rows[0], people)
            fitted[name] |= {key: float(value) for key, value in asdict(point).items()}
    _print_points(fitted)
    return fitted


def _half_trials(
    comparison: Comparison, photographs: Photographs, is_calibration: bool, options: argparse.Namespace
) -> list[Trial]:
    people = _half(photographs.identities, is_calibration=is_calibration)
    strangers = _half(photographs.distractors, is_calibration=is_calibration)
    unknown = [files[0] for files in strangers.values()]
    return draw_trials(comparison, people, unknown, draws=options.draws, seed=options.seed)


def _half(people: Mapping[str, tuple[Path, ...]], *, is_calibration: bool) -> dict[str, tuple[Path, ...]]:
    return {name: files for name, files in people.items() if is_for_calibration(name) == is_calibration}


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
    keys = (
        "impostor_p99",
        "genuine_median",
        "fitted_confidence",
        "identification_confidence",
        "fpir",
        "tpir",
    )
    rows = [
        [name, *(f"{point[key]:.4f}" if key in point else "" for key in keys)]
        for name, point in fitted.items()
    ]
    print_table(
        "Operating points fitted on one half; FPIR and TPIR of the table's confidence on the other half",
        ["", *keys],
        rows,
    )


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
