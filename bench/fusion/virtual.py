"""Virtual performers, and what a picture of one says of everybody whom a search would propose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.fusion.bodies import Bodies
from bench.fusion.faces import Faces
from bench.fusion.known import Known
from bench.fusion.nuisances import CLEAR
from bench.fusion.slices import Slice
from bench.fusion.tattoos import Shown, Tattoos
from chassis.signal.operating_point import OperatingPoint
from chassis.signal.tail import Tail, fit_tail
from gateway.fusion.assumed import LEAST_FULL_VIEWS
from services.tattoo.config import TattooSection
from services.tattoo.verification import verified

__all__ = ["BodySeen", "Crowd", "Probe", "Wardrobe", "best", "dressed", "probes_of"]

_TATTOOED = 0.5
_PROPOSED = 20
_REST = 10.0
_SHARED = 0.2
_POISONED = 0.05


@dataclass(frozen=True, slots=True)
class BodySeen:
    """What a candidate's proportions say."""

    llr: float
    difference: float
    is_compatible: bool
    full_views: int = 0
    """Enrolled of the candidate."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One person in a picture: of each signal that saw something, similarity by candidate whom it knows.

    Performers are z0, z1 ..., synthetic ones f, t and b: where nothing tells them apart, ties go to these.
    """

    owner: int
    is_stranger: bool
    face: Mapping[str, float]
    face_quality: float
    tattoo: Mapping[str, float]
    tattoo_quality: float
    body: Mapping[str, BodySeen]
    wearers: frozenset[str]
    """Candidates of whom a tattoo is enrolled."""
    has_tattoo: bool
    """Whether one is to be seen, found or not."""
    proposed: Sequence[str] = field(default=())
    """Whom the face's or the tattoo's search proposes: 20 each."""
    known: Known | None = None
    """Where tattoos are, since when, and which skin is in view; None: nothing is."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody else: how alike performers are who fill up the gallery, by what spoils the picture."""

    size: int
    """Performers in the gallery."""
    faces: Mapping[bool, Tail]
    """By whether the picture is spoilt."""
    tattoos: Mapping[str, Tail]
    seen: NDArray[np.int64]
    """[pairs, 2]: of others' tattoos, first key points that pair and all that agree."""
    bodies: Mapping[str, NDArray[np.float64]]
    """By what spoils the picture: log ratios of others' bodies, sorted."""

    @classmethod
    def of(
        cls, faces: Sequence[Faces], tattoos: Sequence[Tattoos], bodies: Sequence[Bodies], *, size: int
    ) -> Crowd:
        """As alike as people, designs and mannequins here are to each other."""
        return cls(
            size,
            {
                is_spoilt: fit_tail(
                    np.concatenate([(one.spoilt if is_spoilt else one.clear).impostors for one in faces])
                )
                for is_spoilt in (False, True)
            },
            {
                kind: fit_tail(np.concatenate([one.shown[kind].impostors for one in tattoos]))
                for kind in tattoos[0].shown
            },
            np.concatenate([shown.impostors_seen for one in tattoos for shown in one.shown.values()]),
            {kind: np.sort(np.concatenate([one.others(kind) for one in bodies])) for kind in bodies[0].shown},
        )


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """Who has what, by performer."""

    worn: NDArray[np.int64]
    """Design, minus 1 for none."""
    enrolled: NDArray[np.int64]
    """Design that the gallery knows; another one's where it is poisoned."""
    faces: NDArray[np.int64]
    """Whose photograph is enrolled."""
    bodies: NDArray[np.int64]


def dressed(
    rng: np.random.Generator, *, performers: int, designs: int, bodies: int, is_poisoned: bool = False
) -> Wardrobe:
    """Half of the performers wear a design, or as many as there are designs; a fifth of these share one.

    Shared designs are drawn by Zipf's law. Poisoned, a twentieth of faces' and of tattoos' rows is wrong.
    """
    weights = 1 / (np.arange(designs) + _REST)
    shared = rng.choice(designs, performers, p=weights / weights.sum())
    worn, own = np.full(performers, -1), np.arange(performers)
    wearers = rng.permutation(performers)[: min(designs, round(performers * _TATTOOED))]
    worn[wearers] = rng.permutation(designs)[: len(wearers)]
    worn = np.where((worn >= 0) & (rng.random(performers) < _SHARED), shared, worn)
    wrong = rng.random((2, performers)) < (_POISONED if is_poisoned else 0.0)
    return Wardrobe(
        worn=worn,
        enrolled=np.where(wrong[0] & (worn >= 0), rng.permutation(shared), worn),
        faces=np.where(wrong[1], rng.permutation(own), own),
        bodies=rng.integers(bodies, size=performers),
    )


def probes_of(
    faces: Faces,
    tattoos: Tattoos,
    bodies: Bodies,
    crowd: Crowd,
    wardrobe: Wardrobe,
    kind: Slice,
    *,
    point: OperatingPoint,
    rng: np.random.Generator,
) -> Iterator[Probe]:
    """One picture of each probe of the faces that the slice can have.

    Performers of slices with a tattoo are those who wear one, else those who wear none; strangers wear one
    that no performer has. The gallery is filled up with synthetic performers, half of them tattooed, of whom
    a picture meets the most alike ones. point: of the tattoo's embedder.
    """
    drawing = _Drawing(faces, tattoos, bodies, crowd, wardrobe, kind, point, rng)
    for index, owner in enumerate(faces.owners):
        is_stranger = bool(owner >= len(faces.performers))
        if kind.is_for_all or is_stranger or kind.has_tattoo == bool(wardrobe.worn[owner] >= 0):
            yield drawing.probe(index, int(owner), is_stranger)


@dataclass(frozen=True, slots=True)
class _Drawing:
    faces: Faces
    tattoos: Tattoos
    bodies: Bodies
    crowd: Crowd
    wardrobe: Wardrobe
    kind: Slice
    point: OperatingPoint
    rng: np.random.Generator

    def probe(self, index: int, owner: int, is_stranger: bool) -> Probe:
        compared = self.faces.spoilt if self.kind.is_spoilt else self.faces.clear
        face = self._face(compared.similarities[index])
        worn = -1 if is_stranger else int(self.wardrobe.worn[owner])
        has_tattoo = self.kind.has_tattoo and (is_stranger or worn >= 0)
        spoilt = self.faces.kinds[index] if self.kind.is_spoilt else CLEAR
        shown = self.tattoos.shown[spoilt]
        view = self._view(-1 if self.kind.is_outdated else worn) if has_tattoo else None
        tattoo: dict[str, float] = {}
        if view is not None and shown.is_found[view]:
            tattoo = self._tattoo(
                shown, view, self.faces.kinds[index] if self.kind.is_spoilt else CLEAR, face
            )
        if face:
            tail = self.crowd.faces[self.kind.is_spoilt]
            face |= _ordinary(self.rng, [one for one in tattoo if one not in face], tail)
        everybody = list(face | tattoo) or [f"z{one}" for one in range(len(self.faces.performers))]
        body = self._body(everybody, owner, is_stranger, spoilt) if self.kind.has_body else {}
        if body and not face and not tattoo:
            body |= self._synthetic_bodies(spoilt)
        build = {one: seen.llr for one, seen in body.items()}
        wearers = {f"z{one}" for one in np.flatnonzero(self.wardrobe.enrolled >= 0)}
        wearers |= {one for one in everybody if one[0] != "z" and (one in tattoo or self._is_half())}
        return Probe(
            owner=owner,
            is_stranger=is_stranger,
            face=face,
            face_quality=float(compared.qualities[index]) if face else 0.0,
            tattoo=tattoo,
            tattoo_quality=float(shown.qualities[view]) if tattoo else 0.0,
            body=body,
            wearers=frozenset(wearers),
            has_tattoo=has_tattoo,
            proposed=sorted({*best(face), *best(tattoo)} or best(build)),
        )

    def _is_half(self) -> bool:
        return bool(self.rng.random() < _TATTOOED)

    def _face(self, similarities: NDArray[np.float64]) -> dict[str, float]:
        if not self.kind.has_face or not np.isfinite(similarities).any():
            return {}
        told = similarities[self.wardrobe.faces]
        face = {f"z{one}": float(value) for one, value in enumerate(told) if np.isfinite(value)}
        count = self.crowd.size - len(self.faces.performers)
        return face | _synthetic(self.rng, self.crowd.faces[self.kind.is_spoilt], count, "f")

    def _tattoo(self, shown: Shown, view: int, spoilt: str, face: Mapping[str, float]) -> dict[str, float]:
        enrolled = self.wardrobe.enrolled
        row = {f"z{one}": design for one, design in enumerate(enrolled) if design >= 0}
        told = {one: float(shown.similarities[view][design]) for one, design in row.items()}
        tail, count = self.crowd.tattoos[spoilt], int((self.crowd.size - len(enrolled)) * _TATTOOED)
        told |= _synthetic(self.rng, tail, count, "t", most=TattooSection().screen_candidates)
        # Of those whom the face proposes, half are tattooed.
        told |= _ordinary(self.rng, [one for one in face if one[0] == "f" and self._is_half()], tail)
        others = self.rng.choice(self.crowd.seen, len(told))
        seen = {
            one: (int(shown.paired[view][row[one]]), int(shown.agreeing[view][row[one]]))
            if one in row
            else (int(other[0]), int(other[1]))
            for one, other in zip(told, others, strict=True)
        }
        observed = _compared(told, seen)
        proposed = {*best(verified(told, observed, self.point)), *best(face)}
        scored = _compared({one: value for one, value in told.items() if one in proposed}, seen)
        counted = verified(told, observed | scored, self.point)
        return {one: value for one, value in counted.items() if one[0] != "t" or one in proposed}

    def _view(self, design: int) -> int:
        """Another view of a design; minus 1: of one that no performer wears."""
        worn = self.tattoos.worn
        return int(
            self.rng.choice(np.flatnonzero(worn == design if design >= 0 else worn >= self.tattoos.designs))
        )

    def _body(
        self, candidates: Sequence[str], owner: int, is_stranger: bool, spoilt: str
    ) -> dict[str, BodySeen]:
        """The owner's own mannequin from another side, spoilt as the rest, against theirs."""
        bodies, people, shown = self.wardrobe.bodies, self.bodies.people, self.bodies.shown[spoilt]
        mannequin = int(self.rng.integers(people)) if is_stranger else int(bodies[owner])
        view = int(self.rng.choice(self.bodies.views_of(mannequin, spoilt)))
        if not shown.is_seen[view]:
            return {}
        seen = {}
        for one in candidates:
            other = int(bodies[int(one[1:])]) if one[0] == "z" else int(self.rng.integers(people))
            seen[one] = BodySeen(
                float(shown.llrs[view, other]),
                float(shown.differences[view, other]),
                bool(shown.is_compatible[view, other]),
                int(self.bodies.full_views[other]),
            )
        return seen

    def _synthetic_bodies(self, spoilt: str) -> dict[str, BodySeen]:
        """The most alike of the rest of the gallery, by what others' ratios are here; all fully enrolled."""
        told, count = self.crowd.bodies[spoilt], self.crowd.size - len(self.faces.performers)
        above = np.cumsum(self.rng.exponential(size=_PROPOSED)) / max(count, 1)
        best = np.quantile(told, np.clip(1 - above, 0, 1))
        return {f"b{n}": BodySeen(float(llr), 0.0, True, LEAST_FULL_VIEWS) for n, llr in enumerate(best)}


def _compared(told: Mapping[str, float], seen: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Agreeing key points with those whom the service compares: of the most alike, who pair most."""
    settings = TattooSection()
    alike = sorted(told, key=lambda one: (-told[one], one))[: settings.screen_candidates]
    best = sorted(alike, key=lambda one: -seen[one][0])[: settings.verify_candidates]
    return {one: seen[one][1] for one in best}


def _synthetic(
    rng: np.random.Generator, tail: Tail, count: int, prefix: str, *, most: int = _PROPOSED
) -> dict[str, float]:
    """The `most` most alike of `count` others: uniform order statistics, by sums of exponentials."""
    most = min(most, max(0, count))
    above = np.cumsum(rng.exponential(size=most)) / max(count, 1)
    return {f"{prefix}{n}": float(v) for n, v in enumerate(tail.value_at(np.minimum(above, 1.0)))}


def _ordinary(rng: np.random.Generator, names: Sequence[str], tail: Tail) -> dict[str, float]:
    """Similarities of others whom the other signal proposes: nothing special."""
    values = tail.value_at(rng.uniform(1e-9, 1, len(names))) if names else ()
    return dict(zip(names, map(float, values), strict=True))


def best(similarities: Mapping[str, float]) -> list[str]:
    """Whom a search proposes: the most alike."""
    return sorted(similarities, key=lambda one: (-similarities[one], one))[:_PROPOSED]
