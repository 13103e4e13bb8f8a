"""The shapes that tattoo designs are made of, as paths in a square from -1 to 1.

Each motif takes a random generator and returns paths; how they are inked is the business of `designs`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Path", "Motif", "MOTIFS", "curve", "blob"]

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Path:
    """One line of a drawing: `points` [n, 2] as x, y in -1..1, joined end to start when `closed`."""

    points: Points
    closed: bool = True
    weight: float = 1.0
    """Width of the line relative to the design's."""
    solid: bool = False
    """Filled with ink whatever the style."""


Motif = Callable[[np.random.Generator], list[Path]]


def curve(control: Points, *, samples: int = 60) -> Points:
    """Return [samples, 2] points of the Catmull-Rom spline through `control` [n >= 2, 2]."""
    padded = np.concatenate([control[:1], control, control[-1:]])
    position = np.linspace(0, len(control) - 1 - 1e-9, samples)
    index = position.astype(int)
    t = (position - index)[:, None]
    p0, p1, p2, p3 = (padded[index + shift] for shift in range(4))
    return np.asarray(
        0.5
        * (
            2 * p1
            + (p2 - p0) * t
            + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
            + (3 * p1 - p0 - 3 * p2 + p3) * t**3
        )
    )


def blob(
    rng: np.random.Generator, *, harmonics: int = 5, roughness: float = 0.35, samples: int = 80
) -> Points:
    """Return a closed random outline [samples, 2] of mean radius near 0.75."""
    angle = np.linspace(0, 2 * np.pi, samples, endpoint=False)
    radius = np.full(samples, 0.75)
    for order in range(1, harmonics + 1):
        radius += roughness / order * rng.normal() * np.cos(order * angle + rng.uniform(0, 6.3)) * 0.5
    return _polar(np.clip(radius, 0.15, 1.1), angle)


def _polar(radius: Points | float, angle: Points) -> Points:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _circle(x: float, y: float, radius: float, *, squash: float = 1.0) -> Points:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return _polar(radius, angle) * [1.0, squash] + [x, y]


def _spot(rng: np.random.Generator) -> Points:
    x, y = rng.uniform(-0.4, 0.4, 2)
    return _circle(x, y, rng.uniform(0.04, 0.12))


def _mirrored(paths: list[Path]) -> list[Path]:
    other = [Path(path.points * [-1, 1], path.closed, path.weight, path.solid) for path in paths]
    return paths + other


def _turned(points: Points, angle: float) -> Points:
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]))


def star(rng: np.random.Generator) -> list[Path]:
    tips = int(rng.integers(4, 9))
    radius = np.where(np.arange(2 * tips) % 2 == 0, 0.95, rng.uniform(0.3, 0.6))
    outline = _polar(radius, np.arange(2 * tips) * np.pi / tips - np.pi / 2)
    facets = [Path(np.array([[0.0, 0.0], tip]), closed=False, weight=0.6) for tip in outline]
    return [Path(outline), *(facets if rng.random() < 0.5 else [])]


def heart(rng: np.random.Generator) -> list[Path]:
    t = np.linspace(0, 2 * np.pi, 70, endpoint=False)
    x = np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    paths = [Path(np.stack([x, y], axis=1) * 0.9)]
    if rng.random() < 0.4:
        paths.append(Path(np.array([[-1, -0.1], [1, -0.1], [1, 0.25], [-1, 0.25]])))
    return paths


def flower(rng: np.random.Generator) -> list[Path]:
    petals, rings = int(rng.integers(5, 10)), int(rng.integers(1, 4))
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    paths = []
    for ring in range(rings):
        size = 0.95 * (rings - ring) / rings
        wave = 1 - rng.uniform(0.15, 0.45) * np.abs(np.cos(petals * angle / 2 + ring))
        paths.append(Path(_polar(size * wave, angle)))
    return [*paths, Path(_circle(0, 0, 0.15), solid=bool(rng.random() < 0.5))]


def rose(rng: np.random.Generator) -> list[Path]:
    paths = [Path(blob(rng, harmonics=7, roughness=0.25) * 1.15)]
    for radius in np.linspace(0.75, 0.12, int(rng.integers(4, 8))):
        start, sweep = rng.uniform(0, 6.3), rng.uniform(2.5, 5.5)
        angle = np.linspace(start, start + sweep, 30)
        wobble = radius * (1 + 0.2 * np.sin(3 * angle + rng.uniform(0, 6.3)))
        paths.append(Path(_polar(wobble, angle), closed=False, weight=rng.uniform(0.7, 1.6)))
    return paths


def leaf_branch(rng: np.random.Generator) -> list[Path]:
    spine = curve(np.stack([rng.uniform(-0.4, 0.4, 4), np.linspace(-1, 1, 4)], axis=1))
    paths = [Path(spine, closed=False)]
    for index in np.linspace(5, 54, int(rng.integers(5, 12))).astype(int):
        length, turn = rng.uniform(0.25, 0.55), rng.choice([-1, 1]) * rng.uniform(0.6, 1.3)
        leaf = curve(np.array([[0, 0], [0.5, 0.22], [1, 0], [0.5, -0.22], [0, 0]]), samples=24) * length
        paths.append(Path(_turned(leaf, np.pi / 2 - turn) + spine[index]))
    return paths


def feather(rng: np.random.Generator) -> list[Path]:
    width = rng.uniform(0.2, 0.4)
    outline = curve(np.array([[0, -1], [width, -0.3], [width * 0.9, 0.4], [0, 0.8]]), samples=30)
    barbs = [
        Path(np.array([[0.0, y], [width * 0.9, y - 0.25]]), closed=False, weight=0.5)
        for y in np.linspace(-0.6, 0.7, int(rng.integers(8, 18)))
    ]
    return [
        Path(np.array([[0.0, -1.0], [0.0, 1.0]]), closed=False),
        *_mirrored([Path(outline, False), *barbs]),
    ]


def butterfly(rng: np.random.Generator) -> list[Path]:
    top = curve(
        np.array([[0, -0.1], [0.5, -0.9], [0.95, -0.8], [0.8, -0.1], [0, 0.05]]) * rng.uniform(0.85, 1.1)
    )
    low = curve(
        np.array([[0, 0.05], [0.7, 0.1], [0.75, 0.7], [0.3, 0.85], [0, 0.15]]) * rng.uniform(0.8, 1.1)
    )
    spots = [
        Path(_circle(rng.uniform(0.3, 0.75), rng.uniform(-0.7, 0.6), rng.uniform(0.04, 0.14)), solid=True)
        for _ in range(int(rng.integers(0, 6)))
    ]
    veins = [Path(np.stack([np.zeros(2), top[i]]), closed=False, weight=0.5) for i in range(15, 50, 8)]
    return [
        *_mirrored([Path(top), Path(low), *spots, *veins]),
        Path(_circle(0, 0, 0.07, squash=6), solid=True),
    ]


def skull(rng: np.random.Generator) -> list[Path]:
    half = curve(
        np.array([[0, -0.95], [0.7, -0.75], [0.8, -0.1], [0.55, 0.3], [0.45, 0.85], [0, 0.95]]), samples=50
    )
    eye = Path(_circle(0.33, -0.1, rng.uniform(0.17, 0.26), squash=rng.uniform(0.8, 1.2)), solid=True)
    teeth = [Path(np.array([[x, 0.55], [x, 0.85]]), closed=False, weight=0.6) for x in (0.07, 0.2, 0.32)]
    nose = Path(np.array([[0.0, 0.15], [0.12, 0.38], [0.0, 0.32]]), solid=True)
    mouth = Path(np.array([[0.0, 0.7], [0.42, 0.66]]), closed=False, weight=0.7)
    return _mirrored([Path(half, closed=False), eye, nose, mouth, *teeth])


def portrait(rng: np.random.Generator) -> list[Path]:
    paths = [Path(_circle(0, 0, 0.6, squash=rng.uniform(1.25, 1.5)))]
    eye = [Path(_circle(0.25, -0.15, 0.12, squash=0.5)), Path(_circle(0.25, -0.15, 0.05), solid=True)]
    brow = Path(
        curve(np.array([[0.1, -0.3], [0.25, -0.38], [0.42, -0.3]]), samples=12), closed=False, weight=2
    )
    paths += _mirrored([*eye, brow])
    paths.append(Path(curve(np.array([[0, -0.1], [-0.08, 0.15], [0.05, 0.2]]), samples=12), closed=False))
    paths.append(Path(_circle(0, 0.42, 0.2, squash=0.35), solid=bool(rng.random() < 0.5)))
    for _ in range(int(rng.integers(8, 26))):
        side = rng.choice([-1.0, 1.0])
        lock = np.array(
            [[rng.uniform(-0.3, 0.3), -0.85], [side * rng.uniform(0.5, 0.8), -0.4], [side * 0.8, 0.6]]
        )
        paths.append(
            Path(
                curve(lock + rng.normal(0, 0.1, (3, 2)), samples=20), closed=False, weight=rng.uniform(0.6, 2)
            )
        )
    return paths


def mandala(rng: np.random.Generator) -> list[Path]:
    order = int(rng.integers(6, 17))
    paths: list[Path] = []
    for ring in np.linspace(0.25, 0.8, int(rng.integers(2, 5))):
        width = np.pi / order * ring
        petal = curve(np.array([[ring, -width], [ring + 0.2, 0], [ring, width]]), samples=14)
        solid = bool(rng.random() < 0.3)
        paths += [Path(_turned(petal, 2 * np.pi * k / order), solid, 1.0, solid) for k in range(order)]
        paths.append(Path(_circle(0, 0, ring), weight=0.6))
    return paths


def tribal(rng: np.random.Generator) -> list[Path]:
    paths = []
    for _ in range(int(rng.integers(2, 6))):
        spine = curve(rng.uniform(-0.9, 0.9, (4, 2)), samples=40)
        across = np.gradient(spine, axis=0)[:, ::-1] * [-1, 1]
        across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
        taper = (np.sin(np.linspace(0, np.pi, 40)) ** rng.uniform(0.7, 2) * rng.uniform(0.06, 0.2))[:, None]
        paths.append(
            Path(np.concatenate([spine + across * taper, (spine - across * taper)[::-1]]), solid=True)
        )
    return _mirrored(paths) if rng.random() < 0.5 else paths


def snake(rng: np.random.Generator) -> list[Path]:
    t = np.linspace(0, 1, 80)
    swing = rng.uniform(0.3, 0.7) * np.sin(2 * np.pi * rng.uniform(1, 2.5) * t + rng.uniform(0, 6))
    width = 0.14 * np.sin(np.pi * np.clip(t + 0.12, 0, 1)) + 0.02
    spine = np.stack([swing, 2 * t - 1], axis=1)
    outline = np.concatenate(
        [spine + np.stack([width, 0 * t], 1), (spine - np.stack([width, 0 * t], 1))[::-1]]
    )
    scales = [
        Path(np.array([spine[i] - [width[i], 0], spine[i] + [width[i], 0.05]]), closed=False, weight=0.5)
        for i in range(4, 78, int(rng.integers(2, 5)))
    ]
    return [Path(outline), *scales]


def compass(rng: np.random.Generator) -> list[Path]:
    ticks = int(rng.choice([12, 16, 24, 36]))
    angle = np.arange(ticks) * 2 * np.pi / ticks
    marks = [
        Path(np.stack([_polar(0.78, angle[i : i + 1])[0], _polar(0.88, angle[i : i + 1])[0]]), False)
        for i in range(ticks)
    ]
    hands = [
        Path(np.array([[0, 0], _polar(rng.uniform(0.4, 0.7), rng.uniform(0, 6.3, 1))[0]]), False, 2)
        for _ in range(2)
    ]
    rings = [Path(_circle(0, 0, radius)) for radius in (0.95, 0.74)]
    return [*rings, *marks, *(star(rng)[:1] if rng.random() < 0.5 else hands)]


def dagger(rng: np.random.Generator) -> list[Path]:
    blade = np.array([[-0.12, -0.4], [0.12, -0.4], [0.1, 0.6], [0, 0.98], [-0.1, 0.6]])
    guard = np.array([[-0.45, -0.5], [0.45, -0.5], [0.4, -0.38], [-0.4, -0.38]])
    grip = np.array([[-0.08, -0.9], [0.08, -0.9], [0.08, -0.5], [-0.08, -0.5]])
    middle = Path(np.array([[0.0, -0.4], [0.0, 0.9]]), closed=False, weight=0.5)
    return [Path(blade), Path(guard, solid=bool(rng.random() < 0.5)), Path(grip), middle]


def anchor(rng: np.random.Generator) -> list[Path]:
    arc = curve(np.array([[-0.7, 0.3], [-0.45, 0.75], [0, 0.9], [0.45, 0.75], [0.7, 0.3]]), samples=30)
    weight = rng.uniform(1.5, 4)
    shaft = np.array([[0.0, -0.6], [0.0, 0.9]])
    bar = np.array([[-0.4, -0.4], [0.4, -0.4]])
    return [
        Path(_circle(0, -0.78, 0.16), weight=weight),
        *(Path(p, False, weight) for p in (shaft, bar, arc)),
    ]


def polyhedron(rng: np.random.Generator) -> list[Path]:
    corners = _polar(rng.uniform(0.7, 0.95), np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 10)))))
    inner = rng.uniform(-0.4, 0.4, (int(rng.integers(1, 4)), 2))
    edges = [
        Path(np.stack([c, i]), closed=False, weight=0.7) for c in corners for i in inner if rng.random() < 0.7
    ]
    return [Path(corners), *edges]


def birds(rng: np.random.Generator) -> list[Path]:
    paths = []
    for _ in range(int(rng.integers(2, 8))):
        size, place = rng.uniform(0.1, 0.35), rng.uniform(-0.8, 0.8, 2)
        wings = np.array(
            [[-1, -0.4], [-0.5, -0.5], [0, 0.2], [0.5, -0.5], [1, -0.4], [0.4, -0.2], [0, 0.45], [-0.4, -0.2]]
        )
        paths.append(Path(_turned(wings * size, rng.normal(0, 0.4)) + place, solid=True))
    return paths


def wing(rng: np.random.Generator) -> list[Path]:
    count = int(rng.integers(6, 13))
    paths = []
    for index, angle in enumerate(np.linspace(-0.3, 1.4, count)):
        length = 1.5 - 0.7 * index / count
        plume = curve(np.array([[0, 0], [0.5, 0.1], [1, 0.02], [0.5, -0.05], [0, 0]]), samples=24) * length
        paths.append(Path(_turned(plume, angle) - np.array([0.8, 0.5])))
    return paths


def waves(rng: np.random.Generator) -> list[Path]:
    t = np.linspace(-1, 1, 70)
    rows = np.linspace(-0.8, 0.8, int(rng.integers(3, 9)))
    swing = rng.uniform(0.05, 0.25)
    speed = rng.uniform(3, 12)
    return [
        Path(
            np.stack([t, y + swing * np.sin(speed * t + 3 * y)], 1), closed=False, weight=rng.uniform(0.7, 2)
        )
        for y in rows
    ]


def armband(rng: np.random.Generator) -> list[Path]:
    half = rng.uniform(0.15, 0.4)
    teeth = int(rng.integers(5, 14))
    zigzag = np.stack(
        [np.linspace(-1, 1, 2 * teeth + 1), half * 0.8 * (-1.0) ** np.arange(2 * teeth + 1)], axis=1
    )
    lines = [
        Path(np.array([[-1.0, y], [1.0, y]]), closed=False, weight=rng.uniform(1, 4)) for y in (-half, half)
    ]
    return [*lines, Path(zigzag, closed=False, weight=rng.uniform(0.8, 2.5))]


def figure(rng: np.random.Generator) -> list[Path]:
    """A free silhouette with inner contours: stands for animals, people and whatever has no motif here."""
    outline = blob(rng, harmonics=9, roughness=0.6)
    inner = [
        Path(curve(rng.uniform(-0.6, 0.6, (4, 2))), closed=False, weight=rng.uniform(0.5, 1.5))
        for _ in range(7)
    ]
    eyes = [Path(_spot(rng), solid=True) for _ in range(2)]
    return [Path(outline), *inner, *eyes]


def scribble(rng: np.random.Generator) -> list[Path]:
    count = int(rng.integers(1, 5))
    return [
        Path(
            curve(rng.uniform(-0.95, 0.95, (int(rng.integers(4, 9)), 2)), samples=90),
            closed=False,
            weight=rng.uniform(0.6, 2),
        )
        for _ in range(count)
    ]


MOTIFS: tuple[Motif, ...] = (
    star,
    heart,
    flower,
    rose,
    rose,
    leaf_branch,
    feather,
    butterfly,
    skull,
    portrait,
    portrait,
    mandala,
    tribal,
    snake,
    compass,
    dagger,
    anchor,
    polyhedron,
    birds,
    wing,
    waves,
    armband,
    figure,
    figure,
    figure,
    scribble,
)
"""Every motif; the commoner ones in real life stand twice or more."""
