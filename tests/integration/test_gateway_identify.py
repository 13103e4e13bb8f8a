"""Identify on real channels and a real database, with scripted signals:

answers, and what is left when parts fail.
"""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import AsyncIterator, Mapping

import asyncpg
import grpc
import pytest
import pytest_asyncio

from chassis.config import ImagesSection
from chassis.errors import InvalidImage, Overloaded, Unavailable
from gateway.observations import Candidate
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2
from marquee.gateway.v1 import identification_pb2 as pb
from tests.fakes.gateway_system import System, open_system, picture
from tests.fakes.pictures import png
from tests.fakes.postgres import database, postgres_server
from tests.fakes.scenes import body_at, face_at, tattoo_at

__all__ = ["database", "postgres_server"]

_FACE, _TATTOO, _BODY = common_pb2.SIGNAL_FACE, common_pb2.SIGNAL_TATTOO, common_pb2.SIGNAL_BODY
_OK = pb.SignalReport.STATE_OK
_NOTHING = pb.SignalReport.STATE_NOTHING_VISIBLE
_UNAVAILABLE = pb.SignalReport.STATE_UNAVAILABLE
_LATE = pb.SignalReport.STATE_DEADLINE_EXCEEDED
_NOT_REQUESTED = pb.SignalReport.STATE_NOT_REQUESTED


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[System]:
    """A gateway with three signals that see nothing yet."""
    async with open_system(database) as system:
        yield system


async def _identify(system: System, *, timeout: float = 20, **fields: object) -> pb.IdentifyResponse:
    """By WEIGHTED, unless the test wants another policy."""
    request = pb.IdentifyRequest(image=picture(), policy=pb.FUSION_POLICY_WEIGHTED)
    for name, value in fields.items():
        field = getattr(request, name)
        field.extend(value) if hasattr(field, "extend") else setattr(request, name, value)
    return await system.identification.Identify(request, timeout=timeout)


async def _refusal(system: System, **fields: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _identify(system, **fields)  # type: ignore[arg-type]  # whatever the test wants to send
    return caught.value.code(), caught.value.details() or ""


def _found(confidences: Mapping[str, float]) -> tuple[Candidate, ...]:
    return tuple(Candidate(one, confidence, confidence) for one, confidence in confidences.items())


def _states(response: pb.IdentifyResponse) -> dict[int, int]:
    return {report.signal: report.state for report in response.reports}


def _ranking(person: pb.Person) -> list[tuple[str, float]]:
    return [(candidate.name, round(candidate.score, 4)) for candidate in person.candidates]


def _evidence(candidate: pb.RankedCandidate) -> dict[int, pb.Evidence]:
    return {evidence.signal: evidence for evidence in candidate.evidence}


async def test_an_empty_picture_has_nobody(system: System) -> None:
    """Everybody answers and sees nothing: no people, and no error."""
    response = await _identify(system, policy=pb.FUSION_POLICY_UNSPECIFIED)
    assert not response.people
    assert (response.image_width, response.image_height) == (640, 480)
    assert _states(response) == {_FACE: _NOTHING, _TATTOO: _NOTHING, _BODY: _NOTHING}
    assert response.policy == pb.FUSION_POLICY_BAYESIAN
    assert response.elapsed_ms > 0


async def test_the_worked_example_end_to_end(system: System) -> None:
    """Face, tattoo and body of one person become one ranking, with names and evidence."""
    anna = await system.performer(
        "Anna", external_ids={"stashdb.org": "a1"}, urls=["https://example.org/anna"]
    )
    bea, cleo, dora = [await system.performer(name) for name in ("Bea", "Cleo", "Dora")]
    system.face.seen = [face_at(300, 100, quality=0.91, found=_found({anna: 0.70, bea: 0.75, cleo: 0.10}))]
    # A twelfth of the picture's visible skin: see the coverage below.
    system.tattoo.seen = [tattoo_at(300, 250, 100, found=_found({anna: 0.90, cleo: 0.0}))]
    system.body.seen = [body_at(300, 100, found=_found({dora: 0.6}))]
    for performer in (bea, cleo, dora):
        system.body.known[performer]["body"] = 0.6
    system.body.incompatible = {bea}
    system.face.known[dora]["face"] = 0.05

    response = await _identify(system)

    [person] = response.people
    weight = min(1.0, 2 * person.tattoo_coverage)
    face, tattoo = 1 / (1 + weight), weight / (1 + weight)
    assert 0 < tattoo < 0.5
    expected = {
        "Anna": (face * 0.70 + tattoo * 0.90) * 1.2,
        "Bea": face * 0.75 * 0.5,
        "Cleo": face * 0.10,
        "Dora": 0.0,
    }
    assert [one.name for one in person.candidates] == list(expected)
    assert [one.score for one in person.candidates] == pytest.approx(list(expected.values()), abs=1e-4)
    assert person.status == pb.PERSON_STATUS_IDENTIFIED
    assert person.identification_threshold == pytest.approx(0.5)
    assert not person.is_tattoo_primary

    best = person.candidates[0]
    assert (best.performer_id, list(best.urls)) == (anna, ["https://example.org/anna"])
    assert [(one.authority, one.id) for one in best.external_ids] == [("stashdb.org", "a1")]
    assert not best.HasField("probability")
    evidence = _evidence(best)
    assert evidence.keys() == {_FACE, _TATTOO}
    assert evidence[_FACE].summary == "face, quality 0.91"
    assert evidence[_TATTOO].summary == "1 tattoo, chest"
    assert sum(one.weight for one in evidence.values()) == pytest.approx(1.0)
    assert not evidence[_FACE].HasField("llr")
    body = _evidence(person.candidates[1])[_BODY]
    assert (body.is_compatible, body.weight, body.llr, body.is_proposed) == (False, 0.0, 0.25, False)
    # Outside a list is not unlike: the face compared Dora, whom only the body proposed. It does not count.
    dora_face = _evidence(person.candidates[3])[_FACE]
    assert (round(dora_face.confidence, 3), dora_face.is_proposed) == (0.05, False)
    assert _states(response) == {_FACE: _OK, _TATTOO: _OK, _BODY: _OK}


async def test_bayesian_answers_with_probabilities_and_unknown(system: System) -> None:
    """They sum to 1, and the answer says that nobody has calibrated this library."""
    anna, bea = [await system.performer(name) for name in ("Anna", "Bea")]
    system.face.seen = [face_at(300, 100, found=_found({anna: 0.9, bea: 0.8}))]
    system.face.ratios = {anna: 6.0, bea: -2.0}
    for performer in (anna, bea):
        system.face.known[performer]["face"] = 0.9
    response = await _identify(system, policy=pb.FUSION_POLICY_BAYESIAN)
    assert response.policy == pb.FUSION_POLICY_BAYESIAN
    [person] = response.people
    masses = [0.35 * math.exp(0.9 * llr) for llr in (6.0, -2.0)]
    total = sum(masses) + 0.3
    assert [one.name for one in person.candidates] == ["Anna", "Bea"]
    assert [one.probability for one in person.candidates] == pytest.approx([one / total for one in masses])
    assert person.unknown_probability == pytest.approx(0.3 / total)
    assert person.margin == pytest.approx(masses[0] / total - 0.3 / total)
    assert person.status == pb.PERSON_STATUS_IDENTIFIED
    assert person.identification_threshold == pytest.approx(0.9)
    assert list(person.notes) == [pb.ANSWER_NOTE_UNCALIBRATED_FOR_THIS_LIBRARY]
    assert _evidence(person.candidates[0])[_FACE].summary.endswith("speaks for, 400 : 1")


async def test_bayesian_names_nobody_twice_in_one_picture(system: System) -> None:
    """Two faces as alike Anna: one of them is somebody else, and neither is sure to be hers."""
    anna = await system.performer("Anna")
    system.face.seen = [face_at(x, 100, found=_found({anna: 0.9})) for x in (100, 400)]
    system.face.ratios = {anna: 12.0}
    system.face.known[anna]["face"] = 0.9
    response = await _identify(system, policy=pb.FUSION_POLICY_BAYESIAN)
    assert [len(person.candidates) for person in response.people] == [1, 1]
    for person in response.people:
        assert person.candidates[0].probability == pytest.approx(0.5, abs=0.01)
        assert person.status == pb.PERSON_STATUS_UNKNOWN


async def test_bayesian_without_calibrated_signals_names_nobody(system: System) -> None:
    """Whatever the similarity: without ratios everybody is as probable as before."""
    anna = await system.performer("Anna")
    system.face.seen = [face_at(300, 100, found=_found({anna: 1.0}))]
    [person] = (await _identify(system, policy=pb.FUSION_POLICY_BAYESIAN)).people
    assert person.status == pb.PERSON_STATUS_UNKNOWN
    assert person.candidates[0].probability == pytest.approx(0.7)


async def test_one_score_call_for_all_people_and_exactly_their_candidates(system: System) -> None:
    """Round 2 asks each signal once: about everybody proposed for a person, and the hints."""
    anna, bea, cleo = [await system.performer(name) for name in ("Anna", "Bea", "Cleo")]
    hint = await system.performer("Hinted")
    system.face.seen = [
        face_at(200, 100, name="f1", found=_found({anna: 0.9})),
        face_at(500, 100, 80, name="f2", found=_found({bea: 0.9})),
    ]
    system.body.seen = [
        body_at(200, 100, name="b1", found=_found({cleo: 0.4})),
        body_at(500, 100, 80, name="b2"),
    ]
    response = await _identify(system, hinted_performer_ids=[hint])

    for fake in (system.face, system.body):
        [request] = fake.requests("Score")
        assert [set(query.performer_ids) for query in request.queries] == [{anna, cleo, hint}, {bea, hint}]
        assert len({query.key for query in request.queries}) == 2
    assert system.tattoo.requests("Score") == []
    assert [{one.name for one in person.candidates} for person in response.people] == [
        {"Anna", "Cleo", "Hinted"},
        {"Bea", "Hinted"},
    ]
    assert {report.signal for report in response.reports if report.score_ms > 0} == {_FACE, _BODY}


async def test_evidence_of_one_person_never_counts_for_another(system: System) -> None:
    """A tattoo on one of two people raises that person's candidate only."""
    anna = await system.performer("Anna")
    system.face.seen = [
        face_at(200, 100, quality=0.6, found=_found({anna: 0.4})),
        face_at(500, 100, 90, quality=0.6, found=_found({anna: 0.4})),
    ]
    system.body.seen = [body_at(200, 100), body_at(500, 100, 90)]
    system.tattoo.seen = [tattoo_at(500, 220, 80, found=_found({anna: 1.0}))]
    first, second = (await _identify(system)).people
    assert _ranking(first) == [("Anna", 0.4)]
    assert second.candidates[0].score > 0.6
    assert [one.signal for one in first.sightings] == [_FACE, _BODY]
    assert [one.signal for one in second.sightings] == [_FACE, _TATTOO, _BODY]


async def test_a_tattoo_of_nobody_is_reported_apart(system: System) -> None:
    """It is in the answer and in nobody's evidence."""
    anna = await system.performer("Anna")
    system.face.seen = [face_at(100, 100, 60)]
    system.body.seen = [body_at(100, 100, 60)]
    system.tattoo.seen = [tattoo_at(600, 400, found=_found({anna: 1.0}))]
    response = await _identify(system)
    assert [one.signal for one in response.unassigned] == [_TATTOO]
    assert not response.people[0].candidates


async def test_no_face_is_not_no_answer(system: System) -> None:
    """With tattoos and no face the tattoos lead, with their own threshold."""
    anna = await system.performer("Anna")
    system.tattoo.operating_points[0].identification_confidence = 0.8
    system.body.seen = [body_at(300, 100)]
    system.tattoo.seen = [
        tattoo_at(300, 220, 60, name="t1", found=_found({anna: 0.5})),
        tattoo_at(300, 300, 60, name="t2", found=_found({anna: 0.85})),
    ]
    [person] = (await _identify(system)).people
    assert person.is_tattoo_primary
    assert _ranking(person) == [("Anna", 0.85)]
    assert person.status == pb.PERSON_STATUS_IDENTIFIED
    assert person.identification_threshold == pytest.approx(0.8)
    [query] = system.tattoo.requests("Score")[0].queries
    assert len(query.templates) == 2


async def test_a_body_alone_is_not_enough(system: System) -> None:
    """Body-only candidates are listed low and flat, under INSUFFICIENT_SIGNALS."""
    anna, bea = await system.performer("Anna"), await system.performer("Bea")
    system.body.seen = [body_at(300, 100, found=_found({bea: 1.0, anna: 0.9}))]
    [person] = (await _identify(system)).people
    assert person.status == pb.PERSON_STATUS_INSUFFICIENT_SIGNALS
    assert person.identification_threshold == 0
    assert _ranking(person) == [("Bea", 0.1), ("Anna", 0.09)]


async def test_a_stranger_is_unknown(system: System) -> None:
    """Below the threshold nobody is named, and the candidates are still shown."""
    anna = await system.performer("Anna")
    system.face.seen = [face_at(300, 100, found=_found({anna: 0.49}))]
    [person] = (await _identify(system)).people
    assert person.status == pb.PERSON_STATUS_UNKNOWN
    assert _ranking(person) == [("Anna", 0.49)]


async def test_an_empty_gallery_knows_nobody(system: System) -> None:
    """A face and no candidates: UNKNOWN with an empty ranking."""
    system.face.seen = [face_at(300, 100)]
    [person] = (await _identify(system)).people
    assert (person.status, len(person.candidates)) == (pb.PERSON_STATUS_UNKNOWN, 0)


async def test_only_so_many_candidates_and_at_least_so_many_searched(system: System) -> None:
    """`max_candidates` cuts the answer; the signals are asked for no fewer than the configured number."""
    ids = [await system.performer(f"P{number:02}") for number in range(12)]
    found = _found({one: 0.9 - number / 100 for number, one in enumerate(ids)})
    system.face.seen = [face_at(300, 100, found=found)]
    assert len((await _identify(system)).people[0].candidates) == 10
    assert len((await _identify(system, max_candidates=3)).people[0].candidates) == 3
    await _identify(system, max_candidates=90)
    assert [one.max_candidates for one in system.face.requests("Observe")] == [20, 20, 90]


async def test_forgotten_and_unknown_ids_never_appear(system: System) -> None:
    """A search may still know whom the catalogue has forgotten: nobody sees or is judged by them."""
    anna, gone = await system.performer("Anna"), await system.performer("Gone")
    await system.catalogue.ForgetPerformer(catalogue_pb2.ForgetPerformerRequest(id=gone))
    never = str(uuid.uuid4())
    system.face.seen = [face_at(300, 100, found=_found({gone: 0.99, never: 0.98, anna: 0.6}))]
    system.body.seen = [body_at(300, 100)]
    # Were the forgotten one among the compatible, Anna would be halved for standing outside.
    system.body.known[anna]["body"] = 0.1
    system.body.known[gone]["body"] = 0.9
    system.body.incompatible = {anna}
    [person] = (await _identify(system, hinted_performer_ids=[gone, never])).people
    assert _ranking(person) == [("Anna", 0.6)]


async def test_signals_that_are_not_requested_are_left_alone(system: System) -> None:
    """Only the requested signals are called; the others are reported as not requested."""
    anna = await system.performer("Anna")
    system.face.seen = [face_at(300, 100, found=_found({anna: 0.9}))]
    system.body.seen = [body_at(300, 100)]
    response = await _identify(system, signals=[_FACE])
    assert _states(response) == {_FACE: _OK, _TATTOO: _NOT_REQUESTED, _BODY: _NOT_REQUESTED}
    assert (system.tattoo.calls, system.body.calls) == ([], [])


async def test_a_dead_signal_costs_its_evidence_and_is_named(system: System) -> None:
    """With the tattoo process gone, faces and bodies still answer."""
    anna = await system.performer("Anna")
    system.face.seen = [face_at(300, 100, found=_found({anna: 0.9}))]
    system.body.seen = [body_at(300, 100)]
    await system.served["tattoo"].kill()
    response = await _identify(system)
    assert _states(response) == {_FACE: _OK, _TATTOO: _UNAVAILABLE, _BODY: _OK}
    assert _ranking(response.people[0]) == [("Anna", 0.9)]
    [detail] = [report.detail for report in response.reports if report.signal == _TATTOO]
    assert detail == "could not be reached, or failed"


async def test_a_service_killed_in_the_middle_of_a_request_costs_its_evidence_only(system: System) -> None:
    """The process dies while it looks at the image; the answer comes all the same."""
    anna = await system.performer("Anna")
    system.face.seen = [face_at(300, 100, found=_found({anna: 0.9}))]
    system.tattoo.gates["Observe"] = asyncio.Event()
    answer = asyncio.ensure_future(_identify(system))
    await system.tattoo.until(lambda: system.tattoo.running == 1)
    await system.served["tattoo"].kill()
    response = await answer
    assert _states(response)[_TATTOO] == _UNAVAILABLE
    assert _ranking(response.people[0]) == [("Anna", 0.9)]


async def test_a_slow_signal_is_given_up_and_named(database: str) -> None:
    """After its own limit the answer goes without it, and its work is cancelled."""
    async with open_system(database, observe_seconds=0.3) as system:
        anna = await system.performer("Anna")
        system.face.seen = [face_at(300, 100, found=_found({anna: 0.9}))]
        system.body.gates["Observe"] = asyncio.Event()
        response = await _identify(system)
        assert _states(response) == {_FACE: _OK, _TATTOO: _NOTHING, _BODY: _LATE}
        assert _ranking(response.people[0]) == [("Anna", 0.9)]
        assert system.body.cancelled == 1
        [report] = [one for one in response.reports if one.signal == _BODY]
        assert (report.detail, report.observe_ms >= 290) == ("did not answer in time", True)


async def test_a_short_deadline_leaves_time_to_answer(system: System) -> None:
    """A caller with little time gets what there is before the time is over, not an error."""
    anna = await system.performer("Anna")
    system.face.seen = [face_at(300, 100, found=_found({anna: 0.9}))]
    system.face.known[anna]["face"] = 0.9
    system.body.gates["Observe"] = asyncio.Event()
    system.body.seen = [body_at(300, 100)]
    response = await _identify(system, timeout=3)
    assert _states(response)[_BODY] == _LATE
    assert _ranking(response.people[0]) == [("Anna", 0.9)]


async def test_a_signal_that_does_not_score_keeps_what_it_proposed(system: System) -> None:
    """The body's Score fails: nobody is judged by it, and the report says so; a late one likewise."""
    anna, bea = await system.performer("Anna"), await system.performer("Bea")
    system.face.seen = [face_at(300, 100, found=_found({anna: 0.9, bea: 0.5}))]
    system.body.seen = [body_at(300, 100)]
    for performer in (anna, bea):
        system.body.known[performer]["body"] = 0.5
    system.body.incompatible = {anna}
    assert _ranking((await _identify(system)).people[0]) == [("Bea", 0.5), ("Anna", 0.45)]
    system.body.errors["Score"] = Unavailable("10.0.0.7: model file /secret gone")
    response = await _identify(system)
    assert _ranking(response.people[0]) == [("Anna", 0.9), ("Bea", 0.5)]
    [report] = [one for one in response.reports if one.signal == _BODY]
    assert (report.state, report.observations) == (_UNAVAILABLE, 1)
    assert report.detail == "compared nothing: could not be reached, or failed"


async def test_an_overloaded_signal_is_named(system: System) -> None:
    """RESOURCE_EXHAUSTED of a signal costs its evidence like any other failure."""
    system.face.seen = [face_at(300, 100)]
    system.tattoo.errors["Observe"] = Overloaded("512 items wait")
    response = await _identify(system)
    assert _states(response)[_TATTOO] == _UNAVAILABLE
    assert "is overloaded" in {report.detail for report in response.reports}


async def test_a_malformed_answer_is_the_signals_fault(system: System) -> None:
    """A box without a width is no reason to refuse the caller's image."""
    system.face.seen = [face_at(300, 100)]
    system.tattoo.seen = [tattoo_at(300, 250, 0)]
    response = await _identify(system)
    assert _states(response) == {_FACE: _OK, _TATTOO: _UNAVAILABLE, _BODY: _NOTHING}


async def test_without_any_signal_there_is_no_answer(system: System) -> None:
    """All requested signals dead: UNAVAILABLE, naming them."""
    for served in system.served.values():
        await served.kill()
    assert await _refusal(system) == (
        grpc.StatusCode.UNAVAILABLE,
        "no signal answered: face, tattoo, body",
    )
    assert (await _refusal(system, signals=[_BODY]))[1] == "no signal answered: body"


async def test_without_the_catalogue_there_is_no_answer(system: System) -> None:
    """Nobody could say who is forgotten, so nobody is named; when it is back, so are the answers."""
    anna = await system.performer("Anna")
    system.face.seen = [face_at(300, 100, found=_found({anna: 0.9}))]
    connection = await asyncpg.connect(system.dsn)
    await connection.execute("ALTER TABLE catalogue.performers RENAME TO hidden")
    code, detail = await _refusal(system)
    await connection.execute("ALTER TABLE catalogue.hidden RENAME TO performers")
    await connection.close()
    assert code is grpc.StatusCode.UNAVAILABLE
    assert "hidden" not in detail
    assert _ranking((await _identify(system)).people[0]) == [("Anna", 0.9)]


async def test_a_crowd_of_fifty(system: System) -> None:
    """Fifty people get fifty rankings, each with their own name first, by one Score call."""
    ids = [await system.performer(f"P{number:02}") for number in range(50)]
    spots = [(150 + 260 * (number % 10), 150 + 700 * (number // 10)) for number in range(50)]
    system.face.seen = [
        face_at(x, y, 80 + number / 10, name=f"f{number}", found=_found({ids[number]: 0.9}))
        for number, (x, y) in enumerate(spots)
    ]
    system.body.seen = [body_at(x, y, 80) for x, y in spots]
    system.tattoo.seen = [
        tattoo_at(x, y + 120, found=_found({ids[n]: 0.8})) for n, (x, y) in enumerate(spots)
    ]
    response = await _identify(system, image=png(2700, 3600, b""))
    assert [person.candidates[0].name for person in response.people] == [
        f"P{n:02}" for n in range(49, -1, -1)
    ]
    assert all(person.status == pb.PERSON_STATUS_IDENTIFIED for person in response.people)
    assert len(system.face.requests("Score")) == 1


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b"", "empty"),
        (b"GIF89a not for us", "not a JPEG, PNG or WebP image"),
        (picture()[:-20], "truncated"),
        (png(20_000, 20_000, b""), "20000x20000"),
    ],
)
async def test_what_is_no_acceptable_image_is_refused_before_anybody_looks(
    system: System, image: bytes, reason: str
) -> None:
    """Empty, another format, truncated or huge: INVALID_ARGUMENT that says why; no signal is bothered."""
    code, detail = await _refusal(system, image=image)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert reason in detail
    assert system.face.calls == []


async def test_an_image_over_the_byte_cap_is_refused(database: str) -> None:
    """The cap is the configured one."""
    async with open_system(database, images=ImagesSection(max_bytes=1024)) as system:
        code, detail = await _refusal(system, image=picture() + bytes(2048))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "1024" in detail


async def test_an_image_that_one_signal_alone_refuses_is_not_at_fault(system: System) -> None:
    """The others could see it: that signal is UNAVAILABLE, without its words, and the answer goes on."""
    system.face.seen = [face_at(300, 100)]
    system.tattoo.errors["Observe"] = InvalidImage("a text of the tattoo process")
    response = await _identify(system)
    assert len(response.people) == 1
    assert _states(response) == {_FACE: _OK, _TATTOO: _UNAVAILABLE, _BODY: _NOTHING}
    [detail] = [one.detail for one in response.reports if one.signal == _TATTOO]
    assert detail == "could not be reached, or failed"


@pytest.mark.parametrize("body", [InvalidImage("image is damaged or truncated"), Unavailable("down")])
async def test_an_image_that_nobody_can_decode_is_the_callers_fault(
    system: System, body: BaseException
) -> None:
    """The header was fine, the content is not: INVALID_ARGUMENT, also when one is down."""
    for fake in (system.face, system.tattoo):
        fake.errors["Observe"] = InvalidImage("image is damaged or truncated")
    system.body.errors["Observe"] = body
    assert await _refusal(system) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "image is damaged or truncated",
    )


@pytest.mark.parametrize(
    ("fields", "code", "word"),
    [
        ({"policy": 17}, grpc.StatusCode.INVALID_ARGUMENT, "policy"),
        ({"max_candidates": 101}, grpc.StatusCode.INVALID_ARGUMENT, "max_candidates"),
        ({"signals": [0]}, grpc.StatusCode.INVALID_ARGUMENT, "signals"),
        ({"signals": [9]}, grpc.StatusCode.INVALID_ARGUMENT, "signals"),
        ({"scene_date": "yesterday"}, grpc.StatusCode.INVALID_ARGUMENT, "scene_date"),
        ({"hinted_performer_ids": ["Anna"]}, grpc.StatusCode.INVALID_ARGUMENT, "hinted_performer_ids"),
        (
            {"hinted_performer_ids": [str(uuid.UUID(int=n)) for n in range(101)]},
            grpc.StatusCode.INVALID_ARGUMENT,
            "hinted_performer_ids",
        ),
    ],
)
async def test_options_that_cannot_be_are_refused(
    system: System, fields: dict[str, object], code: grpc.StatusCode, word: str
) -> None:
    """Each names its field."""
    assert (await _refusal(system, **fields))[0] is code
    assert word in (await _refusal(system, **fields))[1]


async def test_a_caller_who_leaves_stops_the_work(system: System) -> None:
    """Cancelling the call cancels what the signals do for it."""
    system.face.gates["Observe"] = asyncio.Event()
    call = asyncio.ensure_future(_identify(system))
    await system.face.until(lambda: system.face.running == 1)
    call.cancel()
    await system.face.until(lambda: system.face.cancelled == 1)
    assert system.face.running == 0
