"""A performer ready for the camera: shaped, tattooed, posed, dressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from trainer.studio.arrays import Floats
from trainer.studio.atlas import vertex_normals
from trainer.studio.body_model import RestBody, load_body_model
from trainer.studio.key_points import key_points, true_ratios
from trainer.studio.log_map import Surface
from trainer.studio.performers import Performer, TattooPlan, performer_of
from trainer.studio.poses import Pose, motion_of
from trainer.studio.skin import Skin
from trainer.studio.tattooing import Tattoo, apply_tattoo

__all__ = ["Model", "Posed", "model_of", "pose_model"]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A performer's body with tattoos, at rest; the costly part that all their pictures share."""

    performer: Performer
    rest: RestBody
    joints: Mapping[str, Floats]
    tattoos: tuple[Tattoo, ...]
    skin: Skin
    ratios: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """A body in a pose."""

    vertices: Floats
    normals: Floats
    joints: dict[str, Floats]
    key_points: Floats


@lru_cache(maxsize=6)
def model_of(performer_id: str, extra: tuple[TattooPlan, ...] | None = None) -> Model:
    """The body of a performer, with their own tattoos or only `extra` ones."""
    performer, bodies = performer_of(performer_id), load_body_model()
    rest = bodies.rest_body(performer.phenotype)
    joints = dict(zip(bodies.rig.labels, rest.heads, strict=True))
    surface = Surface(rest.vertices, bodies.faces, vertex_normals(rest.vertices, bodies.faces))
    plans = performer.tattoos if extra is None else extra
    laid = [apply_tattoo(plan, surface, joints) for plan in plans]
    # A chart that folds up on itself, between fingers say, carries no ink: such a tattoo was never made.
    tattoos = tuple(tattoo for tattoo in laid if len(tattoo.painted.face) > 0)
    return Model(
        performer, rest, joints, tattoos, Skin(performer, rest.vertices, joints, tattoos), true_ratios(joints)
    )


def pose_model(model: Model, pose: Pose) -> Posed:
    """The body as it stands in that pose."""
    bodies = load_body_model()
    placements = bodies.rig.placements(model.rest.heads, motion_of(pose, model.joints))
    vertices = bodies.rig.skinned(model.rest.vertices, placements)
    turns, shifts = placements
    heads = np.einsum("nij,nj->ni", turns, model.rest.heads) + shifts
    joints = dict(zip(bodies.rig.labels, heads, strict=True))
    return Posed(vertices, vertex_normals(vertices, bodies.faces), joints, key_points(vertices, joints))
