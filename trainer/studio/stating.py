"""Writes down what is true of a picture, from what its rays have met."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.body.region_names import Region
from services.body.skeleton import KeyPoint
from trainer.studio.arrays import Bools, Floats
from trainer.studio.casting import Hits, Stage, blended
from trainer.studio.figure import Model, Posed
from trainer.studio.framing import Framing
from trainer.studio.garments import Garment
from trainer.studio.lights import Rig
from trainer.studio.measuring import box_of, ink_shares, polygon_of, share
from trainer.studio.orders import Order
from trainer.studio.poses import Pose
from trainer.studio.sampling import SUPERSAMPLING, Samples
from trainer.studio.skin import InkedSamples
from trainer.studio.tattooing import Tattoo, triangle_areas
from trainer.studio.truth import (
    SCHEMA,
    Box,
    CameraTruth,
    KeyPointTruth,
    OverlayTruth,
    PictureTruth,
    TattooTruth,
)

__all__ = ["Exposure", "state"]

_MOST_POINTS = 1600
"""Points of a tattoo's ink by which it is measured."""
_FLESH = 0.13
"""A joint lies at most this deep under its own skin, metres."""
_ON_SKIN = 0.035


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposure:
    """All that was there when a picture was taken."""

    order: Order
    model: Model
    posed: Posed
    pose: Pose
    framing: Framing
    rig: Rig
    garments: list[Garment]
    stage: Stage
    samples: Samples
    inked: InkedSamples
    people: list[int]
    """Numbers of the meshes that are the person."""
    skin: int = 0
    """Which of them is the skin."""

    @property
    def hits(self) -> Hits:
        """What each ray met."""
        return self.samples.hits

    @property
    def body_box(self) -> Box | None:
        """Around the person, before anything is laid over the picture."""
        return box_of(self.sampled(np.isin(self.hits.mesh, self.people)), scale=SUPERSAMPLING)

    def sampled(self, mask: Bools) -> Bools:
        """A mask of rays as rows and columns of samples."""
        return np.asarray(mask[self.samples.grid])


def state(
    exposure: Exposure, path: str, overlays: list[OverlayTruth], facts: dict[str, float | str]
) -> PictureTruth:
    """The truth of a picture that will be at `path`."""
    camera, order = exposure.framing.camera, exposure.order
    open_ = ~_hidden(exposure, overlays)
    person = exposure.sampled(np.isin(exposure.hits.mesh, exposure.people)) & open_
    skin = exposure.sampled(exposure.hits.mesh == exposure.skin) & open_
    pixel = SUPERSAMPLING**2
    middle = (exposure.posed.vertices.min(axis=0) + exposure.posed.vertices.max(axis=0)) / 2
    return PictureTruth(
        schema_version=SCHEMA,
        number=order.number,
        picture=path,
        seed=order.seed,
        mode=order.mode,
        split=str(order.split),
        width=camera.width,
        height=camera.height,
        performer_id=order.performer_id,
        pose=exposure.pose.name,
        light_id=exposure.rig.rig_id,
        garments=[garment.name for garment in exposure.garments],
        hair=f"{exposure.model.performer.hair_style}, {exposure.model.performer.hair}",
        camera=CameraTruth(
            shot=exposure.framing.shot,
            yaw=round(exposure.framing.yaw, 2),
            pitch=round(exposure.framing.pitch, 2),
            distance=round(float(np.linalg.norm(camera.position - middle)), 3),
            field=round(exposure.framing.field, 2),
        ),
        body_box=box_of(person, scale=SUPERSAMPLING),
        body_pixels=int(person.sum()) // pixel,
        skin_pixels=int(skin.sum()) // pixel,
        region_pixels=_region_pixels(exposure, skin),
        key_points=_key_points(exposure),
        body_ratios={name: round(value, 4) for name, value in exposure.model.ratios.items()},
        tattoos=[
            _tattoo(exposure, number, tattoo, open_, int(person.sum()))
            for number, tattoo in enumerate(exposure.model.tattoos)
        ],
        overlays=overlays,
        development=facts,
    )


def _hidden(exposure: Exposure, overlays: list[OverlayTruth]) -> Bools:
    """Samples under something that was laid over the picture."""
    camera = exposure.framing.camera
    hidden = np.zeros((camera.height * SUPERSAMPLING, camera.width * SUPERSAMPLING), bool)
    for overlay in overlays:
        if overlay.hides:
            hidden[_rows_and_columns(overlay, camera.width, camera.height, SUPERSAMPLING)] = True
            if overlay.kind == "bars":
                hidden |= hidden[::-1] if overlay.box.w == camera.width else hidden[:, ::-1]
    return hidden


def _rows_and_columns(overlay: OverlayTruth, width: int, height: int, scale: int) -> tuple[slice, slice]:
    box = overlay.box
    top, bottom = max(int(box.y), 0) * scale, min(int(np.ceil(box.y + box.h)), height) * scale
    left, right = max(int(box.x), 0) * scale, min(int(np.ceil(box.x + box.w)), width) * scale
    return slice(top, bottom), slice(left, right)


def _region_pixels(exposure: Exposure, skin: Bools) -> dict[str, int]:
    faces = exposure.hits.face[exposure.samples.grid[skin]]
    counts = np.bincount(exposure.model.skin.regions[faces], minlength=max(Region) + 1) // SUPERSAMPLING**2
    return {region.name: int(counts[region]) for region in Region if counts[region] > 0}


def _key_points(exposure: Exposure) -> list[KeyPointTruth]:
    camera, points = exposure.framing.camera, exposure.posed.key_points
    pixels, depth = camera.project(points)
    way = points - camera.position
    distance = np.linalg.norm(way, axis=1)
    met = exposure.stage.trace(camera.position, (way / distance[:, None]).astype(np.float32))
    on_skin = np.array(
        [
            key.name.endswith(("EYE", "INNER", "OUTER", "NOSE", "HEEL", "EAR")) or "MOUTH" in key.name
            for key in KeyPoint
        ]
    )
    flesh = np.where(on_skin, _ON_SKIN, _FLESH)
    clear = (met.mesh < 0) | (met.distance > distance - flesh)
    visible = clear & camera.contains(pixels, depth)
    return [
        KeyPointTruth(
            name=key.name,
            x=round(float(pixels[key, 0]), 2),
            y=round(float(pixels[key, 1]), 2),
            depth=round(float(depth[key]), 4),
            visible=bool(visible[key]),
        )
        for key in KeyPoint
    ]


def _tattoo(exposure: Exposure, number: int, tattoo: Tattoo, open_: Bools, person: int) -> TattooTruth:
    ink = exposure.sampled(exposure.inked.ink == number) & open_
    extent = (exposure.sampled(exposure.inked.extent == number) & open_) | ink
    plan, shares = tattoo.plan, tattoo.regions
    measured = _measured(exposure, tattoo, open_)
    change = exposure.inked.change[exposure.samples.grid[ink]]
    return TattooTruth(
        tattoo_id=plan.tattoo_id,
        design_id=plan.design_id,
        region=shares[0][0].name,
        region_shares={region.name: round(value, 4) for region, value in shares},
        size=round(plan.size, 4),
        box=box_of(ink, scale=SUPERSAMPLING),
        pixels=int(ink.sum()) // SUPERSAMPLING**2,
        polygon=polygon_of(extent, scale=SUPERSAMPLING) if ink.any() else [],
        area_share=round(share(float(extent.sum()), person), 5),
        contrast=round(float(change.mean()), 3) if len(change) else 0.0,
        **measured,
    )


def _measured(exposure: Exposure, tattoo: Tattoo, open_: Bools) -> dict[str, float]:
    """Shares of the ink by area of skin, and the angle at which its middle is seen."""
    painted, camera = tattoo.painted, exposure.framing.camera
    step = max(1, len(painted.face) // _MOST_POINTS)
    face, weights = painted.face[::step], painted.weights[::step]
    faces, vertices = exposure.model.skin.faces, exposure.posed.vertices
    points = blended(vertices, faces, face, weights).astype(np.float64)
    normals = blended(exposure.posed.normals, faces, face, weights).astype(np.float64)
    way = camera.position - points
    cosine = np.einsum("ni,ni->n", normals, way) / np.linalg.norm(way, axis=1)
    pixels, depth = camera.project(points)
    inside = camera.contains(pixels, depth)
    columns, rows = np.clip(pixels * SUPERSAMPLING, 0, [open_.shape[1] - 1, open_.shape[0] - 1]).astype(int).T
    unhidden = exposure.stage.sees(camera.position, points + normals * 0.0005) & open_[rows, columns]
    shares = ink_shares(
        triangle_areas(vertices, faces)[face],
        facing=cosine > 0,
        inside=np.asarray(inside, bool),
        unhidden=unhidden,
    )
    return {
        "visible_fraction": round(shares.visible, 4),
        "facing_fraction": round(shares.facing, 4),
        "inside_fraction": round(shares.inside, 4),
        "occlusion": round(shares.occlusion, 4),
        "view_angle": round(_angle_at_middle(points, normals, camera.position), 2),
    }


def _angle_at_middle(points: Floats, normals: Floats, eye: Floats) -> float:
    """Degrees between the normal of the point nearest the middle and the way to the camera."""
    nearest = int(np.argmin(np.linalg.norm(points - points.mean(axis=0), axis=1)))
    way = eye - points[nearest]
    cosine = float(normals[nearest] @ way / np.linalg.norm(way) / max(np.linalg.norm(normals[nearest]), 1e-9))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
