"""BAYESIAN on real channels and a real database: what is missing, what is out of date, and what is hinted."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from chassis.errors import Unavailable
from gateway.observations import Candidate
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2
from marquee.gateway.v1 import identification_pb2 as pb
from marquee.tattoo.v1 import tattoo_pb2
from tests.fakes.gateway_system import System, open_system, picture
from tests.fakes.postgres import database, postgres_server
from tests.fakes.scenes import body_at, face_at, tattoo_at

__all__ = ["database", "postgres_server"]

_ARM, _CHEST = common_pb2.BODY_REGION_LEFT_FOREARM, common_pb2.BODY_REGION_CHEST


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[System]:
    """A gateway with three signals that see nothing yet."""
    async with open_system(database) as system:
        yield system


async def test_an_absent_tattoo_moves_the_ranking_and_the_scene_date_brings_it_back(system: System) -> None:
    """Anna's face fits a little better, but her arm is bare: it is Bea, unless it was before the tattoo."""
    anna, bea = await _two_alike(system)
    system.tattoo.tattoos[anna] = [_known("sleeve", _ARM, "2018-03-04")]

    person = await _person(system, scene_date="2023-05-06")
    assert [one.performer_id for one in person.candidates] == [bea, anna]
    [absent] = _of(person, anna, pb.CONTRIBUTION_KIND_TATTOO_ABSENT)
    assert absent.log_ratio == pytest.approx(math.log(1 - 0.9 * 0.2))
    assert absent.summary == "left forearm in view, no tattoo: speaks against, 1 : 1.2"
    assert not _of(person, bea, pb.CONTRIBUTION_KIND_TATTOO_ABSENT)
    _check_sums(person)

    before = await _person(system, scene_date="2002-05-06")
    assert [one.performer_id for one in before.candidates] == [anna, bea]
    # Without a date it counts for the years in which she had it.
    [undated] = _of(await _person(system), anna, pb.CONTRIBUTION_KIND_TATTOO_ABSENT)
    assert absent.log_ratio < undated.log_ratio < 0


async def test_absence_is_neutral_where_tattoos_were_not_looked_for(system: System) -> None:
    """Not requested, not answered, not told in time, or the region out of view."""
    anna, _ = await _two_alike(system)
    system.tattoo.tattoos[anna] = [_known("sleeve", _ARM)]

    async def is_neutral(**fields: object) -> bool:
        person = await _person(system, **fields)
        return person.candidates[0].performer_id == anna and not _of(
            person, anna, pb.CONTRIBUTION_KIND_TATTOO_ABSENT
        )

    assert not await is_neutral()
    assert await is_neutral(signals=[common_pb2.SIGNAL_FACE, common_pb2.SIGNAL_BODY])
    for verb in ("Observe", "Lookup"):
        system.tattoo.errors = {verb: Unavailable("gone")}
        assert await is_neutral(), verb
    system.tattoo.errors = {}
    system.tattoo.tattoos[anna][0].first_seen_date = "yesterday"
    assert await is_neutral()
    system.tattoo.tattoos[anna] = [_known("sleeve", _ARM)]
    system.body.seen = []
    assert await is_neutral()


async def test_absence_counts_as_the_calibration_of_tattoos_weighs(system: System) -> None:
    """Also where none is seen, so that nothing is scored: nothing where a test showed that tattoos hurt."""
    anna, _ = await _two_alike(system)
    system.tattoo.tattoos[anna] = [_known("sleeve", _ARM)]
    found = []
    for weight in (1.0, 0.5, 0.0):
        system.tattoo.calibration.in_use = common_pb2.CalibrationInUse(is_of_this_library=True, weight=weight)
        found.append(_of(await _person(system), anna, pb.CONTRIBUTION_KIND_TATTOO_ABSENT))
    assert [[one.log_ratio for one in of_weight] for of_weight in found] == [
        pytest.approx([math.log(1 - 0.9 * 0.2)]),
        pytest.approx([math.log(1 - 0.9 * 0.2) / 2]),
        [],
    ]


async def test_a_tattoo_that_is_seen_counts_as_far_as_it_was_there(system: System) -> None:
    """Matched and there: for Anna, and not absent; removed before: against; said to be clear: against Bea."""
    anna, bea = await _two_alike(system)
    system.tattoo.seen = [tattoo_at(425, 425, 30)]
    system.tattoo.known[anna]["tattoo"] = system.tattoo.known[bea]["tattoo"] = 0.5
    system.tattoo.tattoos[anna] = [_known("rose", _ARM, removed="2015-01-01")]
    system.tattoo.matches[anna] = tattoo_pb2.TattooMatch(tattoo_id="rose", similarity=0.9, llr=4.0)
    system.tattoo.regions[bea] = [_said(_ARM, tattoo_pb2.REGION_KNOWLEDGE_KNOWN_CLEAR)]
    there, gone = [await _person(system, scene_date=f"{year}-05-06") for year in (2012, 2020)]
    for person, ratio in ((there, 0.9 * 4.0), (gone, math.log(0.1))):
        [tattoo] = _of(person, anna, pb.CONTRIBUTION_KIND_TATTOO)
        assert tattoo.log_ratio == pytest.approx(ratio)
        assert not _of(person, anna, pb.CONTRIBUTION_KIND_TATTOO_ABSENT)
        _check_sums(person)
    [clear] = _of(there, bea, pb.CONTRIBUTION_KIND_TATTOO)
    assert clear.summary == "1 tattoo, left forearm, left forearm said to be clear: speaks against, 1 : 10"


async def test_what_sources_say_counts_without_a_picture(system: System) -> None:
    """Of a performer of whom no tattoo is enrolled; who is tattooed elsewhere loses nothing."""
    anna, _ = await _two_alike(system)
    tattooed = tattoo_pb2.REGION_KNOWLEDGE_KNOWN_TATTOOED
    system.tattoo.regions[anna] = [_said(_ARM, tattooed), _said(common_pb2.BODY_REGION_NECK, tattooed)]
    [absent] = _of(await _person(system), anna, pb.CONTRIBUTION_KIND_TATTOO_ABSENT)
    assert absent.summary.startswith("left forearm in view, no tattoo")


async def test_appearance_counts_of_one_person_alone(system: System) -> None:
    """Stated natural in 2023: against Anna, who is not since 2020; of two people it says nothing."""
    anna, bea = await _two_alike(system)
    augmented = catalogue_pb2.BreastRecord(natural_probability=0.0, effective_from="2020-01-01")
    await _change(system, anna, breast_history=[augmented])
    await _change(system, bea, breast_history=[catalogue_pb2.BreastRecord(natural_probability=1.0)])
    stated = pb.SceneStatement(natural_probability=0.95)
    person = await _person(system, scene_date="2023-05-06", scene=stated)
    assert person.candidates[0].performer_id == bea
    assert _of(person, anna, pb.CONTRIBUTION_KIND_APPEARANCE)[0].log_ratio < -1.5
    assert 0.5 < _of(person, bea, pb.CONTRIBUTION_KIND_APPEARANCE)[0].log_ratio < 0.7
    _check_sums(person)

    before = await _person(system, scene_date="2019-05-06", scene=stated)
    assert not _of(before, anna, pb.CONTRIBUTION_KIND_APPEARANCE)
    assert not _of(await _person(system), bea, pb.CONTRIBUTION_KIND_APPEARANCE)
    system.face.seen = [*system.face.seen, face_at(900, 100, 50)]
    assert not _of(await _person(system, scene=stated), bea, pb.CONTRIBUTION_KIND_APPEARANCE)


async def test_a_body_counts_untested_by_full_views_and_tested_by_its_weight(system: System) -> None:
    """As it ships for who has three of them enrolled; as tested on this library, for all or for none."""
    anna, bea = await _two_alike(system)
    system.body.known[anna]["body"] = system.body.known[bea]["body"] = 0.5

    async def counted() -> list[float]:
        return [one.log_ratio for one in _of(await _person(system), anna, pb.CONTRIBUTION_KIND_BODY)]

    assert await counted() == []
    system.body.full_views = 3
    assert await counted() == pytest.approx([0.9 * 0.25])
    assert pb.ANSWER_NOTE_UNCALIBRATED_FOR_THIS_LIBRARY in (await _person(system)).notes
    system.body.full_views = 0
    for weight, told in ((0.5, [0.125]), (0.0, [])):
        system.body.calibration.in_use = common_pb2.CalibrationInUse(is_of_this_library=True, weight=weight)
        assert await counted() == pytest.approx(told)
    person = await _person(system)
    assert pb.ANSWER_NOTE_SIGNAL_COUNTS_NOTHING not in person.notes
    _check_sums(person)


async def test_careers_date_a_scene_and_a_date_judges_them(system: System) -> None:
    """Without a date they say when, not who; with one, who was a child is very improbable."""
    anna, bea = await _two_alike(system, ratio=12.0)
    await _change(system, anna, birth_date="1990-01-01", career_start_year=2010, career_end_year=2012)
    await _change(system, bea, birth_date="1970-01-01")
    response = await _identify(system)
    years = {one.year: one.probability for one in response.scene_years}
    assert sum(years.values()) == pytest.approx(1)
    assert sorted(years, key=lambda year: -years[year])[:3] in ([2010, 2011, 2012], [2012, 2011, 2010])
    assert max(years) == 2024
    [person] = response.people
    for name in (anna, bea):
        assert not _of(person, name, pb.CONTRIBUTION_KIND_CAREER)

    dated = await _identify(system, scene_date="2000-05-06")
    assert not dated.scene_years
    [person] = dated.people
    assert person.candidates[0].performer_id == bea
    [career] = _of(person, anna, pb.CONTRIBUTION_KIND_CAREER)
    assert career.summary == "2000, under 18: speaks against, 1 : 1,000"
    weighted = await _identify(system, policy=pb.FUSION_POLICY_WEIGHTED)
    assert not weighted.scene_years
    assert not weighted.people[0].candidates[0].contributions


async def test_nothing_that_tells_the_year_gives_no_years(system: System) -> None:
    """A guess would be the prior."""
    anna, bea = await _two_alike(system)
    for one in (anna, bea):
        await _change(system, one, birth_date="1950-01-01")
    assert not (await _identify(system)).scene_years


async def test_hints_by_kind_are_bounded_and_multiply(system: System) -> None:
    """They are scored in any case; who is not in the catalogue is passed over; WEIGHTED lists them only."""
    anna, bea = await _two_alike(system)
    cleo = await system.performer("Cleo")
    hints = [
        pb.PerformerHint(performer_id=bea, kind=pb.HINT_KIND_STUDIO, factor=1000.0),
        pb.PerformerHint(performer_id=bea, kind=pb.HINT_KIND_POPULARITY, factor=0.5),
        pb.PerformerHint(performer_id=cleo, kind=pb.HINT_KIND_TAGGED, factor=3.0),
        pb.PerformerHint(
            performer_id="00000000-0000-4000-8000-000000000009", kind=pb.HINT_KIND_TAGGED, factor=2
        ),
    ]
    person = await _person(system, hints=hints, hinted_performer_ids=[cleo])
    ratios = {one: _of(person, one, pb.CONTRIBUTION_KIND_HINT)[0].log_ratio for one in (anna, bea, cleo)}
    assert ratios[bea] - ratios[anna] == pytest.approx(math.log(10 * 0.5))
    assert ratios[cleo] - ratios[anna] == pytest.approx(math.log(20))
    assert ratios[anna] < 0
    _check_sums(person)
    weighted = await _person(system, hints=hints, policy=pb.FUSION_POLICY_WEIGHTED)
    assert {one.performer_id for one in weighted.candidates} == {anna, bea, cleo}


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"hints": [{"kind": 0, "factor": 2.0}]}, "hints.kind"),
        ({"hints": [{"kind": 17, "factor": 2.0}]}, "hints.kind"),
        ({"hints": [{"kind": 2, "factor": 0.0}]}, "hints.factor"),
        ({"hints": [{"kind": 1, "factor": -1.0}]}, "hints.factor"),
        ({"hints": [{"kind": 1, "factor": math.nan}]}, "hints.factor"),
        ({"hints": [{"kind": 3, "factor": math.inf}]}, "hints.factor"),
        ({"hints": [{"kind": 1, "factor": 2.0, "performer_id": "Anna"}]}, "hints.performer_id"),
        ({"hints": [{"kind": 1}] * 101}, "hints"),
        ({"scene": {"natural_probability": 1.5}}, "scene.natural_probability"),
        ({"scene": {"natural_probability": math.nan}}, "scene.natural_probability"),
    ],
)
async def test_what_cannot_be_stated_is_refused(system: System, fields: dict[str, object], word: str) -> None:
    """By the name of the field."""
    for one in fields.get("hints", []):  # type: ignore[attr-defined]  # a list, where it is given
        one.setdefault("performer_id", "00000000-0000-4000-8000-000000000001")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await _identify(system, **fields)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert word in (raised.value.details() or "")


async def _two_alike(system: System, *, ratio: float = 6.0) -> tuple[str, str]:
    """One person of whom face and body are seen; Anna's face fits a little better than Bea's."""
    anna, bea = await system.performer("Anna"), await system.performer("Bea")
    system.face.seen = [face_at(300, 100, found=[Candidate(one, 0.9, 0.9) for one in (anna, bea)])]
    system.body.seen = [body_at(300, 100)]
    system.face.ratios = {anna: ratio, bea: ratio - 0.1}
    for one in (anna, bea):
        system.face.known[one]["face"] = 0.9
    return anna, bea


async def _change(system: System, performer_id: str, **fields: object) -> None:
    performer = catalogue_pb2.Performer(id=performer_id, **fields)  # type: ignore[arg-type]  # as given
    await system.catalogue.UpsertPerformer(catalogue_pb2.UpsertPerformerRequest(performer=performer))


async def _identify(system: System, **fields: object) -> pb.IdentifyResponse:
    asked = {"image": picture(), "policy": pb.FUSION_POLICY_BAYESIAN, **fields}
    return await system.identification.Identify(pb.IdentifyRequest(**asked), timeout=30)  # type: ignore[arg-type]  # as given


async def _person(system: System, **fields: object) -> pb.Person:
    """The person with the largest face."""
    return (await _identify(system, **fields)).people[0]


def _known(
    name: str, region: common_pb2.BodyRegion.ValueType, first: str = "", *, removed: str = ""
) -> tattoo_pb2.KnownTattoo:
    return tattoo_pb2.KnownTattoo(
        tattoo_id=name, region=region, first_seen_date=first, removed_date=removed, views=1
    )


def _said(
    region: common_pb2.BodyRegion.ValueType, knowledge: tattoo_pb2.RegionKnowledge.ValueType
) -> tattoo_pb2.KnownRegion:
    return tattoo_pb2.KnownRegion(region=region, knowledge=knowledge, source="stashdb.org")


def _of(person: pb.Person, name: str, kind: pb.ContributionKind.ValueType) -> list[pb.Contribution]:
    [candidate] = [one for one in person.candidates if one.performer_id == name]
    return [one for one in candidate.contributions if one.kind == kind]


def _check_sums(person: pb.Person) -> None:
    for one in person.candidates:
        odds = math.log(one.probability) - math.log(person.unknown_probability)
        assert math.fsum(each.log_ratio for each in one.contributions) == pytest.approx(odds, abs=1e-8)
