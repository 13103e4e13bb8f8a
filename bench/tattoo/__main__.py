"""`python -m bench.tattoo`: how well tattoos are found, told apart, and how fast."""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from math import isnan
from pathlib import Path
from typing import Any

import structlog

from bench.report import print_heading, print_table, write_json
from bench.tattoo import describers, detectors
from bench.tattoo.describers import Describer, EmbedderDescriber, KeyPointDescriber
from bench.tattoo.detectors import Detector
from bench.tattoo.figures import error_ratio, share
from bench.tattoo.identification import Answers, Protocol, answer, protocol_of, with_verification
from bench.tattoo.photographs import read_bivtatt, read_faces
from bench.tattoo.rendered import alarm_figures, filled_up, precision_figures, rank1_figures, views_of
from bench.tattoo.speed import observe_speed
from services.tattoo.chosen import OWN_THRESHOLD
from trainer.learning.truth import Picture, read_pictures

_BUILT_IN, _HEAT_MAP, _FROZEN, _KEY_POINTS = "built in", "heat map alone", "frozen backbone", "key points"
_ANY_CONFIDENCE = 0.01
_RESAMPLES = 2000


def main() -> None:
    """Measure what there is data for, print, write."""
    options = _options()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print_heading("tattoos", seed=options.seed)
    write_json(options.json, asyncio.run(_measure(options)))


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    found = _detectors(options)
    described = _describers()
    report: dict[str, Any] = {"seed": options.seed, "sizes": _sizes(found, described)}
    sections = {
        "detection": _detection(options, found),
        "identification": _identification(options, described),
        "rendered": _rendered(options, found, described),
        "speed": _speed(options, found, described),
    }
    for name, section in sections.items():
        if options.only and name not in options.only:
            section.close()
            continue
        report[name] = await section
    return report


async def _detection(options: argparse.Namespace, found: Mapping[str, Detector]) -> dict[str, Any]:
    """BIVTatt, and alarms on LFW, plain and with overlays."""
    photographs = read_bivtatt(options.data / "bivtatt")
    faces = read_faces(options.data / "lfw", limit=options.faces)
    if not photographs or not faces:
        return _skipped("detection", f"no photographs in {options.data}")
    report: dict[str, Any] = {}
    for name, detector in found.items():
        async with detector.open() as finder:
            hits = await detectors.main_tattoos_found(finder, photographs)
            report[name] = {
                "threshold": detector.row.threshold,
                **hits,
                "extra_boxes": await detectors.extra_boxes(finder, photographs),
                "alarms_lfw": await detectors.false_alarms(finder, faces),
                "alarms_enlarged": await detectors.false_alarms(finder, faces, is_enlarged=True),
                "alarms_overlays": await detectors.false_alarms(finder, faces, overlay_seed=options.seed),
            }
    columns = ("iou_0.5", "iou_0.3", "alarms_lfw", "alarms_enlarged", "alarms_overlays")
    rows = [[name, *(str(figures[column]) for column in columns)] for name, figures in report.items()]
    print_table("Main tattoo of BIVTatt found; faces in which anything is found", ["", *columns], rows)
    return _plain(report)


async def _identification(options: argparse.Namespace, described: Mapping[str, Describer]) -> dict[str, Any]:
    """Rank-1 errors of every describer on the same probes, paired with the frozen backbone's."""
    photographs = read_bivtatt(options.data / "bivtatt")
    if not photographs:
        return _skipped("identification", f"no photographs in {options.data}")
    protocol = protocol_of(photographs, seed=options.seed)
    answers = {name: await answer(one, protocol) for name, one in described.items()}
    for name, one in described.items():
        if isinstance(one, EmbedderDescriber):
            point = one.row.operating_point
            answers[f"{name}, best ten verified"] = with_verification(answers[name], protocol, point)
    report = {name: _against(one, answers[_FROZEN], protocol, options.seed) for name, one in answers.items()}
    kinds = list(dict.fromkeys(protocol.kinds))
    rows = [
        [
            name,
            *(f"{one['wrong'][kind][0]} of {one['wrong'][kind][1]}" for kind in kinds),
            one["rank1"],
            one["ratio"],
        ]
        for name, one in report.items()
    ]
    print_table("BIVTatt, rank-1 errors", ["", *kinds, "rank-1", "errors over the frozen backbone's"], rows)
    return _plain(report)


def _against(one: Answers, baseline: Answers, protocol: Protocol, seed: int) -> dict[str, Any]:
    wrong = int(one.is_wrong.sum())
    return {
        "wrong": dict(one.wrong_of(protocol)),
        "rank1": share(len(one.is_wrong) - wrong, len(one.is_wrong)),
        "ratio": error_ratio(
            one.is_wrong, baseline.is_wrong, protocol.probe_subjects, resamples=_RESAMPLES, seed=seed
        ),
    }


async def _rendered(
    options: argparse.Namespace, found: Mapping[str, Detector], described: Mapping[str, Describer]
) -> dict[str, Any]:
    """The studio's test split."""
    pictures = _rendered_pictures(options)
    if not pictures:
        return _skipped("rendered", "no set of the studio's test pictures; --rendered FOLDER")
    report: dict[str, Any] = {"pictures": len(pictures), "detection": {}, "rank1": {}}
    scenes = pictures[: options.pictures]
    for name, detector in found.items():
        async with detector.open(threshold=_ANY_CONFIDENCE) as finder:
            precision = await precision_figures(finder, scenes, seed=options.seed)
        async with detector.open() as finder:
            report["detection"][name] = {"ap50": precision, "alarms": await alarm_figures(finder, scenes)}
    views = views_of(pictures, most=options.gallery, probes_each=4)
    report["rendered_designs"], report["probes"] = len(views.gallery), len(views.probes)
    if options.drawings:
        views = filled_up(views, options.drawings, most=options.gallery, seed=options.seed)
    report["gallery"] = len(views.gallery)
    for name, one in described.items():
        report["rank1"][name] = await rank1_figures(one, views)
    _print_rendered(report)
    return _plain(report)


def _print_rendered(report: Mapping[str, Any]) -> None:
    groups = ("all", "small", "large")
    rows = [
        [name, *(_ap(one["ap50"][group]) for group in groups), *map(str, one["alarms"].values())]
        for name, one in report["detection"].items()
    ]
    alarms = list(next(iter(report["detection"].values()))["alarms"])
    columns = ["", "AP50", "under 5% of the body", "larger", *(f"alarms, {kind}" for kind in alarms)]
    print_table("Rendered test pictures", columns, rows)
    kinds = list(next(iter(report["rank1"].values())))
    rows = [[kind, *(str(one[kind]) for one in report["rank1"].values())] for kind in kinds]
    rendered = f"{report['rendered_designs']} of them rendered, {report['probes']} probes"
    print_table(f"Rank-1 among {report['gallery']} designs, {rendered}", ["", *report["rank1"]], rows)


def _ap(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


async def _speed(
    options: argparse.Namespace, found: Mapping[str, Detector], described: Mapping[str, Describer]
) -> dict[str, Any]:
    """Each detector with each embedder that is served."""
    report = {
        f"{detector_name} + {name}": await observe_speed(detector, one, runs=options.runs)
        for detector_name, detector in found.items()
        for name, one in described.items()
        if isinstance(one, EmbedderDescriber) and name != _FROZEN
    }
    columns = ("p50", "p95", "finding_p50", "without_key_points_p50", "verifying_p50", "screening_p50")
    rows = [
        [name, *(f"{value:.0f}" for key, value in asdict(one).items() if key in columns)]
        for name, one in report.items()
    ]
    print_table("Observe, 1080p, four tattoos, ms", ["", *columns], rows)
    return _plain(report)


def _rendered_pictures(options: argparse.Namespace) -> list[Picture]:
    there = [folder for folder in options.rendered if folder.is_dir()]
    return read_pictures(there, split="test") if there else []


def _detectors(options: argparse.Namespace) -> dict[str, Detector]:
    chosen = {_HEAT_MAP: detectors.heat_map_alone(), _BUILT_IN: detectors.built_in()}
    for given in options.detector:
        name, _, rest = given.partition("=")
        file, _, threshold = rest.partition("@")
        chosen[name] = detectors.from_file(name, Path(file), float(threshold or OWN_THRESHOLD))
    return chosen


def _describers() -> dict[str, Describer]:
    chosen: dict[str, Describer] = {_FROZEN: describers.frozen_backbone(), _BUILT_IN: describers.built_in()}
    return {**chosen, _KEY_POINTS: KeyPointDescriber()}


def _sizes(found: Mapping[str, Detector], described: Mapping[str, Describer]) -> dict[str, int]:
    """Bytes of each file as it runs."""
    sizes = {
        f"detector, {name}, {file.stem}": file.stat().st_size
        for name, one in found.items()
        for file in one.files.values()
    }
    embedders = {name: one for name, one in described.items() if isinstance(one, EmbedderDescriber)}
    return sizes | {f"embedder, {name}": one.file.stat().st_size for name, one in embedders.items()}


def _skipped(section: str, why: str) -> dict[str, str]:
    print(f"{section}: skipped, {why}", flush=True)
    return {"skipped": why}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """For JSON: figures as their fields."""
    return {key: _plain_value(value) for key, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, float) and isnan(value):
        return None  # JSON has no NaN
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    return _plain(value) if isinstance(value, Mapping) else value


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.tattoo", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with bivtatt and lfw"
    )
    parser.add_argument("--rendered", type=Path, action="append", default=[], help="a set of the studio's")
    parser.add_argument("--drawings", type=Path, help="of `trainer.embedder draw`: to fill up the gallery")
    parser.add_argument("--detector", action="append", default=[], metavar="NAME=FILE[@THRESHOLD]")
    parser.add_argument("--only", action="append", help="detection, identification, rendered or speed")
    parser.add_argument("--faces", type=int, help="photographs of LFW, for a quick look")
    parser.add_argument("--pictures", type=int, help="rendered pictures to find tattoos in")
    parser.add_argument("--gallery", type=int, default=1000, help="designs to tell apart")
    parser.add_argument("--runs", type=int, default=40, help="pictures to time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
