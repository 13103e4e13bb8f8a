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

from bench.calibration.pairs import Judged, judged, probe_pairs
from bench.calibration.tattoos import tattoo_views
from bench.faces.dataset import is_for_calibration
from bench.fusion.faces import read_faces
from bench.fusion.fitting import face_pairs
from bench.fusion.nuisances import NUISANCES
from bench.report import print_heading, print_table, write_json
from chassis.signal.calibration_fitting import Pairs, fit_calibration
from chassis.signal.shipped_calibration import CALIBRATIONS, ModelKey, ShippedCalibration, write_shipped
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS
from services.tattoo.table import built_in_embedder


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
    sets = [DEFAULT_EMBEDDERS, *((name,) for name in DEFAULT_EMBEDDERS)]
    return [_fitted_faces(chosen, options) for chosen in dict.fromkeys(map(tuple, sets))]


def _fitted_faces(embedders: Sequence[str], options: argparse.Namespace) -> tuple[ShippedCalibration, Judged]:
    """Clear and spoilt photographs against one of each person."""
    ours, others = (
        face_pairs(
            read_faces(
                options.data / "lfw",
                options.cache,
                fitting=is_fitting,
                seed=options.seed,
                embedders=embedders,
                limit=options.limit,
                # Heads that are turned are made, not photographed: nothing that ships is fitted on them.
                kinds=tuple(NUISANCES),
            )
        )
        for is_fitting in (True, False)
    )
    keys = tuple(BUILT_IN_ROWS[name].key for name in embedders)
    whose = "one half of the people of lfw, clear and spoilt photographs"
    return _shipped(keys, ours, whose), judged(_shipped(keys, ours, whose).calibration, *others)


def _fitted(
    models: Sequence[ModelKey], views: Views, whose: str, seed: int
) -> tuple[ShippedCalibration, Judged]:
    ours, others = views.of(is_for_calibration), views.of(lambda name: not is_for_calibration(name))
    pairs = probe_pairs(ours.similarities, ours.qualities, ours.owners, seed=seed)
    shipped = _shipped(models, pairs, f"one half of the {whose}")
    held_out = probe_pairs(others.similarities, others.qualities, others.owners, seed=seed)
    return shipped, judged(shipped.calibration, *held_out)


def _shipped(models: Sequence[ModelKey], pairs: tuple[Pairs, Pairs], whose: str) -> ShippedCalibration:
    genuine, impostors = pairs
    told = f"{len(genuine)} genuine and {len(impostors)} impostor pairs: {whose}"
    return ShippedCalibration(tuple(models), fit_calibration(genuine, impostors), told)


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
    parser.add_argument("--cache", type=Path, default=Path("build/fusion"), help="what is seen of faces")
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
