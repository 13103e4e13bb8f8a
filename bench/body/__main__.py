"""`python -m bench.body FOLDER [--json FILE]`: proportions, their errors, and what they are worth.

FOLDER holds many views of each of many people, as `python -m bench.body.render` makes them. The numbers in
`services/body/population.py`, `ratios.py` and `table.py` come from here.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from bench.body.comparing import ENROLLED, Worth, compare, is_full_frontal, is_good, worth_of
from bench.body.truth import followed, read_truth
from bench.body.views import MeasuredView, measure_folder
from bench.report import print_heading, print_table, write_json
from chassis.signal.calibration import cllr
from services.body.kinds import KINDS
from services.body.likelihood import are_compatible, log_likelihood_ratios, similarities
from services.body.measurement import Measurement, combine, stack
from services.body.population import MEANS, SPREADS
from services.body.ratios import BASE_ERRORS

_SEED = 20261122
_TOLERANCE = 0.2
_TURNS = ((0.95, 1.0), (0.8, 0.95), (0.5, 0.8), (0.0, 0.5))
_GALLERIES = (1, 5, 10)
_ROUNDS = 15
_STRANGERS = 3

_Floats = NDArray[np.float64]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
def main(folder: Path, json_path: Path | None) -> None:
    """Measure every view, then compare people with themselves and with each other."""
    print_heading("Body proportions", seed=_SEED)
    views, missed = asyncio.run(measure_folder(folder))
    deviations = _deviations(views)
    population = _population(views, deviations)
    calibration = _calibration(views, deviations)
    worth = [_worth(views, count) for count in _GALLERIES if _are_enough(views, count)]
    true = _true(folder, views)
    enrolled = {
        name: worth_of(compare(views, which), seed=_SEED)
        for name, which in (("good views", is_good), ("full frontal views", is_full_frontal))
    }
    _print(population, calibration, worth, true)
    _print_enrolled(enrolled)
    print(f"{len(views)} views of {len(_by_person(views))} people; nobody found in {missed}")
    payload = {"population": population, "calibration": calibration, "worth": worth, "missed": missed}
    payload |= {"true": true, "enrolled": {name: asdict(one) for name, one in enrolled.items()}}
    write_json(json_path, {"seed": _SEED, **payload})


def _by_person(views: Sequence[MeasuredView]) -> Mapping[str, list[MeasuredView]]:
    people: dict[str, list[MeasuredView]] = defaultdict(list)
    for view in views:
        people[view.person].append(view)
    return people


def _deviations(views: Sequence[MeasuredView]) -> _Floats:
    """(n, 6) each view's log ratios less the person's mean over the other views; NaN where not measured."""
    rows = []
    people = _by_person(views)
    for view in views:
        others = combine([one.measurement for one in people[view.person] if one is not view])
        both = view.measurement.is_measured & others.is_measured
        rows.append(np.where(both, view.measurement.logs - others.logs, np.nan))
    return np.array(rows)


def _population(views: Sequence[MeasuredView], deviations: _Floats) -> list[dict[str, float | str]]:
    """Of each ratio: mean and spread between people, and the error of frontal views; measured and as used."""
    people = [combine([one.measurement for one in group]) for group in _by_person(views).values()]
    logs = np.array([np.where(one.is_measured, one.logs, np.nan) for one in people])
    frontal = deviations[[view.view.across > _TURNS[0][0] for view in views]]
    return [
        {
            "ratio": kind.name.lower(),
            "mean": float(np.nanmean(logs[:, row])),
            "mean_used": float(MEANS[row]),
            "spread": float(np.nanstd(logs[:, row])),
            "spread_used": float(SPREADS[row]),
            "error": float(1.4826 * np.nanmedian(np.abs(frontal[:, row]))),
            "error_used": BASE_ERRORS[kind],
        }
        for row, kind in enumerate(KINDS)
    ]


def _true(folder: Path, views: Sequence[MeasuredView]) -> list[dict[str, float | str]]:
    """Of each ratio: true mean and spread, and how far what is measured follows; empty where nobody knows."""
    truth = read_truth(folder)
    if not truth:
        return []
    people = {name: combine([one.measurement for one in group]) for name, group in _by_person(views).items()}
    measured = {name: np.where(one.is_measured, one.logs, np.nan) for name, one in people.items()}
    return [
        {
            "ratio": kind.name.lower(),
            "true_mean": one.mean,
            "true_spread": one.spread,
            "spread_used": float(SPREADS[row]),
            "slope": one.slope,
            "correlation": one.correlation,
        }
        for row, (kind, one) in enumerate(zip(KINDS, followed(truth, measured), strict=True))
    ]


def _calibration(views: Sequence[MeasuredView], deviations: _Floats) -> list[dict[str, float | str]]:
    """By turn: the root mean square of deviation / stated error, 1 where the stated errors are right."""
    across = np.array([view.view.across for view in views])
    errors = np.array([np.sqrt(view.measurement.variances) for view in views])
    table = []
    for low, high in _TURNS:
        chosen = (across > low) & (across <= high)
        scores = deviations[chosen] / errors[chosen]
        row: dict[str, float | str] = {
            "cosine of the turn": f"{low:g} to {high:g}",
            "views": int(chosen.sum()),
        }
        for column, kind in enumerate(KINDS):
            known = scores[:, column][~np.isnan(scores[:, column])]
            row[kind.name.lower()] = float(np.sqrt((known**2).mean())) if len(known) >= 10 else float("nan")
        table.append(row)
    return table


def _are_enough(views: Sequence[MeasuredView], count: int) -> bool:
    """Whether there are people with so many good views and one more, and strangers to each of them."""
    people = _by_person([view for view in views if is_good(view)]).values()
    return sum(len(group) > count for group in people) > _STRANGERS


def _worth(views: Sequence[MeasuredView], count: int) -> dict[str, float]:
    """Probes against `count` enrolled views of themselves and of strangers."""
    genuine, impostor = _pairs(views, count)
    scores = [log_likelihood_ratios(*pair) for pair in (genuine, impostor)]
    likeness = [similarities(*pair) for pair in (genuine, impostor)]
    excluded = [1 - are_compatible(*pair, tolerance=_TOLERANCE).mean() for pair in (genuine, impostor)]
    return {
        "enrolled": count,
        "genuine": len(scores[0]),
        "impostor": len(scores[1]),
        "eer": _equal_error_rate(*scores),
        "cllr": cllr(*scores),
        "llr_genuine_median": float(np.median(scores[0])),
        "llr_impostor_median": float(np.median(scores[1])),
        "similarity_impostor_p99": float(np.quantile(likeness[1], 0.99)),
        "similarity_genuine_median": float(np.median(likeness[0])),
        "own_excluded": float(excluded[0]),
        "strangers_excluded": float(excluded[1]),
    }


_Pairs = tuple[Measurement, Measurement]


def _pairs(views: Sequence[MeasuredView], count: int) -> tuple[_Pairs, _Pairs]:
    """Rows of probes and of what is enrolled: of the same person, of others."""
    rng = np.random.default_rng(_SEED)
    good = [view for view in views if is_good(view)]
    people = {name: group for name, group in _by_person(good).items() if len(group) > count}
    rows: tuple[list[tuple[Measurement, Measurement]], list[tuple[Measurement, Measurement]]] = ([], [])
    for name, group in people.items():
        for _ in range(_ROUNDS):
            probe, *own = (group[place].measurement for place in rng.permutation(len(group))[: count + 1])
            rows[0].append((probe, combine(own)))
            others = rng.choice([other for other in people if other != name], _STRANGERS, replace=False)
            for other in others:
                places = rng.permutation(len(people[other]))[:count]
                rows[1].append((probe, combine([people[other][place].measurement for place in places])))
    genuine, impostor = (
        (stack([probe for probe, _ in kind]), stack([enrolled for _, enrolled in kind])) for kind in rows
    )
    return genuine, impostor


def _equal_error_rate(genuine: _Floats, impostor: _Floats) -> float:
    thresholds = np.quantile(np.concatenate([genuine, impostor]), np.linspace(0, 1, 1000))
    misses = np.searchsorted(np.sort(genuine), thresholds) / len(genuine)
    alarms = 1 - np.searchsorted(np.sort(impostor), thresholds) / len(impostor)
    return float(np.maximum(misses, alarms).min())


def _print(
    population: Sequence[Mapping[str, float | str]],
    calibration: Sequence[Mapping[str, float | str]],
    worth: Sequence[Mapping[str, float]],
    true: Sequence[Mapping[str, float | str]],
) -> None:
    for title, table in (
        ("Ratios (natural logs): measured, and as used", population),
        ("Deviation over stated error, root mean square: 1 is right", calibration),
        ("What a picture is worth", worth),
        ("True ratios, and how far what is measured follows them", true),
    ):
        if not table:
            continue
        heading, *names = table[0]
        columns = [heading, *(_cell(row[heading]) for row in table)]
        print_table(title, columns, [[name, *(_cell(row[name]) for row in table)] for name in names])


def _print_enrolled(enrolled: Mapping[str, Worth]) -> None:
    rows = [
        [name, one.people, one.probes, *map(_interval, (one.equal_error_rate, one.cllr, one.least_cllr))]
        for name, one in enrolled.items()
    ]
    columns = ["", "people", "probes", "equal error rate", "C_llr", "C_llr at the best scale"]
    print_table(f"{ENROLLED} views enrolled, every other person a stranger", columns, rows)


def _interval(figure: tuple[float, float, float]) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(*figure)


def _cell(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


if __name__ == "__main__":
    main()
