"""`python -m bench.composites [--json FILE] [--sheet FILE.png]`: composite pictures through Identify itself.

The whole system runs as `marquee up` runs it, on a throw-away data folder: real models, real PostgreSQL, gRPC.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.progress import track

from bench.composites.asking import Asked, Enrolled, Setting, ask, enroll
from bench.composites.cast import Cast, read_cast
from bench.composites.figures import InPairs, OfKind, figures_by_kind, pairs_of, strangers_named
from bench.composites.judging import Fate
from bench.composites.offline import Agreement, agreement, shipped_policies
from bench.composites.probing import Probe, probes_of
from bench.composites.sheet import write_sheet
from bench.regions.figures import Share
from bench.report import print_heading, print_table, write_json
from client.api import Marquee
from client.supervisor.stack import StackOptions, running_stack, throw_away_folder

_SEED = 20261127
# As the gateway believes it where nothing else is set.
_UNKNOWN = 0.3


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("../shared/data"),
    show_default=True,
    help="Photographs: folders `lfw` and `bivtatt`.",
)
@click.option("--performers", default=60, show_default=True, help="Pictures of performers of each kind.")
@click.option("--strangers", default=30, show_default=True, help="Pictures of strangers of each kind.")
@click.option("--pairs", default=40, show_default=True, help="Pictures of two people, of each kind.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
@click.option(
    "--sheet", type=click.Path(path_type=Path), help="Write some pictures with answers to this PNG."
)
def main(
    data: Path, performers: int, strangers: int, pairs: int, json_path: Path | None, sheet: Path | None
) -> None:
    """Enrol virtual performers, ask about composite pictures, compare with the truth."""
    print_heading("composite pictures through Identify", seed=_SEED)
    try:
        cast = read_cast(data, seed=_SEED)
    except FileNotFoundError as exc:
        raise click.ClickException(f"{exc}: name the photographs' folder with --data") from exc
    probes = probes_of(cast, performers=performers, strangers=strangers, pairs=pairs, seed=_SEED)
    started = time.monotonic()
    enrolled, asked = asyncio.run(_measure(cast, probes))
    seconds = time.monotonic() - started
    kinds, twice = figures_by_kind(asked, unknown=_UNKNOWN, seed=_SEED), pairs_of(asked)
    named = strangers_named(asked, seed=_SEED)
    policies = shipped_policies(gallery=len(cast.performers), unknown=_UNKNOWN)
    agreed = agreement(asked, policies)
    _print(kinds, named, twice, agreed)
    print_table(
        f"{len(asked)} pictures, {seconds:.0f} s",
        ["enrolled", "of", "face", "tattoo"],
        [
            [
                "performers",
                len(enrolled),
                sum(e.has_face for e in enrolled),
                sum(e.has_tattoo for e in enrolled),
            ]
        ],
    )
    if sheet:
        write_sheet(sheet, asked)
    write_json(
        json_path,
        {
            "seed": _SEED,
            "pictures": len(asked),
            "seconds": round(seconds),
            "performers": len(cast.performers),
            "tattooed": len(cast.tattooed),
            "faces_enrolled": sum(one.has_face for one in enrolled),
            "tattoos_enrolled": sum(one.has_tattoo for one in enrolled),
            "kinds": {name: asdict(one) for name, one in kinds.items()},
            "strangers_named": {setting: asdict(one) for setting, one in named.items()},
            "named_twice": {name: asdict(one) for name, one in twice.items()},
            "offline": {setting: asdict(one) for setting, one in agreed.items()},
        },
    )


async def _measure(cast: Cast, probes: Sequence[Probe]) -> tuple[list[Enrolled], list[Asked]]:
    with throw_away_folder() as folder:
        async with (
            running_stack(folder, StackOptions(always_embedded=True)) as stack,
            Marquee.connect(stack.address, timeout=120.0) as marquee,
        ):
            enrolled = [await enroll(marquee, one, seed=_SEED) for one in track(cast.performers, "enrolling")]
            return enrolled, [await ask(marquee, one, seed=_SEED) for one in track(probes, "asking")]


def _print(
    kinds: Mapping[str, OfKind],
    named: Mapping[Setting, Share],
    twice: Mapping[str, InPairs],
    agreed: Mapping[Setting, Agreement],
) -> None:
    columns = ["", "rank-1", "identified rightly", "wrongly", "strangers named", "ECE", "Brier", "ms"]
    for name, kind in kinds.items():
        rows = [
            [
                setting, one.rank1, _share(one.right), _share(one.wrong), _share(one.named), one.ece, one.brier,
                f"{one.milliseconds:.0f}",
            ]
            for setting, one in kind.settings.items()
        ]  # fmt: skip
        told = f"; tattoo counted in {kind.counted}" if kind.counted.of else ""
        print_table(f"{name}: {kind.performers} performers, {kind.strangers} strangers{told}", columns, rows)
    print_table("strangers of all kinds", ["", "named"], [[name, one] for name, one in named.items()])
    print_table(
        "a tattoo that shows counts for",
        ["", *Fate],
        [
            [name, *(_share(one.fates[fate]) for fate in Fate)]
            for name, one in kinds.items()
            if one.counted.of
        ],
    )
    print_table(
        "one performer identified twice in a picture",
        ["", "pictures", *Setting],
        [[name, one.pictures, *one.twice.values()] for name, one in twice.items()],
    )
    print_table(
        "bench/fusion's policies on the evidence that Identify told",
        ["", "people", "same first candidate", "score differs: mean", "most"],
        [
            [
                name,
                one.people,
                f"{one.same_first:.1%}",
                f"{one.mean_difference:.4f}",
                f"{one.most_difference:.4f}",
            ]
            for name, one in agreed.items()
        ],
    )


def _share(share: Share) -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})" if share.of else "-"


if __name__ == "__main__":
    main()
