"""What camera, editing and compression do to a picture."""

from __future__ import annotations

import io

import cv2
import numpy as np

from trainer.studio.arrays import Bytes, Floats
from trainer.studio.colours import to_display

__all__ = ["expose", "grade", "compress", "as_video_frame"]

Facts = dict[str, float | str]


def expose(rng: np.random.Generator, light: Floats, *, irradiance: float) -> Floats:
    """Linear light (h, w, 3) to display values 0..1, as a camera would that meters the person.

    `irradiance` is the mean light on the person, linear.
    """
    gain = 0.72 / max(irradiance, 1e-3) * np.exp(rng.normal(0, 0.25))
    balance = np.exp(rng.normal(0, 0.05, 3))
    exposed = light * (gain * balance).astype(np.float32)
    # A soft shoulder: highlights roll off as film and phones do.
    shoulder = np.where(exposed > 0.75, 0.75 + 0.25 * np.tanh((exposed - 0.75) / 0.25), exposed)
    return to_display(shoulder)


def grade(rng: np.random.Generator, picture: Floats, facts: Facts) -> Floats:
    """Contrast, colour, blur, sharpening and noise; notes in `facts` what was done."""
    graded: Floats = (picture - 0.5) * rng.uniform(0.85, 1.25) + 0.5 + rng.normal(0, 0.025)
    grey = graded.mean(axis=2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.06 else float(rng.uniform(0.75, 1.25))
    graded = grey + (graded - grey) * saturation
    facts["saturation"] = round(saturation, 3)
    if rng.random() < 0.3:
        graded = graded * _vignette(rng, *picture.shape[:2])
    if rng.random() < 0.12:
        # Smoothed skin, as phones and studios like it.
        graded = np.asarray(cv2.bilateralFilter(np.asarray(graded, np.float32), 7, 0.08, 4), np.float32)
        facts["smoothed"] = 1.0
    graded = _blurred(rng, np.asarray(graded, np.float32), facts)
    if rng.random() < 0.3:
        graded = graded + (graded - cv2.GaussianBlur(graded, (0, 0), 1.2)) * np.float32(rng.uniform(0.3, 1.0))
    return np.clip(_noisy(rng, graded, facts), 0, 1).astype(np.float32)


def compress(rng: np.random.Generator, picture: Bytes, facts: Facts) -> bytes:
    """A picture (h, w, 3) RGB as JPEG, perhaps after a smaller size or a video codec."""
    choice = rng.random()
    if choice < 0.22:
        picture = as_video_frame(picture, crf=int(rng.integers(20, 38)))
        facts["codec"] = "h264"
    if choice > 0.72:
        picture = _through_smaller(picture, float(rng.uniform(0.4, 0.9)), facts)
    quality = int(
        rng.choice([rng.integers(30, 60), rng.integers(60, 90), rng.integers(88, 97)], p=[0.15, 0.5, 0.35])
    )
    facts["jpeg_quality"] = float(quality)
    done, encoded = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done, "a picture of bytes can always be encoded"
    return encoded.tobytes()


def as_video_frame(picture: Bytes, *, crf: int) -> Bytes:
    """A picture (h, w, 3) after H.264 at that rate factor; an odd last row or column is copied."""
    import av

    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    stored = io.BytesIO()
    with av.open(stored, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    stored.seek(0)
    with av.open(stored) as container:
        decoded = next(container.decode(video=0)).to_ndarray(format="rgb24")
    rest = ((0, picture.shape[0] - height), (0, picture.shape[1] - width), (0, 0))
    return np.asarray(np.pad(decoded, rest, mode="edge"), np.uint8)


def _through_smaller(picture: Bytes, scale: float, facts: Facts) -> Bytes:
    """Down and up again: what a picture looks like that was stored small."""
    facts["stored_scale"] = round(scale, 2)
    height, width = picture.shape[:2]
    small = cv2.resize(
        picture, (max(8, int(width * scale)), max(8, int(height * scale))), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _blurred(rng: np.random.Generator, picture: Floats, facts: Facts) -> Floats:
    choice = rng.random()
    if choice < 0.06:
        length = int(rng.integers(3, 12))
        kernel = np.zeros((length, length), np.float32)
        middle, angle = (length - 1) / 2, rng.uniform(0, np.pi)
        ends = [round(middle + sign * middle * f(angle)) for sign in (-1, 1) for f in (np.cos, np.sin)]
        cv2.line(kernel, (ends[0], ends[1]), (ends[2], ends[3]), 1.0, 1)
        facts["motion_blur"] = float(length)
        return np.asarray(cv2.filter2D(picture, -1, kernel / max(float(kernel.sum()), 1e-6)), np.float32)
    if choice < 0.4:
        sigma = float(rng.uniform(0.3, 1.5))
        facts["blur"] = round(sigma, 2)
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    return picture


def _noisy(rng: np.random.Generator, picture: Floats, facts: Facts) -> Floats:
    """Grain that grows in the shadows, coarser where the camera has smoothed it."""
    level = float(rng.gamma(1.3, 0.008))
    facts["noise"] = round(level, 4)
    height, width = picture.shape[:2]
    scale = float(rng.choice([1.0, 1.6]))
    grain = rng.standard_normal((int(height / scale), int(width / scale), 3), dtype=np.float32)
    grain = np.asarray(cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(picture + grain * level * (1.2 - 0.7 * picture), np.float32)


def _vignette(rng: np.random.Generator, height: int, width: int) -> Floats:
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(1 - rng.uniform(0.1, 0.4) * (rows**2 + columns**2)[..., None] / 2, np.float32)
