"""The benchmark of fusion: what virtual performers are made of, and how policies are judged."""

from __future__ import annotations

import datetime
import json
import math
import pickle
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.fusion import discounts
from bench.fusion.bodies import Bodies, BodiesShown
from bench.fusion.drawn import BELIEF, draw_picture
from bench.fusion.faces import Compared, Faces
from bench.fusion.figures import Answers, bins_of, difference, figures_of, joined
from bench.fusion.fitting import body_weight, face_map, tattoo_map
from bench.fusion.heads import OVAL, turned_head, yaw_of
from bench.fusion.known import Known, known_llrs
from bench.fusion.lives import Life, Lives, situated
from bench.fusion.missed import found_in_view, log_scores
from bench.fusion.nuisances import CLEAR, KINDS, NUISANCES, PROFILE, foreshortened, kind_of, turn_of
from bench.fusion.pictured import photographed
from bench.fusion.plots import reliability
from bench.fusion.policies import (
    BAYESIAN,
    FACE_ONLY,
    PRODUCT,
    SHIPPED,
    SHIPPED_FACE,
    WEIGHTED,
    Maps,
    Policies,
)
from bench.fusion.running import (
    NO_ABSENCE,
    NO_DATES,
    PLACEBO,
    Library,
    answers_of,
    cllr_of,
    draw_probes,
)
from bench.fusion.sights import Sight, Sights, read_sights
from bench.fusion.slices import LIBRARY, SLICES, TWO_PEOPLE, Skin, Slice
from bench.fusion.tattoos import Shown, Tattoos
from bench.fusion.virtual import Crowd, Probe, dressed
from bench.regions.placing import Looked
from bench.regions.truth import TruePicture
from chassis.geometry import Box
from chassis.signal.operating_point import OperatingPoint
from gateway.association import PersonInstance
from gateway.circumstances import Circumstances
from gateway.fusing import fuse_bayesian, fuse_weighted
from gateway.fusion.assumed import MISSED
from gateway.fusion.moment import moment_of
from gateway.fusion.tattoos import SeenTattoos
from gateway.known_tattoos import KnownTattoo, TattooFacts
from gateway.observations import BodySeen, RegionView
from gateway.options import IdentifyOptions
from gateway.people import PersonView
from gateway.weighing import weigh
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import identification_pb2 as pb
from tests.fakes.linear_map import linear_map

_PERFORMERS, _STRANGERS, _DESIGNS, _BODIES = 12, 6, 6, 5
_DATED_KINDS = {
    pb.CONTRIBUTION_KIND_TATTOO,
    pb.CONTRIBUTION_KIND_TATTOO_ABSENT,
    pb.CONTRIBUTION_KIND_APPEARANCE,
}
_MAPS = Maps(linear_map(0.3, 30.0, failed=0.01), linear_map(0.3, 20.0, failed=0.1))
_CHEST, _NECK = common_pb2.BODY_REGION_CHEST, common_pb2.BODY_REGION_NECK
_ABDOMEN, _ARM = common_pb2.BODY_REGION_ABDOMEN, common_pb2.BODY_REGION_LEFT_UPPER_ARM
# The neck is covered, whatever is said.
_SIGHTS = Sights(
    (
        Sight({_CHEST: 0.9, _NECK: 0.6}, frozenset({_CHEST})),
        Sight({_ABDOMEN: 0.8}, frozenset({_ABDOMEN, _ARM})),
    ),
    (_CHEST, _NECK, _ABDOMEN, _ARM),
)
_TODAY = datetime.date(2026, 11, 1)
_SKIN = [name for name, kind in SLICES.items() if kind.skin is not None]
_POINT = OperatingPoint(
    impostor_p99=0.3, genuine_median=0.8, identification_confidence=0.5, provenance="a test"
)


def compared(rng: np.random.Generator, owners: NDArray[np.int64], genuine: float) -> Compared:
    similarities = rng.normal(0, 0.1, (len(owners), _PERFORMERS))
    own = owners < _PERFORMERS
    similarities[np.flatnonzero(own), owners[own]] = rng.normal(genuine, 0.05, own.sum())
    return Compared(similarities, np.ones(len(owners)), np.sort(rng.normal(0, 0.1, 5000)))


def faces(seed: int = 0) -> Faces:
    rng = np.random.default_rng(seed)
    owners = np.concatenate([np.repeat(np.arange(_PERFORMERS), 4), _PERFORMERS + np.arange(_STRANGERS)])
    kinds = tuple(str(kind) for kind in rng.choice(list(KINDS), len(owners)))
    names = tuple(f"p{number}" for number in range(_PERFORMERS))
    return Faces(names, owners, compared(rng, owners, 0.8), compared(rng, owners, 0.2), kinds)


def tattoos(seed: int = 1) -> Tattoos:
    rng = np.random.default_rng(seed)
    worn = np.array([*np.repeat(np.arange(_DESIGNS), 2), _DESIGNS, _DESIGNS + 1])
    similarities = rng.normal(0, 0.1, (len(worn), _DESIGNS))
    own = np.flatnonzero(worn < _DESIGNS)
    similarities[own, worn[own]] = 0.7
    agreeing = np.zeros((len(worn), _DESIGNS), np.int64)
    agreeing[own, worn[own]] = 20
    shown = Shown(
        np.ones(len(worn), bool), np.full(len(worn), 0.9), similarities, agreeing, agreeing // 2,
        np.sort(rng.normal(0, 0.1, 2000)), np.zeros((50, 2), np.int64),
    )  # fmt: skip
    return Tattoos(_DESIGNS, worn, dict.fromkeys((CLEAR, *KINDS), shown))


def library(*, gallery: int = 5000) -> Library:
    one, wearing = faces(), tattoos()
    alike = np.eye(_BODIES, dtype=bool)
    body = BodiesShown(np.ones(_BODIES, bool), np.where(alike, 2.0, -2.0), np.where(alike, 0.0, 0.4), alike)
    bodies = Bodies(np.arange(_BODIES), np.array([3, 3, 3, 2, 0]), dict.fromkeys((CLEAR, *KINDS), body))
    return Library(one, wearing, bodies, Crowd.of([one], [wearing], [bodies], size=gallery), _SIGHTS)


def policies(*, gallery: int = 5000) -> Policies:
    return Policies(
        fitted=_MAPS, shipped=_MAPS, face_point=_POINT, tattoo_point=_POINT, gallery=gallery, unknown=0.3
    )


def drawn(name: str, *, seed: int = 0, gallery: int = 5000, draws: int = 1) -> list[Probe]:
    return draw_probes(library(gallery=gallery), SLICES[name], policies(), draws=draws, seed=seed)


@pytest.mark.parametrize("kind", NUISANCES)
def test_a_nuisance_spoils_a_picture_and_comes_again(kind: str) -> None:
    """The same from the same seed, of the same size, not the same picture."""
    pixels = np.random.default_rng(2).integers(0, 256, (80, 60, 3), np.uint8)
    first, second = (NUISANCES[kind](pixels, np.random.default_rng(3)) for _ in range(2))
    assert first.shape == pixels.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)
    assert not np.array_equal(first, pixels)


def test_one_picture_in_six_is_of_somebody_who_is_turned() -> None:
    """The others are spoilt by what spoils them where nobody is; how far is drawn again for each."""
    names = [f"picture {number}" for number in range(3000)]
    kinds = [kind_of(name, 0) for name in names]
    assert all(0.13 < kinds.count(kind) / 3000 < 0.2 for kind in KINDS)
    others = [(name, kind) for name, kind in zip(names, kinds, strict=True) if kind != PROFILE]
    assert all(kind_of(name, 0, tuple(NUISANCES)) == kind for name, kind in others)
    turns = [turn_of(name, 0) for name in names]
    assert 45 <= min(turns) < 46
    assert 79 < max(turns) <= 80
    assert turn_of("picture 7", 0) == turns[7] != turn_of("picture 7", 1)


def test_skin_that_is_turned_is_as_narrow_as_the_cosine() -> None:
    """A dark square is where its new box says, as high as before and half as wide at 60 degrees."""
    picture = np.full((100, 200, 3), 220, np.uint8)
    picture[30:70, 60:120] = 20
    turned, box = foreshortened(picture, Box(60, 30, 60, 40), 60)
    rows, columns = np.nonzero(turned[..., 0] < 120)
    assert turned.shape == picture.shape
    assert (columns.min(), columns.max() + 1) == pytest.approx((75, 105), abs=2)
    assert (rows.min(), rows.max() + 1) == pytest.approx((30, 70), abs=1)
    assert (box.x, box.right, box.y, box.height) == pytest.approx((75, 105, 30, 40))


def head(yaw: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Half an ellipsoid with the mesh's points on it, turned; the picture's left half red, the other blue."""
    rng = np.random.default_rng(4)
    across, down = rng.uniform(-0.9, 0.9, 468), rng.uniform(-0.9, 0.9, 468)
    across = across * np.sqrt(1 - down**2)
    around = np.linspace(-math.pi / 2, 1.5 * math.pi, len(OVAL), endpoint=False)
    across[list(OVAL)], down[list(OVAL)] = np.cos(around), np.sin(around)
    x, z = 40 * across, -45 * np.sqrt(np.maximum(0, 1 - across**2 - down**2))
    angle = math.radians(yaw)
    turned = x * math.cos(angle) - z * math.sin(angle), x * math.sin(angle) + z * math.cos(angle)
    picture = np.full((200, 200, 3), 128, np.uint8)
    cv2.ellipse(picture, (100, 110), (46, 75), 0, 90, 270, (255, 0, 0), -1)
    cv2.ellipse(picture, (100, 110), (46, 75), 0, -90, 90, (0, 0, 255), -1)
    return picture, np.column_stack([100 + turned[0], 110 + 55 * down, turned[1]])


def test_of_a_turned_head_one_side_is_seen() -> None:
    """The one that it turns to the camera, more of it the farther it turns; its front is at the side then."""
    picture, points = head(5)
    shares = []
    for yaw in (45, 60, 80):
        turned = turned_head(picture, points, yaw).astype(int)
        assert turned.shape == picture.shape
        red, blue = (turned[..., 0] - turned[..., 2] > 90), (turned[..., 2] - turned[..., 0] > 90)
        shares.append(blue[90:150].sum() / red[90:150].sum())
        assert np.flatnonzero(red[110] | blue[110]).max() > 130
    assert 0.6 > shares[0] > shares[1] > shares[2]


def test_a_head_turns_to_the_side_that_it_looks_to_and_not_back() -> None:
    """Of one that looks to the other side the other half is seen; who is turned so far already stays."""
    picture, points = head(-20)
    assert yaw_of(points) == pytest.approx(-20, abs=1)
    assert np.array_equal(turned_head(picture, points, 15), picture)
    turned = turned_head(picture, points, 60).astype(int)
    assert (turned[90:150, :, 2] > 200).sum() > 2 * (turned[90:150, :, 0] > 200).sum()


def test_half_of_the_performers_wear_a_design_and_some_share_one() -> None:
    """Most have one of their own; those who share mostly share the first ones."""
    wardrobe = dressed(np.random.default_rng(0), performers=2000, designs=1000, bodies=9)
    assert (wardrobe.worn >= 0).sum() == 1000
    counts = np.bincount(wardrobe.worn[wardrobe.worn >= 0], minlength=1000)
    assert 0.6 < (counts == 1).sum() / 1000 < 0.9
    assert counts[:100].sum() > 1.5 * counts[-100:].sum()
    assert np.array_equal(wardrobe.enrolled, wardrobe.worn)
    assert np.array_equal(wardrobe.faces, np.arange(2000))


def test_of_a_poisoned_gallery_a_twentieth_is_somebody_elses() -> None:
    """Faces and tattoos, each on its own."""
    wardrobe = dressed(np.random.default_rng(0), performers=4000, designs=2000, bodies=9, is_poisoned=True)
    worn = wardrobe.worn >= 0
    assert 0.03 < (wardrobe.enrolled != wardrobe.worn)[worn].mean() < 0.07
    assert 0.03 < (wardrobe.faces != np.arange(4000)).mean() < 0.07


@pytest.mark.parametrize("name", [one for one in SLICES if one not in _SKIN])
def test_a_slice_shows_what_it_says(name: str) -> None:
    """Faces, tattoos and bodies where it has them; who wears one where it shows one; all strangers."""
    probes, kind = drawn(name), SLICES[name]
    assert sum(one.is_stranger for one in probes) == _STRANGERS
    assert any(not one.is_stranger for one in probes)
    assert all(bool(one.face) == kind.has_face and bool(one.body) == kind.has_body for one in probes)
    assert all(bool(one.tattoo) == one.has_tattoo for one in probes)
    if not kind.is_for_all:
        assert all(one.has_tattoo == kind.has_tattoo for one in probes)
    if kind.has_face and not kind.is_poisoned:
        best = [one.face[f"z{one.owner}"] for one in probes if not one.is_stranger]
        assert np.mean(best) == pytest.approx(0.2 if kind.is_spoilt else 0.8, abs=0.05)


def test_a_body_counts_as_it_is_weighed() -> None:
    """By the weight fitted here, for everybody; as it ships, where three full views are enrolled."""
    own = library().bodies
    assert 0 < body_weight(own) <= 1
    probes = drawn("no face, body only")
    for probe in probes:
        for name, seen in probe.body.items():
            assert replace(_MAPS, body_factor=0.5).llr(probe, name) == pytest.approx(0.5 * seen.llr)
            shipped = replace(_MAPS, body_factor=0.9, least_full_views=3).llr(probe, name)
            assert shipped == pytest.approx(0.9 * seen.llr if seen.full_views >= 3 else 0.0)
            assert _MAPS.llr(probe, name) == 0.0
    assert any(
        0 < seen.full_views < 3 for probe in drawn("no face, body only") for seen in probe.body.values()
    )


def test_who_only_has_a_body_is_lost_in_a_large_gallery() -> None:
    """The right one may be proposed, among others who are built alike; nobody is probable."""
    probes = drawn("no face, body only", gallery=100_000)
    assert all(probe.proposed for probe in probes)
    told = answers_of(probes, "no face, body only", policies(gallery=100_000), seed=0)[BAYESIAN]
    assert told.scores.max() < 0.01


def own_region(probe: Probe) -> common_pb2.BodyRegion.ValueType:
    assert probe.known is not None
    return probe.known.facts[f"z{probe.owner}"].tattoos[0].region


@pytest.mark.parametrize("name", _SKIN)
def test_a_picture_of_known_skin_shows_what_its_slice_says(name: str) -> None:
    """Nobody's tattoo, or none of the performer's own that is in view, or only such as can be seen."""
    kind = SLICES[name]
    own = [one for one in drawn(name, draws=4) if not one.is_stranger]
    assert own
    assert all(one.known and one.known.seen.is_searched and one.known.seen.in_view for one in own)
    if kind.skin is Skin.BARE:
        assert not any(one.tattoo or (one.known and f"z{one.owner}" in one.known.facts) for one in own)
    elif kind.skin is Skin.MISSED:
        assert not any(one.tattoo for one in own)
        # No picture shows the arm.
        assert all(own_region(one) in {*(one.known.seen.in_view or ()), _ARM} for one in own if one.known)
    else:
        shown = [one for one in own if one.tattoo]
        assert 0 < len(shown) < len(own)
        assert _NECK not in {own_region(one) for one in shown}
        assert all(len(one.known.seen.regions) == 1 for one in shown if one.known)
    days = {one.known.moment.day is not None for one in own if one.known}
    assert days == {kind.is_dated is not False}


@pytest.mark.parametrize("year_made", [2000, 2030])
def test_a_tattoo_is_seen_only_in_the_years_in_which_it_was_there(year_made: int) -> None:
    """Whatever the detector would have found."""
    kind = SLICES["dated scene"]
    [probe, *_] = [one for one in drawn("spoilt face + tattoo") if not one.is_stranger and one.tattoo]
    life = Life(_CHEST, year_made, 2050, None, None)
    sights = Sights(_SIGHTS.pictures[:1], (_CHEST,))
    lives = Lives([life] * _PERFORMERS, {f"z{probe.owner}": life.facts(f"z{probe.owner}")}, 0.5)
    found = situated(probe, kind, lives, sights, np.random.default_rng(0))
    assert bool(found.tattoo) is (year_made == 2000)


def known(*, is_searched: bool = True, seen: int | None = None) -> Known:
    """Somebody with a chest tattoo since 2015 in view, and one with a neck that is not."""
    day = datetime.date(2020, 1, 1)
    facts = {
        "a": TattooFacts((KnownTattoo("a", _CHEST, datetime.date(2015, 1, 1)),)),
        "b": TattooFacts((KnownTattoo("b", _NECK, datetime.date(2015, 1, 1)),)),
    }
    moment = moment_of(day.replace(year=seen) if seen else None, today=_TODAY)
    return Known(SeenTattoos((), {_CHEST: 0.9}, is_searched), moment, facts)


@pytest.mark.parametrize("year", [None, 2003, 2020])
def test_what_is_absent_counts_as_in_the_product(year: int | None) -> None:
    """The same numbers as `weigh` has of a view with that region, dated and not."""
    of, box = known(seen=year), Box(0, 0, 10, 10)
    body = BodySeen(box, 0.9, 0.9, (), (RegionView(_CHEST, (), 0.9),), None, ())
    view = PersonView(PersonInstance(None, body, ()), (), (_CHEST,), 0.0)
    product = weigh(
        ["a", "b"], view, before=[], scores={},
        circumstances=Circumstances(of.moment, {}, of.facts, None, is_searched=True),
    )  # fmt: skip
    ours = known_llrs(of, ["a", "b"], {}, factor=1.0)
    assert ours == pytest.approx([product.log_odds["a"], product.log_odds["b"]])
    assert ours[0] < -1e-3
    assert ours[1] == pytest.approx(0)
    if year == 2020:
        assert ours[0] == pytest.approx(math.log(1 - 0.9 * (1 - MISSED)))


def test_negative_evidence_and_dates_can_be_left_out() -> None:
    """Without absence nothing speaks against; without dates a tattoo of 2015 is missing in 2003, too."""
    of = known(seen=2003)
    assert known_llrs(of.without_absence(), ["a"], {}, factor=1.0) == pytest.approx([0])
    [dated], [undated] = (known_llrs(one, ["a"], {}, factor=1.0) for one in (of, of.without_dates()))
    assert undated < dated < 0
    answers = answers_of(drawn("undated scene"), "undated scene", policies(), seed=0)
    assert {NO_ABSENCE, NO_DATES} <= set(answers)
    assert PLACEBO not in answers
    bare = answers_of(drawn("none there, clear face"), "none there, clear face", policies(), seed=0)
    assert NO_DATES not in bare


def test_a_missed_tattoo_is_best_taken_for_missed() -> None:
    """The more so, the more probable are the owners of those that are; as it is, nothing changes."""
    kind = Slice(skin=Skin.AS_IT_COMES, has_tattoo=True, is_for_all=True)
    everybody = draw_probes(library(), kind, policies(), draws=6, seed=0)
    found = found_in_view(everybody)
    assert found.tattoos > 30
    assert 0.3 < found.share < 0.9
    assert found.missed == pytest.approx(1 - found.share / found.visibility)
    is_known = [
        one in probe.known.facts
        for probe in everybody
        for one in probe.proposed
        if probe.known and one[0] == "f"
    ]
    assert np.mean(is_known) == pytest.approx(0.5, abs=0.05)
    missed = [one for one in drawn("missed, clear face", draws=2) if not one.is_stranger]
    scores = log_scores(missed, policies(), seed=0)
    assert scores[MISSED].less == scores[MISSED].low == scores[MISSED].high == 0
    assert scores[0.4].mean < scores[0.7].mean < scores[1.0].mean


def test_sights_are_read_from_scenes_of_the_split(tmp_path: Path) -> None:
    """What is said to be in view, what is bare, and where tattoos are; other sets are not looked at."""
    plans = {"one": ("scenes", "test"), "two": ("designs", "test"), "three": ("scenes", "train")}
    for name, (mode, split) in plans.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").write_text(json.dumps({"mode": mode, "split": split}))
    truth = TruePicture(tmp_path, "p", "full", 0.0, "standing", 100, {"CHEST": 90, "NECK": 0}, 0, ())
    looked = [
        Looked(truth, (), frozenset({"CHEST", "NECK"}), 0.0, 1, {"CHEST": 0.9, "NECK": 0.7}),
        Looked(truth, (), frozenset(), 0.0, 0),
    ]
    (tmp_path / "sights").mkdir()
    (tmp_path / "sights" / "one.pickle").write_bytes(pickle.dumps(looked))
    sights = read_sights([tmp_path / name for name in plans], tmp_path, split="test")
    assert sights == Sights((Sight({_CHEST: 0.9, _NECK: 0.7}, frozenset({_CHEST})),), ())


def test_a_tattoo_that_came_later_is_not_the_enrolled_one() -> None:
    """So it is not alike the owner's, where otherwise it is, key points and all."""
    for name, is_alike in (("clear face + tattoo", True), ("out-of-date tattoo", False)):
        told = [one.tattoo[f"z{one.owner}"] for one in drawn(name) if not one.is_stranger]
        assert all((value > 0.8) == is_alike for value in told)


def test_a_larger_gallery_has_more_alike_strangers() -> None:
    """The best of the synthetic similarities rise with their number."""
    small, large = (
        np.mean([max(v for k, v in one.face.items() if k.startswith("f")) for one in found])
        for found in (
            drawn("clear face, no tattoo", gallery=100),
            drawn("clear face, no tattoo", gallery=1_000_000),
        )
    )
    assert large > small + 0.05


def test_policies_agree_where_the_face_is_clear() -> None:
    """Everybody names the owner."""
    for one in drawn("clear face, no tattoo"):
        if not one.is_stranger:
            named = {decide([one])[0].candidates[0] for decide in policies().all().values()}
            assert named == {f"z{one.owner}"}


def test_fusion_finds_by_the_tattoo_whom_a_spoilt_face_does_not() -> None:
    """And says with which probability; face only has nothing to say without a face."""
    decide = policies().all()
    assert set(decide) == {FACE_ONLY, WEIGHTED, PRODUCT, BAYESIAN, SHIPPED_FACE, SHIPPED}
    [probe, *_] = [one for one in drawn("no face + tattoo") if not one.is_stranger]
    assert decide[BAYESIAN]([probe])[0].score > decide[FACE_ONLY]([probe])[0].score
    answers = answers_of(drawn("spoilt face + tattoo", draws=4), "spoilt", policies(), seed=0)
    gained = difference(answers[BAYESIAN], answers[FACE_ONLY], resamples=20, seed=0)
    assert gained.rank1.low > 0
    assert answers[PLACEBO].is_right.sum() < answers[BAYESIAN].is_right.sum()


def test_the_cost_of_all_ratios_falls_with_what_is_seen() -> None:
    """A tattoo beside a spoilt face lowers it; where nothing is seen it is that of saying nothing."""
    spoilt = drawn("spoilt face + tattoo", draws=3)
    face, both = (
        cllr_of(spoilt, _MAPS, with_others=with_others, performers=_PERFORMERS, seed=0)
        for with_others in (False, True)
    )
    assert both < face
    bare = drawn("no face, body only")
    assert cllr_of(bare, _MAPS, with_others=True, performers=_PERFORMERS, seed=0) == pytest.approx(1)


def test_two_people_are_not_the_same_performer() -> None:
    """The second of two pictures of one performer gives way."""
    one, *_ = [each for each in drawn("clear face, no tattoo") if not each.is_stranger]
    alone, (first, second) = policies().all()[FACE_ONLY]([one]), policies().all()[FACE_ONLY]([one, one])
    assert alone[0].score > 0.9
    assert first.score + second.score < 1.1


def test_calibrations_are_fitted_on_the_library() -> None:
    """They speak for what is alike and against what is not; a library of the most alike speaks less for."""
    of = library()
    probes = drawn("clear face + tattoo", draws=8)
    tattoo, face = tattoo_map(probes, of.crowd), face_map(of.faces, of.crowd)
    assert tattoo.llr(0.85, 0.9) > 3 > 0 > tattoo.llr(0.0, 0.9)
    assert face.llr(0.8, 1.0) > 5
    nearest = face_map(of.faces, of.crowd, nearest=0.1)
    assert nearest.llr(0.35, 1.0) == pytest.approx(face.llr(0.35, 1.0) - np.log(10), abs=0.8)


def test_a_whole_run_in_small(tmp_path: Path) -> None:
    """Every slice by every policy: figures within their ranges, and a plot that shows curves."""
    answers = {name: answers_of(drawn(name), name, policies(), seed=0) for name in SLICES}
    assert all(len({len(of.scores) for of in one.values()}) == 1 for one in answers.values())
    for one in answers.values():
        for of in one.values():
            figures = figures_of(of, unknown=0.3, resamples=3, seed=0)
            assert 0 <= figures.rank1.value <= figures.rank5.value <= 1
            assert 0 <= figures.ece.value <= 1
            assert figures.fnir.value <= figures.fnir_strict.value
    assert set(LIBRARY) <= set(SLICES)
    assert sum(LIBRARY.values()) == pytest.approx(1)
    bins = bins_of(answers[TWO_PEOPLE][BAYESIAN], unknown=0.3)
    reliability({"two": {"face only": bins, "BAYESIAN": bins}}, tmp_path / "new" / "plot.png")
    drawing = cv2.imread(str(tmp_path / "new" / "plot.png"))
    assert drawing is not None
    assert len(np.unique(drawing.reshape(-1, 3), axis=0)) > 10


def test_copies_of_photographs_show_the_tattoo_where_they_say(tmp_path: Path) -> None:
    """Turned, smaller and in another light, a black square is in the middle of its box; and comes again."""
    (tmp_path / "images").mkdir()
    (tmp_path / "bounding_boxes").mkdir()
    for subject in range(8):
        picture = np.full((200, 300, 3), 220, np.uint8)
        picture[80:120, 130:170] = 0
        cv2.imwrite(str(tmp_path / "images" / f"{subject}_1.png"), picture)
        (tmp_path / "bounding_boxes" / f"{subject}_1.txt").write_text("130 80 170 120\n")
    halves = [photographed(tmp_path, fitting=is_fitting, seed=0) for is_fitting in (True, False)]
    designs = [of for worn, strange in halves for of in (*worn, *strange)]
    assert len(designs) == 8
    copies = [one for of in designs for one in of[1:]]
    assert copies
    for one in copies:
        pixels, middle = one.load(), one.box.center
        assert pixels[int(middle.y), int(middle.x)].max() < 40
        assert np.array_equal(pixels, one.load())


def answers(rng: np.random.Generator, *, over: float = 0.0) -> Answers:
    """Scores that are right as often as they say, or say more by `over`."""
    scores = rng.uniform(0, 1, 4000)
    is_right = rng.random(4000) < scores
    return Answers(
        np.arange(4000) % 300,
        np.zeros(4000, bool),
        is_right,
        is_right,
        np.clip(scores + over, 0, 1),
        np.ones(4000),
    )


def test_probabilities_that_mean_what_they_say_have_no_calibration_error() -> None:
    """Others have that by which they exaggerate."""
    good = figures_of(answers(np.random.default_rng(0)), unknown=0.0, resamples=20, seed=0)
    bad = figures_of(answers(np.random.default_rng(0), over=0.2), unknown=0.0, resamples=20, seed=0)
    assert good.ece.value < 0.03
    assert bad.ece.value == pytest.approx(0.18, abs=0.04)
    assert bad.brier.value > good.brier.value
    assert good.rank1.low < good.rank1.value < good.rank1.high
    assert good.sure.value == pytest.approx(0.95, abs=0.03)
    assert good.sure_share == pytest.approx(0.1, abs=0.03)
    [*_, last] = bins_of(answers(np.random.default_rng(0)), unknown=0.0)
    assert last.right == pytest.approx(last.score, abs=0.05)


def test_one_stranger_in_a_hundred_may_be_named() -> None:
    """FNIR counts who is not first, or not above what 1% of the strangers reach."""
    none = np.zeros(1000, bool)
    strangers = Answers(np.arange(1000) + 1000, ~none, none, none, np.linspace(0, 1, 1000), np.ones(1000))
    scores = np.concatenate([np.full(60, 0.995), np.full(40, 0.5)])
    right = np.concatenate([np.ones(90, bool), np.zeros(10, bool)])
    ours = Answers(np.arange(100), np.zeros(100, bool), right, right, scores, np.ones(100))
    figures = figures_of(joined([ours, strangers]), unknown=0.3, resamples=5, seed=0)
    assert figures.rank1.value == pytest.approx(0.9)
    assert figures.fnir.value == pytest.approx(0.4)
    assert figures.alarms.value == pytest.approx(0.1, abs=0.01)
    assert (figures.probes, figures.strangers) == (100, 1000)


def test_a_slice_counts_for_its_share() -> None:
    """Whatever the number of its probes."""
    right, wrong = (
        Answers(*(getattr(one, field.name)[:count] for field in fields(Answers)))
        for one, count in ((answers(np.random.default_rng(1)), 4000), (answers(np.random.default_rng(2)), 40))
    )
    heavy = replace(wrong, weights=np.full(40, 100.0))
    both = figures_of(joined([right, heavy]), unknown=0.0, resamples=2, seed=0)
    assert both.rank1.value == pytest.approx((right.is_right.mean() + heavy.is_right.mean()) / 2)


@pytest.mark.parametrize("is_all_known", [False, True])
def test_what_is_timed_is_what_policies_answer(is_all_known: bool) -> None:
    """Everybody is a candidate by both; every kind of evidence counts where everything is known."""
    picture = draw_picture(np.random.default_rng(0), people=1, candidates=12, is_all_known=is_all_known)
    options = IdentifyOptions(max_candidates=20)
    weighted = fuse_weighted(picture.scene, picture.looks, picture.compared, options)
    bayesian, _ = fuse_bayesian(picture.scene, picture.compared, options, BELIEF, picture.circumstances)
    for person in (*weighted, *bayesian):
        assert {one.performer_id for one in person.candidates} == picture.compared.performers.keys()
    kinds = {each.kind for one in bayesian[0].candidates for each in one.contributions}
    assert (kinds >= _DATED_KINDS) is is_all_known


def test_discounts_are_measured_where_both_are_seen() -> None:
    """By every factor and share; a second tattoo that says the same of the owner makes him more probable."""
    factors = discounts.together(library(), policies(), draws=1, seed=0)
    assert all(one.pictures > 0 and 0 < one.mean < 1 for one in factors.values())
    # These maps say too little: with less of it the right answer is less probable.
    assert factors[1.0, 1.0].mean < factors[0.6, 0.6].mean
    shares = discounts.further_tattoos(library(), policies(), draws=2, seed=0)
    assert shares[1.0].pictures == shares[0.0].pictures > 0
    assert shares[1.0].mean < shares[0.0].mean
