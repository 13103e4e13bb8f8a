"""`python -m bench.body.render FOLDER`: many views of parametric adults, for `python -m bench.body`.

Needs the pip packages anny, torch, roma, trimesh, warp-lang, scipy, pyyaml, opencv-python-headless and
mitsuba in an environment of its own, and no other part of Marquee. A picture, FOLDER/PERSON/VIEW.jpg, takes
0.5 to 1 second of one core. FOLDER/truth.json holds each person's true log ratios, joint to joint; with
`--check` people are made and measured, but not photographed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.body.proportions import BONES, RATIOS, SPREADS, draw_ratios, fit, log_ratios

_WIDTH, _HEIGHT, _SAMPLES = 384, 512, 8
# Share of the picture's height that the person fills.
_FILL = 0.8
_POSED = {"upperarm01": 0.25, "lowerarm01": 0.30, "upperleg01": 0.15, "lowerleg01": 0.15}
_POSED_ONCE = {"spine03": 0.07, "neck01": 0.12}


@dataclass(frozen=True, slots=True)
class Person:
    """An adult of the body model."""

    traits: Mapping[str, float]
    """0..1 each."""
    bones: Mapping[str, float]
    """How far each of the model's measures of bones is turned, about -1..1."""
    ratios: NDArray[np.float64]
    """(6,) true log ratios."""


class Studio:
    """Bodies and a camera."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._torch: Any = importlib.import_module("torch")
        self._mitsuba: Any = importlib.import_module("mitsuba")
        self._rotation: Any = importlib.import_module("scipy.spatial.transform").Rotation
        self._body: Any = importlib.import_module("anny").Anny(local_changes=list(BONES))
        self._mitsuba.set_variant("scalar_rgb")
        self._faces = self._body.get_triangular_faces().numpy().astype(np.uint32)

    def person(self) -> Person:
        """A random adult, whose proportions are spread as people's are."""
        ranges = {
            "gender": (0.0, 1.0),
            "age": (0.6, 0.75),
            "muscle": (0.2, 0.9),
            "weight": (0.2, 0.8),
            "height": (0.3, 0.8),
            "proportions": (0.2, 0.9),
        }
        traits = {name: float(self._rng.uniform(*ends)) for name, ends in ranges.items()}
        wanted = draw_ratios(self._rng, self._ratios(traits, {}))
        bones = fit(wanted, lambda turned: self._ratios(traits, turned))
        return Person(traits, bones, self._ratios(traits, bones))

    def _ratios(self, traits: Mapping[str, float], bones: Mapping[str, float]) -> NDArray[np.float64]:
        """(6,) true log ratios of a body at rest."""
        output = self._body(phenotype_kwargs=traits, local_changes_kwargs=bones)
        heads = output["rest_bone_heads"][0].detach().numpy().astype(np.float64)
        return log_ratios(dict(zip(self._body.bone_labels, heads, strict=True)))

    def view(self, person: Person, *, from_everywhere: bool) -> NDArray[np.uint8]:
        """One picture, RGB: about frontal or about from behind, or from everywhere; 2 to 6 metres away."""
        rng = self._rng
        turn = rng.uniform(-np.pi, np.pi) if from_everywhere else rng.normal(0, 0.49)
        if not from_everywhere and rng.random() < 0.22:
            turn += np.pi
        elevation, distance = np.radians(rng.normal(3, 8)), rng.uniform(2, 6)
        points = self._posed(person, strength=float(rng.choice([0.4, 1.0, 1.6])))
        low, high = points.min(axis=0), points.max(axis=0)
        direction = np.array(
            [np.sin(turn) * np.cos(elevation), -np.cos(turn) * np.cos(elevation), np.sin(elevation)]
        )
        target = (low + high) / 2
        angle = 2 * np.degrees(np.arctan((high - low)[2] / _FILL / 2 / distance))
        return self._rendered(points, target + distance * direction, target, angle)

    def _posed(self, person: Person, *, strength: float) -> NDArray[np.float64]:
        """Vertices in metres, z up, of a body in a random pose."""
        names = {f"{bone}.{side}": spread for bone, spread in _POSED.items() for side in "LR"} | _POSED_ONCE
        pose = {}
        for name, spread in names.items():
            matrix = np.eye(4)
            matrix[:3, :3] = self._rotation.from_rotvec(self._rng.normal(0, spread * strength, 3)).as_matrix()
            pose[name] = self._torch.tensor(matrix, dtype=self._body.dtype)[None]
        output = self._body(
            pose_parameters=pose, phenotype_kwargs=person.traits, local_changes_kwargs=person.bones
        )
        vertices: NDArray[np.float64] = output["vertices"][0].detach().numpy().astype(np.float64)
        return vertices

    def _rendered(
        self, points: NDArray[np.float64], eye: NDArray[np.float64], target: NDArray[np.float64], angle: float
    ) -> NDArray[np.uint8]:
        rng, mitsuba = self._rng, self._mitsuba
        camera = mitsuba.ScalarTransform4f().look_at(eye.tolist(), target.tolist(), [0, 0, 1])
        skin = np.array([0.9, 0.65, 0.5]) * rng.uniform(0.25, 1)
        wall = rng.uniform(0.15, 0.7) * rng.uniform(0.7, 1.2, 3)
        lamp = eye + np.array([rng.normal(0, 1.5), rng.normal(0, 0.5), rng.uniform(0, 2)])
        with tempfile.TemporaryDirectory() as folder:
            mesh = self._mesh(points, Path(folder) / "body.ply")
            scene = {
                "type": "scene",
                "integrator": {"type": "direct"},
                "sensor": {
                    "type": "perspective",
                    "fov": angle,
                    "fov_axis": "y",
                    "to_world": camera,
                    "film": {"type": "hdrfilm", "width": _WIDTH, "height": _HEIGHT},
                    "sampler": {"type": "independent", "sample_count": _SAMPLES},
                },
                "wall": {"type": "constant", "radiance": {"type": "rgb", "value": wall.tolist()}},
                "lamp": {"type": "point", "position": lamp.tolist(), "intensity": 8.0},
                "body": {
                    "type": "ply",
                    "filename": str(mesh),
                    "bsdf": {
                        "type": "twosided",
                        "skin": {"type": "diffuse", "reflectance": {"type": "rgb", "value": skin.tolist()}},
                    },
                },
            }
            light = np.array(mitsuba.render(mitsuba.load_dict(scene)))[:, :, :3]
        picture: NDArray[np.uint8] = (np.clip(light, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
        return picture

    def _mesh(self, points: NDArray[np.float64], path: Path) -> Path:
        mesh = self._mitsuba.Mesh("body", len(points), len(self._faces))
        values = self._mitsuba.traverse(mesh)
        values["vertex_positions"] = points.astype(np.float32).ravel()
        values["faces"] = self._faces.ravel()
        values.update()
        mesh.write_ply(str(path))
        return path


def main() -> None:
    """Render, telling of each person."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--views", type=int, default=28)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--check", action="store_true", help="make people, but no pictures")
    options = parser.parse_args()
    studio = Studio(options.seed)
    options.folder.mkdir(parents=True, exist_ok=True)
    people = []
    for number in range(options.people):
        people.append(studio.person())
        _write_truth(options.folder / "truth.json", people)
        if not options.check:
            _photograph(studio, people[-1], options.folder / f"{number:03d}", views=options.views)
            print(f"{number + 1} of {options.people}", flush=True)
    _print_truth(people)


def _photograph(studio: Studio, person: Person, folder: Path, *, views: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for view in range(views):
        picture = studio.view(person, from_everywhere=view >= views * 2 // 3)
        cv2.imwrite(str(folder / f"{view:03d}.jpg"), picture[:, :, ::-1])


def _write_truth(path: Path, people: Sequence[Person]) -> None:
    truth = {
        f"{number:03d}": {name: round(float(log), 4) for name, log in zip(RATIOS, one.ratios, strict=True)}
        for number, one in enumerate(people)
    }
    path.write_text(json.dumps(truth, indent=1) + "\n")


def _print_truth(people: Sequence[Person]) -> None:
    """How the true log ratios spread, beside people's spreads, and how far measures of bones are turned."""
    logs = np.array([one.ratios for one in people])
    print(f"{'':18}{'mean':>8}{'spread':>8}{'people':>8}")
    for name, mean, spread, wanted in zip(RATIOS, logs.mean(axis=0), logs.std(axis=0), SPREADS, strict=True):
        print(f"{name:18}{mean:8.3f}{spread:8.3f}{wanted:8.3f}")
    turned = np.abs([list(one.bones.values()) for one in people])
    print(f"measures are turned by {np.median(turned):.2f} in the median, {turned.max():.2f} at most")


if __name__ == "__main__":
    main()
