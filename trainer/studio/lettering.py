"""Words as tattoos: names, mottos, dates, in the fonts that people choose."""

from __future__ import annotations

import numpy as np

from chassis.errors import Unavailable
from trainer.studio.arrays import Floats
from trainer.studio.inking import Design, black, colour
from trainer.studio.sources import FONTS, font_file

__all__ = ["text_design", "text_mask", "invented_words"]

_SYLLABLES = (
    "a", "be", "ca", "da", "el", "en", "fa", "ga", "ha", "is", "jo", "ka", "la", "li", "lo", "ma", "me",
    "mi", "na", "ne", "no", "or", "pa", "ra", "re", "ri", "ro", "sa", "se", "si", "so", "ta", "te", "ti",
    "to", "ul", "va", "ve", "vi", "wa", "xi", "ya", "ze", "lor", "mar", "ther", "wyn", "bel", "dra", "fen",
    "gor", "lys", "mor", "nor", "ral", "sen", "tal", "ver",
)  # fmt: skip
_HEIGHT = 120


def text_design(rng: np.random.Generator) -> Design:
    """One to four lines in one font, mostly black."""
    font, count = str(rng.choice(FONTS)), int(rng.choice([1, 1, 1, 2, 3, 4]))
    lines = [text_mask(invented_words(rng, longest=3 if count > 1 else 2), font) for _ in range(count)]
    width = max(line.shape[1] for line in lines)
    centred = [_padded(line, width) for line in lines]
    mask = np.concatenate(centred, axis=0)
    ink = black(rng) if rng.random() < 0.88 else colour(rng)
    return Design(mask, np.broadcast_to(ink, (*mask.shape, 3)).astype(np.float32))


def invented_words(rng: np.random.Generator, *, longest: int) -> str:
    """One to `longest` words of no language, a year or a Roman date."""
    if rng.random() < 0.14:
        numerals = rng.choice(["I", "V", "X", "XI", "IX", "IV", "MM", "XXI", "MCMXC", "VII"], 3)
        return str(rng.integers(1930, 2030)) if rng.random() < 0.5 else ".".join(numerals)
    words = [
        "".join(rng.choice(_SYLLABLES, int(rng.integers(1, 4)))) for _ in range(rng.integers(1, longest + 1))
    ]
    text = " ".join(words)
    return text.upper() if rng.random() < 0.2 else text.title()


def text_mask(text: str, font: str) -> Floats:
    """Letters (h, w) 0..1. Raises Unavailable without the training packages."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as exc:
        raise Unavailable("letters need the training packages: make train-venv") from exc
    opened = ImageFont.truetype(str(font_file(font)), _HEIGHT)
    left, top, right, bottom = opened.getbbox(text)
    margin = 10
    size = (max(8, int(right - left) + 2 * margin), max(8, int(bottom - top) + 2 * margin))
    picture = Image.new("L", size)
    ImageDraw.Draw(picture).text((margin - left, margin - top), text, font=opened, fill=255)
    return np.asarray(picture, np.float32) / 255


def _padded(line: Floats, width: int) -> Floats:
    spare = width - line.shape[1]
    return np.pad(line, ((0, 0), (spare // 2, spare - spare // 2)))
