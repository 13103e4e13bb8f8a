"""A gallery of portraits for benchmarks of the whole system."""

from __future__ import annotations

from collections.abc import Sequence

from bench.latency.pictures import TimedPicture
from client.api import Marquee
from client.catalogue import EnrollImage, Performer, PersonChoice

__all__ = ["portrait_images"]


async def portrait_images(marquee: Marquee, people: Sequence[TimedPicture]) -> list[EnrollImage]:
    """One new performer for each portrait, and the portrait to enrol."""
    return [
        EnrollImage(
            key=person.name,
            performer_id=(await marquee.upsert(Performer(name=person.name, adult_attested=True))).id,
            image=person.data,
            choice=PersonChoice.LARGEST_FACE,
        )
        for person in people
    ]
