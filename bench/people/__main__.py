"""`python -m bench.people FOLDER [--json FILE] [--sheet FILE]`: who is grouped with what, of several people.

FOLDER holds pictures of two and three people by `python -m trainer.studio groups FOLDER`. Faces, bodies and
tattoos are found by the services' networks and grouped by the gateway's code; a second time with the tattoos
given as they are, so that only the grouping is measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bench.people.figures import Looked, of_clearness, of_faces, of_people, of_tattoos
from bench.people.looking import Picture, look_at_groups
from bench.people.sheet import write_sheet
from bench.regions.figures import Share
from bench.report import print_heading, print_table, write_json

_SEED = 20261127

_Table = Mapping[str, Mapping[str, Share]]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
@click.option(
    "--sheet", type=click.Path(path_type=Path), help="Draw pictures, as they were grouped, on this file."
)
@click.option("--drawn", default="", help="Numbers of the pictures on the sheet, as 1,4,9; all otherwise.")
def main(folder: Path, json_path: Path | None, sheet: Path | None, drawn: str) -> None:
    """Look at every picture, then compare with the truth."""
    print_heading("People in company", seed=_SEED)
    pictures = asyncio.run(look_at_groups(folder))
    found, given = [one.found for one in pictures], [one.given for one in pictures]
    tables = tables_of(found, given)
    for title, table in tables.items():
        columns = list(next(iter(table.values())))
        rows = [[name, *(str(shares[column]) for column in columns)] for name, shares in table.items()]
        print_table(title, [title, *columns], rows)
    print(f"{len(found)} pictures")
    if sheet is not None:
        wanted = {int(number) for number in drawn.split(",") if number}
        write_sheet(
            sheet, [one.drawn() for one in pictures if not wanted or int(one.truth.path.stem) in wanted]
        )
    payload: dict[str, Any] = {
        title: {name: {key: asdict(one) for key, one in shares.items()} for name, shares in table.items()}
        for title, table in tables.items()
    }
    write_json(json_path, {"seed": _SEED, "pictures": len(found), **payload})


def _some(pictures: Sequence[Picture], numbers: str) -> Sequence[Picture]:
    wanted = {int(number) for number in numbers.split(",") if number}
    return [one for one in pictures if not wanted or int(one.truth.path.stem) in wanted]


def tables_of(found: Sequence[Looked], given: Sequence[Looked]) -> Mapping[str, _Table]:
    """Every table by its title; a row for each kind of picture, and for all."""
    return {
        "people": {kind: of_people(of, seed=_SEED) for kind, of in _by_kind(found).items()},
        "faces": {kind: of_faces(of, seed=_SEED) for kind, of in _by_kind(found).items()},
        "tattoos as found": {kind: of_tattoos(of, seed=_SEED) for kind, of in _by_kind(found).items()},
        "tattoos as they are": {kind: of_tattoos(of, seed=_SEED) for kind, of in _by_kind(given).items()},
        "one person, by clearness": {
            "tattoos as found": of_clearness(found, seed=_SEED),
            "tattoos as they are": of_clearness(given, seed=_SEED),
        },
    }


def _by_kind(looked: Sequence[Looked]) -> Mapping[str, Sequence[Looked]]:
    kinds = list(dict.fromkeys(one.kind for one in looked))
    return {**{kind: [one for one in looked if one.kind == kind] for kind in kinds}, "all": looked}


if __name__ == "__main__":
    main()
