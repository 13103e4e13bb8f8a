"""`python -m bench.enrol [--json FILE]`: performers and vectors into the database and the index; lookups.

The whole system runs as `marquee up` runs it, on a throw-away data folder. Everything is measured in one
run, each figure beside its baseline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np

from bench.enrol.lookups import CANDIDATES, Lookup, look_up
from bench.enrol.performers import Performers, copy_attributes, import_records, upsert_one_by_one
from bench.enrol.vectors import Rate, enroll_one_by_one, import_portions, plain_inserts, until_searchable
from bench.report import print_heading, print_table, write_json
from chassis.postgres import open_pool
from client.api import Marquee
from client.supervisor.stack import Stack, StackOptions, running_stack, throw_away_folder
from client.values import Signal
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS

_SEED = 20261126
_PRIMARY = BUILT_IN_ROWS[DEFAULT_EMBEDDERS[0]]
_ABSENT, _ABSENT_TATTOO = ("facenet512", "community"), ("community_tattoo", "community")
_TARGET_ROWS, _TARGET_LOOKUP_MS = 100_000, 1.0


@click.command()
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
@click.option("--performers", default=150_000, show_default=True, help="Performers by COPY.")
@click.option("--vectors", default=20_000, show_default=True, help="Vectors of each import.")
@click.option("--single", default=1_000, show_default=True, help="Of what is stored one by one.")
@click.option("--rounds", default=300, show_default=True, help="Lookups of each kind.")
def main(json_path: Path | None, performers: int, vectors: int, single: int, rounds: int) -> None:
    """Measure enrolment in bulk and lookups."""
    asyncio.run(_measure(json_path, performers, vectors, single, rounds))


async def _measure(json_path: Path | None, performers: int, vectors: int, single: int, rounds: int) -> None:
    print_heading("bench/enrol", seed=_SEED)
    rng = np.random.default_rng(_SEED)
    with throw_away_folder() as folder:
        async with (
            running_stack(folder, StackOptions(always_embedded=True)) as stack,
            Marquee.connect(stack.address, timeout=120) as marquee,
        ):
            assert stack.database is not None
            async with open_pool(stack.database.dsn) as pool:
                copied, ids = await copy_attributes(stack.database.dsn, performers)
                attributes = {
                    **copied,
                    "ImportPerformers, 2,000 a call, two at a time": await import_records(
                        marquee, 20 * single
                    ),
                    "UpsertPerformer, one by one": await upsert_one_by_one(marquee, single),
                }
                rates = await _vectors(stack, marquee, ids[: single + vectors], single, rng)
                await pool.execute("VACUUM ANALYZE", timeout=600)  # as autovacuum does within a minute
            candidates = ids[single : single + max(vectors, CANDIDATES)]
            lookups = await look_up(stack.database.dsn, candidates, rng, rounds=rounds)
    _print(attributes, rates, lookups)
    write_json(
        json_path,
        {
            "seed": _SEED,
            "attributes": {
                name: {**asdict(one), "rows_per_second": one.rows_per_second}
                for name, one in attributes.items()
            },
            "vectors": {name: {**asdict(one), "per_second": one.per_second} for name, one in rates.items()},
            "lookups": [asdict(one) for one in lookups],
        },
    )


async def _vectors(
    stack: Stack, marquee: Marquee, ids: Sequence[str], single: int, rng: np.random.Generator
) -> dict[str, Rate]:
    """By plain INSERTs, one by one and in portions, of an embedder that is in use and of one that is not."""
    assert stack.database is not None
    dimension, few, many = _PRIMARY.dimension, ids[:single], ids[single:]
    plain = await plain_inserts(stack.database.dsn, few, dimension, rng)
    enrolled = await enroll_one_by_one(stack.processes["face"].address, few, _PRIMARY, rng)
    imported = await import_portions(marquee, Signal.FACE, many, _PRIMARY.key, dimension, rng)
    rates = {
        f"INSERT, one by one, {dimension}-d (baseline)": plain,
        f"Enroll, one by one, {dimension}-d, searchable": enrolled,
        f"ImportVectors, {dimension}-d, committed": imported,
    }
    waited = await until_searchable(marquee, _PRIMARY.name, len(ids))
    if waited is not None:
        searchable = Rate(imported.count, imported.seconds + waited)
        rates[f"ImportVectors, {dimension}-d, searchable"] = searchable
    return {
        **rates,
        "ImportVectors, 512-d, no embedder here": await import_portions(
            marquee, Signal.FACE, many, _ABSENT, 512, rng
        ),
        "ImportVectors of tattoos, 1280-d, no embedder here": await import_portions(
            marquee, Signal.TATTOO, many, _ABSENT_TATTOO, 1280, rng
        ),
    }


def _print(attributes: Mapping[str, Performers], rates: Mapping[str, Rate], lookups: list[Lookup]) -> None:
    least = next(iter(attributes.values())).per_second
    print_table(
        f"Performers with two ids elsewhere, three rows each; CPU in seconds; target {_TARGET_ROWS:,} rows/s",
        [
            "how",
            "performers",
            "a second",
            "rows a second",
            "of the baseline",
            "CPU of Python",
            "of PostgreSQL",
        ],
        [
            [
                name,
                f"{one.performers:,}",
                f"{one.per_second:,.0f}",
                f"{one.rows_per_second:,.0f}",
                f"{one.per_second / least:.1%}",
                *(
                    [f"{one.processor.python:.2f}", f"{one.processor.postgres:.2f}"]
                    if one.processor
                    else ["", ""]
                ),
            ]
            for name, one in attributes.items()
        ],
    )
    baseline = next(iter(rates.values())).per_second
    print_table(
        "Vectors into PostgreSQL and index",
        ["how", "vectors", "a second", "times the baseline"],
        [
            [name, f"{one.count:,}", f"{one.per_second:,.0f}", f"{one.per_second / baseline:.1f}"]
            for name, one in rates.items()
        ],
    )
    print_table(
        f"Lookup of {CANDIDATES} candidates, milliseconds; target p50 {_TARGET_LOOKUP_MS:g}",
        ["what", "n", "p5", "p50", "p95", "CPU of Python", "CPU of PostgreSQL"],
        [
            [
                one.what,
                one.n,
                *(f"{each:.2f}" for each in (one.p5, one.p50, one.p95, one.python_cpu, one.postgres_cpu)),
            ]
            for one in lookups
        ],
    )


def _processor(one: Performers) -> list[str]:
    if one.processor is None:
        return ["", ""]
    return [f"{one.processor.python:.2f}", f"{one.processor.postgres:.2f}"]


if __name__ == "__main__":
    main()
