"""What is enrolled, read page by page: first which images there are, then the templates of a few of them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from functools import partial
from typing import Protocol

from gateway.calibration.asking import asked
from gateway.observations import Signal
from gateway.signals import Query, Similarities, TattooClient, VectorPage
from gateway.translation import to_proto_signal
from marquee.common.v1 import calibration_pb2, common_pb2, transfer_pb2

__all__ = ["CalibratedClient", "ModelKey", "Spot", "Templates", "read_images", "read_templates"]

# Read between other calls, which do not wait for long.
_PAGE = 500
_MOST_IMAGES = 50

ModelKey = tuple[str, str]
"""Name and version of an embedder."""
Spot = tuple[str, str]
"""Performer id and image hash."""
Templates = dict[Spot, list[common_pb2.Template]]
_View = tuple[str, str, float, float, float, float]


class CalibratedClient(Protocol):
    """A signal that can be calibrated. All raise as the other calls of signals do."""

    @property
    def signal(self) -> Signal: ...

    async def export_vectors(
        self,
        *,
        page_size: int,
        page_token: str,
        with_set_aside: bool,
        without_vectors: bool,
        timeout: float,
    ) -> VectorPage: ...

    async def similarities(self, queries: Sequence[Query], *, timeout: float) -> Similarities: ...

    async def calibration(self, *, timeout: float) -> calibration_pb2.CalibrationState: ...

    async def set_calibration(
        self, change: calibration_pb2.CalibrationChange, *, timeout: float
    ) -> common_pb2.CalibrationInUse | None: ...


async def read_images(
    client: CalibratedClient,
    models: Collection[ModelKey],
    *,
    seconds: float,
    on_read: Callable[[int], None],
) -> dict[str, dict[str, str]]:
    """By performer the images with vectors of these models, and the day of each, "" when unknown.

    on_read: called with the number of vectors read until then. Raises as `asked` does.
    """
    found: dict[str, dict[str, str]] = {}
    count = 0
    async for rows in _pages(client, seconds, without_vectors=True):
        for row in rows:
            if (row.embedding.model, row.embedding.version) in models:
                days = found.setdefault(row.performer_id, {})
                day = sys.intern(row.source.date)
                days[row.source.image_hash] = day or days.get(row.source.image_hash, "")
        count += len(rows)
        on_read(count)
    return found


async def read_templates(
    client: CalibratedClient, models: Collection[ModelKey], spots: Collection[Spot], *, seconds: float
) -> Templates:
    """What is enrolled of performers in images, as templates of these models. Raises as `asked` does."""
    wanted = frozenset(spots)
    views: dict[_View, common_pb2.Template] = {}
    if not wanted:
        return {}
    async for rows in _pages(client, seconds, without_vectors=False):
        for row in rows:
            is_wanted = (row.performer_id, row.source.image_hash) in wanted
            if is_wanted and (row.embedding.model, row.embedding.version) in models:
                template = views.setdefault(
                    _view_of(row.performer_id, row.source.image_hash, row.box), _new(client, row)
                )
                template.embeddings.append(row.embedding)
    if isinstance(client, TattooClient):
        await _add_key_points(client, views, seconds=seconds)
    templates: Templates = {}
    for (performer_id, image_hash, *_), template in views.items():
        templates.setdefault((performer_id, image_hash), []).append(template)
    return templates


async def _add_key_points(
    client: TattooClient, views: dict[_View, common_pb2.Template], *, seconds: float
) -> None:
    """Exports leave them out, and what is seen in a picture is verified by them."""
    spots = list(dict.fromkeys((performer_id, image_hash) for performer_id, image_hash, *_ in views))
    for start in range(0, len(spots), _MOST_IMAGES):
        images = spots[start : start + _MOST_IMAGES]
        call = partial(client.key_points, images, timeout=seconds)
        for one in await asked(client.signal, call):
            template = views.get(_view_of(one.performer_id, one.image_hash, one.box))
            if template is not None:
                template.key_points.CopyFrom(one.key_points)


async def _pages(
    client: CalibratedClient, seconds: float, *, without_vectors: bool
) -> AsyncIterator[Sequence[transfer_pb2.VectorRow]]:
    token = ""
    while True:
        call = partial(
            client.export_vectors,
            page_size=_PAGE,
            page_token=token,
            with_set_aside=False,
            without_vectors=without_vectors,
            timeout=seconds,
        )
        page = await asked(client.signal, call)
        yield page.rows
        token = page.next_page_token
        if not token:
            return


def _new(client: CalibratedClient, row: transfer_pb2.VectorRow) -> common_pb2.Template:
    return common_pb2.Template(signal=to_proto_signal(client.signal), quality=row.quality)


def _view_of(performer_id: str, image_hash: str, box: common_pb2.Box) -> _View:
    return (performer_id, image_hash, box.x, box.y, box.width, box.height)
