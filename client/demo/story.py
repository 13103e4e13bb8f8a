"""What the demonstration does: enrol some people, identify other pictures, see what was right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.models.packages import PackageFile
from client.api import Marquee
from client.catalogue import EnrollImage, EnrollReply, Performer, PersonChoice
from client.demo.pictures import PERFORMERS, DemoPerformer, DemoProbe
from client.values import ExternalId, Identification, PersonStatus

__all__ = ["Verdict", "enroll_performers", "identify_probe", "judge"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer was right."""

    probe: DemoProbe
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


async def identify_probe(
    marquee: Marquee, probe: DemoProbe, pictures: Mapping[PackageFile, bytes]
) -> tuple[bytes, Verdict]:
    """Identify one photograph; returns the encoded picture as it was sent, and what came of it."""
    image = probe.edit(pictures[probe.picture])
    return image, judge(probe, await marquee.identify(image))


def judge(probe: DemoProbe, seen: Identification) -> Verdict:
    """Right: the person with the largest face is identified as expected; of strangers, nobody is."""
    named = [candidate.name for person in seen.people if (candidate := person.identified)]
    if probe.expected is None:
        strangers = sum(person.status is PersonStatus.UNKNOWN for person in seen.people)
        words = f"{strangers} unknown, named: {', '.join(named) or 'nobody'}"
        return Verdict(probe, seen, not named and strangers > 0, words)
    first = seen.people[0].identified if seen.people else None
    words = f"{first.name if first else 'nobody'}, expected {probe.expected}"
    return Verdict(probe, seen, first is not None and first.name == probe.expected, words)
