"""Where the embedder's similarities of real tattoos lie: the few numbers that photographs are allowed to set.

Drawn pairs cannot set them: photographs of tattoos are all more alike to each other than drawings are, so
that limits taken from drawings would let every stranger's tattoo pass. Three numbers are read off one half of
the people in a folder of photographs, and checked on the other half.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from chassis.geometry import Box
from chassis.images import decode
from services.tattoo.crop import cut
from services.tattoo.embed import averaged, batch_of
from services.tattoo.table import EmbedderRow

__all__ = [
    "GALLERY",
    "Photograph",
    "calibrate",
    "is_for_calibration",
    "operating_point_of",
    "read_photographs",
]

GALLERY = 1000
"""Enrolled tattoos for which the identification threshold is meant."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """One tattoo of a subject, as the embedder describes it: a unit vector [512]."""

    subject: str
    vector: NDArray[np.float32]


def calibrate(model: Path, row: EmbedderRow, folder: Path, card: Path) -> None:
    """Write the operating point measured on half of the subjects into `card`, and print both halves' figures.

    `folder` has `images/SUBJECT_NUMBER.jpg` and `bounding_boxes/SUBJECT_NUMBER.txt` (x1 y1 x2 y2 a line).
    """
    photographs = list(read_photographs(model, row, folder))
    half = [one for one in photographs if is_for_calibration(one.subject)]
    other = [one for one in photographs if not is_for_calibration(one.subject)]
    values = json.loads(card.read_text())
    measured = operating_point_of(half)
    values.update(measured)
    values["provenance"] = f"{len(half)} photographed tattoos: one half of the subjects of {folder.name}"
    card.write_text(json.dumps(values, indent=2) + "\n")
    print(json.dumps({"written": measured, "other half": operating_point_of(other)}, indent=2))


def is_for_calibration(subject: str) -> bool:
    """Whether a subject is of the half that may set numbers; the other half judges them."""
    return int(hashlib.md5(subject.encode()).hexdigest(), 16) // 2 % 2 == 0


def operating_point_of(photographs: Sequence[Photograph]) -> dict[str, float]:
    """Return impostor_p99, genuine_median and identification_confidence.

    The last is the confidence that the best stranger of one probe in a hundred reaches (FPIR 1%) among
    GALLERY enrolled tattoos. So few photographs do not reach that tail: it is taken from a normal
    distribution with the impostors' mean and deviation, and held to 1.
    """
    vectors = np.stack([one.vector for one in photographs]).astype(np.float64)
    subjects = np.array([one.subject for one in photographs])
    similarities, same = vectors @ vectors.T, subjects[:, None] == subjects
    upper = np.triu(np.ones_like(same), 1)
    strangers = similarities[upper & ~same]
    impostor = float(np.quantile(strangers, 0.99))
    genuine = float(np.median(similarities[upper & same]))
    tail = NormalDist(float(strangers.mean()), float(strangers.std())).inv_cdf(1 - 0.01 / GALLERY)
    limit = (tail - impostor) / (genuine - impostor)
    return {
        "impostor_p99": round(impostor, 4),
        "genuine_median": round(genuine, 4),
        "identification_confidence": round(min(1.0, max(0.0, limit)), 4),
    }


def read_photographs(model: Path, row: EmbedderRow, folder: Path) -> Iterator[Photograph]:
    """Yield the largest tattoo of each picture, cropped by its given box and embedded as the service does."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    for path in sorted((folder / "images").iterdir()):
        lines = (folder / "bounding_boxes" / f"{path.stem}.txt").read_text().splitlines()
        boxes = [Box.from_corners(*map(float, line.split())) for line in lines if line.strip()]
        crop = cut(decode(path.read_bytes()), max(boxes, key=lambda box: box.area))
        vectors = session.run(["embedding"], {"input": batch_of(row, [crop])})[0]
        yield Photograph(path.stem.split("_")[0], averaged(vectors[None])[0])
