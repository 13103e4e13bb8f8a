"""`marquee allow`: let somebody who was forgotten be enrolled again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from chassis.errors import InvalidInput
from chassis.images import image_hash
from client.commands._running import out, run
from client.commands._session import data_option, open_marquee, server_option
from client.commands.forget import parse_reference
from client.folders import PICTURE_SUFFIXES
from client.picture_file import read_picture
from client.values import ExternalId

__all__ = ["allow"]

# As many as one call takes.
_AT_ONCE = 10_000


@click.command()
@click.argument("external_id", metavar="AUTHORITY:ID")
@click.argument("pictures", nargs=-1, type=click.Path(exists=True, path_type=Path))
@server_option
@data_option
def allow(external_id: str, pictures: tuple[Path, ...], server: str | None, data: Path) -> None:
    """Take an external id, such as folder:Ann_Lee, off the list of whom not to identify.

    PICTURES are files or folders; they are taken off, too. Nothing comes back by itself: enrol again.
    """
    run(lambda: _allow(external_id, pictures, server, data))


async def _allow(external_id: str, pictures: Sequence[Path], server: str | None, data: Path) -> int:
    reference = parse_reference(external_id)
    if not isinstance(reference, ExternalId):
        raise InvalidInput(f"{external_id!r} is no authority:id, such as folder:Ann_Lee")
    files = [file for path in pictures for file in _files(path)]
    async with open_marquee(server, data) as marquee:
        ids, _ = await marquee.allow([reference])
        images = 0
        for start in range(0, len(files), _AT_ONCE):
            some = files[start : start + _AT_ONCE]
            hashes = [await asyncio.to_thread(_hash_of, file) for file in some]
            images += (await marquee.allow(image_hashes=hashes))[1]
    out.print(f"taken off the list: {ids} external ids, {images} pictures of {len(files)}")
    return 0


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or the pictures in a folder and those below it."""
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in PICTURE_SUFFIXES and file.is_file():
            yield file


def _hash_of(file: Path) -> str:
    return image_hash(read_picture(file))
