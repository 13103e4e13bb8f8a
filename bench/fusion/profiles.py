"""Photographs of people who are seen from the side: heads turned by the meshes that the service finds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import cv2
from rich.progress import track

from bench.fusion.heads import turned_head
from bench.fusion.nuisances import turn_of
from bench.tattoo.photographs import pixels_of
from chassis.config import load_config
from chassis.inference import Inference
from chassis.models import ModelStore
from chassis.parts import built_in_file, open_inference
from chassis.work import WorkPool
from services.face.config import FaceConfig
from services.face.finder import FaceFinder
from services.face.models import FACE_DETECTOR, FACE_MESH
from services.face.picture import Picture

__all__ = ["turn_heads"]


def turn_heads(copies: Mapping[Path, Path], *, seed: int) -> None:
    """Write a copy of each photograph, its largest head turned as `turn_of` says.

    One in which no face is found, or that is in profile already, stays as it is. What was interrupted goes on
    where it was: a copy that is there is whole.
    """
    if copies:
        asyncio.run(_turn_all(copies, seed))


async def _turn_all(copies: Mapping[Path, Path], seed: int) -> None:
    config = load_config(FaceConfig)
    models = ModelStore(config.models.directory)
    files = {spec.name: built_in_file(spec, models, config.inference) for spec in (FACE_DETECTOR, FACE_MESH)}
    async with AsyncExitStack() as stack:
        work = await stack.enter_async_context(WorkPool(1, 64))
        inference = await stack.enter_async_context(open_inference(config.inference, files))
        finder = _finder(inference, work)
        for file, copy in track(copies.items(), "turning heads"):
            await _turn(finder, file, copy, turn_of(file.stem, seed))


def _finder(inference: Inference, work: WorkPool) -> FaceFinder:
    return FaceFinder(inference, work, detector=FACE_DETECTOR.name, mesh=FACE_MESH.name, max_faces=1)


async def _turn(finder: FaceFinder, file: Path, copy: Path, turn: float) -> None:
    pixels = pixels_of(file)
    found = await finder.find(Picture(pixels))
    turned = turned_head(pixels, found[0].mesh.points, turn) if found else pixels
    aside = copy.with_suffix(".new.png")
    cv2.imwrite(str(aside), turned[..., ::-1])
    aside.rename(copy)
