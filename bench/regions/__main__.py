"""`python -m bench.regions FOLDER [--json FILE]`: the body regions of tattoos, of rendered people.

FOLDER is a set that the studio rendered: pictures, and what is true of them in JSON lines. Tattoos are given
as they are, so that only their place is measured; people are found by the body service's networks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from bench.regions.figures import VIEWS, Share, in_view, mistakes, placing, view_name
from bench.regions.placing import Looked, Placed, look_at_folder
from bench.report import print_heading, print_table, write_json

_SEED = 20261126
_COLUMNS = ("answered", "right", "right for a quarter", "other side", "right of all")
_SHOTS = ("full", "half", "bust", "close", "detail")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
def main(folder: Path, json_path: Path | None) -> None:
    """Place every tattoo, and compare with where it is."""
    print_heading("Body regions", seed=_SEED)
    looked = asyncio.run(look_at_folder(folder))
    tables = {"placing": _placing(looked), "view": _by_view(looked), "shot": _by_shot(looked)}
    for title, rows in tables.items():
        cells = [(name, *(str(shares[column]) for column in _COLUMNS)) for name, shares in rows.items()]
        print_table(title, (title, *_COLUMNS), cells)
    wrong = mistakes(looked).most_common(12)
    print_table("mistakes", ("truly", "said", "times"), [(*pair, count) for pair, count in wrong])
    seen, coverage = in_view(looked, seed=_SEED), _coverage(looked)
    print_table("regions in view", tuple(seen), [tuple(str(one) for one in seen.values())])
    print_table("coverage", tuple(coverage), [tuple(f"{one:.3f}" for one in coverage.values())])
    print(f"{len(looked)} pictures of {len({one.truth.performer for one in looked})} people; nobody found in "
          f"{sum(not one.people for one in looked)}")  # fmt: skip
    payload: dict[str, Any] = {name: _plain(rows) for name, rows in tables.items()}
    payload |= {"in view": {name: asdict(one) for name, one in seen.items()}, "coverage": coverage}
    payload |= {"mistakes": [[*pair, count] for pair, count in wrong], "pictures": len(looked)}
    write_json(json_path, {"seed": _SEED, **payload})


_Rows = Mapping[str, Mapping[str, Share]]


def _said(placed: Placed) -> str:
    return placed.region


def _nearest(placed: Placed) -> str:
    return placed.nearest


def _placing(looked: Sequence[Looked]) -> _Rows:
    ways: dict[str, Callable[[Placed], str]] = {"regions": _said, "nearest key point": _nearest}
    return {name: placing(looked, way, seed=_SEED) for name, way in ways.items()}


def _by_view(looked: Sequence[Looked]) -> _Rows:
    return {
        name: placing([one for one in looked if view_name(one.truth.yaw) == name], _said, seed=_SEED)
        for _, name in VIEWS
    }


def _by_shot(looked: Sequence[Looked]) -> _Rows:
    return {
        shot: placing([one for one in looked if one.truth.shot == shot], _said, seed=_SEED) for shot in _SHOTS
    }


def _coverage(looked: Sequence[Looked]) -> dict[str, float]:
    """Said over true coverage, of pictures with some ink: quantiles, and the median error."""
    pairs = np.array(
        [
            (one.coverage, min(1.0, one.truth.ink_pixels / one.truth.skin_pixels))
            for one in looked
            if one.truth.skin_pixels
            and one.truth.ink_pixels >= 0.005 * one.truth.skin_pixels
            and one.coverage > 0
        ]
    ).reshape(-1, 2)
    if not len(pairs):
        return {}
    ratios = np.log(pairs[:, 0] / pairs[:, 1])
    return {
        "pictures": float(len(pairs)),
        "median of said / true": float(np.exp(np.median(ratios))),
        "10% of said / true": float(np.exp(np.quantile(ratios, 0.1))),
        "90% of said / true": float(np.exp(np.quantile(ratios, 0.9))),
        "median error": float(np.median(np.abs(pairs[:, 0] - pairs[:, 1]))),
    }


def _plain(rows: _Rows) -> dict[str, dict[str, Any]]:
    return {
        name: {column: asdict(share) for column, share in shares.items()} for name, shares in rows.items()
    }


if __name__ == "__main__":
    main()
