"""Whose pictures are wanted, and where they are: at URLs that the server knows, or in a folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from chassis.errors import InvalidInput, NotFound, Unavailable
from client.api import Marquee
from client.catalogue import AgeStatus
from client.coverage import CoverageFilter, ImageState, PerformerCoverage
from client.fetching import Failure, Fetcher, FetchFailed
from client.folders import PerformerFolder
from client.images import ImageRecord
from client.picture_file import read_picture
from client.sources import is_remote

__all__ = [
    "ToFill",
    "KnownPicture",
    "Pictures",
    "FoldersToFill",
    "performers_to_fill",
    "known_pictures",
    "folders_to_fill",
    "folder_pictures",
]

_PAGE = 1000
_FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class ToFill:
    """A performer who has less than is wanted."""

    performer_id: str
    name: str
    is_attested: bool
    """Whether anything says that the performer is an adult; else nothing can be enrolled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPicture:
    """One that may be enrolled. `read` gives its bytes, or raises FetchFailed."""

    uri: str
    source: str
    date: date | None
    read: Callable[[], Awaitable[bytes]]


Pictures = Callable[[ToFill], Awaitable[Sequence[KnownPicture]]]
"""What there is of a performer that was neither enrolled nor refused for good; raises NotFound."""


@dataclass(frozen=True, slots=True)
class FoldersToFill:
    """Folders by the performer who needs them; those of performers who have enough, and of nobody."""

    wanted: dict[ToFill, PerformerFolder]
    enough: int
    unknown: tuple[PerformerFolder, ...]


async def performers_to_fill(marquee: Marquee, *, source: str, missing_only: bool) -> AsyncIterator[ToFill]:
    """Performers below the target of whom pictures are known that are worth a try, by name.

    source: only with pictures of this one; missing_only: only those without a face (from this source).
    Raises Unavailable when a signal that the target speaks of did not answer.
    """
    wanted = CoverageFilter(
        only_below_target=True,
        only_without_faces=missing_only and not source,
        without_faces_from=source if missing_only else "",
        only_with_open_images=True,
        open_images_from=source,
    )
    async for each in marquee.performer_coverage(wanted, page_size=_PAGE):
        yield _to_fill(each)


def known_pictures(marquee: Marquee, fetcher: Fetcher, *, source: str) -> Pictures:
    """Pictures at URLs that the server knows: first those that nobody tried, then those that failed."""

    async def pictures(performer: ToFill) -> Sequence[KnownPicture]:
        images = marquee.performer_images(performer.performer_id, source=source, only_open=True)
        records = [record async for record in images if is_remote(record.uri)]
        untried_first = sorted(records, key=lambda record: record.state is not ImageState.KNOWN)
        once: dict[str, ImageRecord] = {}
        for record in untried_first:
            once.setdefault(record.uri, record)
        return [
            KnownPicture(
                uri=record.uri,
                source=record.source,
                date=record.date,
                read=partial(fetcher.fetch, record.uri),
            )
            for record in once.values()
        ]

    return pictures


async def folders_to_fill(marquee: Marquee, folders: Sequence[PerformerFolder]) -> FoldersToFill:
    """Find the folders' performers by their ids. Raises Unavailable when nobody can say who has enough."""
    wanted: dict[ToFill, PerformerFolder] = {}
    unknown, enough = [], 0
    for folder in folders:
        coverage = await _coverage_of(marquee, folder)
        if coverage is None:
            unknown.append(folder)
        elif coverage.is_below_target is None:
            raise Unavailable("a signal did not answer, so nobody can say who has enough")
        elif coverage.is_below_target:
            wanted[_to_fill(coverage)] = folder
        else:
            enough += 1
    return FoldersToFill(wanted, enough, tuple(unknown))


def folder_pictures(marquee: Marquee, folders: dict[ToFill, PerformerFolder]) -> Pictures:
    """Pictures in the performer's folder, but for those that the server was sent before."""

    async def pictures(performer: ToFill) -> Sequence[KnownPicture]:
        records = [record async for record in marquee.performer_images(performer.performer_id)]
        settled = {record.uri for record in records if not record.is_open}
        return [
            KnownPicture(
                uri=str(picture.path.resolve()),
                source=_FOLDER,
                date=picture.date,
                read=partial(_read, picture.path),
            )
            for picture in folders[performer].pictures
            if str(picture.path.resolve()) not in settled
        ]

    return pictures


def _to_fill(each: PerformerCoverage) -> ToFill:
    performer = each.performer
    return ToFill(performer.id, performer.name, performer.age_status is not AgeStatus.UNKNOWN)


async def _coverage_of(marquee: Marquee, folder: PerformerFolder) -> PerformerCoverage | None:
    for external in folder.performer.external_ids:
        try:
            performer_id = (await marquee.get(external)).performer.id
        except NotFound:
            continue
        return (await marquee.coverage_of([performer_id])).get(performer_id)
    return None


async def _read(path: Path) -> bytes:
    try:
        return await asyncio.to_thread(read_picture, path)
    except InvalidInput as exc:
        raise FetchFailed(Failure.UNREADABLE, str(exc)) from exc
