"""Which of a performer's stored faces are searched: one decision over all of them. Pure.

The decision depends on the stored faces alone, neither on the order in which they came nor on what was
decided before: an enrolment that was interrupted and is repeated ends in the same state, and a face that was
set aside comes back when later faces show that it was right. docs/face.md says what it does on photographs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from chassis.signal.enrolment import Rejection
from chassis.signal.operating_point import OperatingPoint
from services.face.consensus import majority_of, people_among

__all__ = ["JudgedFace", "FaceState", "Verdict", "Decision", "decide", "near_duplicate_similarity"]

_STORED_PER_SEARCHED = 5
# Of the way from the genuine median to 1 that remains between two faces that are nearly the same picture.
_NEARLY_SAME = 0.2
# Decimals of a similarity that count: another machine may add up in another order.
_DECIMALS = 4
# Digits of a picture's hash in a reason.
_DIGITS = 12

_Similarities = NDArray[np.float64]


class FaceState(StrEnum):
    """As the database has it."""

    ACTIVE = "active"
    RESERVE = "reserve"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, eq=False)
class JudgedFace:
    """A stored face as the primary embedder describes it."""

    image_hash: str
    """Which face it is: a picture shows a performer's face once."""
    quality: float
    """0..1."""
    vector: NDArray[np.float32]
    """Of length 1."""
    is_confirmed: bool = False
    """Whether the owner says that it is the performer's."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one face."""

    state: FaceState
    reason: str = ""
    """In words; of an active face only where there is a doubt."""
    cause: Rejection | None = None
    """Why it is not searched; None for an active one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of all faces of a performer, by image hash."""

    verdicts: Mapping[str, Verdict]
    """Of the faces that stay."""
    dropped: Mapping[str, Verdict]
    """Of those that are more than is kept."""


def near_duplicate_similarity(point: OperatingPoint) -> float:
    """Cosine from which two faces are nearly the same picture: four fifths of the way from the genuine median
    to 1.
    """
    return 1 - _NEARLY_SAME * (1 - point.genuine_median)


def decide(faces: Sequence[JudgedFace], point: OperatingPoint, *, most: int) -> Decision:
    """Decide over all faces of one performer, whose image hashes are unique.

    1. Five times `most` faces are kept, the best by quality.
    2. Of faces that are nearly the same the best stands for all; the others are reserve.
    3. Of three faces or more, those that are not of the person whom more than half of them show are
       quarantined; without such a majority none is. What the owner confirms is not, nor what is nearly the
       same.
    4. `most` faces are active: the best one, and then, one after the other, that with the highest sum of
       quality and distance to those chosen. The others are reserve.

    Ties go to the lesser hash.
    """
    ranked = sorted(faces, key=lambda one: (-one.quality, one.image_hash))
    limit = _STORED_PER_SEARCHED * most
    kept = ranked[:limit]
    too_many = Verdict(
        FaceState.RESERVE, f"the performer has {limit} faces of better quality", Rejection.SURPLUS
    )
    return Decision(
        dict(zip([face.image_hash for face in kept], _verdicts(kept, point, most), strict=True)),
        {face.image_hash: too_many for face in ranked[limit:]},
    )


def _verdicts(faces: Sequence[JudgedFace], point: OperatingPoint, most: int) -> list[Verdict]:
    """Of faces by falling quality."""
    if len(faces) < 2:
        return [Verdict(FaceState.ACTIVE)] * len(faces)  # an import has many of them
    similarities = _similarities(faces)
    standing_for = _standing_for(similarities, near_duplicate_similarity(point))
    different = sorted(set(standing_for))
    confirmed = {best for face, best in zip(faces, standing_for, strict=True) if face.is_confirmed}
    judged = _judged(
        [faces[one] for one in different],
        similarities[np.ix_(different, different)],
        point,
        most,
        confirmed=[place for place, one in enumerate(different) if one in confirmed],
    )
    verdicts = dict(zip(different, judged, strict=True))
    return [
        verdicts[best] if best == one else _of_duplicate(verdicts[best], faces[best], similarities[one, best])
        for one, best in enumerate(standing_for)
    ]


def _similarities(faces: Sequence[JudgedFace]) -> _Similarities:
    vectors = np.stack([face.vector for face in faces]).astype(np.float64)
    # Without BLAS, whose threads cost more than they save here, and which adds up in an order of its own.
    similarities: _Similarities = np.einsum("id,jd->ij", vectors, vectors)
    return np.round(similarities, _DECIMALS)


def _standing_for(similarities: _Similarities, least: float) -> list[int]:
    """For each face, by falling quality, the one that stands for it: a better one nearly the same, or it."""
    is_chosen = np.zeros(len(similarities), np.bool_)
    standing: list[int] = []
    for one, row in enumerate(similarities):
        nearest = int(np.where(is_chosen, row, -np.inf).argmax())
        if not is_chosen[nearest] or row[nearest] < least:
            is_chosen[one] = True
            nearest = one
        standing.append(nearest)
    return standing


def _of_duplicate(verdict: Verdict, best: JudgedFace, similarity: float) -> Verdict:
    """A stranger twice is a stranger; otherwise it adds nothing to what stands for it."""
    if verdict.state is FaceState.QUARANTINED:
        return verdict
    reason = (
        f"nearly the same as a better one (similarity {similarity:.3f}, image {best.image_hash[:_DIGITS]})"
    )
    return Verdict(FaceState.RESERVE, reason, Rejection.NEAR_DUPLICATE)


def _judged(
    faces: Sequence[JudgedFace],
    similarities: _Similarities,
    point: OperatingPoint,
    most: int,
    *,
    confirmed: Sequence[int],
) -> list[Verdict]:
    """Of different faces, by falling quality; `confirmed`: rows that are the performer's in any case."""
    groups = people_among(point.position(similarities))
    majority = majority_of(groups)
    theirs = sorted({*(majority or range(len(faces))), *confirmed})
    verdicts = dict.fromkeys(theirs, _surplus(most))
    for one in set(range(len(faces))) - set(theirs):
        verdicts[one] = _stranger(similarities[one, list(majority or theirs)], point)
    doubt = _doubt(groups) if majority is None and len(groups) > 1 else ""
    qualities = [faces[one].quality for one in theirs]
    for chosen in _chosen(qualities, similarities[np.ix_(theirs, theirs)], point, most):
        verdicts[theirs[chosen]] = Verdict(FaceState.ACTIVE, doubt)
    return [verdicts[one] for one in range(len(faces))]


def _chosen(
    qualities: Sequence[float], similarities: _Similarities, point: OperatingPoint, most: int
) -> list[int]:
    """Rows of at most `most` faces, good and different; a distance is 0 for equal faces, 1 for strangers."""
    if len(qualities) <= most:
        return list(range(len(qualities)))
    distances = np.clip((1 - similarities) / (1 - point.impostor_p99), 0, 1)
    worth = np.array(qualities)
    nearest = np.ones(len(worth))
    chosen: list[int] = []
    while len(chosen) < most:
        value = worth + nearest
        value[chosen] = -np.inf
        chosen.append(int(value.argmax()))
        nearest = np.minimum(nearest, distances[chosen[-1]])
    return chosen


def _stranger(similarities: NDArray[np.float64], point: OperatingPoint) -> Verdict:
    reason = (
        f"seems to be somebody else: its mean similarity to the {len(similarities)} faces that agree with "
        f"each other is {similarities.mean():.2f}, and strangers reach {point.impostor_p99:.2f}"
    )
    return Verdict(FaceState.QUARANTINED, reason, Rejection.OUTLIER)


def _surplus(most: int) -> Verdict:
    reason = f"the performer has {most} faces that are better or show more"
    return Verdict(FaceState.RESERVE, reason, Rejection.SURPLUS)


def _doubt(groups: Sequence[Sequence[int]]) -> str:
    sizes = ", ".join(str(len(group)) for group in groups)
    return f"the performer's faces seem to be of different people ({sizes} faces), and none has the majority"
