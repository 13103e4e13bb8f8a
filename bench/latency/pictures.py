"""The pictures that are timed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chassis.images import cv2, decode
from client.demo.pictures import PROBES, default_cache, load

__all__ = ["DEFAULT_DATA", "TimedPicture", "portraits", "whole_figure"]

DEFAULT_DATA = Path("../shared/data/lfw")
_FULL_HD = (1920, 1080)
_WHOLE_FIGURE = "obama3.jpg"


@dataclass(frozen=True, slots=True)
class TimedPicture:
    """An encoded picture and what to call it."""

    name: str
    data: bytes


def portraits(root: Path, count: int) -> list[TimedPicture]:
    """`count` photographs of 250x250 below root/identities, of different people, in the order of their names.

    Raises FileNotFoundError when they are not there.
    """
    folders = sorted(folder for folder in (root / "identities").iterdir() if folder.is_dir())[:count]
    paths = [sorted(folder.iterdir())[0] for folder in folders]
    return [TimedPicture(path.parent.name, path.read_bytes()) for path in paths]


def whole_figure() -> TimedPicture:
    """A 1920x1080 photograph with one person from head to feet.

    One of the demonstration's, fitted to the height on its own blurred enlargement.
    """
    (file,) = {probe.picture for probe in PROBES if Path(probe.picture.path).name == _WHOLE_FIGURE}
    image = decode(load([file], default_cache())[file])[:, :, ::-1]
    width, height = _FULL_HD
    canvas = cv2.GaussianBlur(cv2.resize(image, (width, height)), (0, 0), 60)
    fitted = round(image.shape[1] * height / image.shape[0])
    left = (width - fitted) // 2
    canvas[:, left : left + fitted] = cv2.resize(image, (fitted, height), interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return TimedPicture("1080p", encoded.tobytes())
