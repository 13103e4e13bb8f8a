"""What is true of a rendered picture. One JSON object a picture; docs/studio.md describes the fields."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = [
    "SCHEMA",
    "Box",
    "CameraTruth",
    "GroupTruth",
    "KeyPointTruth",
    "OverlayTruth",
    "PictureTruth",
    "TattooTruth",
]

SCHEMA = 1


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Box(_Fact):
    """Pixels of the picture, from its top left corner; always inside the picture."""

    x: float
    y: float
    w: float
    h: float


class TattooTruth(_Fact):
    """A tattoo of the person in the picture, seen or not."""

    tattoo_id: str
    """The tattoo on this person: the same in all pictures of them."""
    design_id: str
    """The drawing, which several people may have."""
    region: str
    """Of the body, where most of its ink lies: a name of the contract without `BODY_REGION_`."""
    region_shares: dict[str, float]
    """Share of the ink in each region, most first; they sum to 1."""
    size: float
    """Longer side of the design, metres."""
    box: Box | None
    """Around the ink that is seen; None when no ink is."""
    pixels: int
    """Pixels that show its ink."""
    polygon: list[tuple[float, float]]
    """Outline of the largest part that is seen, gaps between strokes included; empty when not seen."""
    visible_fraction: float
    """0..1: ink that is seen over all its ink, by area of skin; what looks away is not seen."""
    facing_fraction: float
    """0..1: share of its ink on skin that looks towards the camera."""
    inside_fraction: float
    """0..1: share of its ink that falls inside the picture's frame."""
    occlusion: float
    """0..1: share of the ink that faces the camera inside the frame but is hidden by something."""
    area_share: float
    """0..1: its area in the picture over the person's."""
    view_angle: float
    """Degrees between the skin's normal at its middle and the way to the camera; over 90 it looks away."""
    contrast: float
    """0..1: mean change that the ink makes to the skin where it is seen; under 0.1 nobody finds it."""


class KeyPointTruth(_Fact):
    """One of the 33 key points of services/body."""

    name: str
    x: float
    y: float
    """Pixels; may be outside the picture."""
    depth: float
    """Metres from the camera; not above 0 behind it."""
    visible: bool
    """Inside the picture and with nothing but its own flesh before it."""


class OverlayTruth(_Fact):
    """Something laid over the picture, which is no tattoo."""

    kind: str
    box: Box
    hides: bool
    """Whether what lies under it cannot be seen."""


class CameraTruth(_Fact):
    """How the picture was taken."""

    shot: str
    yaw: float
    """Degrees around the room: who stands is seen from the front at 0, from their left at 90."""
    pitch: float
    """Degrees, positive looks down."""
    distance: float
    """Metres to the middle of the body."""
    field: float
    """Degrees, along the longer side."""


class PictureTruth(_Fact):
    """All that is known of one picture."""

    schema_version: int
    number: int
    picture: str
    """Path of the picture below the data set's folder."""
    seed: int
    mode: str
    """`scenes` or `designs`."""
    split: str
    width: int
    height: int
    performer_id: str
    pose: str
    light_id: str
    garments: list[str]
    hair: str
    camera: CameraTruth
    body_box: Box | None
    """Around the person, clothes and hair included."""
    body_pixels: int
    skin_pixels: int
    """Of these, bare skin, inked or not."""
    region_pixels: dict[str, int]
    """Pixels of bare skin that are seen of each region of the body."""
    key_points: list[KeyPointTruth]
    body_ratios: dict[str, float]
    """True proportions, as services/body names them, measured between joints in space."""
    tattoos: list[TattooTruth]
    overlays: list[OverlayTruth]
    development: dict[str, float | str]
    """What was done to the picture after it was taken: codec, quality, noise."""


class GroupTruth(_Fact):
    """All that is known of one picture of several people."""

    schema_version: int
    number: int
    picture: str
    """Path of the picture below the data set's folder; beside it, as PNG, who is seen at each pixel."""
    kind: str
    """How they are together: `side by side`, `overlapping`, and so on."""
    people: list[PictureTruth]
    """What is true of each, as if of a picture of one; others may hide them. Numbers in the PNG are places in
    this list."""
