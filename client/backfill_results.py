"""What became of pictures that had to be described again. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from client.pending import PendingImage, Reembedding, ReembedReply
from client.values import Signal

__all__ = ["Outcome", "ImageToRead", "ImageResult", "merged", "answered", "all_of"]


class Outcome(StrEnum):
    """What became of one observation that waited."""

    DESCRIBED = "described"
    MISSED = "missed"
    GONE = "gone"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    REMOTE = "not fetched"
    UNREACHABLE = "unreachable"
    UNANSWERED = "not answered"
    """The signal was away or late, also the second time."""
    SETTLED = "no longer waiting"
    """Described by somebody else or forgotten meanwhile."""

    @property
    def is_left(self) -> bool:
        """Whether the observation stays without a description."""
        return self not in (Outcome.DESCRIBED, Outcome.SETTLED)


@dataclass(frozen=True, slots=True)
class ImageToRead:
    """One picture of one performer; `waiting`: observations by signal."""

    performer_id: str
    image_hash: str
    uri: str
    waiting: Mapping[Signal, int]

    @property
    def key(self) -> str:
        """Unique among the pictures."""
        return f"{self.performer_id}/{self.image_hash}"

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.uri or self.image_hash


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What became of one picture's observations, and why some are left, with its name ("" otherwise)."""

    image: ImageToRead
    outcomes: Mapping[Signal, Counter[Outcome]]
    detail: str

    @property
    def is_done(self) -> bool:
        """Whether nothing of it is left."""
        return not any(outcome.is_left for counts in self.outcomes.values() for outcome in counts)

    def count(self, signal: Signal, outcome: Outcome) -> int:
        """Observations of a signal that this became of."""
        return self.outcomes.get(signal, Counter())[outcome]


def merged(images: Iterable[PendingImage]) -> tuple[ImageToRead, ...]:
    """Each picture of a performer once, whichever signals wait for it, in the order of the list."""
    waiting: dict[tuple[str, str], dict[Signal, int]] = {}
    uris: dict[tuple[str, str], str] = {}
    for image in images:
        identity = (image.performer_id, image.image_hash)
        waiting.setdefault(identity, {})[image.signal] = image.observations
        uris[identity] = uris.get(identity) or image.uri
    return tuple(ImageToRead(*identity, uris[identity], signals) for identity, signals in waiting.items())


def answered(image: ImageToRead, reply: ReembedReply) -> ImageResult:
    """A signal that was listed and is not in the reply waits no longer, unless the whole image is refused."""
    if reply.detail:
        return all_of(image, Outcome.MISSED, f"{image.name}: {reply.detail}")
    outcomes = {signal: Counter({Outcome.SETTLED: count}) for signal, count in image.waiting.items()}
    for signal, one in reply.signals.items():
        outcomes[signal] = _counted(one, image.waiting.get(signal, 1))
    details = dict.fromkeys(one.detail for one in reply.signals.values() if one.detail)
    return ImageResult(image, outcomes, f"{image.name}: {'; '.join(details)}" if details else "")


def _counted(one: Reembedding, waiting: int) -> Counter[Outcome]:
    if one.is_temporary:
        return Counter({Outcome.UNANSWERED: one.missed or waiting})
    return +Counter({Outcome.DESCRIBED: one.described, Outcome.MISSED: one.missed})


def all_of(image: ImageToRead, outcome: Outcome, detail: str) -> ImageResult:
    """The same for everything that waits in a picture."""
    counts = {signal: Counter({outcome: count}) for signal, count in image.waiting.items()}
    return ImageResult(image, counts, detail)
