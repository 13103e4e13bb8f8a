"""`python -m bench.fusion --rendered FOLDER --bodies FOLDER`: policies compared on virtual performers."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import structlog
from rich.progress import track

from bench.fusion.bodies import read_bodies
from bench.fusion.faces import read_faces
from bench.fusion.figures import (
    Answers,
    Difference,
    Figures,
    bins_of,
    difference,
    figures_of,
    joined,
)
from bench.fusion.fitting import body_weight, face_map, tattoo_map
from bench.fusion.pictured import Pictured, photographed, rendered
from bench.fusion.plots import reliability
from bench.fusion.policies import (
    BAYESIAN,
    FACE_ONLY,
    PRODUCT,
    SHIPPED,
    SHIPPED_FACE,
    WEIGHTED,
    Maps,
    Policies,
    shipped_policies,
)
from bench.fusion.running import NO_ABSENCE, NO_DATES, Library, answers_of, cllr_of, draw_probes
from bench.fusion.sights import read_sights
from bench.fusion.slices import LIBRARY, SLICES, Slice
from bench.fusion.tattoos import read_tattoos
from bench.fusion.virtual import Crowd, Probe
from bench.report import print_heading, print_table, write_json
from chassis.signal.tail import fit_tail

__all__ = ["fitted_policies", "options_of", "read_libraries"]

_RESAMPLES = 300
_COHORT = 10
_HEADLINE = "all, as a library has them"


def main() -> None:
    """Observe what is not in the cache, fit, draw, measure, print, write."""
    options = options_of()
    started = time.monotonic()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print_heading("fusion, virtual performers", seed=options.seed)
    fitting, reported = read_libraries(options)
    observed = time.monotonic()
    tails = _tails(fitting, reported, options.gallery)
    policies = fitted_policies(fitting, options)
    answers: dict[str, Mapping[str, Answers]] = {}
    fused: dict[str, float] = {}
    costs: dict[str, Mapping[str, float]] = {}
    slices = {name: kind for name, kind in SLICES.items() if kind.skin is None or reported.sights.pictures}
    for name, kind in track(slices.items(), "slices"):
        probes = draw_probes(reported, kind, policies, draws=options.draws, seed=options.seed)
        of = _in_cohort(policies, fitting) if kind.is_cohort else policies
        answers[name] = answers_of(probes, name, of, seed=options.seed)
        fused[name] = _fused(probes)
        costs[name] = _costs(probes, of, len(reported.faces.performers), options.seed)
    answers[_HEADLINE] = _headline(answers)
    report = {name: _report(of, options) for name, of in answers.items()}
    for name, one in report.items():
        _print(name, one, fused.get(name))
    gains = {name: _gains(of, options) for name, of in answers.items()}
    _print_gains(gains)
    _print_costs(costs)
    if options.plot:
        curves = {
            name: {policy: bins_of(of[policy], unknown=options.unknown) for policy in (FACE_ONLY, BAYESIAN)}
            for name, of in answers.items()
        }
        reliability(curves, options.plot)
    seconds = {"reading": observed - started, "measuring": time.monotonic() - observed}
    write_json(
        options.json,
        {
            "seed": options.seed, "gallery": options.gallery, "draws": options.draws,
            "tattoos": "photographed" if options.photographs else "rendered", "library": dict(LIBRARY),
            "body_weight": policies.fitted.body_factor, "cllr": costs, "fused": fused, "most_alike": tails,
            "seconds": {name: round(value) for name, value in seconds.items()},
            "slices": {name: {one: asdict(f) for one, f in of.items()} for name, of in report.items()},
            "bayesian_less": {name: {one: asdict(d) for one, d in of.items()} for name, of in gains.items()},
        },
    )  # fmt: skip


def read_libraries(options: argparse.Namespace) -> tuple[Library, Library]:
    """People and designs that numbers are fitted on, and those of whom is reported; one crowd around both."""
    halves = [
        read_faces(options.data / "lfw", options.cache, fitting=is_fitting, seed=options.seed)
        for is_fitting in (True, False)
    ]
    designs = [
        read_tattoos(*_pictured(options, is_fitting), options.cache, seed=options.seed)
        for is_fitting in (True, False)
    ]
    bodies = [
        read_bodies(options.bodies, options.cache, fitting=is_fitting, seed=options.seed)
        for is_fitting in (True, False)
    ]
    crowd = Crowd.of(halves, designs, bodies, size=options.gallery)
    first, second = (
        Library(faces, tattoos, built, crowd, read_sights(options.rendered, options.cache, split=split))
        for faces, tattoos, built, split in zip(halves, designs, bodies, ("validation", "test"), strict=True)
    )
    return first, second


def _tails(fitting: Library, reported: Library, gallery: int) -> Mapping[str, Sequence[float]]:
    """How alike the most alike of the gallery is, by the people of either half alone, and by all."""
    shares = np.array([1 / gallery])
    found = {}
    for name, is_spoilt in (("clear", False), ("spoilt", True)):
        halves = [one.faces.spoilt if is_spoilt else one.faces.clear for one in (fitting, reported)]
        tails = [*(fit_tail(one.impostors) for one in halves), reported.crowd.faces[is_spoilt]]
        found[name] = [float(one.value_at(shares)[0]) for one in tails]
    print_table(
        f"similarity of faces that one of {gallery:,} exceeds: how well the tail is known",
        ["", "half that is fitted on", "half that is reported", "both"],
        [[name, *(f"{one:.3f}" for one in of)] for name, of in found.items()],
    )
    return found


def _pictured(
    options: argparse.Namespace, is_fitting: bool
) -> tuple[list[list[Pictured]], list[list[Pictured]]]:
    if options.photographs:
        return photographed(options.data / "bivtatt", fitting=is_fitting, seed=options.seed)
    return rendered(options.rendered, split="validation" if is_fitting else "test")


def fitted_policies(fitting: Library, options: argparse.Namespace) -> Policies:
    """Calibrated on people and designs that nothing is reported of."""
    policies = shipped_policies(gallery=options.gallery, unknown=options.unknown)
    kinds = {
        Slice(has_tattoo=True): options.draws,
        Slice(has_tattoo=True, is_spoilt=True): options.draws,
        # About as often as the library has them.
        Slice(has_tattoo=True, is_outdated=True): max(1, options.draws // 3),
    }
    probes = [
        probe
        for kind, draws in kinds.items()
        for probe in draw_probes(fitting, kind, policies, draws=draws, seed=options.seed)
    ]
    fitted = Maps(
        face_map(fitting.faces, fitting.crowd),
        tattoo_map(probes, fitting.crowd),
        body_factor=body_weight(fitting.bodies),
    )
    return replace(policies, fitted=fitted)


def _in_cohort(policies: Policies, fitting: Library) -> Policies:
    """Of a library of the most alike tenth, calibrated on that library."""
    face = face_map(fitting.faces, fitting.crowd, nearest=1 / _COHORT)
    fitted = replace(policies.fitted, face=face)
    return replace(policies, gallery=policies.gallery // _COHORT, fitted=fitted)


def _costs(probes: Sequence[Probe], policies: Policies, performers: int, seed: int) -> Mapping[str, float]:
    """C_llr of the policies that tell ratios."""
    return {
        policy: cllr_of(probes, maps, with_others=with_others, performers=performers, seed=seed)
        for policy, maps, with_others in (
            (FACE_ONLY, policies.fitted, False),
            (BAYESIAN, policies.fitted, True),
            (SHIPPED_FACE, policies.shipped, False),
            (SHIPPED, policies.shipped, True),
        )
    }


def _print_costs(costs: Mapping[str, Mapping[str, float]]) -> None:
    columns = ["", *next(iter(costs.values()))]
    rows = [[name, *(f"{one:.3f}" for one in of.values())] for name, of in costs.items()]
    print_table("C_llr in bits: 0 is perfect, 1 says nothing", columns, rows)


def _fused(probes: Sequence[Probe]) -> float:
    """Of the pictures that show a tattoo, the share in which it is found and so counts."""
    shown = [one for one in probes if one.has_tattoo]
    return sum(bool(one.tattoo) for one in shown) / len(shown) if shown else float("nan")


def _headline(answers: Mapping[str, Mapping[str, Answers]]) -> Mapping[str, Answers]:
    """All slices of the library's mix, each with its share."""
    return {
        policy: joined(
            [
                _shared(answers[name].get(policy, answers[name][BAYESIAN]), share)
                for name, share in LIBRARY.items()
            ]
        )
        for policy in answers["clear face + tattoo"]
    }


def _shared(answers: Answers, share: float) -> Answers:
    weights = answers.weights.copy()
    for chosen in (answers.is_stranger, ~answers.is_stranger):
        weights[chosen] *= share / max(chosen.sum(), 1)
    return replace(answers, weights=weights)


def _report(answers: Mapping[str, Answers], options: argparse.Namespace) -> Mapping[str, Figures]:
    return {
        policy: figures_of(of, unknown=options.unknown, resamples=_RESAMPLES, seed=options.seed)
        for policy, of in answers.items()
    }


def _gains(answers: Mapping[str, Answers], options: argparse.Namespace) -> Mapping[str, Difference]:
    """What BAYESIAN is better by than each other policy, on the same probes."""
    return {
        policy: difference(answers[BAYESIAN], of, resamples=_RESAMPLES, seed=options.seed)
        for policy, of in answers.items()
        if policy in (FACE_ONLY, WEIGHTED, PRODUCT, NO_ABSENCE, NO_DATES)
    }


def _print_gains(gains: Mapping[str, Mapping[str, Difference]]) -> None:
    rows = [
        [name, policy, str(one.rank1), str(one.fnir)]
        for name, of in gains.items()
        for policy, one in of.items()
    ]
    print_table("BAYESIAN less another policy", ["", "", "rank-1", "FNIR at FPIR 1%"], rows)


def _print(name: str, figures: Mapping[str, Figures], fused: float | None) -> None:
    first = next(iter(figures.values()))
    rows = [
        [
            policy, str(one.rank1), f"{one.rank5.value:.3f}", str(one.fnir), f"{one.fnir_strict.value:.3f}",
            str(one.ece), f"{one.brier.value:.3f}", f"{one.sure.value:.3f} of {one.sure_share:.2f}",
            f"{one.alarms.value:.3f}",
        ]
        for policy, one in figures.items()
    ]  # fmt: skip
    columns = [
        "", "rank-1", "rank-5", "FNIR at FPIR 1%", "at 0.3%", "ECE", "Brier", "right at 0.9+",
        "strangers there",
    ]  # fmt: skip
    told = f"; tattoo counted in {fused:.0%} of those that show one" if fused == fused and fused else ""
    print_table(f"{name}: {first.probes} probes, {first.strangers} of strangers{told}", columns, rows)


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.fusion", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="with lfw and bivtatt")
    parser.add_argument("--rendered", type=Path, action="append", default=[], help="a set of the studio's")
    parser.add_argument("--photographs", action="store_true", help="tattoos of bivtatt, not rendered ones")
    parser.add_argument("--bodies", type=Path, required=True, help="people of bench.body.render")
    parser.add_argument("--cache", type=Path, default=Path("build/fusion"), help="what can be made again")
    parser.add_argument("--gallery", type=int, default=108_000, help="performers, most of them synthetic")
    parser.add_argument("--draws", type=int, default=7, help="who wears what, drawn so often")
    parser.add_argument("--unknown", type=float, default=0.3, help="share of strangers, 0..1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--plot", type=Path, help="write reliability plots to this PNG file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
