"""`marquee backfill`: more of performers who have too little, or new descriptions of what is enrolled."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path, PurePath

import click

from client.commands._fill import Filling, fill_up
from client.commands._reembed import reembed as describe_again
from client.commands._running import run
from client.commands._session import data_option, server_option
from client.fetching import FetchLimits, Network
from client.folders import read_gallery
from client.sources import Root

__all__ = ["backfill"]


def _to_roots(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Root]:
    roots = []
    for value in values:
        old, _, new = value.partition("=")
        if not old or not new:
            raise click.BadParameter(f"{value!r} is not OLD=NEW, such as /mnt/old=/srv/pictures")
        roots.append(Root(PurePath(old), Path(new)))
    return roots


def _to_networks(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(value) for value in values)
    except ValueError as exc:
        raise click.BadParameter(f"{exc}; give an address or a network such as 192.168.1.0/24") from exc


@click.command()
@click.option("--source", metavar="NAME", default="", help="Only pictures that this source named.")
@click.option(
    "--missing-only",
    is_flag=True,
    help="Only performers without any face; with --source: without one from it.",
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take pictures from this folder, one folder for each performer, as `marquee enroll` does.",
)
@click.option(
    "--reembed", is_flag=True, help="Describe enrolled pictures by the models that are being prepared."
)
@server_option
@data_option
@click.option(
    "--root",
    "roots",
    metavar="OLD=NEW",
    multiple=True,
    callback=_to_roots,
    help="With --reembed: pictures enrolled from the folder OLD are in NEW now; may be given several times.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True, max=100),
    default=1.0,
    show_default=True,
    help="Most requests to one host in a second.",
)
@click.option(
    "--at-a-time",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Performers worked on side by side.",
)
@click.option(
    "--allow-private",
    "networks",
    metavar="NETWORK",
    multiple=True,
    callback=_to_networks,
    help="Fetch from these addresses too, although they are not public, such as 192.168.1.0/24.",
)
@click.option(
    "--json",
    "report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what became of each picture.",
)
def backfill(
    source: str,
    missing_only: bool,
    folder: Path | None,
    reembed: bool,
    server: str | None,
    data: Path,
    roots: list[Root],
    rate: float,
    at_a_time: int,
    networks: tuple[Network, ...],
    report: Path | None,
) -> None:
    """Enrol more of performers who have less than is wanted; or, with --reembed, describe pictures again.

    Pictures come from URLs that the server knows of, fetched by this machine and from public addresses only,
    or from a folder. A performer's are read until the target is reached. Stop and repeat this at any time: it
    goes on where it stopped.

    With --reembed enrolled pictures are read again and described by new models. While a signal changes its
    models, the old ones serve until enough of what is enrolled is described by the new ones.

    Exit code 0: done; 3: something is left that another run tries again, the tables say what.
    """
    limits = FetchLimits(host_interval_seconds=1 / rate, allowed_networks=networks)
    if reembed:
        if source or missing_only or folder:
            raise click.UsageError("--reembed goes with none of --source, --missing-only, --folder")
        run(lambda: describe_again(server, data, roots=roots, limits=limits, report=report))
        return
    if roots:
        raise click.UsageError("--root goes with --reembed only")
    if folder and (source or missing_only):
        raise click.UsageError("--folder goes with neither --source nor --missing-only")
    wanted = Filling(
        source=source,
        missing_only=missing_only,
        folders=read_gallery(folder) if folder else None,
        limits=limits,
        at_a_time=at_a_time,
    )
    run(lambda: fill_up(server, data, wanted, report))
