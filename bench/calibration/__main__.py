"""`python -m bench.calibration faces|tattoos`: fits what ships on half of the people, and judges it."""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray
from rich.progress import Progress

from bench.calibration.pairs import Judged, judged, probe_pairs
from bench.calibration.tattoos import tattoo_views
from bench.faces.comparing import Comparison
from bench.faces.dataset import is_for_calibration, read_photographs
from bench.faces.observing import Look, observe_all
from bench.report import print_heading, print_table, write_json
from chassis.config import load_config
from chassis.signal.calibration import fit_calibration
from chassis.signal.shipped_calibration import CALIBRATIONS, ModelKey, ShippedCalibration, write_shipped
from services.face.config import FaceConfig
from services.face.table import EmbedderRow
from services.tattoo.table import built_in_embedder

_MOST_FILES = 4


@dataclass(frozen=True, slots=True)
class Views:
    """Views of several people, all compared with all."""

    similarities: NDArray[np.float64]
    qualities: tuple[float, ...]
    owners: tuple[str, ...]

    def of(self, chosen: Callable[[str], bool]) -> Views:
        """Those of some people."""
        kept = [index for index, owner in enumerate(self.owners) if chosen(owner)]
        return Views(
            self.similarities[np.ix_(kept, kept)],
            tuple(self.qualities[index] for index in kept),
            tuple(self.owners[index] for index in kept),
        )


def main() -> None:
    """Fit, print, write."""
    options = _options()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print_heading(f"calibration of {options.signal}", seed=options.seed)
    if options.signal == "faces":
        found = _faces(options)
        out = Path("services/face/weights")
    else:
        row = built_in_embedder()
        views = Views(*asyncio.run(tattoo_views(options.data / "bivtatt", options.rendered)))
        found = [_fitted([row.key], views, _tattoo_provenance(options), options.seed)]
        out = Path("services/tattoo/weights")
    _print(found)
    (options.out or out).mkdir(parents=True, exist_ok=True)
    write_shipped((options.out or out) / CALIBRATIONS, [one for one, _ in found])
    payload = [{"models": one.models, **asdict(value)} for one, value in found]
    write_json(options.json, {"seed": options.seed, "calibrations": payload})


_Found = list[tuple[ShippedCalibration, Judged]]


def _faces(options: argparse.Namespace) -> _Found:
    """One for all embedders together and one for each alone."""
    photographs = read_photographs(options.data / "lfw", limit=options.limit)
    people = {**photographs.identities, **photographs.distractors}
    files = [file for group in people.values() for file in group[:_MOST_FILES]]
    with Progress() as progress:
        config = load_config(FaceConfig)
        look = asyncio.run(observe_all(files, config, cache=options.cache, progress=progress))
    rows = look.ensemble.rows
    sets = [rows, *((row,) for row in rows)] if len(rows) > 1 else [rows]
    return [
        _fitted([row.key for row in chosen], _face_views(look, files, chosen), "people of lfw", options.seed)
        for chosen in sets
    ]


def _face_views(look: Look, files: Sequence[Path], rows: tuple[EmbedderRow, ...]) -> Views:
    seen = [file for file in files if look.seen[file] is not None]
    similarities = Comparison(rows, look.seen).similarities(seen, seen)
    qualities = [found.factors.quality for file in seen if (found := look.seen[file]) is not None]
    return Views(similarities, tuple(qualities), tuple(file.parent.name for file in seen))


def _fitted(
    models: Sequence[ModelKey], views: Views, whose: str, seed: int
) -> tuple[ShippedCalibration, Judged]:
    ours, others = views.of(is_for_calibration), views.of(lambda name: not is_for_calibration(name))
    genuine, impostors = probe_pairs(ours.similarities, ours.qualities, ours.owners, seed=seed)
    calibration = fit_calibration(genuine, impostors)
    told = f"{len(genuine)} genuine and {len(impostors)} impostor pairs: one half of the {whose}"
    held_out = probe_pairs(others.similarities, others.qualities, others.owners, seed=seed)
    return ShippedCalibration(tuple(models), calibration, told), judged(calibration, *held_out)


def _tattoo_provenance(options: argparse.Namespace) -> str:
    return "subjects of bivtatt and of the studio's designs" if options.rendered else "subjects of bivtatt"


def _print(found: _Found) -> None:
    rows = [
        [
            " + ".join(name for name, _ in one.models),
            str(value.genuine),
            str(value.impostors),
            f"{value.cllr:.3f}",
            f"{value.misleading_genuine:.2%}",
            f"{value.misleading_impostors:.2%}",
        ]
        for one, value in found
    ]
    columns = ["", "genuine", "impostors", "C_llr", "genuine against", "impostors for"]
    print_table("On the half that was not fitted on", columns, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.calibration", description=__doc__)
    parser.add_argument("signal", choices=["faces", "tattoos"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="with bivtatt and lfw")
    parser.add_argument("--rendered", type=Path, action="append", default=[], help="a set of the studio's")
    parser.add_argument("--cache", type=Path, default=Path("build/faces"), help="what is seen of faces")
    parser.add_argument("--limit", type=int, help="people of each kind, for a quick look")
    parser.add_argument("--out", type=Path, help="folder of calibrations.json instead of the service's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    if options.limit and options.out is None:
        parser.error("--limit is for a quick look: say with --out where its calibrations go")
    return options


if __name__ == "__main__":
    main()
