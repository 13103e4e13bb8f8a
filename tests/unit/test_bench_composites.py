"""Composite pictures: how they are put together, who is asked for, and how answers are judged."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.composites.asking import Asked, Enrolled, Setting, ask, enroll
from bench.composites.bare import compare_bare
from bench.composites.cast import Cast, VirtualPerson, read_cast
from bench.composites.composing import (
    APART,
    OVERLAPPING,
    Composite,
    Figure,
    Ink,
    Pixels,
    Shown,
    compose,
    covered,
)
from bench.composites.figures import figures_by_kind, pairs_of, strangers_named
from bench.composites.judging import Fate, fate_of, judged, named_twice, person_of
from bench.composites.offline import agreement
from bench.composites.printing import print_agreement, print_enrolled, print_kinds, print_pairs
from bench.composites.probing import ENROLLED_VIEWS, PAIRS, Kind, Probe, Role, picture_of, probes_of
from bench.composites.sheet import write_sheet
from bench.faces.dataset import is_for_calibration
from bench.faces.observing import Look, Seen
from bench.fusion.pictured import Pictured
from bench.fusion.policies import shipped_policies
from chassis.geometry import Box
from client.catalogue import EnrollImage, EnrollReply, Performer, Rejection, SignalOutcome
from client.values import Candidate, Evidence, Identification, Person, PersonStatus, Policy, Sighting, Signal
from gateway.fusion.assumed import UNCALIBRATED
from gateway.tattoo_owner import reach_of
from services.face.ensemble import Ensemble
from services.face.quality import QualityFactors
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS
from trainer.drawings.calibration import is_for_calibration as is_fitted_on

_INK = (10, 20, 200)
_DRAWN = Box(15, 15, 60, 100)
_FACE, _TATTOO = Box(243, 100, 114, 114), Box(250, 350, 100, 200)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def grey(side: int = 250) -> Pixels:
    return np.full((side, side, 3), 90, np.uint8)


def pictured_ink() -> Pixels:
    """The tattoo itself, on some skin."""
    pixels = np.full((130, 90, 3), 160, np.uint8)
    pixels[15:115, 15:75] = _INK
    return pixels


def ink() -> Ink:
    return Ink(pictured_ink(), _DRAWN)


# --- composing ---


@pytest.mark.parametrize("seed", range(8))
def test_a_tattoo_is_drawn_where_it_is_said_to_be(seed: int) -> None:
    """Within the reach of the face, whole, and nowhere else."""
    made = compose([Shown(3, grey(), ink())], rng(seed))
    (figure,) = made.figures
    tattoo = figure.tattoo
    assert made.pixels.shape == (800, 600, 3)
    assert figure.owner == 3
    assert tattoo is not None
    assert reach_of(figure.face.scaled(0.85)).intersection(tattoo).area == pytest.approx(tattoo.area)
    assert tattoo.intersection(Box(0, 0, 600, 800)).area == pytest.approx(tattoo.area)
    is_ink = (np.abs(made.pixels - np.array(_INK, float)) < 40).all(axis=-1)
    rows, columns = np.nonzero(is_ink)
    assert Box.from_corners(columns.min(), rows.min(), columns.max(), rows.max()).iou(tattoo) > 0.85


def test_the_same_seed_makes_the_same_picture() -> None:
    """And another one another."""
    people = [Shown(0, grey(), ink())]
    first, again, other = (compose(people, rng(seed)).pixels for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_people_side_by_side_do_not_touch() -> None:
    """Whole pictures next to each other, both tattoos show."""
    made = compose([Shown(0, grey(), ink()), Shown(1, grey(), ink())], rng(), step=APART)
    assert made.pixels.shape[1] == 1200
    assert [one.owner for one in made.figures] == [0, 1]
    assert made.figures[1].face.x - made.figures[0].face.x > 500
    assert all(one.tattoo for one in made.figures)


def test_who_stands_in_front_hides_tattoos() -> None:
    """What is left is a part in front of nobody; of too little of it nothing is said."""
    tattoos = [
        made.figures[0].tattoo
        for seed in range(40)
        for made in [compose([Shown(0, grey(), ink()), Shown(1, grey(), None)], rng(seed), step=OVERLAPPING)]
    ]
    assert any(one is None for one in tattoos)
    widths = [one.width / one.height for one in tattoos if one]
    assert min(widths) < max(widths) - 0.05
    assert min(widths) > 0.55 * max(widths)


def test_a_covered_face_is_gone_and_its_picture_is_not() -> None:
    """The box is grey; the original is as it was."""
    portrait = np.zeros((250, 250, 3), np.uint8)
    hidden = covered(portrait)
    assert (hidden[80:170, 80:170] == 128).all()
    assert not hidden[:60].any()
    assert not portrait.any()


# --- who is asked for ---


def view(name: str) -> Pictured:
    return Pictured(name, _DRAWN, pictured_ink)


@pytest.fixture
def cast(tmp_path: Path) -> Cast:
    """Four performers, two tattooed, and three strangers with one tattoo."""

    def person(number: int, *, is_stranger: bool = False, tattoos: Sequence[Pictured] = ()) -> VirtualPerson:
        files = [tmp_path / f"{number}_{one}.png" for one in range(1 if is_stranger else 3)]
        for file in files:
            cv2.imwrite(str(file), grey())
        return VirtualPerson(number, f"person {number}", is_stranger, files, tattoos)

    views = [[view(f"t{design}/{one}") for one in range(6)] for design in range(2)]
    performers = [person(one, tattoos=views[one // 2] if one % 2 == 0 else ()) for one in range(4)]
    return Cast(
        performers, [person(4 + one, is_stranger=True, tattoos=[view("strange")]) for one in range(3)]
    )


def drawn(cast: Cast, *, performers: int = 6, strangers: int = 3, pairs: int = 6) -> list[Probe]:
    return probes_of(cast, performers=performers, strangers=strangers, pairs=pairs, seed=0)


def test_every_kind_has_its_pictures(cast: Cast) -> None:
    """Performers and strangers of each kind with one person; pairs with two different people."""
    probes = drawn(cast)
    for kind in Kind:
        of = [one for one in probes if one.kind is kind]
        assert len(of) == (6 if kind in PAIRS else 9)
        assert {len(one.roles) for one in of} == {2 if kind in PAIRS else 1}
    assert all(len({role.person.number for role in one.roles}) == len(one.roles) for one in probes)
    beside = {role.person.is_stranger for one in probes if one.kind in PAIRS for role in one.roles}
    assert beside == {False, True}


def test_nothing_enrolled_is_asked_for(cast: Cast) -> None:
    """Neither the photograph nor a view of the tattoo that may be enrolled."""
    for role in [role for probe in drawn(cast, performers=30, pairs=30) for role in probe.roles]:
        if not role.person.is_stranger:
            assert role.portrait != role.person.portraits[0]
            offered = [role.person.tattoos[one] for one in ENROLLED_VIEWS] if role.person.tattoos else []
            assert role.tattoo not in offered


def test_kinds_with_a_tattoo_are_of_the_same_pictures(cast: Cast) -> None:
    """Only the face differs; without a tattoo are those who have none."""
    probes = drawn(cast)
    clear, blurred, hidden = (
        [one for one in probes if one.kind is kind]
        for kind in (Kind.CLEAR_TATTOO, Kind.BLURRED_TATTOO, Kind.COVERED_TATTOO)
    )
    assert [one.roles for one in clear] == [one.roles for one in blurred] == [one.roles for one in hidden]
    pictures = [picture_of(one, seed=0) for one in (clear[0], hidden[0])]
    assert pictures[0].figures == pictures[1].figures
    assert (pictures[0].pixels != pictures[1].pixels).any()
    assert all(one.roles[0].tattoo is None for one in probes if one.kind is Kind.CLEAR)


def test_the_cast_is_of_the_half_that_sets_no_number(tmp_path: Path) -> None:
    """A performer for each tattoo and as many without; strangers wear what nobody of them wears."""
    names = [f"Person_{one}" for one in range(60)]
    for kind, count in (("identities", 3), ("distractors", 1)):
        for name in names:
            folder = tmp_path / "lfw" / kind / f"{kind}_{name}"
            folder.mkdir(parents=True)
            for one in range(count):
                cv2.imwrite(str(folder / f"{one}.jpg"), grey(16))
    for part in ("images", "bounding_boxes"):
        (tmp_path / "bivtatt" / part).mkdir(parents=True)
    for subject in range(40):
        cv2.imwrite(str(tmp_path / "bivtatt" / "images" / f"{subject}_1.png"), grey(40))
        (tmp_path / "bivtatt" / "bounding_boxes" / f"{subject}_1.txt").write_text("5 5 30 30\n")
    cast = read_cast(tmp_path, seed=0)
    assert len(cast.tattooed) == len(cast.plain) > 5
    people = [*cast.performers, *cast.strangers]
    assert [one.number for one in people] == list(range(len(people)))
    assert not any(is_for_calibration(one.name) for one in people)
    worn = {one.tattoos[0].name.partition("_")[0] for one in cast.tattooed}
    strange = {one.tattoos[0].name.partition("_")[0] for one in cast.strangers}
    assert not worn & strange
    assert not any(is_fitted_on(one) for one in worn | strange)


def test_photographs_that_are_not_there_are_named(tmp_path: Path) -> None:
    """Not a benchmark of nothing."""
    with pytest.raises(FileNotFoundError, match="lfw"):
        read_cast(tmp_path, seed=0)


# --- asking ---


class FakeMarquee:
    """Takes tattoos from the second picture on, and sees nobody."""

    def __init__(self) -> None:
        self.offered: list[EnrollImage] = []
        self.asked: list[tuple[Policy, tuple[Signal, ...]]] = []

    async def upsert(self, performer: Performer) -> Performer:
        return replace(performer, id=f"id of {performer.name}")

    async def enroll(self, images: Iterable[EnrollImage]) -> AsyncGenerator[EnrollReply]:
        for image in images:
            self.offered.append(image)
            tattoo = SignalOutcome(1, ()) if len(self.offered) > 1 else SignalOutcome(0, (Rejection.SURPLUS,))
            signals = {Signal.FACE: SignalOutcome(1, ()), Signal.TATTOO: tattoo}
            yield EnrollReply(image.key, True, None, "", signals, "")

    async def identify(
        self,
        image: bytes,
        *,
        max_candidates: int = 10,
        signals: Iterable[Signal] = (),
        policy: Policy = Policy.DEFAULT,
    ) -> Identification:
        del image, max_candidates
        self.asked.append((policy, tuple(signals)))
        return answer()


async def test_another_view_is_offered_until_a_tattoo_is_taken(cast: Cast) -> None:
    """Who has none is enrolled with one picture."""
    marquee = FakeMarquee()
    assert await enroll(marquee, cast.tattooed[0], seed=0) == Enrolled(has_face=True, has_tattoo=True)
    assert len(marquee.offered) == 2
    assert len({one.image for one in marquee.offered}) == 2
    await enroll(marquee, cast.plain[0], seed=0)
    assert [one.performer_id for one in marquee.offered] == ["id of person 0"] * 2 + ["id of person 1"]


async def test_a_picture_is_asked_about_in_every_setting(cast: Cast) -> None:
    """The face alone is asked with the policy that it is compared with."""
    marquee = FakeMarquee()
    asked = await ask(marquee, drawn(cast)[0], seed=0)
    assert set(asked.answers) == set(asked.milliseconds) == set(Setting)
    assert sorted(marquee.asked) == [
        (Policy.BAYESIAN, ()),
        (Policy.BAYESIAN, (Signal.FACE,)),
        (Policy.WEIGHTED, ()),
    ]


# --- judging ---


def person(
    *names: str,
    face: Box | None = _FACE,
    tattoo: Box | None = None,
    score: float = 0.95,
    evidence: tuple[Evidence, ...] = (),
    box: Box = _FACE,
) -> Person:
    sightings = [Sighting(Signal.FACE, face, 0.9, "")] if face else []
    sightings += [Sighting(Signal.TATTOO, tattoo, 0.8, "")] if tattoo else []
    candidates = tuple(
        Candidate(f"id of {name}", name, (), (), score * 0.1**place, score * 0.1**place, evidence)
        for place, name in enumerate(names)
    )
    status = PersonStatus.IDENTIFIED if score >= 0.9 and names else PersonStatus.UNKNOWN
    return Person(box, status, candidates, tuple(sightings), 0.1, (), False, 0.9)


def answer(*people: Person, unassigned: tuple[Sighting, ...] = ()) -> Identification:
    return Identification(600, 800, people, {}, Policy.BAYESIAN, unassigned, 30.0)


def moved(box: Box, by: float) -> Box:
    return replace(box, x=box.x + by)


def figure(owner: int, *, place: float = 0, tattoo: Box | None = _TATTOO) -> Figure:
    return Figure(owner, moved(_FACE, place), moved(tattoo, place) if tattoo else None)


def test_a_face_decides_who_is_meant_then_a_tattoo_then_a_body() -> None:
    """Of several faces in the place the one that fits; a face elsewhere is somebody else."""
    small = person("small", face=Box(290, 150, 20, 20))
    own, inked = person("own"), person("inked", face=None, tattoo=_TATTOO)
    body = person("body", face=None, box=Box(200, 60, 300, 600))
    beside = person("beside", face=moved(_FACE, 400))
    assert person_of(figure(0), answer(beside, small, inked, own)) == own
    assert person_of(figure(0), answer(beside, body, inked)) == inked
    assert person_of(figure(0), answer(beside, body)) == body
    assert person_of(figure(0), answer(beside)) is None


def test_what_becomes_of_a_tattoo() -> None:
    """Its person, the other one, somebody who is not there, nobody, or not found at all."""
    people = [figure(0, tattoo=None), figure(1, place=400)]
    tattoo = people[1].tattoo
    assert tattoo is not None
    mine, theirs = person("mine"), person("theirs", face=people[1].face)
    drawn_face = person("drawn", face=tattoo.scaled(0.5), tattoo=tattoo)
    expected = {
        Fate.OWN: answer(
            mine, replace(theirs, sightings=person(face=people[1].face, tattoo=tattoo).sightings)
        ),
        Fate.OTHER: answer(replace(mine, sightings=person(tattoo=tattoo).sightings), theirs),
        Fate.NOT_THERE: answer(mine, theirs, drawn_face),
        Fate.NOBODY: answer(mine, theirs, unassigned=(Sighting(Signal.TATTOO, tattoo, 0.8, ""),)),
        Fate.MISSED: answer(mine, theirs, unassigned=(Sighting(Signal.TATTOO, _TATTOO, 0.8, ""),)),
    }
    for fate, seen in expected.items():
        found = {one.owner: person_of(one, seen) for one in people}
        assert fate_of(people[1], seen, found) is fate
        assert fate_of(people[0], seen, found) is None


def test_a_performer_named_twice_is_noticed() -> None:
    """Not where the second one is only the most likely one."""
    sure, unsure = person("Ann"), person("Ann", score=0.5)
    assert named_twice(answer(sure, sure))
    assert not named_twice(answer(sure, unsure))


def asked_of(cast: Cast, number: int, kind: Kind, **answers: Identification) -> Asked:
    """One person, shown with a tattoo; answers by setting's name, all alike where one is given."""
    who = [*cast.performers, *cast.strangers][number]
    probe = Probe(kind, number, (Role(who, who.portraits[0], None),))
    composite = Composite(np.full((800, 600, 3), 90, np.uint8), (figure(number),))
    told = {one: answers.get(one.name, answers.get("all", answer())) for one in Setting}
    return Asked(probe, composite, told, dict.fromkeys(Setting, 20.0))


def test_an_answer_is_right_wrong_or_nobody(cast: Cast) -> None:
    """A stranger is never right; somebody who is not seen scores 0."""
    kind = Kind.CLEAR_TATTOO
    right, wrong, strange, unseen = (
        judged(one, Setting.BAYESIAN)[0]
        for one in (
            asked_of(cast, 0, kind, all=answer(person("person 0", "person 1"))),
            asked_of(cast, 0, kind, all=answer(person("person 1", "person 0"))),
            asked_of(cast, 5, kind, all=answer(person("person 5"))),
            asked_of(cast, 0, kind),
        )
    )
    assert (right.is_right, right.is_identified, right.is_wrongly_named) == (True, True, False)
    assert (wrong.is_right, wrong.is_listed, wrong.is_wrongly_named) == (False, True, True)
    assert (strange.is_right, strange.is_identified) == (False, True)
    assert (unseen.is_right, unseen.is_identified, unseen.score) == (False, False, 0.0)
    assert unseen.fate is Fate.MISSED


def told(cast: Cast) -> list[Asked]:
    """BAYESIAN knows two of two performers by their tattoos, the face alone none; strangers are nobody."""
    kind = Kind.BLURRED_TATTOO
    nobody = answer(person("person 3", score=0.1))
    known = [
        asked_of(
            cast, number, kind, FACE_ONLY=nobody, WEIGHTED=nobody,
            BAYESIAN=answer(person(f"person {number}", tattoo=_TATTOO, score=1.0)),
        )
        for number in (0, 2)
    ]  # fmt: skip
    return [*known, *(asked_of(cast, number, kind, all=nobody) for number in (4, 5))]


def test_figures_of_a_kind(cast: Cast) -> None:
    """By setting, with the paired gain, how often the tattoo counts, and strangers apart."""
    kinds = figures_by_kind(told(cast), unknown=0.3, seed=0)
    (kind,) = kinds.values()
    ours, theirs = kind.settings[Setting.BAYESIAN], kind.settings[Setting.FACE_ONLY]
    assert (kind.performers, kind.strangers, kind.counted.value) == (2, 2, 0.5)
    assert (ours.rank1.value, ours.right.value, ours.wrong.value, ours.named.value) == (1, 1, 0, 0)
    assert (theirs.rank1.value, theirs.right.value, theirs.milliseconds) == (0, 0, 20)
    assert ours.brier.value == pytest.approx(0.3 * 0.01)
    assert theirs.brier.value == pytest.approx(0.01)
    assert kind.brier_less.value == pytest.approx(0.7 * -0.01)
    assert kind.brier_less.high <= 0
    assert (kind.rank1_more.low, kind.rank1_more.value) == (1, 1)
    assert sum(one.value for one in kind.fates.values()) == pytest.approx(1)
    assert strangers_named(told(cast), seed=0)[Setting.WEIGHTED].value == 0


def test_tables_and_the_sheet_hold_every_kind(
    cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is missing."""
    print_kinds(figures_by_kind(told(cast), unknown=0.3, seed=0), strangers_named(told(cast), seed=0))
    print_pairs(pairs_of(told(cast)))
    print_enrolled([Enrolled(has_face=True, has_tattoo=False)], tattooed=1)
    assert "blurred face + tattoo" in capsys.readouterr().out
    write_sheet(tmp_path / "sheet.png", [*told(cast), asked_of(cast, 0, Kind.CLEAR, all=answer(person("x")))])
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape[0] == 2 * (640 + 32)


# --- beside bench/fusion ---


def evidence(llr: float) -> tuple[Evidence, ...]:
    """A face as alike as this."""
    return (Evidence(Signal.FACE, llr, 0.5, 1.0, True, 3.0, None, ""),)


def test_the_offline_policies_answer_what_the_product_does(cast: Cast) -> None:
    """By the similarities told, with the shipped calibration; another score is noticed."""
    policies = shipped_policies(gallery=66, unknown=0.3)
    llr = UNCALIBRATED * policies.shipped.face.llr(0.6, 0.9)
    odds = math.exp(llr) * 0.7 / 66 / 0.3
    product = person("Ann", score=odds / (1 + odds), evidence=evidence(0.6))
    same = [asked_of(cast, 0, Kind.CLEAR, all=answer(product))]
    other = [asked_of(cast, 0, Kind.CLEAR, all=answer(person("Ann", score=0.0, evidence=evidence(0.6))))]
    for setting in (Setting.FACE_ONLY, Setting.BAYESIAN):
        agreed = agreement(same, policies)[setting]
        assert (agreed.people, agreed.same_first) == (1, 1)
        assert agreed.most_difference == pytest.approx(0, abs=1e-9)
        assert agreement(other, policies)[setting].most_difference > 0.01
    assert agreement([], policies)[Setting.BAYESIAN].people == 0


def test_bare_photographs_beside_composites(cast: Cast) -> None:
    """Where the same face is as alike, nothing differs; somebody else's is counted."""
    policies = shipped_policies(gallery=66, unknown=0.3)
    rows = tuple(BUILT_IN_ROWS[name] for name in DEFAULT_EMBEDDERS)
    faces = dict(zip([one.name for one in cast.performers], np.eye(128), strict=False))

    def seen(name: str) -> Seen:
        vectors = {row.key: np.resize(faces[name], row.dimension).astype(np.float32) for row in rows}
        return Seen(
            {key: one / np.linalg.norm(one) for key, one in vectors.items()}, QualityFactors(1, 1, 1, 1), 1
        )

    look = Look(Ensemble(rows), {one.portraits[0]: seen(one.name) for one in cast.performers})
    alike = person("person 0", score=0.999, evidence=evidence(1.0))
    other = person("person 0", score=0.999, evidence=evidence(0.2))
    asked = [asked_of(cast, 0, Kind.CLEAR, all=answer(one)) for one in (alike, other)]
    bare = compare_bare([*asked, asked_of(cast, 0, Kind.BLURRED_TATTOO)], cast, look, policies)
    assert (bare.pairs, bare.apart, bare.answers.people, bare.answers.same_first) == (2, 1, 2, 1)
    assert bare.most_similarity == pytest.approx(0.8, abs=0.01)
    print_agreement(agreement(asked, policies), bare)
