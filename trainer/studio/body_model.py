"""The adult body model of the package `anny`, as plain arrays. Axes: x to the left, y backwards, z up."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np

from chassis.errors import Unavailable
from trainer.studio.arrays import Floats, Ints
from trainer.studio.phenotype import Phenotype
from trainer.studio.rig import Rig

__all__ = ["RestBody", "BodyModel", "load_body_model"]


@dataclass(frozen=True, slots=True, eq=False)
class RestBody:
    """One person's body in its rest pose, arms and legs a little apart."""

    vertices: Floats
    """(13718, 3) metres."""
    heads: Floats
    """(104, 3) metres: where each bone begins."""


class BodyModel:
    """Makes bodies of any adult phenotype; all share one mesh."""

    def __init__(self) -> None:
        """Raises Unavailable where the training packages are not installed."""
        try:
            import anny
            import torch
        except ImportError as exc:
            raise Unavailable("bodies need the training packages: make train-venv") from exc
        torch.set_num_threads(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._model = anny.Anny()
        self.faces: Ints = self._model.faces.numpy().astype(np.int32)
        """(27420, 3) vertices of each triangle."""
        self.rig = Rig(
            labels=tuple(self._model.bone_labels),
            parents=tuple(int(parent) for parent in self._model.bone_parents),
            bones=self._model.vertex_bone_indices.numpy().astype(np.int32),
            weights=self._model.vertex_bone_weights.numpy().astype(np.float32),
        )

    def rest_body(self, phenotype: Phenotype) -> RestBody:
        """The body of an adult phenotype."""
        made = self._model(
            phenotype_kwargs={
                "gender": phenotype.gender,
                "age": phenotype.age,
                "muscle": phenotype.muscle,
                "weight": phenotype.weight,
                "height": phenotype.height,
                "proportions": phenotype.proportions,
            }
        )
        return RestBody(
            vertices=made["rest_vertices"][0].detach().numpy().astype(np.float32),
            heads=made["rest_bone_heads"][0].detach().numpy().astype(np.float32),
        )


@cache
def load_body_model() -> BodyModel:
    """The model, loaded once a process."""
    return BodyModel()
