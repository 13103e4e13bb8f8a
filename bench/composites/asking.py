"""Enrols virtual performers and asks Identify, through the client as anybody else."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import cv2

from bench.composites.cast import VirtualPerson
from bench.composites.composing import Composite, Pixels
from bench.composites.probing import ENROLLED_VIEWS, Probe, enrolled_picture, picture_of
from client.catalogue import EnrollImage, EnrollReply, Performer, PersonChoice
from client.values import Identification, Policy, Signal

__all__ = ["Asked", "Enrolled", "Service", "Setting", "ask", "encoded", "enroll"]

_QUALITY = 92
# So that every candidate of whom anything is told comes back.
_CANDIDATES = 100


class Service(Protocol):
    """What is needed of `client.api.Marquee`."""

    async def upsert(self, performer: Performer) -> Performer: ...
    def enroll(self, images: Iterable[EnrollImage]) -> AsyncGenerator[EnrollReply]: ...
    async def identify(
        self,
        image: bytes,
        *,
        max_candidates: int = 10,
        signals: Iterable[Signal] = (),
        policy: Policy = Policy.DEFAULT,
    ) -> Identification: ...


class Setting(StrEnum):
    """How Identify is asked."""

    FACE_ONLY = "face only"
    """BAYESIAN by the face alone."""
    WEIGHTED = "WEIGHTED"
    BAYESIAN = "BAYESIAN"


_SETTINGS: Mapping[Setting, tuple[Policy, tuple[Signal, ...]]] = {
    Setting.BAYESIAN: (Policy.BAYESIAN, ()),
    Setting.WEIGHTED: (Policy.WEIGHTED, ()),
    Setting.FACE_ONLY: (Policy.BAYESIAN, (Signal.FACE,)),
}


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What of somebody is in the gallery."""

    has_face: bool
    has_tattoo: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture and what was answered, by setting."""

    probe: Probe
    composite: Composite
    answers: Mapping[Setting, Identification]
    milliseconds: Mapping[Setting, float]


async def enroll(marquee: Service, person: VirtualPerson, *, seed: int) -> Enrolled:
    """As `marquee enroll` does it: pictures of a performer, until a tattoo is taken of who has one.

    A picture in which no tattoo is found, or not as the person's, is followed by one of another view.
    """
    performer = await marquee.upsert(Performer(name=person.name, adult_attested=True))
    taken: dict[Signal, bool] = {}
    for view in ENROLLED_VIEWS if person.tattoos else ENROLLED_VIEWS[:1]:
        image = EnrollImage(
            key=f"{person.name}/{view}",
            performer_id=performer.id,
            image=encoded(enrolled_picture(person, view, seed=seed).pixels),
            choice=PersonChoice.LARGEST_FACE,
        )
        async for reply in marquee.enroll([image]):
            for signal, outcome in reply.signals.items():
                taken[signal] = taken.get(signal, False) or outcome.accepted > 0
        if taken.get(Signal.TATTOO):
            break
    return Enrolled(taken.get(Signal.FACE, False), taken.get(Signal.TATTOO, False))


async def ask(marquee: Service, probe: Probe, *, seed: int) -> Asked:
    """All settings about one picture, one after the other."""
    composite = picture_of(probe, seed=seed)
    image = encoded(composite.pixels)
    answers, milliseconds = {}, {}
    for setting, (policy, signals) in _SETTINGS.items():
        started = time.perf_counter()
        answers[setting] = await marquee.identify(
            image, max_candidates=_CANDIDATES, signals=signals, policy=policy
        )
        milliseconds[setting] = (time.perf_counter() - started) * 1e3
    return Asked(probe, composite, answers, milliseconds)


def encoded(pixels: Pixels) -> bytes:
    """JPEG of uint8 RGB."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()
