"""The photographs of the demonstration: which package ships each, and whom it shows.

They are fetched through the user's own pip, verified by checksum and kept in the user's cache; Marquee itself
distributes none of them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import platformdirs

from chassis.images import cv2, decode
from chassis.models.packages import PackageFile, PinnedPackage, fetch, read_file

__all__ = ["DemoPerformer", "DemoProbe", "PERFORMERS", "PROBES", "load", "default_cache"]

_FACE_RECOGNITION = PinnedPackage(
    kind="pip source",
    name="face_recognition",
    version="1.3.0",
    sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    megabytes=3,
)
_SCIKIT_IMAGE = PinnedPackage(
    kind="pip wheel",
    name="scikit-image",
    version="0.25.2",
    sha256="24cc986e1f4187a12aa319f777b36008764e856e5013666a4a83f8df083c2641",
    megabytes=15,
)
_INSIGHTFACE = PinnedPackage(
    kind="pip wheel",
    name="insightface",
    version="2.1",
    sha256="dcd58ee79d99d689572477315f3149353afd65a36dc575f597cbb217a7bde399",
    megabytes=1,
)


def _test_image(name: str, sha256: str) -> PackageFile:
    path = f"face_recognition-1.3.0/tests/test_images/{name}"
    return PackageFile(package=_FACE_RECOGNITION, path=path, sha256=sha256)


_OBAMA = _test_image("obama.jpg", "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6")
_OBAMA_2 = _test_image("obama2.jpg", "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6")
_OBAMA_3 = _test_image("obama3.jpg", "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3")
_OBAMA_LEFT_HIDDEN = _test_image(
    "obama_partial_face.jpg", "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117"
)
_OBAMA_RIGHT_HIDDEN = _test_image(
    "obama_partial_face2.jpg", "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028"
)
_BIDEN = _test_image("biden.jpg", "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c")
_ASTRONAUT = PackageFile(
    package=_SCIKIT_IMAGE,
    path="skimage/data/astronaut.png",
    sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
)
_HANKS = PackageFile(
    package=_INSIGHTFACE,
    path="insightface/data/images/Tom_Hanks_54745.png",
    sha256="8545da294e8c7c79911169c3915fed8528f1960cd0ed99b92453788ca4275083",
)
_FRIENDS = PackageFile(
    package=_INSIGHTFACE,
    path="insightface/data/images/t1.jpg",
    sha256="47f682e945b659f93a9e490b9c9c4a2a864abe64dace9e1a2893845ddfd69489",
)

Edit = Callable[[bytes], bytes]


def _unchanged(image: bytes) -> bytes:
    return image


def _right_of(share: float) -> Edit:
    """Cut away what is left of this share of the width."""

    def cut(image: bytes) -> bytes:
        pixels = decode(image)
        kept = pixels[:, round(pixels.shape[1] * share) :, ::-1]
        _, encoded = cv2.imencode(".png", np.ascontiguousarray(kept))
        return encoded.tobytes()

    return cut


@dataclass(frozen=True, slots=True)
class DemoPerformer:
    """Somebody to enrol, with one photograph."""

    name: str
    birth_date: date
    picture: PackageFile


@dataclass(frozen=True, slots=True)
class DemoProbe:
    """A photograph to identify."""

    title: str
    picture: PackageFile
    expected: str | None
    """Whom the person with the largest face is; None: everybody in it is a stranger."""
    edit: Edit = _unchanged

    @property
    def file_name(self) -> str:
        """A name for the annotated picture."""
        return self.title.replace(",", "").replace(" ", "_") + ".jpg"


PERFORMERS = (
    DemoPerformer("Barack Obama", date(1961, 8, 4), _OBAMA_2),
    DemoPerformer("Joe Biden", date(1942, 11, 20), _BIDEN),
    DemoPerformer("Eileen Collins", date(1956, 11, 19), _ASTRONAUT),
    DemoPerformer("Tom Hanks", date(1956, 7, 9), _HANKS),
)

PROBES = (
    DemoProbe("Obama, another photograph", _OBAMA, "Barack Obama"),
    DemoProbe("Obama, whole figure", _OBAMA_3, "Barack Obama"),
    DemoProbe("Obama, right half of the face cut off", _OBAMA_LEFT_HIDDEN, "Barack Obama"),
    DemoProbe("Obama, left half of the face cut off", _OBAMA_RIGHT_HIDDEN, "Barack Obama"),
    DemoProbe("Biden, the enrolled photograph cut in half", _BIDEN, "Joe Biden", _right_of(0.55)),
    DemoProbe("Collins, the enrolled photograph cut in half", _ASTRONAUT, "Eileen Collins", _right_of(0.43)),
    DemoProbe("strangers at a table", _FRIENDS, None),
)


def default_cache() -> Path:
    """Where fetched photographs are kept."""
    return platformdirs.user_cache_path("marquee") / "demo"


def load(
    files: Iterable[PackageFile], cache: Path, *, report: Callable[[str], None] = lambda line: None
) -> dict[PackageFile, bytes]:
    """The bytes of each photograph, from the cache or else from its package, verified either way.

    Raises Unavailable when pip cannot fetch a package, ModelError when what arrives is not what is pinned.
    """
    pictures: dict[PackageFile, bytes] = {}
    for file in files:
        kept = cache / f"{file.sha256[:16]}{Path(file.path).suffix}"
        if not _is_intact(kept, file):
            report(f"fetching {file.package} ({file.package.megabytes} MB)")
            archive = fetch(file.package, cache)
            _extract(archive, [each for each in files if each.package == file.package], cache)
            archive.unlink()
        pictures[file] = kept.read_bytes()
    return pictures


def _extract(archive: Path, files: Iterable[PackageFile], cache: Path) -> None:
    for file in files:
        data = read_file(file, archive)
        with tempfile.NamedTemporaryFile(dir=cache, delete=False) as aside:
            aside.write(data)
        os.replace(aside.name, cache / f"{file.sha256[:16]}{Path(file.path).suffix}")


def _is_intact(kept: Path, file: PackageFile) -> bool:
    return kept.is_file() and hashlib.sha256(kept.read_bytes()).hexdigest() == file.sha256
