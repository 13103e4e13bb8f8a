"""Draws what the probabilities of an answer are made of: stacked bars of odds, a panel for each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chassis.geometry import Box
from chassis.images import RGBImage, cv2
from client._canvas import PANEL, TEXT, Color, Style, text_width, write
from client._legend import Entry, legend
from client.annotate import STATUS_COLORS
from client.explaining import kinds_of, verdict_text
from client.odds import odds_text
from client.rendering import score_text
from client.scene_years import scene_years_text
from client.stacks import Scale, Segment, Stack, scale_of, stacked
from client.values import Candidate, ContributionKind, Identification, Person

__all__ = ["plot", "KIND_COLORS", "WIDTH", "MOST_CANDIDATES"]

KIND_COLORS: dict[ContributionKind, Color] = {
    ContributionKind.PRIOR: (148, 163, 184),
    ContributionKind.HINT: (250, 204, 21),
    ContributionKind.FACE: (96, 165, 250),
    ContributionKind.TATTOO: (217, 70, 239),
    ContributionKind.BODY: (45, 212, 191),
    ContributionKind.TATTOO_ABSENT: (239, 68, 68),
    ContributionKind.APPEARANCE: (251, 146, 60),
    ContributionKind.CAREER: (163, 230, 53),
    ContributionKind.OTHER_PEOPLE: (202, 158, 112),
    ContributionKind.UNSPECIFIED: (107, 114, 128),
}
WIDTH = 1280
"""Pixels of every plot."""
MOST_CANDIDATES = 5
"""Bars of one person."""

_CARD: Color = (27, 36, 54)
_GRID: Color = (49, 61, 84)
_EVEN: Color = (203, 213, 225)
_OTHER_STATUS: Color = (160, 174, 192)

_MARGIN = 24
_STYLE = Style(scale=1.0, text=0.56, line=2, pad=_MARGIN // 2)
_LEGEND = Style(scale=1.0, text=0.5, line=2, pad=_MARGIN // 2)
_SMALL = Style(scale=1.0, text=0.44, line=1, pad=6)
_INDENT = 44
_LEFT, _RIGHT = 350, WIDTH - 150
"""Where bars may be."""
_HEAD, _TOP, _ROW, _AXIS, _GAP = 44, 26, 40, 30, 14
"""Heights in pixels: a panel's title, room above its bars, one candidate, the ticks, between panels."""
_BAR, _DIAMOND = 24, 11
_FRAME = (46, 30)
"""Most pixels of the small frame that shows where a person is: width, height."""

_Bar = tuple[Candidate, Stack]


def plot(seen: Identification, *, title: str) -> RGBImage:
    """The picture, WIDTH pixels wide; all panels have one scale.

    Each bar: a candidate's contributions, those for it to the right of even odds with nobody enrolled, those
    against it to the left; the diamond is their sum, the number at the end the probability.
    """
    bars = [[(each, stacked(each.contributions)) for each in _shown(person)] for person in seen.people]
    scale = scale_of([stack for rows in bars for _, stack in rows], left=_LEFT, right=_RIGHT)
    panels = [
        _panel(_Head(number, person, seen), rows, scale)
        for number, (person, rows) in enumerate(zip(seen.people, bars, strict=True), start=1)
    ]
    return np.vstack([_title(title, seen), _kinds(seen.people), *(panels or [_nobody()])])


def _shown(person: Person) -> Sequence[Candidate]:
    return person.candidates[:MOST_CANDIDATES]


# --- above the panels ---


def _title(title: str, seen: Identification) -> RGBImage:
    strip = _strip(52, PANEL)
    years = scene_years_text(seen.scene_years)
    _write_right(strip, years, (WIDTH - _MARGIN, 38), _STYLE)
    room = WIDTH - 3 * _MARGIN - text_width(years, _STYLE)
    write(strip, _fitted(title, room, _STYLE, is_title=True), (_MARGIN, 38), _STYLE, is_title=True)
    return strip


def _kinds(people: Sequence[Person]) -> RGBImage:
    kinds = kinds_of(each for person in people for each in _shown(person))
    entries: list[Entry] = [(KIND_COLORS[kind], kind.value) for kind in kinds]
    if not kinds:
        return _strip(8, PANEL)
    return np.vstack([legend([*entries, (TEXT, "together")], WIDTH, _LEGEND), _strip(8, PANEL)])


def _nobody() -> RGBImage:
    strip = _strip(_HEAD + _GAP, PANEL)
    write(strip, "nobody is visible", (_MARGIN, 28), _STYLE)
    return strip


# --- one person ---


@dataclass(frozen=True, slots=True)
class _Head:
    """Whose panel it is, of which picture."""

    number: int
    person: Person
    seen: Identification

    @property
    def color(self) -> Color:
        return STATUS_COLORS.get(self.person.status, _OTHER_STATUS)


def _panel(head: _Head, bars: Sequence[_Bar], scale: Scale) -> RGBImage:
    person = head.person
    has_bars = any(stack.segments for _, stack in bars)
    axis = _TOP + _AXIS if has_bars else 0
    strip = _strip(_HEAD + axis + _ROW * max(1, len(bars)) + _GAP, PANEL)
    card = strip[:-_GAP, _MARGIN : WIDTH - _MARGIN]
    card[:] = _CARD
    card[:, :5] = head.color
    _draw_head(strip, head)
    top = _HEAD + (_TOP if has_bars else 0)
    if has_bars:
        _draw_grid(strip, scale, top, top + _ROW * len(bars), person.unknown_probability)
    if not bars:
        seen = " + ".join(sorted(person.signals)) or "nothing"
        write(strip, f"no candidate; seen: {seen}", (_INDENT, top + _ROW // 2 + 6), _STYLE)
    for place, bar in enumerate(bars):
        _draw_row(strip, bar, scale, top + place * _ROW + _ROW // 2, is_first=place == 0)
    return strip


def _draw_head(strip: RGBImage, head: _Head) -> None:
    words = f"person {head.number}: {head.person.status.value}"
    write(strip, words, (_INDENT, 30), _STYLE, is_title=True, color=head.color)
    _write_right(strip, verdict_text(head.person), (WIDTH - _INDENT, 30), _STYLE)
    _draw_whereabouts(strip, head, _INDENT + text_width(words, _STYLE, is_title=True) + 2 * _STYLE.pad)


def _draw_whereabouts(strip: RGBImage, head: _Head, x: int) -> None:
    """The picture as a small frame, and in it where the person is."""
    width, height = max(1, head.seen.width), max(1, head.seen.height)
    scale = min(_FRAME[0] / width, _FRAME[1] / height)
    y = (_HEAD - round(height * scale)) // 2
    box = head.person.box.intersection(Box(0, 0, width, height))
    frame = strip[y : y + max(3, round(height * scale)), x : x + max(3, round(width * scale))]
    frame[:] = _GRID
    left, top = round(box.x * scale), round(box.y * scale)
    frame[top : max(top + 5, round(box.bottom * scale)), left : max(left + 5, round(box.right * scale))] = (
        head.color
    )


def _draw_grid(strip: RGBImage, scale: Scale, top: int, bottom: int, unknown: float | None) -> None:
    for tick in scale.ticks:
        x = scale.x(tick)
        strip[top - 4 : bottom + 4, x] = _GRID
        _write_centered(strip, odds_text(tick), (x, bottom + 22), _SMALL)
    strip[top - 4 : bottom + 4, scale.x(0.0) : scale.x(0.0) + 2] = _EVEN
    words = "nobody enrolled" if unknown is None else f"nobody enrolled {unknown:.1%}"
    _write_centered(strip, words, (scale.x(0.0), top - 11), _SMALL, color=_EVEN)


def _draw_row(strip: RGBImage, bar: _Bar, scale: Scale, middle: int, *, is_first: bool) -> None:
    candidate, stack = bar
    color = TEXT if is_first else None
    name = _fitted(candidate.name, _LEFT - _INDENT - 16, _STYLE)
    write(strip, name, (_INDENT, middle + 7), _STYLE, color=color)
    _write_right(strip, score_text(candidate), (WIDTH - _INDENT, middle + 7), _STYLE, color=color)
    total = scale.x(stack.total)
    for segment in stack.segments:
        _draw_segment(strip, segment, scale, middle, total)
    if stack.segments:
        _draw_diamond(strip, (total, middle))
    else:
        write(strip, "no contributions", (_LEFT, middle + 7), _STYLE)


def _draw_segment(strip: RGBImage, segment: Segment, scale: Scale, middle: int, diamond: int) -> None:
    """A block, one dark pixel from the next one, with its odds where there is room beside the diamond."""
    start, end = sorted((scale.x(segment.start), scale.x(segment.end)))
    strip[middle - _BAR // 2 : middle + _BAR // 2, start : max(end - 1, start + 1)] = KIND_COLORS[
        segment.kind
    ]
    words = odds_text(segment.log_ratio)
    start, end = _clear_part(start, end, diamond)
    if text_width(words, _SMALL) + 10 <= end - start:
        _write_centered(strip, words, ((start + end) // 2, middle + 5), _SMALL, color=PANEL)


def _clear_part(start: int, end: int, diamond: int) -> tuple[int, int]:
    """The wider part of these columns that the diamond leaves free."""
    left = (start, min(end, diamond - _DIAMOND))
    right = (max(start, diamond + _DIAMOND), end)
    return max(left, right, key=lambda part: part[1] - part[0])


def _draw_diamond(strip: RGBImage, at: tuple[int, int]) -> None:
    x, y = at
    for size, color in ((_DIAMOND, PANEL), (_DIAMOND - 3, TEXT)):
        corners = np.array([(x - size, y), (x, y - size), (x + size, y), (x, y + size)], np.int32)
        cv2.fillConvexPoly(strip, corners, color, cv2.LINE_AA)


# --- text ---


def _write_right(
    strip: RGBImage, text: str, end: tuple[int, int], style: Style, *, color: Color | None = None
) -> None:
    write(strip, text, (end[0] - text_width(text, style), end[1]), style, color=color)


def _write_centered(
    strip: RGBImage, text: str, middle: tuple[int, int], style: Style, *, color: Color | None = None
) -> None:
    write(strip, text, (middle[0] - text_width(text, style) // 2, middle[1]), style, color=color)


def _fitted(text: str, width: int, style: Style, *, is_title: bool = False) -> str:
    """The text, or as much of its beginning as fits these pixels, and three dots."""
    if text_width(text, style, is_title=is_title) <= width:
        return text
    kept = text
    while kept and text_width(f"{kept}...", style, is_title=is_title) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}..."


def _strip(height: int, color: Color) -> RGBImage:
    return np.full((height, WIDTH, 3), color, np.uint8)
