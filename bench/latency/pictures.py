"""The pictures that are timed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chassis.images import cv2, decode

__all__ = ["TimedPicture", "portraits", "full_hd"]

LFW = Path(__file__).parents[2].parent / "shared" / "data" / "lfw" / "identities"
_FULL_HD = (1920, 1080)


@dataclass(frozen=True, slots=True)
class TimedPicture:
    """An encoded picture and what to call it."""

    name: str
    data: bytes


def portraits(count: int) -> list[TimedPicture]:
    """`count` photographs of 250x250, of different people, in the order of their names."""
    paths = [sorted(folder.iterdir())[0] for folder in sorted(LFW.iterdir())[:count]]
    return [TimedPicture(path.parent.name, path.read_bytes()) for path in paths]


def full_hd(portrait: bytes) -> TimedPicture:
    """A 1920x1080 photograph with one person: `portrait`, 1080 pixels high, on its blurred enlargement."""
    image = decode(portrait)[:, :, ::-1]
    width, height = _FULL_HD
    canvas = cv2.GaussianBlur(cv2.resize(image, (width, height)), (0, 0), 60)
    side = cv2.resize(image, (height, height), interpolation=cv2.INTER_CUBIC)
    left = (width - height) // 2
    canvas[:, left : left + height] = side
    encoded = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return TimedPicture("1080p", encoded.tobytes())
