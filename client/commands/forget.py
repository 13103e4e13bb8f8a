"""`marquee forget`: delete a performer and everything enrolled."""

from __future__ import annotations

import uuid
from pathlib import Path

import click
from rich.markup import escape

from chassis.errors import InvalidInput
from client.api import Marquee
from client.catalogue import Performer
from client.commands._purging import check_purge, purge_folder
from client.commands._running import confirm, err, out, run
from client.commands._session import data_option, open_marquee, server_option
from client.values import ExternalId

__all__ = ["forget", "parse_reference"]


@click.command()
@click.argument("performer", metavar="[ID|AUTHORITY:ID]", default="")
@server_option
@data_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--may-return", is_flag=True, help="Do not refuse the external ids and pictures from now on.")
@click.option(
    "--purge",
    "is_purging",
    is_flag=True,
    help="Leave nothing of whom was ever forgotten in the embedded database's files. Needs it alone.",
)
def forget(
    performer: str, server: str | None, data: Path, yes: bool, may_return: bool, is_purging: bool
) -> None:
    """Delete a performer and everything enrolled of them, for good.

    The performer is named by id, or by an external id such as folder:Ann_Lee. Neither the external ids nor
    the pictures are enrolled again, unless --may-return says so or `marquee allow` does later.

    What is deleted stays in files of the database for a while, unless --purge is given: at once, or later
    without naming a performer.
    """
    run(lambda: _main(performer, server, data, yes=yes, may_return=may_return, is_purging=is_purging))


async def _main(
    performer: str, server: str | None, data: Path, *, yes: bool, may_return: bool, is_purging: bool
) -> int:
    if not performer and not is_purging:
        raise InvalidInput("whom to forget is not said: an id, or authority:id such as folder:Ann_Lee")
    if is_purging:
        check_purge(server, data)
    code = await _forget(performer, server, data, yes=yes, may_return=may_return) if performer else 0
    if is_purging and code == 0:
        with err.status("rewriting the database ..."):
            await purge_folder(data)
        out.print("purged: no file of the database has anything of whom was forgotten")
    return code


async def _forget(performer: str, server: str | None, data: Path, *, yes: bool, may_return: bool) -> int:
    reference = parse_reference(performer)
    async with open_marquee(server, data) as marquee:
        found = (await marquee.get(reference)).performer
        if not yes and not confirm(f"Forget {found.name} ({found.id})?"):
            return 1
        await _do_forget(marquee, found, may_return=may_return)
    return 0


async def _do_forget(marquee: Marquee, performer: Performer, *, may_return: bool) -> None:
    gone = await marquee.forget(performer.id, may_return=may_return)
    counts = ", ".join(f"{count} {signal.value}" for signal, count in gone.deleted.items() if count)
    out.print(f"forgot {escape(performer.name)}; observations deleted: {counts or 'none'}")
    for signal in gone.unconfirmed:
        err.print(
            f"[yellow]{signal.value} did not confirm; it drops the performer when it reaches the database[/]"
        )


def parse_reference(text: str) -> str | ExternalId:
    """A performer's id, or an external id `authority:id`. Raises InvalidInput for neither."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        authority, _, external = text.partition(":")
    if not authority or not external:
        raise InvalidInput(f"{text!r} is neither a performer's id nor authority:id, such as folder:Ann_Lee")
    return ExternalId(authority, external)
