"""`marquee quarantine`: faces that seem to be somebody else's, and what the owner says of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from chassis.errors import InvalidInput
from client.api import Marquee
from client.commands._running import confirm, err, out, run
from client.commands._session import data_option, open_marquee, server_option
from client.commands.forget import parse_reference
from client.review import QuarantinedFace

__all__ = ["quarantine"]

_SHOWN_DIGITS, _LEAST_DIGITS = 12, 8


@click.group()
def quarantine() -> None:
    """Look through enrolled faces that are kept and not searched, because they seem to be somebody else's."""


@quarantine.command("list")
@click.argument("performer", metavar="[ID|AUTHORITY:ID]", default="")
@server_option
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(performer: str, server: str | None, data: Path, as_json: bool) -> None:
    """List them, with the reason, and what else is enrolled of the performer from the same picture."""
    run(lambda: _list(performer, server, data, as_json=as_json))


@quarantine.command()
@click.argument("performer", metavar="ID|AUTHORITY:ID")
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True)
@server_option
@data_option
def accept(performer: str, pictures: tuple[str, ...], server: str | None, data: Path) -> None:
    """Say that faces are the performer's: they are never quarantined again.

    PICTURE is the picture's hash as listed, or its first eight digits or more.
    """
    run(lambda: _accept(performer, pictures, server, data))


@quarantine.command()
@click.argument("performer", metavar="ID|AUTHORITY:ID")
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True)
@server_option
@data_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def discard(performer: str, pictures: tuple[str, ...], server: str | None, data: Path, yes: bool) -> None:
    """Delete what is enrolled of the performer from these pictures: faces, tattoos and bodies.

    PICTURE is the picture's hash as listed, or its first eight digits or more.
    """
    run(lambda: _discard(performer, pictures, server, data, yes=yes))


async def _list(performer: str, server: str | None, data: Path, *, as_json: bool) -> int:
    async with open_marquee(server, data) as marquee:
        performer_id = await _id_of(marquee, performer) if performer else ""
        faces = [one async for one in marquee.quarantined(performer_id)]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in faces], indent=2))
    elif faces:
        out.print(_table(faces))
    else:
        out.print("no face is quarantined")
    return 0


async def _accept(performer: str, pictures: Sequence[str], server: str | None, data: Path) -> int:
    async with open_marquee(server, data) as marquee:
        for face in await _chosen(marquee, performer, pictures):
            is_searched = await marquee.accept_face(face.performer_id, face.image_hash)
            state = "is searched now" if is_searched else "is in reserve: there are enough that show more"
            out.print(f"{_picture(face)}: {state}", highlight=False, soft_wrap=True)
    return 0


async def _discard(
    performer: str, pictures: Sequence[str], server: str | None, data: Path, *, yes: bool
) -> int:
    async with open_marquee(server, data) as marquee:
        faces = await _chosen(marquee, performer, pictures)
        if not yes and not confirm(f"Delete what is enrolled of {faces[0].name} from {len(faces)} pictures?"):
            return 1
        return max([await _discard_one(marquee, face) for face in faces])


async def _discard_one(marquee: Marquee, face: QuarantinedFace) -> int:
    """The exit code."""
    done = await marquee.discard_image(face.performer_id, face.image_hash)
    counts = ", ".join(f"{count} {signal.value}" for signal, count in done.deleted.items() if count)
    out.print(f"{_picture(face)}: deleted {counts or 'nothing'}", highlight=False, soft_wrap=True)
    for signal in done.unavailable:
        err.print(f"[yellow]{signal.value} did not answer: repeat the command[/]")
    return 3 if done.unavailable else 0


async def _id_of(marquee: Marquee, performer: str) -> str:
    return (await marquee.get(parse_reference(performer))).performer.id


async def _chosen(marquee: Marquee, performer: str, pictures: Sequence[str]) -> list[QuarantinedFace]:
    """Raises InvalidInput for what is no quarantined face of the performer, or more than one."""
    performer_id = await _id_of(marquee, performer)
    faces = [one async for one in marquee.quarantined(performer_id)]
    return [_named(faces, picture) for picture in dict.fromkeys(pictures)]


def _named(faces: Sequence[QuarantinedFace], picture: str) -> QuarantinedFace:
    found = [one for one in faces if one.image_hash.startswith(picture.lower())]
    if len(picture) < _LEAST_DIGITS or len(found) != 1:
        raise InvalidInput(f"{picture!r} names no quarantined face of the performer, or several")
    return found[0]


def _picture(face: QuarantinedFace) -> str:
    return escape(face.uri or face.image_hash)


def _table(faces: Sequence[QuarantinedFace]) -> Table:
    table = Table("performer", "id", "picture", "date", "quality", "tattoos", "bodies", "source", "why")
    for column in table.columns[4:7]:
        column.justify = "right"
    for one in faces:
        table.add_row(
            escape(one.name),
            one.performer_id,
            one.image_hash[:_SHOWN_DIGITS],
            one.date,
            f"{one.quality:.2f}",
            str(one.tattoos or ""),
            str(one.bodies or ""),
            escape(one.uri),
            escape(one.reason),
        )
    return table
