"""A contact sheet: a few composites with the answers drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from bench.composites.asking import Asked, Setting
from bench.composites.composing import Pixels
from bench.composites.probing import Kind
from client.annotate import annotate

__all__ = ["write_sheet"]

_HEIGHT = 640
_TITLE = 32
_OF_A_KIND = 4


def write_sheet(path: Path, asked: Sequence[Asked]) -> None:
    """A row for each kind, its pictures as BAYESIAN answered; PNG."""
    rows = [
        _row(kind, of_kind)
        for kind in Kind
        if (of_kind := _some([one for one in asked if one.probe.kind is kind]))
    ]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(padded)[..., ::-1])


def _some(asked: Sequence[Asked]) -> Sequence[Asked]:
    """From all over."""
    places = np.linspace(0, len(asked) - 1, min(_OF_A_KIND, len(asked))).astype(int)
    return [asked[one] for one in places]


def _row(kind: Kind, asked: Iterable[Asked]) -> Pixels:
    tiles = np.hstack([_tile(one) for one in asked])
    title = np.zeros((_TITLE, tiles.shape[1], 3), np.uint8)
    cv2.putText(title, str(kind), (8, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([title, tiles])


def _tile(asked: Asked) -> Pixels:
    drawn = annotate(asked.composite.pixels, asked.answers[Setting.BAYESIAN])
    width = round(drawn.shape[1] * _HEIGHT / drawn.shape[0])
    return np.asarray(cv2.resize(drawn, (width, _HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
