"""Measures the enrolment policy on photographs of people that nothing was fitted on.

Near-duplicates: how many copies of a picture are found, and how many different photographs of a person are
taken for copies. Strangers: how many photographs of somebody else are quarantined, and how many of the
person's own.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray
from rich.progress import Progress

from bench.faces.dataset import is_for_calibration, read_photographs
from bench.faces.observing import Look, observe_all
from bench.policy.copies import write_copies
from bench.policy.galleries import faces_of, tally
from bench.report import print_heading, print_table, write_json
from chassis.config import load_config
from services.face.config import FaceConfig
from services.face.policy import near_duplicate_similarity
from services.face.table import EmbedderRow

_STRANGERS = (0, 1, 2, 3)


def main() -> None:
    """Observe what is not in the cache, measure, print, write."""
    options = _options()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    everybody = read_photographs(options.data).identities
    people = {name: files for name, files in everybody.items() if not is_for_calibration(name)}
    people = dict(list(people.items())[: options.limit])
    copies = write_copies([files[0] for files in people.values()], options.cache / "copies")
    files = [file for own in people.values() for file in own]
    files += [copy for pairs in copies.values() for _, copy in pairs]
    config = load_config(FaceConfig)
    print_heading("policy", seed=options.seed)
    with Progress() as progress:
        look = asyncio.run(observe_all(files, config, cache=options.cache, progress=progress))
    payload: dict[str, object] = {"seed": options.seed, "draws": options.draws, "people": len(people)}
    for row in look.ensemble.rows:
        payload[row.name] = {
            "near_duplicates": _report_duplicates(look, row, people, copies),
            "strangers": _report_strangers(look, row, people, config.face.enrol_quality, options),
        }
    write_json(options.json, payload)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.policy", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/lfw"), help="photographs")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--limit", type=int, help="people, for a quick look")
    parser.add_argument("--draws", type=int, default=4, help="draws of strangers (default: 4)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "marquee-bench-policy",
        help="observations already made; a run that was stopped goes on from there",
    )
    return parser.parse_args()


def _report_duplicates(
    look: Look,
    row: EmbedderRow,
    people: Mapping[str, Sequence[Path]],
    copies: Mapping[str, Sequence[tuple[Path, Path]]],
) -> list[dict[str, object]]:
    """Similarities of pictures and their copies, and of different photographs of one person."""
    limit = near_duplicate_similarity(row.operating_point)
    different = [(one, other) for files in people.values() for one in files for other in files if one < other]
    rows: list[dict[str, object]] = []
    for kind, pairs in {**copies, "different photographs": different}.items():
        similarities = _similarities(look, row, pairs)
        rows.append(
            {
                "kind": kind,
                "pairs": len(similarities),
                "median": round(float(np.median(similarities)), 3),
                "near_duplicates": round(float((similarities >= limit).mean()), 4),
            }
        )
    print_table(
        f"{row.name}: nearly the same from {limit:.3f} on",
        ["", "pairs", "median similarity", "near-duplicates, %"],
        [
            [one["kind"], one["pairs"], one["median"], f"{100 * float(str(one['near_duplicates'])):.1f}"]
            for one in rows
        ],
    )
    return rows


def _similarities(look: Look, row: EmbedderRow, pairs: Sequence[tuple[Path, Path]]) -> NDArray[np.float64]:
    seen = [(look.seen[one], look.seen[other]) for one, other in pairs]
    return np.array([a.vectors[row.key] @ b.vectors[row.key] for a, b in seen if a and b], np.float64)


def _report_strangers(
    look: Look,
    row: EmbedderRow,
    people: Mapping[str, Sequence[Path]],
    least_quality: float,
    options: argparse.Namespace,
) -> list[dict[str, int]]:
    faces = faces_of(look, row, least_quality=least_quality)
    tallies = [
        tally(faces, people, row, strangers=count, draws=options.draws if count else 1, seed=options.seed)
        for count in _STRANGERS
    ]
    print_table(
        f"{row.name}: photographs of one other person in galleries of 3 to 8",
        ["strangers", "galleries", "found", "of", "own quarantined", "of", "galleries undecided"],
        [
            [count, one.galleries, one.found, one.strangers, one.own_quarantined, one.own, one.undecided]
            for count, one in zip(_STRANGERS, tallies, strict=True)
        ],
    )
    return [asdict(one) for one in tallies]


if __name__ == "__main__":
    main()
