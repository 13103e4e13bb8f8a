"""Rendered mannequins with tattoos and without a visible face: whom the demonstration enrols and asks for.

They come with Marquee; `renders/README.md` says how they were made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib.resources import files

__all__ = ["BIRTH_DATE", "MANNEQUINS", "TATTOO_PROBES", "Mannequin", "TattooProbe", "read_render"]

BIRTH_DATE = date(1990, 1, 1)
"""Of all of them: the studio makes adult bodies only."""


@dataclass(frozen=True, slots=True)
class Mannequin:
    """Somebody to enrol by tattoos alone."""

    name: str
    views: tuple[str, ...]
    """Names of pictures."""


@dataclass(frozen=True, slots=True)
class TattooProbe:
    """A picture to identify by its tattoos."""

    title: str
    view: str
    """Name of the picture."""
    expected: str | None
    """Whom it shows; None: a stranger."""

    @property
    def file_name(self) -> str:
        """A name for the annotated picture."""
        return self.title.replace(",", "").replace(" ", "_") + ".jpg"


MANNEQUINS = (
    Mannequin("Mannequin Alma", ("alma-1.jpg", "alma-2.jpg")),
    Mannequin("Mannequin Bruno", ("bruno-1.jpg", "bruno-2.jpg")),
    Mannequin("Mannequin Cleo", ("cleo-1.jpg", "cleo-2.jpg")),
)

TATTOO_PROBES = (
    TattooProbe("tattoo on the back, no face", "alma-query.jpg", "Mannequin Alma"),
    TattooProbe("tattoo on the leg, no face", "bruno-query.jpg", "Mannequin Bruno"),
    TattooProbe("tattoo on the arm, no face", "cleo-query.jpg", "Mannequin Cleo"),
    TattooProbe("a stranger's tattoo, no face", "stranger.jpg", None),
)


def read_render(name: str) -> bytes:
    """The JPEG."""
    return (files("client.demo") / "renders" / name).read_bytes()
