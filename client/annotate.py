"""Draws an identification onto its picture: who, how sure, and by which signals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from chassis.geometry import Box
from chassis.images import RGBImage
from client._canvas import (
    Color,
    Style,
    corner_marks,
    enlarged,
    panel,
    rectangle,
    text_width,
    write,
)
from client._legend import Entry, legend
from client.values import Identification, Person, PersonStatus, ReportState, Sighting, Signal

__all__ = ["annotate", "label_lines", "Color", "STATUS_COLORS"]

STATUS_COLORS: dict[PersonStatus, Color] = {
    PersonStatus.IDENTIFIED: (46, 204, 113),
    PersonStatus.UNKNOWN: (255, 159, 28),
    PersonStatus.INSUFFICIENT_SIGNALS: (160, 174, 192),
}
_TATTOO_COLOR: Color = (217, 70, 239)
_OTHER_COLOR: Color = (160, 174, 192)
_LONGEST_NAME = 36


def annotate(pixels: RGBImage, seen: Identification) -> RGBImage:
    """A copy of the picture with boxes, labels and a legend below it.

    pixels: height x width x 3 RGB, upright, the picture that was identified. A picture under 640 pixels is
    enlarged, at most four times, so that labels can be read. The result is RGB too.
    """
    style = Style.for_size(pixels.shape[1], pixels.shape[0])
    canvas = enlarged(pixels, style)
    for person in reversed(seen.people):
        _draw_boxes(canvas, person, style)
    for sighting in seen.unassigned:
        _draw_sighting(canvas, sighting, style)
    _draw_labels(canvas, seen.people, style)
    return np.vstack([canvas, _legend(canvas.shape[1], seen, style)])


def label_lines(person: Person) -> list[str]:
    """What is written at a person: name and score, or the status; then what supports it."""
    best = person.best
    signals = " + ".join(signal.value for signal in Signal if signal in person.signals)
    lines = [person.status.value, signals]
    if best is not None and person.status is PersonStatus.IDENTIFIED:
        lines = [f"{_shortened(best.name)}  {_score(best.score, best.probability)}", signals]
    elif best is not None and best.score > 0 and person.status is PersonStatus.UNKNOWN:
        lines.append(f"nearest: {_shortened(best.name)}  {_score(best.score, best.probability)}")
    return [line for line in lines if line]


def _score(score: float, probability: float | None) -> str:
    """In whole percent, rounded down: what is not reached does not read as reached."""
    return f"{math.floor(probability * 100 + 1e-6)}%" if probability is not None else f"{score:.2f}"


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."


# --- boxes ---


def _draw_boxes(canvas: RGBImage, person: Person, style: Style) -> None:
    color = STATUS_COLORS.get(person.status, _OTHER_COLOR)
    rectangle(canvas, style.drawn(_anchor(person)), color, width=style.line)
    if person.face is not None and person.signals - {Signal.FACE}:
        # A second full box, around the whole person, would hide more than it tells.
        corner_marks(canvas, style.drawn(person.box), color, width=style.line)
    for sighting in person.sightings:
        if sighting.signal is Signal.TATTOO:
            _draw_sighting(canvas, sighting, style)


def _draw_sighting(canvas: RGBImage, sighting: Sighting, style: Style) -> None:
    color = _TATTOO_COLOR if sighting.signal is Signal.TATTOO else _OTHER_COLOR
    rectangle(canvas, style.drawn(sighting.box), color, width=style.line)


def _anchor(person: Person) -> Box:
    """What a person's label belongs to."""
    return person.face.box if person.face else person.box


# --- labels ---


def _draw_labels(canvas: RGBImage, people: Sequence[Person], style: Style) -> None:
    """A panel at each face, where it covers no other label and as little as possible of any face."""
    faces = [style.drawn(person.face.box) for person in people if person.face]
    taken: list[Box] = []
    for person in people:
        lines = label_lines(person)
        spot = _free_spot(style.drawn(_anchor(person)), _label_size(lines, style), canvas, faces, taken)
        taken.append(spot)
        panel(canvas, spot, STATUS_COLORS.get(person.status, _OTHER_COLOR), style)
        _write_lines(canvas, lines, spot, style)


def _write_lines(canvas: RGBImage, lines: Sequence[str], spot: Box, style: Style) -> None:
    y = round(spot.y) + style.pad
    for index, line in enumerate(lines):
        y += style.line_height(is_title=index == 0)
        write(canvas, line, (round(spot.x) + 2 * style.pad, y), style, is_title=index == 0)
        y += style.pad // 2


def _label_size(lines: Sequence[str], style: Style) -> tuple[int, int]:
    widths = [text_width(line, style, is_title=index == 0) for index, line in enumerate(lines)]
    heights = [style.line_height(is_title=index == 0) + style.pad // 2 for index in range(len(lines))]
    return max(widths) + 3 * style.pad, sum(heights) + 2 * style.pad


def _free_spot(
    anchor: Box, size: tuple[int, int], canvas: RGBImage, faces: Sequence[Box], taken: Sequence[Box]
) -> Box:
    """Below, above or beside the anchor, inside the picture; of equally good places the first."""
    width, height = size
    gap = 4
    places = [
        (anchor.x, anchor.bottom + gap),
        (anchor.x, anchor.y - gap - height),
        (anchor.right - width, anchor.bottom + gap),
        (anchor.right - width, anchor.y - gap - height),
        (anchor.right + gap, anchor.y),
        (anchor.x - gap - width, anchor.y),
        (anchor.x, anchor.bottom + 2 * gap + height),
    ]
    boxes = [_inside(Box(x, y, width, height), canvas) for x, y in places]
    return min(boxes, key=lambda box: (_covered(box, taken), _covered(box, faces)))


def _covered(box: Box, others: Sequence[Box]) -> float:
    return sum(box.intersection(other).area for other in others)


def _inside(box: Box, canvas: RGBImage) -> Box:
    height, width = canvas.shape[:2]
    x = min(max(0.0, box.x), max(0.0, width - box.width))
    y = min(max(0.0, box.y), max(0.0, height - box.height))
    return Box(x, y, min(box.width, width), min(box.height, height))


# --- legend ---


def _legend(width: int, seen: Identification, style: Style) -> RGBImage:
    """Rows below the picture: the colours in use, and what each signal had to say."""
    return legend([*_legend_colors(seen), *_legend_signals(seen)], width, style)


def _legend_colors(seen: Identification) -> list[Entry]:
    statuses = [status for status in STATUS_COLORS if any(p.status is status for p in seen.people)]
    entries: list[Entry] = [(STATUS_COLORS[status], status.value) for status in statuses]
    sightings = [*seen.unassigned, *(s for person in seen.people for s in person.sightings)]
    if any(sighting.signal is Signal.TATTOO for sighting in sightings):
        entries.append((_TATTOO_COLOR, "tattoo"))
    if any(sighting.signal is Signal.FACE for sighting in seen.unassigned):
        entries.append((_OTHER_COLOR, "drawn face"))
    return entries or [(None, "nobody visible")]


def _legend_signals(seen: Identification) -> list[Entry]:
    return [(None, f"{signal.value}: {_report(seen, signal)}") for signal in Signal if signal in seen.reports]


def _report(seen: Identification, signal: Signal) -> str:
    report = seen.reports[signal]
    return f"{report.observations} seen" if report.state is ReportState.OK else report.state.value
