"""What the demonstration does: enrol some people, identify other pictures, see what was right.

First real people by photographs, then rendered mannequins without a face, by their tattoos.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from chassis.models.packages import PackageFile
from client.api import Marquee
from client.catalogue import EnrollImage, EnrollReply, Performer, PersonChoice
from client.demo.mannequins import BIRTH_DATE, MANNEQUINS, Mannequin, TattooProbe, read_render
from client.demo.pictures import PERFORMERS, DemoPerformer, DemoProbe
from client.values import ExternalId, Identification, PersonStatus, Signal

__all__ = [
    "Probe",
    "Verdict",
    "enroll_mannequins",
    "enroll_performers",
    "identify_probe",
    "identify_tattooed",
    "judge",
]


class Probe(Protocol):
    """A picture of which it is known whom it shows."""

    @property
    def title(self) -> str:
        """What it is, in words."""

    @property
    def expected(self) -> str | None:
        """Whom the first person is; None: everybody in it is a stranger."""

    @property
    def file_name(self) -> str:
        """A name for the annotated picture."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer was right."""

    probe: Probe
    seen: Identification
    is_right: bool
    words: str
    """What was answered, against what was expected."""


async def enroll_performers(
    marquee: Marquee, pictures: Mapping[PackageFile, bytes]
) -> list[tuple[DemoPerformer, EnrollReply]]:
    """Create the performers and enrol one photograph of each."""
    enrolled = []
    for person in PERFORMERS:
        stored = await marquee.upsert(
            Performer(
                name=person.name,
                birth_date=person.birth_date,
                external_ids=(ExternalId("demo", person.name),),
            )
        )
        image = EnrollImage(
            key=person.name,
            performer_id=stored.id,
            image=pictures[person.picture],
            choice=PersonChoice.LARGEST_FACE,
        )
        enrolled += [(person, reply) async for reply in marquee.enroll([image])]
    return enrolled


async def enroll_mannequins(marquee: Marquee) -> list[tuple[Mannequin, int]]:
    """Create the mannequins and enrol their pictures; with each, how many views of tattoos that gave."""
    enrolled = []
    for one in MANNEQUINS:
        stored = await marquee.upsert(
            Performer(name=one.name, birth_date=BIRTH_DATE, external_ids=(ExternalId("demo", one.name),))
        )
        images = [
            EnrollImage(key=view, performer_id=stored.id, image=read_render(view)) for view in one.views
        ]
        replies = [reply async for reply in marquee.enroll(images)]
        outcomes = [reply.signals.get(Signal.TATTOO) for reply in replies]
        enrolled.append((one, sum(outcome.accepted for outcome in outcomes if outcome is not None)))
    return enrolled


async def identify_tattooed(marquee: Marquee, probe: TattooProbe) -> tuple[bytes, Verdict]:
    """The same as `identify_probe` for a rendered picture, in which no face tells."""
    image = read_render(probe.view)
    return image, judge(probe, await marquee.identify(image))


async def identify_probe(
    marquee: Marquee, probe: DemoProbe, pictures: Mapping[PackageFile, bytes]
) -> tuple[bytes, Verdict]:
    """Identify one photograph; returns the encoded picture as it was sent, and what came of it."""
    image = probe.edit(pictures[probe.picture])
    return image, judge(probe, await marquee.identify(image))


def judge(probe: Probe, seen: Identification) -> Verdict:
    """Right: the first person is identified as expected; of strangers somebody is seen and nobody named."""
    named = [candidate.name for person in seen.people if (candidate := person.identified)]
    if probe.expected is None:
        strangers = sum(person.status is PersonStatus.UNKNOWN for person in seen.people)
        words = f"{strangers} unknown, named: {', '.join(named) or 'nobody'}"
        return Verdict(probe, seen, not named and strangers > 0, words)
    first = seen.people[0].identified if seen.people else None
    words = f"{first.name if first else 'nobody'}, expected {probe.expected}"
    return Verdict(probe, seen, first is not None and first.name == probe.expected, words)
