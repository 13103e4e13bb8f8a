"""From what a source says of a tattoo's place, such as `L. thigh/hip`, to body regions. Pure.

A text is read clause by clause. A side belongs to the parts of its clause; across `/`, `and`, `&`, `+` and
`(` it goes on to the next clause without one (`right thigh/hip`), and a side that stands alone belongs to
what is before (`wrist (left)`) or after it (`left and right forearm`). A part with two sides of which none
is named is UNKNOWN, and so is one whose side is the viewer's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from services.tattoo.region_words import PAIRS, SIDED, UNKNOWN, WORDS

__all__ = ["says_clear", "regions_of"]

_SIDES = {"left": ("left",), "right": ("right",), "both": ("left", "right")}
_SIDE_WORDS = {
    "l": "left",
    "lt": "left",
    "lft": "left",
    "r": "right",
    "rt": "right",
    "rgt": "right",
    "each": "both",
}
# Where on a part, which no region tells: `back of neck` is the neck, `side of thigh` the thigh.
_WITHIN = re.compile(
    r"\b(?:back|front|side|inside|outside|top|bottom|base|nape|left side|right side) of"
    r"(?! (?:(?:the|his|her|their) )?(?:torso|body)\b)"
)
_CLAUSES = re.compile(
    r"\s*(?P<strong>[,;:)\]\n|]|\.\s| - |\bplus\b)\s*|\s*(?P<weak>[/&+(\[]|\band\b|\bto\b)\s*"
)
_ABBREVIATED = re.compile(r"\b([lr]|lt|rt|lft|rgt)\b\.?")
_TOKENS = re.compile(
    r"\b(" + "|".join(sorted((*_SIDES, "each", *WORDS), key=len, reverse=True)) + r")\b", re.IGNORECASE
)
_NOTHING_SAID = frozenset({"n/a", "na", "unknown", "?", "tba", "tbd", "yes"})
_DENIED = re.compile(r"\b(?:no|not|without|none|never)\b")
_REMOVED = re.compile(r"\b(?:removed|lasered|laser removal|henna|temporary)\b")
# Sides of the picture, not of the body: `viewer's left`, `left side of the photo`, `right as seen`.
_OF_THE_PICTURE = re.compile(
    r"\b(?:viewer|stage|camera|screen|picture|image|photo)(?:'s|s)? (?:left|right)\b"
    r"|\b(?:left|right)(?: hand)?(?: side)? of (?:the )?(?:screen|picture|image|photo|frame)\b"
    r"|\b(?:viewer(?:'s|s)? (?:perspective|view|point|side)|as seen|when (?:seen|viewed))\b"
    r"|\bmirror(?:ed| image)\b"
)
_SIDE = re.compile(r"\b(?:left|right)\b")
# upper left arm
_SIDE_WITHIN = re.compile(r"\b(upper|lower) (left|right)\b")
_CLEAR = re.compile(
    r"(?:(?:has |have )?(?:no|without|zero) (?:known |visible )?(?:tattoos?|ink|tats?)|none|none known|"
    r"untattooed|not tattooed|no)"
)


@dataclass(slots=True)
class _Clause:
    """The sides and parts that one clause names, in its order."""

    tokens: list[str]
    follows_weakly: bool
    inherited: tuple[str, ...] = field(default=())

    @property
    def sides(self) -> tuple[str, ...]:
        named = [side for token in self.tokens for side in _SIDES.get(token, ())]
        return tuple(dict.fromkeys(named))

    @property
    def parts(self) -> list[str]:
        return [token for token in self.tokens if token in WORDS]


def says_clear(location: str, description: str = "") -> bool:
    """Whether the words say of the whole body that nothing is there: `None`, `no tattoos`.

    Said of a region only (`no tattoos on arms`), or with anything beside it, it is not.
    """
    texts = [text for text in map(_plain, (location, description)) if text]
    return bool(texts) and all(_CLEAR.fullmatch(text) for text in texts)


def regions_of(location: str, description: str = "") -> frozenset[str]:
    """Regions that the words name, in lower case as the contract has them; {"unknown"} where none is sure.

    The description is read only where there is no location. Nothing, not even "unknown", follows from words
    that say that nothing is there, or not any more.
    """
    text = _plain(location) or _plain(description)
    if not text or says_clear(text) or _REMOVED.search(text):
        return frozenset()
    clauses = _clauses(text)
    _share_sides(clauses)
    found = {region for clause in clauses for region in _regions(clause)}
    if not found and all(_DENIED.search(part) for part in _CLAUSES.split(text) if part and len(part) > 1):
        return frozenset()
    return frozenset(found - {UNKNOWN}) or frozenset({UNKNOWN})


def _plain(text: str) -> str:
    """In lower case, one space between words, sides and places within parts in one form."""
    text = " ".join(text.lower().replace("-", " ").split()).strip(" .")
    text = text.replace("left hand side", "left side").replace("right hand side", "right side")
    text = "" if text in _NOTHING_SAID else _ABBREVIATED.sub(lambda found: f"{_SIDE_WORDS[found[1]]} ", text)
    if _OF_THE_PICTURE.search(text):
        text = _SIDE.sub("", text)
    text = _SIDE_WITHIN.sub(r"\2 \1", " ".join(text.split()))
    return " ".join(_WITHIN.sub(_kept_side, text).split())


def _kept_side(found: re.Match[str]) -> str:
    word = found[0].split()[0]
    return word if word in _SIDES else ""


def _clauses(text: str) -> list[_Clause]:
    clauses, start, is_weak = [], 0, False
    for found in (*_CLAUSES.finditer(text), None):
        end = found.start() if found else len(text)
        words = text[start:end]
        tokens = [] if _DENIED.search(words) else list(_tokens(words))
        clauses.append(_Clause(tokens, is_weak))
        if found:
            start, is_weak = found.end(), found["weak"] is not None
    return [clause for clause in clauses if clause.tokens]


def _tokens(words: str) -> Iterator[str]:
    for found in _TOKENS.finditer(words):
        yield _SIDE_WORDS.get(found[0], found[0])


def _share_sides(clauses: list[_Clause]) -> None:
    """Give clauses without a side the one of a neighbour that it belongs to."""
    for before, clause in pairwise(clauses):
        if not before.parts and clause.follows_weakly:  # left and right forearm
            clause.inherited = (*before.sides, *before.inherited)
        elif not clause.parts and not before.sides:  # wrist (left)
            before.inherited = clause.sides
        elif clause.parts and not clause.sides and clause.follows_weakly:  # right thigh/hip
            clause.inherited = before.sides or before.inherited


def _regions(clause: _Clause) -> Iterator[str]:
    for part, near in _with_sides(clause):
        sides = tuple(dict.fromkeys((*near, *clause.inherited)))
        if not sides and part in PAIRS:
            sides = ("left", "right")
        for region in WORDS[part]:
            if region not in SIDED:
                yield region
            elif sides:
                yield from (f"{side}_{region}" for side in sides)
            else:
                yield UNKNOWN


def _with_sides(clause: _Clause) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each part with the side before it, else the first one of the clause."""
    near: tuple[str, ...] = ()
    first = next((_SIDES[token] for token in clause.tokens if token in _SIDES), ())
    for token in clause.tokens:
        if token in _SIDES:
            near = _SIDES[token]
        else:
            yield token, near or first
