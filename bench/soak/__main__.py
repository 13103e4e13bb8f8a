"""`python -m bench.soak [--json FILE]`: replicas killed under load, compared with the database."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from bench.report import print_heading, print_table, write_json
from bench.soak.comparing import differences
from bench.soak.load import Load, Tally
from bench.soak.replicas import running_replicas
from chassis.models import ModelStore
from chassis.postgres import EmbeddedPostgres, migrate, open_pool
from client.supervisor.parts import discover_parts, schema_sources
from client.supervisor.stack import throw_away_folder
from services.face.config import FaceSection
from services.face.selection import rows_in_use

__all__ = ["Soaked", "soak"]

_SEED = 20261126


@dataclass(frozen=True, slots=True)
class Soaked:
    """How it ended."""

    tally: Tally
    differences: list[str]
    vectors: int
    """In the database at the end."""


@click.command()
@click.option("--seconds", default=600.0, show_default=True)
@click.option("--replicas", default=3, show_default=True)
@click.option("--kill-every", default=15.0, show_default=True, help="Seconds between kills, on average.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
def main(seconds: float, replicas: int, kill_every: float, json_path: Path | None) -> None:
    """Enrol, forget, search and kill; exit code 1 when a replica differs or a call failed."""
    print_heading("bench/soak", seed=_SEED)
    soaked = asyncio.run(soak(seconds, replicas=replicas, kill_every=kill_every, seed=_SEED))
    tally = soaked.tally
    seen = np.percentile(tally.seen_seconds or [0.0], [50, 99, 100]).tolist()
    rows = [
        ("faces enrolled", tally.enrolled),
        ("performers forgotten", tally.forgotten),
        ("searches", tally.searched),
        ("kills", tally.kills),
        ("calls to a replica being killed, or about somebody forgotten", tally.refused),
        ("calls that failed otherwise", len(tally.failures)),
        ("vectors at the end", soaked.vectors),
        ("differences from the database", len(soaked.differences)),
        ("another replica knows after: p50 / p99 / max s", " / ".join(f"{one:.2f}" for one in seen)),
    ]
    print_table(f"{replicas} replicas, {seconds:.0f} s", ("what", "how much"), rows)
    for text in (*soaked.differences, *tally.failures[:10]):
        click.echo(text)
    write_json(
        json_path,
        {
            "seed": _SEED,
            "seconds": seconds,
            "replicas": replicas,
            "rows": dict(rows),
            "n_seen": len(tally.seen_seconds),
        },
    )
    sys.exit(1 if soaked.differences or tally.failures else 0)


async def soak(seconds: float, *, replicas: int, kill_every: float, seed: int) -> Soaked:
    """Run it on a database and services of its own."""
    row = rows_in_use(FaceSection(), ModelStore())[0]
    with throw_away_folder() as folder:
        async with EmbeddedPostgres(folder / "database") as database:
            await migrate(database.dsn, schema_sources(discover_parts()))
            async with (
                open_pool(database.dsn) as pool,
                running_replicas(replicas, database.dsn, folder) as all_of_them,
            ):
                load = Load(pool, all_of_them, row, seed=seed, kill_every=kill_every)
                tally = await load.run(seconds)
                different = await differences(pool, all_of_them, row, load)
                vectors = await pool.fetchval("SELECT count(*) FROM face.vectors WHERE state = 'active'")
    return Soaked(tally, different, vectors)


if __name__ == "__main__":
    main()
