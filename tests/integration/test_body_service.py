"""The body service through a real channel, on a real database, with the real models."""

from __future__ import annotations

import asyncio
import shutil
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import grpc
import numpy as np
import pytest
import pytest_asyncio

from chassis.channels import open_channel
from chassis.errors import ConfigError, ModelError, StoreError
from chassis.models import ModelStore
from chassis.postgres import SchemaSource, migrate
from chassis.protos import to_proto_embedding
from marquee.body.v1 import body_pb2 as pb
from marquee.body.v1 import body_pb2_grpc
from marquee.common.v1 import calibration_pb2, common_pb2, counts_pb2, transfer_pb2
from services.body.config import BodySection
from services.body.kinds import KINDS
from services.body.measurement import Measurement
from services.body.region_names import Region
from services.body.table import RATIOS
from services.body.template import encode as encode_measurement
from tests.fakes.body_service import BodySystem, enrolment, migrate_body, open_body_system, template_of
from tests.fakes.database_line import open_line
from tests.fakes.figure import scene
from tests.fakes.pictures import encode, gradient
from tests.fakes.postgres import database, postgres_server
from tests.fakes.rpc import code_of
from tests.fakes.service_process import failure_of, listening_port, open_process
from tests.fakes.waiting import until

__all__ = ["database", "postgres_server"]

_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[BodySystem]:
    """A service with nobody enrolled."""
    await migrate_body(database)
    async with open_body_system(database) as system:
        yield system


def _one_person() -> bytes:
    return encode(scene(400, 560, (80, 40, 1.0)), ".png")


async def test_a_person_is_observed_with_everything_there_is_to_say(system: BodySystem) -> None:
    """One drawn person, frontal and whole: box, key points, regions, ratios, and a template."""
    response = await system.observe(_one_person())
    assert (response.image_width, response.image_height) == (400, 560)
    [body] = response.bodies
    assert body.detection_confidence > 0.9
    assert body.quality > 0.85
    assert len(body.key_points) == 33
    assert {ratio.kind for ratio in body.ratios} == set(range(1, 7))
    regions = {Region(view.region) for view in body.regions}
    assert regions >= {Region.HEAD, Region.CHEST, Region.LEFT_THIGH}
    assert Region.UPPER_BACK not in regions
    assert body.box.height == pytest.approx(390, rel=0.05)
    assert body.template.signal == common_pb2.SIGNAL_BODY
    assert body.template.quality == body.quality
    [embedding] = body.template.embeddings
    assert (embedding.model, embedding.version) == (RATIOS.name, RATIOS.version)
    [point] = response.operating_points
    assert point.impostor_p99 < point.genuine_median


async def test_people_come_largest_first(system: BodySystem) -> None:
    """Three people of three sizes, each where they were drawn."""
    people = ((20.0, 20.0, 0.8), (260.0, 30.0, 1.3), (640.0, 40.0, 1.0))
    response = await system.observe(encode(scene(900, 680, *people), ".jpg"))
    middles = [body.box.x + body.box.width / 2 for body in response.bodies]
    assert middles == pytest.approx([260 + 156, 640 + 120, 20 + 96], abs=15)


async def test_beyond_the_limit_people_are_only_located(database: str) -> None:
    """With key points for one person a picture of three still has three boxes."""
    await migrate_body(database)
    people = ((20.0, 40.0, 0.9), (260.0, 30.0, 1.2), (600.0, 40.0, 1.0))
    section = BodySection(port=0, max_people=1)
    async with open_body_system(database, body=section) as system:
        response = await system.observe(encode(scene(900, 640, *people), ".png"))
    assert len(response.bodies) == 3
    assert sorted(len(body.key_points) for body in response.bodies) == [0, 0, 33]
    for body in response.bodies:
        assert body.box.width > 0
        assert body.box.height > 0
        assert body.HasField("template") == bool(body.key_points)


async def test_a_picture_of_nobody_has_nobody(system: BodySystem) -> None:
    """Nothing visible is an answer, not an error."""
    response = await system.observe(encode(gradient(320, 240)))
    assert not response.bodies
    assert response.image_width == 320


@pytest.mark.parametrize("image", [b"", b"nonsense", _one_person()[:5000]], ids=["empty", "other", "cut off"])
async def test_other_bytes_are_refused(system: BodySystem, image: bytes) -> None:
    """No acceptable image: INVALID_ARGUMENT, and the service goes on."""
    assert await code_of(system.stub.Observe(pb.ObserveRequest(image=image))) is _INVALID
    assert (await system.observe(_one_person())).bodies


async def test_an_enrolled_body_is_found_and_scored(system: BodySystem) -> None:
    """Committed, searchable, scored and told by Lookup, at once."""
    performer, other = await system.performer(), await system.performer()
    template = template_of([1, -1, 1, -1, 1, -1])
    [outcome] = await system.enroll(performer, enrolment(template, date="2024-05-01"))
    await system.enroll(other, enrolment(template_of([-1, 1, -1, 1, -1, 1])))
    assert outcome.is_accepted
    scores = await system.score(template, performer, _NOBODY, other)
    assert list(scores) == [performer, other]
    assert scores[performer].similarity > scores[other].similarity
    assert scores[performer].llr > 0 > scores[other].llr
    assert scores[performer].is_compatible
    assert (scores[performer].compared_ratios, scores[performer].measurements) == (6, 1)
    assert scores[performer].confidence <= 0.2
    lookup = await system.stub.Lookup(pb.LookupRequest(performer_ids=[_NOBODY, other, performer]))
    assert [one.performer_id for one in lookup.performers] == [other, performer]
    assert lookup.performers[1].measurements == 1
    assert len(lookup.performers[1].ratios) == 6
    everybody = counts_pb2.PerformerRange(through="ffffffff-ffff-ffff-ffff-ffffffffffff")
    counts = (await system.stub.CountObservations(pb.CountObservationsRequest(performers=everybody))).counts
    assert counts.performer_ids == b"".join(sorted(uuid.UUID(one).bytes for one in (other, performer)))
    assert list(counts.observations) == [1, 1]


async def test_full_frontal_views_are_counted(system: BodySystem) -> None:
    """Those that show every proportion; without one of the images, as in calibration, one less."""
    performer = await system.performer()
    part = Measurement(np.zeros(len(KINDS)), np.array([0, 900.0, 900, 900, 900, 900]))
    part_of = common_pb2.Template(
        signal=common_pb2.SIGNAL_BODY,
        embeddings=[to_proto_embedding(RATIOS.name, RATIOS.version, encode_measurement(part))],
        quality=0.9,
    )
    views = [*(enrolment(template_of(0.0), image=str(one)) for one in range(3)), enrolment(part_of)]
    await system.enroll(performer, *views)
    score = (await system.score(template_of(0.0), performer))[performer]
    assert (score.measurements, score.full_views) == (4, 3)
    query = common_pb2.ScoreQuery(
        key="q",
        templates=[template_of(0.0)],
        performer_ids=[performer],
        except_image_hashes=[views[0].source.image_hash],
    )
    [without] = (await system.stub.Score(pb.ScoreRequest(queries=[query]))).results[0].scores
    assert (without.measurements, without.full_views) == (3, 2)


async def test_measurements_are_listed_page_by_page(system: BodySystem) -> None:
    """Oldest first, each once, with where they are from; without vectors nothing is told of bodies."""
    performer = await system.performer()
    views = [enrolment(template_of(one / 10), date="2024-05-01") for one in range(5)]
    await system.enroll(performer, *views)
    rows: list[transfer_pb2.VectorRow] = []
    token = ""
    while True:
        page = await system.stub.ListMeasurements(pb.ListMeasurementsRequest(page_size=2, page_token=token))
        rows += page.rows
        if not (token := page.next_page_token):
            break
    assert [one.source.image_hash for one in rows] == [one.source.image_hash for one in views]
    assert [one.embedding.vector for one in rows] == [one.template.embeddings[0].vector for one in views]
    assert {(one.performer_id, one.source.date, one.box.width) for one in rows} == {
        (performer, "2024-05-01", 3.0)
    }
    page = await system.stub.ListMeasurements(pb.ListMeasurementsRequest(without_vectors=True))
    assert (len(page.rows), page.next_page_token) == (5, "")
    assert not any(one.embedding.vector for one in page.rows)
    for bad in (pb.ListMeasurementsRequest(page_size=5001), pb.ListMeasurementsRequest(page_token="x")):
        assert await code_of(system.stub.ListMeasurements(bad)) is _INVALID


def _change(
    weight: float | None, *, parameters: dict[str, float] | None = None, version: str = RATIOS.version
) -> pb.SetCalibrationRequest:
    fitted = calibration_pb2.FittedCalibration(
        parameters=parameters or {}, provenance="a test", genuine_pairs=70, impostor_pairs=700
    )
    models = [calibration_pb2.CalibratedModel(model=RATIOS.name, version=version)]
    change = calibration_pb2.CalibrationChange(models=models, fitted=fitted, weight=weight)
    return pb.SetCalibrationRequest(change=change)


async def test_what_ratios_weigh_is_stored_and_followed(database: str) -> None:
    """Answers and status of every process tell it, also after a restart; then what ships is used again."""
    await migrate_body(database)
    async with open_body_system(database) as system, open_body_system(database) as second:
        before = (await system.stub.GetCalibration(pb.GetCalibrationRequest())).state
        assert [(one.model, one.version) for one in before.models] == [RATIOS.key]
        assert (before.in_use.is_of_this_library, before.in_use.weight) == (False, 0.25)
        used = (await system.stub.SetCalibration(_change(0.5))).calibration
        assert (used.is_of_this_library, used.weight, used.provenance) == (True, 0.5, "a test")
        assert (used.genuine_pairs, used.impostor_pairs) == (70, 700)
        assert (await system.stub.GetStatus(pb.GetStatusRequest())).status.calibration == used

        async def follows() -> bool:
            query = common_pb2.ScoreQuery(key="q", templates=[template_of(0.0)])
            return bool((await second.stub.Score(pb.ScoreRequest(queries=[query]))).calibration == used)

        await until(follows)
    async with open_body_system(database) as third:
        assert (await third.stub.GetStatus(pb.GetStatusRequest())).status.calibration == used
        request = _change(None)
        request.change.ClearField("fitted")
        assert (await third.stub.SetCalibration(request)).calibration == before.in_use


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (_change(1.5), _INVALID),
        (_change(float("nan")), _INVALID),
        (_change(0.5, parameters={"most": 1.0}), _INVALID),
        (_change(0.5, version="0"), grpc.StatusCode.FAILED_PRECONDITION),
        (pb.SetCalibrationRequest(), grpc.StatusCode.FAILED_PRECONDITION),
    ],
    ids=["too much", "NaN", "parameters", "another model", "nothing"],
)
async def test_a_weight_that_is_none_is_refused(
    system: BodySystem, request_: pb.SetCalibrationRequest, code: grpc.StatusCode
) -> None:
    """And what was used goes on."""
    assert await code_of(system.stub.SetCalibration(request_)) is code
    state = (await system.stub.GetCalibration(pb.GetCalibrationRequest())).state
    assert not state.in_use.is_of_this_library


async def test_what_ships_has_its_own_weight(system: BodySystem) -> None:
    """Another one would have nothing that it rests on."""
    request = _change(0.5)
    request.change.ClearField("fitted")
    assert await code_of(system.stub.SetCalibration(request)) is _INVALID


async def test_a_picture_of_an_enrolled_person_has_them_as_candidate(system: BodySystem) -> None:
    """Enrolled from one picture, proposed for another, with a confidence that never looks sure."""
    performer = await system.performer()
    [seen] = (await system.observe(_one_person())).bodies
    await system.enroll(performer, enrolment(seen.template))
    [body] = (await system.observe(encode(scene(500, 700, (100, 60, 1.2)), ".jpg"))).bodies
    [candidate] = body.candidates
    assert candidate.performer_id == performer
    assert candidate.confidence <= 0.2
    scores = await system.score(body.template, performer)
    assert scores[performer].similarity == pytest.approx(candidate.similarity)
    assert not (await system.observe(_one_person(), max_candidates=0)).bodies[0].candidates


async def test_more_pictures_make_a_performer_surer(system: BodySystem) -> None:
    """Score combines what is enrolled, Lookup tells the smaller error."""
    performer = await system.performer()
    template = template_of(1.5, error=0.06)
    llrs, errors = [], []
    for _ in range(3):
        await system.enroll(performer, enrolment(template))
        llrs.append((await system.score(template, performer))[performer].llr)
        lookup = await system.stub.Lookup(pb.LookupRequest(performer_ids=[performer]))
        errors.append(lookup.performers[0].ratios[0].log_error)
    assert llrs == sorted(llrs)
    assert errors == pytest.approx([0.06, 0.06 / 2**0.5, 0.06 / 3**0.5], rel=1e-4)


async def test_the_same_image_counts_once(system: BodySystem) -> None:
    """A second time it is a duplicate, in one request or in two; for another performer it is not."""
    performer, other = await system.performer(), await system.performer()
    view = enrolment(template_of(0.5), image="one picture")
    first, second = await system.enroll(performer, view, view)
    [third] = await system.enroll(performer, view)
    [fourth] = await system.enroll(other, view)
    assert [one.is_accepted for one in (first, second, third, fourth)] == [True, False, False, True]
    assert second.reason == third.reason == common_pb2.REJECTION_REASON_DUPLICATE_IMAGE
    assert (await system.score(template_of(0.5), performer))[performer].measurements == 1


async def test_a_bad_view_is_not_enrolled(system: BodySystem) -> None:
    """Quality under the floor teaches nothing; the others of the request do."""
    performer = await system.performer()
    bad, good = template_of(0.0, quality=0.3), template_of(0.0)
    outcomes = await system.enroll(performer, enrolment(bad), enrolment(good))
    assert [one.reason for one in outcomes] == [common_pb2.REJECTION_REASON_LOW_QUALITY, 0]
    assert [one.index for one in outcomes] == [0, 1]
    assert await system.rows(performer) == 1


async def test_nobody_can_be_enrolled_as_nobody(system: BodySystem) -> None:
    """An id that the catalogue does not know is NOT_FOUND, whatever the quality."""
    for quality in (0.9, 0.1):
        request = pb.EnrollRequest(
            performer_id=_NOBODY, observations=[enrolment(template_of(0.0, quality=quality))]
        )
        assert await code_of(system.stub.Enroll(request)) is grpc.StatusCode.NOT_FOUND


async def test_a_forgotten_body_is_gone(system: BodySystem) -> None:
    """From the index and from the database; forgetting again is no error."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(0.0)), enrolment(template_of(0.1)))
    counts = [
        (await system.stub.Forget(pb.ForgetRequest(performer_id=performer))).observations for _ in range(2)
    ]
    assert counts == [2, 0]
    assert await system.score(template_of(0.0), performer) == {}
    assert await system.rows(performer) == 0
    [outcome] = await system.enroll(performer, enrolment(template_of(0.0)))
    assert outcome.is_accepted


async def test_a_performer_deleted_from_the_catalogue_stays_away(system: BodySystem) -> None:
    """Rows go with the performer; Forget clears the index; nothing can be enrolled any more."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(0.0)))
    await system.execute("DELETE FROM catalogue.performers WHERE id = $1", performer)
    assert await system.rows(performer) == 0
    assert (await system.stub.Forget(pb.ForgetRequest(performer_id=performer))).observations == 0
    assert await system.score(template_of(0.0), performer) == {}
    request = pb.EnrollRequest(performer_id=performer, observations=[enrolment(template_of(0.0))])
    assert await code_of(system.stub.Enroll(request)) is grpc.StatusCode.NOT_FOUND


async def test_forgetting_while_enrolling_ends_consistent(system: BodySystem) -> None:
    """However enrolments and forgetting interleave, the index has exactly what the database has."""
    performer = await system.performer()
    for _ in range(5):
        await asyncio.gather(
            *(system.enroll(performer, enrolment(template_of(0.0))) for _ in range(6)),
            system.stub.Forget(pb.ForgetRequest(performer_id=performer)),
            *(system.enroll(performer, enrolment(template_of(0.0))) for _ in range(6)),
        )
        scores = await system.score(template_of(0.0), performer)
        found = scores[performer].measurements if scores else 0
        assert found == await system.rows(performer)


async def test_callers_who_leave_tear_nothing_apart(system: BodySystem) -> None:
    """Cancelled at any moment, an enrolment is in the database and the index, or in neither."""
    performer = await system.performer()
    for delay in np.linspace(0, 0.02, 12):
        request = pb.EnrollRequest(performer_id=performer, observations=[enrolment(template_of(0.0))])
        call = system.stub.Enroll(request)
        await asyncio.sleep(delay)
        call.cancel()
    await system.enroll(performer, enrolment(template_of(0.0)))
    async with asyncio.timeout(10):
        while True:
            found = (await system.score(template_of(0.0), performer))[performer].measurements
            if found == await system.rows(performer):
                break
            await asyncio.sleep(0.05)


async def test_a_restart_loses_nothing(database: str) -> None:
    """Another process on the same database gives the same scores and candidates."""
    await migrate_body(database)
    template = template_of([1, 0, -1, 0, 1, 0])
    answers = []
    async with open_body_system(database) as system:
        performer = await system.performer()
        await system.enroll(performer, *(enrolment(template_of(one / 10)) for one in range(5)))
        answers.append((await system.score(template, performer))[performer])
    async with open_body_system(database) as system:
        answers.append((await system.score(template, performer))[performer])
        assert (await system.observe(_one_person())).bodies[0].candidates[0].performer_id == performer
    assert answers[1].llr == pytest.approx(answers[0].llr, abs=1e-4)
    assert answers[1].measurements == answers[0].measurements == 5


async def test_without_the_database_people_are_still_scored(database: str) -> None:
    """Observe and Score go on; Enroll and Lookup are UNAVAILABLE, and come back by themselves."""
    await migrate_body(database)
    async with open_line(database) as line, open_body_system(database, reached_by=line.dsn) as system:
        performer = await system.performer()
        await system.enroll(performer, enrolment(template_of(0.0)))
        await line.cut()
        enroll = pb.EnrollRequest(performer_id=performer, observations=[enrolment(template_of(0.0))])
        assert await code_of(system.stub.Enroll(enroll)) is grpc.StatusCode.UNAVAILABLE
        lookup = pb.LookupRequest(performer_ids=[performer])
        assert await code_of(system.stub.Lookup(lookup)) is grpc.StatusCode.UNAVAILABLE
        assert await system.score(template_of(0.0), performer)
        assert (await system.observe(_one_person())).bodies[0].candidates
        assert (await system.stub.GetStatus(pb.GetStatusRequest())).status.is_ready
        await line.mend()
        [outcome] = await system.enroll(performer, *enroll.observations)
        assert outcome.is_accepted
        assert (await system.stub.Lookup(lookup)).performers[0].measurements == 2


async def test_forgetting_without_the_database_is_said_and_repeated(database: str) -> None:
    """Nothing is forgotten by halves: the caller learns that it was not done, and tries again."""
    await migrate_body(database)
    async with open_line(database) as line, open_body_system(database, reached_by=line.dsn) as system:
        performer = await system.performer()
        await system.enroll(performer, enrolment(template_of(0.0)))
        await line.cut()
        request = pb.ForgetRequest(performer_id=performer)
        assert await code_of(system.stub.Forget(request)) is grpc.StatusCode.UNAVAILABLE
        assert performer in await system.score(template_of(0.0), performer)
        await line.mend()
        assert (await system.stub.Forget(request)).observations == 1
        assert await system.score(template_of(0.0), performer) == {}


async def test_templates_of_one_person_are_combined(system: BodySystem) -> None:
    """Many frames of one person say more than one; a template of another version says nothing."""
    performer = await system.performer()
    await system.enroll(performer, *(enrolment(template_of(1.5)) for _ in range(5)))
    view, foreign = template_of(1.5, error=0.08), template_of(1.5, version="0")

    def query(key: str, *templates: common_pb2.Template) -> common_pb2.ScoreQuery:
        return common_pb2.ScoreQuery(key=key, templates=templates, performer_ids=[performer])

    queries = [query("one", view), query("many", view, view, view, foreign), query("none", foreign)]
    one, many, none = (await system.stub.Score(pb.ScoreRequest(queries=queries))).results
    assert [one.key, many.key, none.key] == ["one", "many", "none"]
    assert many.scores[0].llr > one.scores[0].llr > 0
    assert not none.scores


async def test_templates_are_compared_with_each_other(system: BodySystem) -> None:
    """Symmetric, 1 at best for equal and sure ones, NaN where there is no common model."""
    templates = [template_of(1.0, error=0.001), template_of(-1.0), template_of(0.0, version="0")]
    response = await system.stub.Compare(pb.CompareRequest(templates=templates))
    matrix = np.array(response.similarities).reshape(3, 3)
    assert matrix == pytest.approx(matrix.T, nan_ok=True)
    assert matrix[0, 0] == pytest.approx(1, abs=0.01)
    assert matrix[0, 1] < matrix[0, 0]
    assert np.isnan(matrix[2]).all()


async def test_malformed_requests_are_refused(system: BodySystem) -> None:
    """Each names a field: INVALID_ARGUMENT, and nothing is stored."""
    performer = await system.performer()
    good = template_of(0.0)
    face = common_pb2.Template(signal=common_pb2.SIGNAL_FACE, embeddings=good.embeddings)
    short = common_pb2.Template(
        signal=common_pb2.SIGNAL_BODY,
        embeddings=[to_proto_embedding(RATIOS.name, RATIOS.version, np.zeros(3, np.float32))],
    )
    empty = common_pb2.Template(signal=common_pb2.SIGNAL_BODY)
    query = common_pb2.ScoreQuery(key="a", templates=[good])
    no_hash = enrolment(good)
    no_hash.source.image_hash = "x"
    no_box = enrolment(good)
    no_box.box.width = 0
    unsure = enrolment(good)
    unsure.template.quality = 1.5
    stub = system.stub
    refused: list[Awaitable[object]] = [
        stub.Observe(pb.ObserveRequest(image=_one_person(), max_candidates=1001)),
        stub.Score(pb.ScoreRequest(queries=[query, query])),
        stub.Score(pb.ScoreRequest(queries=[common_pb2.ScoreQuery(key="a")])),
        stub.Score(
            pb.ScoreRequest(queries=[common_pb2.ScoreQuery(key="a", templates=[good], performer_ids=["7"])])
        ),
        *(stub.Compare(pb.CompareRequest(templates=[one])) for one in (face, short, empty)),
        stub.Compare(pb.CompareRequest()),
        *(
            stub.Enroll(pb.EnrollRequest(performer_id=performer, observations=[one]))
            for one in (no_hash, no_box, unsure, enrolment(template_of(0.0, version="0")), enrolment(short))
        ),
        stub.Enroll(pb.EnrollRequest(performer_id=performer)),
        stub.Enroll(pb.EnrollRequest(performer_id="x", observations=[enrolment(good)])),
        stub.Forget(pb.ForgetRequest(performer_id="x")),
        stub.Lookup(pb.LookupRequest(performer_ids=["x"])),
    ]
    assert [await code_of(call) for call in refused] == [_INVALID] * len(refused)
    assert await system.rows(performer) == 0


async def test_status_counts_what_can_be_found(system: BodySystem) -> None:
    """Models by role, performers and measurements."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(0.0)), enrolment(template_of(0.1)))
    status = (await system.stub.GetStatus(pb.GetStatusRequest())).status
    assert status.is_ready
    assert (status.performers, status.observations) == (1, 2)
    assert {model.role: model.name for model in status.models} == {
        "body.detector": "pose_detector",
        "body.landmarks": "pose_landmarks",
        "body.measurement": RATIOS.name,
    }
    assert [model.vectors for model in status.models if model.dimension] == [2]


async def test_another_landmark_network_is_another_version(database: str, tmp_path: Path) -> None:
    """What one network measured is neither compared with nor lost to the other."""
    await migrate_body(database)
    own = tmp_path / "landmarks.onnx"
    shutil.copy(ModelStore().path("pose_landmarks"), own)
    async with open_body_system(database) as system:
        performer = await system.performer()
        [seen] = (await system.observe(_one_person())).bodies
        await system.enroll(performer, enrolment(seen.template))
    async with open_body_system(database, body=BodySection(port=0, landmarks_file=own)) as system:
        [body] = (await system.observe(_one_person())).bodies
        assert body.template.embeddings[0].version.startswith(f"{RATIOS.version}+")
        assert not body.candidates
        assert await system.score(seen.template, performer) == {}
        assert await system.rows(performer) == 1


async def test_a_network_that_is_none_is_refused(database: str, tmp_path: Path) -> None:
    """A file that is not there, or no model, is an error at the start that names it."""
    await migrate_body(database)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    for path, error in ((tmp_path / "none.onnx", ConfigError), (broken, ModelError)):
        with pytest.raises(error, match="landmarks"):
            async with open_body_system(database, body=BodySection(port=0, landmarks_file=path)):
                pass


async def test_a_database_without_our_tables_is_refused(database: str) -> None:
    """The error says what to do."""
    await migrate(database, [SchemaSource("catalogue", "gateway")])
    with pytest.raises(StoreError, match="marquee migrate"):
        async with open_body_system(database):
            pass


async def test_the_process_serves_and_stops(database: str) -> None:
    """`python -m services.body` says that it listens, and ends with 0 at the first signal."""
    await migrate_body(database)
    settings = {"MARQUEE_DATABASE_DSN": database, "MARQUEE_BODY_PORT": "0"}
    async with open_process("services.body", **settings) as process:
        async with open_channel(f"127.0.0.1:{await listening_port(process)}") as channel:
            status = await body_pb2_grpc.BodyServiceStub(channel).GetStatus(pb.GetStatusRequest())
            assert status.status.is_ready
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0


async def test_the_process_says_why_it_cannot_start() -> None:
    """Wrong settings: one line that names the field, and exit code 2."""
    code, text = await failure_of("services.body", MARQUEE_BODY_MAX_PEOPLE="0")
    assert code == 2
    assert text.startswith("marquee: body.max_people")
    assert text.count("\n") == 1
