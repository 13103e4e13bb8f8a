"""`python -m bench.composites [--json FILE] [--sheet FILE]`: composite pictures through Identify itself.

The whole system runs as `marquee up` runs it, on a throw-away data folder: real models, PostgreSQL, gRPC.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
import structlog
from rich.progress import track

from bench.composites.asking import Asked, Enrolled, ask, enroll
from bench.composites.bare import compare_bare, observe_bare
from bench.composites.cast import Cast, read_cast
from bench.composites.figures import figures_by_kind, pairs_of, strangers_named
from bench.composites.offline import agreement
from bench.composites.printing import print_agreement, print_enrolled, print_kinds, print_pairs
from bench.composites.probing import Probe, probes_of
from bench.composites.sheet import write_sheet
from bench.fusion.policies import shipped_policies
from bench.report import print_heading, write_json
from client.api import Marquee
from client.supervisor.stack import StackOptions, running_stack, throw_away_folder

_SEED = 20261127
# As the gateway believes it where nothing else is set.
_UNKNOWN = 0.3
_FOLDER = click.Path(path_type=Path)


@click.command()
@click.option(
    "--data", type=_FOLDER, default="../shared/data", show_default=True, help="With lfw and bivtatt."
)
@click.option("--performers", default=48, show_default=True, help="Pictures of performers of each kind.")
@click.option("--strangers", default=20, show_default=True, help="Pictures of strangers of each kind.")
@click.option("--pairs", default=30, show_default=True, help="Pictures of two people, of each kind.")
@click.option("--cache", type=_FOLDER, default="build/faces", show_default=True, help="Can be made again.")
@click.option("--json", "json_path", type=_FOLDER, help="Write the figures to this file.")
@click.option("--sheet", type=_FOLDER, help="Write some answers, drawn, to this PNG file.")
def main(
    data: Path,
    performers: int,
    strangers: int,
    pairs: int,
    cache: Path,
    json_path: Path | None,
    sheet: Path | None,
) -> None:
    """Enrol virtual performers, ask about composite pictures, compare with the truth."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print_heading("composite pictures through Identify", seed=_SEED)
    try:
        cast = read_cast(data, seed=_SEED)
    except FileNotFoundError as exc:
        raise click.ClickException(f"{exc}: name the photographs' folder with --data") from exc
    probes = probes_of(cast, performers=performers, strangers=strangers, pairs=pairs, seed=_SEED)
    started = time.monotonic()
    enrolled, asked = asyncio.run(_measure(cast, probes))
    seconds = time.monotonic() - started
    policies = shipped_policies(gallery=len(cast.performers), unknown=_UNKNOWN)
    kinds, named = figures_by_kind(asked, unknown=_UNKNOWN, seed=_SEED), strangers_named(asked, seed=_SEED)
    twice, agreed = pairs_of(asked), agreement(asked, policies)
    bare = compare_bare(asked, cast, observe_bare(asked, cast, cache), policies)
    print_enrolled(enrolled, tattooed=len(cast.tattooed))
    print_kinds(kinds, named)
    print_pairs(twice)
    print_agreement(agreed, bare)
    if sheet:
        write_sheet(sheet, asked)
    write_json(
        json_path,
        {
            "seed": _SEED, "pictures": len(asked), "seconds": round(seconds),
            "performers": len(cast.performers), "tattooed": len(cast.tattooed),
            "faces_enrolled": sum(one.has_face for one in enrolled),
            "tattoos_enrolled": sum(one.has_tattoo for one in enrolled),
            "kinds": {name: asdict(one) for name, one in kinds.items()},
            "strangers_named": {setting: asdict(one) for setting, one in named.items()},
            "named_twice": {name: asdict(one) for name, one in twice.items()},
            "offline": {setting: asdict(one) for setting, one in agreed.items()},
            "bare": asdict(bare),
        },
    )  # fmt: skip


async def _measure(cast: Cast, probes: Sequence[Probe]) -> tuple[list[Enrolled], list[Asked]]:
    with throw_away_folder() as folder:
        async with (
            running_stack(folder, StackOptions(always_embedded=True)) as stack,
            Marquee.connect(stack.address, timeout=120.0) as marquee,
        ):
            enrolled = [await enroll(marquee, one, seed=_SEED) for one in track(cast.performers, "enrolling")]
            return enrolled, [await ask(marquee, one, seed=_SEED) for one in track(probes, "asking")]


if __name__ == "__main__":
    main()
