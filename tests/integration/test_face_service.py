"""The face service through a real channel, on a real database, with the real models."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import grpc
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from chassis.channels import open_channel
from chassis.errors import ModelError, StoreError
from chassis.models import ModelStore
from chassis.postgres import SchemaSource, migrate
from chassis.protos import to_proto_embedding
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2 as pb
from marquee.face.v1 import face_pb2_grpc
from services.face.config import EmbedderSettings, FaceSection
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS
from tests.fakes.database_line import open_line
from tests.fakes.face_service import (
    FaceSystem,
    both_embedders,
    enrolment,
    migrate_face,
    open_face_system,
    template_of,
)
from tests.fakes.model_store import own_store
from tests.fakes.pictures import encode, gradient
from tests.fakes.portrait import portrait
from tests.fakes.postgres import database, postgres_server
from tests.fakes.rpc import code_of
from tests.fakes.service_process import listening_port, open_process

__all__ = ["database", "postgres_server"]

_NOBODY = "00000000-0000-4000-8000-000000000000"
_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_LFW = Path("../shared/data/lfw/identities")


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[FaceSystem]:
    """A service with nobody enrolled."""
    await migrate_face(database)
    async with open_face_system(database) as system:
        yield system


def _portrait(side: int = 250) -> bytes:
    return encode(portrait(side))


@both_embedders
async def test_a_face_is_observed_with_everything_there_is_to_say(system: FaceSystem) -> None:
    """One drawn face, sharp and frontal: box, landmarks, good quality, a vector of each embedder."""
    response = await system.observe(_portrait())
    assert (response.image_width, response.image_height) == (250, 250)
    [face] = response.faces
    assert face.detection_confidence > 0.8
    assert face.quality > 0.8
    assert face.template.quality == face.quality
    assert face.template.signal == common_pb2.SIGNAL_FACE
    assert [one.model for one in face.template.embeddings] == list(DEFAULT_EMBEDDERS)
    right_eye, left_eye, nose, right_mouth, left_mouth = ((one.x, one.y) for one in face.landmarks)
    assert right_eye == pytest.approx((102, 106), abs=6)
    assert left_eye == pytest.approx((148, 106), abs=6)
    assert nose == pytest.approx((125, 132), abs=8)
    assert (right_mouth[1], left_mouth[1]) == pytest.approx((157, 157), abs=6)
    assert face.box.x + face.box.width / 2 == pytest.approx(125, abs=8)
    primary, secondary = response.operating_points
    assert primary.model == DEFAULT_EMBEDDERS[0]
    assert primary.identification_confidence == secondary.identification_confidence


async def test_faces_come_largest_first(system: FaceSystem) -> None:
    """Faces of three sizes, each where it was drawn."""
    canvas = np.full((500, 1000, 3), 160, np.uint8)
    for x, side in ((20, 200), (240, 420), (680, 300)):
        canvas[40 : 40 + side, x : x + side] = portrait(side)
    response = await system.observe(encode(canvas, ".jpg"))
    middles = [face.box.x + face.box.width / 2 for face in response.faces]
    assert middles == pytest.approx([450, 830, 120], abs=20)


@pytest.mark.parametrize("quarter", [1, 2, 3])
async def test_a_picture_held_wrongly_shows_the_same_face(system: FaceSystem, quarter: int) -> None:
    """Turned by a quarter or upside down, the face is found and described as if it were upright."""
    upright = (await system.observe(_portrait())).faces[0]
    turned = np.ascontiguousarray(np.rot90(portrait(250), quarter))
    [face] = (await system.observe(encode(turned))).faces
    response = await system.stub.Compare(pb.CompareRequest(templates=[upright.template, face.template]))
    assert response.similarities[1] > 0.8


async def test_a_tight_crop_shows_a_face(system: FaceSystem) -> None:
    """A face that fills its picture is found, its box within the picture."""
    pixels = portrait(400)[80:300, 112:288]
    [face] = (await system.observe(encode(pixels))).faces
    assert face.box.width > 140
    assert face.box.x >= 0
    assert face.box.x + face.box.width <= 176 + 1e-3


@both_embedders
async def test_fifty_faces_are_a_picture_like_any_other(system: FaceSystem) -> None:
    """A crowd: nearly everybody is found, each with a template of their own, no more than the limit."""
    crowd = np.tile(portrait(200), (5, 10, 1))
    response = await system.observe(encode(crowd, ".jpg"), max_candidates=3)
    assert 45 <= len(response.faces) <= 50
    assert all(len(face.template.embeddings) == 2 for face in response.faces)


async def test_the_largest_faces_are_kept(database: str) -> None:
    """With a limit of two, the two largest of three."""
    await migrate_face(database)
    canvas = np.full((500, 1000, 3), 160, np.uint8)
    for x, side in ((20, 200), (240, 420), (680, 300)):
        canvas[40 : 40 + side, x : x + side] = portrait(side)
    async with open_face_system(database, face=FaceSection(port=0, max_faces=2)) as system:
        response = await system.observe(encode(canvas))
    assert [face.box.x + face.box.width / 2 for face in response.faces] == pytest.approx([450, 830], abs=20)


async def test_a_picture_of_nobody_has_nobody(system: FaceSystem) -> None:
    """Nothing visible is an answer, not an error; so is a picture of one pixel."""
    for pixels in (gradient(320, 240), gradient(1, 1), gradient(1, 900)):
        response = await system.observe(encode(pixels))
        assert not response.faces
        assert response.image_height == len(pixels)


@pytest.mark.parametrize("image", [b"", b"nonsense", _portrait()[:5000]], ids=["empty", "other", "cut off"])
async def test_other_bytes_are_refused(system: FaceSystem, image: bytes) -> None:
    """No acceptable image: INVALID_ARGUMENT, and the service goes on."""
    assert await code_of(system.stub.Observe(pb.ObserveRequest(image=image))) is _INVALID
    assert (await system.observe(_portrait())).faces


async def test_an_enrolled_face_is_found_and_scored(system: FaceSystem) -> None:
    """From a picture: committed, proposed for another picture, scored and told by Lookup, at once."""
    performer, other = await system.performer(), await system.performer()
    [seen] = (await system.observe(_portrait())).faces
    [outcome] = await system.enroll(performer, enrolment(seen.template, date="2024-05-01"))
    assert outcome.is_accepted
    await system.enroll(other, enrolment(template_of(1)))
    [face] = (await system.observe(_portrait(400))).faces
    best, second = face.candidates
    assert (best.performer_id, second.performer_id) == (performer, other)
    assert best.similarity > 0.9
    assert best.confidence == 1
    assert second.confidence == 0
    scores = await system.score(face.template, _NOBODY, other, performer)
    assert list(scores) == [other, performer]
    assert scores[performer].similarity == pytest.approx(best.similarity, abs=1e-4)
    assert scores[performer].faces == 1
    assert scores[performer].llr > 5 > 0 > scores[other].llr
    lookup = await system.stub.Lookup(pb.LookupRequest(performer_ids=[_NOBODY, performer, performer]))
    [attributes] = lookup.performers
    assert (attributes.performer_id, attributes.faces, attributes.good_faces) == (performer, 1, 1)
    assert attributes.best_quality == pytest.approx(seen.quality)
    assert not (await system.observe(_portrait(), max_candidates=0)).faces[0].candidates


async def test_faces_are_counted_by_quality(system: FaceSystem) -> None:
    """Good above 0.8, weak below 0.4, the others between; and the best of them."""
    performer = await system.performer()
    qualities = (0.9, 0.79, 0.41, 0.39, 0.2)
    faces = [
        enrolment(template_of(1, quality=each, noise=0.3, look=look)) for look, each in enumerate(qualities)
    ]
    await system.enroll(performer, *faces)
    [found] = (await system.stub.Lookup(pb.LookupRequest(performer_ids=[performer]))).performers
    assert (found.faces, found.good_faces, found.weak_faces) == (5, 1, 2)
    assert found.best_quality == pytest.approx(0.9)


async def test_the_same_image_counts_once(system: FaceSystem) -> None:
    """A second time it is a duplicate, in one request or in two; for another performer it is not."""
    performer, other = await system.performer(), await system.performer()
    view = enrolment(template_of(2), image="one picture")
    first, second = await system.enroll(performer, view, view)
    [third] = await system.enroll(performer, view)
    [fourth] = await system.enroll(other, view)
    assert [one.is_accepted for one in (first, second, third, fourth)] == [True, False, False, True]
    assert second.reason == third.reason == common_pb2.REJECTION_REASON_DUPLICATE_IMAGE
    assert (await system.score(template_of(2), performer))[performer].faces == 1


async def test_a_bad_face_is_not_enrolled(system: FaceSystem) -> None:
    """Quality under the floor teaches nothing; the others of the request do."""
    performer = await system.performer()
    outcomes = await system.enroll(
        performer, enrolment(template_of(3, quality=0.01)), enrolment(template_of(3))
    )
    assert [one.reason for one in outcomes] == [common_pb2.REJECTION_REASON_LOW_QUALITY, 0]
    assert [one.index for one in outcomes] == [0, 1]
    assert await system.faces(performer) == 1


async def test_nobody_can_be_enrolled_as_nobody(system: FaceSystem) -> None:
    """An id that the catalogue does not know is NOT_FOUND, whatever the quality."""
    for quality in (0.9, 0.01):
        observation = enrolment(template_of(3, quality=quality))
        request = pb.EnrollRequest(performer_id=_NOBODY, observations=[observation])
        assert await code_of(system.stub.Enroll(request)) is grpc.StatusCode.NOT_FOUND


async def test_a_forgotten_face_is_gone(system: FaceSystem) -> None:
    """From the index and from the database; forgetting again is no error; enrolling again works."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(4)), enrolment(template_of(4, noise=0.2)))
    counts = [
        (await system.stub.Forget(pb.ForgetRequest(performer_id=performer))).observations for _ in range(2)
    ]
    assert counts == [2, 0]
    assert await system.score(template_of(4), performer) == {}
    assert await system.faces(performer) == 0
    [outcome] = await system.enroll(performer, enrolment(template_of(4)))
    assert outcome.is_accepted


async def test_a_performer_deleted_from_the_catalogue_stays_away(system: FaceSystem) -> None:
    """Rows go with the performer; Forget clears the index; nothing can be enrolled any more."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(5)))
    await system.execute("DELETE FROM catalogue.performers WHERE id = $1", performer)
    assert await system.faces(performer) == 0
    assert (await system.stub.Forget(pb.ForgetRequest(performer_id=performer))).observations == 0
    assert await system.score(template_of(5), performer) == {}
    request = pb.EnrollRequest(performer_id=performer, observations=[enrolment(template_of(5))])
    assert await code_of(system.stub.Enroll(request)) is grpc.StatusCode.NOT_FOUND


async def test_forgetting_while_enrolling_ends_consistent(system: FaceSystem) -> None:
    """However enrolments and forgetting interleave, the index has exactly what the database has."""
    performer = await system.performer()
    views = [enrolment(template_of(6, noise=0.3, look=look)) for look in range(12)]
    for _ in range(5):
        await asyncio.gather(
            *(system.enroll(performer, view) for view in views[:6]),
            system.stub.Forget(pb.ForgetRequest(performer_id=performer)),
            *(system.enroll(performer, view) for view in views[6:]),
        )
        scores = await system.score(template_of(6), performer)
        assert (scores[performer].faces if scores else 0) == await system.faces(performer)


async def test_forgetting_a_performer_while_enrolling_leaves_nobody(system: FaceSystem) -> None:
    """The catalogue's row goes first, then Forget: whatever was under way, nothing is left to be found."""
    for round_number in range(5):
        performer = await system.performer()
        enrolling = [
            asyncio.ensure_future(system.enroll(performer, enrolment(template_of(7)))) for _ in range(8)
        ]
        await asyncio.sleep(0.003 * round_number)
        await system.execute("DELETE FROM catalogue.performers WHERE id = $1", performer)
        await system.stub.Forget(pb.ForgetRequest(performer_id=performer))
        results = await asyncio.gather(*enrolling, return_exceptions=True)
        failures = [one for one in results if isinstance(one, grpc.aio.AioRpcError)]
        assert all(one.code() is grpc.StatusCode.NOT_FOUND for one in failures)
        assert await system.score(template_of(7), performer) == {}


async def test_callers_who_leave_tear_nothing_apart(system: FaceSystem) -> None:
    """Cancelled at any moment, an enrolment is in the database and the index, or in neither."""
    performer = await system.performer()
    for look, delay in enumerate(np.linspace(0, 0.02, 12)):
        view = enrolment(template_of(8, noise=0.3, look=look))
        request = pb.EnrollRequest(performer_id=performer, observations=[view])
        call = system.stub.Enroll(request)
        await asyncio.sleep(delay)
        call.cancel()
    await system.enroll(performer, enrolment(template_of(8, noise=0.3, look=50)))
    async with asyncio.timeout(10):
        while True:
            found = (await system.score(template_of(8), performer))[performer].faces
            if found == await system.faces(performer):
                break
            await asyncio.sleep(0.05)


async def test_a_restart_loses_nothing(database: str) -> None:
    """Another process on the same database gives the same scores and candidates."""
    await migrate_face(database)
    answers = []
    async with open_face_system(database) as system:
        performer = await system.performer()
        [seen] = (await system.observe(_portrait())).faces
        await system.enroll(performer, enrolment(seen.template), enrolment(template_of(9)))
        answers.append((await system.score(template_of(9, noise=0.3), performer))[performer])
    async with open_face_system(database) as system:
        answers.append((await system.score(template_of(9, noise=0.3), performer))[performer])
        assert (await system.observe(_portrait())).faces[0].candidates[0].performer_id == performer
    assert answers[1].similarity == pytest.approx(answers[0].similarity, abs=1e-5)
    assert answers[1].faces == answers[0].faces == 2


async def test_without_the_database_faces_are_still_recognised(database: str) -> None:
    """Observe and Score go on; Enroll and Lookup are UNAVAILABLE, and come back by themselves."""
    await migrate_face(database)
    async with open_line(database) as line, open_face_system(database, reached_by=line.dsn) as system:
        performer = await system.performer()
        [seen] = (await system.observe(_portrait())).faces
        await system.enroll(performer, enrolment(seen.template))
        await line.cut()
        enroll = pb.EnrollRequest(performer_id=performer, observations=[enrolment(template_of(10))])
        assert await code_of(system.stub.Enroll(enroll)) is grpc.StatusCode.UNAVAILABLE
        lookup = pb.LookupRequest(performer_ids=[performer])
        assert await code_of(system.stub.Lookup(lookup)) is grpc.StatusCode.UNAVAILABLE
        assert await system.score(seen.template, performer)
        assert (await system.observe(_portrait())).faces[0].candidates
        assert (await system.stub.GetStatus(pb.GetStatusRequest())).status.is_ready
        await line.mend()
        [outcome] = await system.enroll(performer, *enroll.observations)
        assert outcome.is_accepted
        assert (await system.stub.Lookup(lookup)).performers[0].faces == 2


async def test_forgetting_without_the_database_is_said_and_repeated(database: str) -> None:
    """Nothing is forgotten by halves: the caller learns that it was not done, and tries again."""
    await migrate_face(database)
    async with open_line(database) as line, open_face_system(database, reached_by=line.dsn) as system:
        performer = await system.performer()
        await system.enroll(performer, enrolment(template_of(11)))
        await line.cut()
        request = pb.ForgetRequest(performer_id=performer)
        assert await code_of(system.stub.Forget(request)) is grpc.StatusCode.UNAVAILABLE
        assert performer in await system.score(template_of(11), performer)
        await line.mend()
        assert (await system.stub.Forget(request)).observations == 1
        assert await system.score(template_of(11), performer) == {}


async def test_templates_of_one_person_are_combined(system: FaceSystem) -> None:
    """A poor look among good ones hardly counts; keys come back in order; a foreign template says nothing."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(12)))
    good, poor = template_of(12), template_of(13, quality=0.1)
    foreign = template_of(12)
    for embedding in foreign.embeddings:
        embedding.version = "another"

    def query(key: str, *templates: common_pb2.Template) -> common_pb2.ScoreQuery:
        return common_pb2.ScoreQuery(key=key, templates=templates, performer_ids=[performer])

    queries = [query("both", good, poor), query("poor", poor), query("none", foreign)]
    both, alone, none = (await system.stub.Score(pb.ScoreRequest(queries=queries))).results
    assert [both.key, alone.key, none.key] == ["both", "poor", "none"]
    assert both.scores[0].similarity > 0.6 > alone.scores[0].similarity
    assert not none.scores


@both_embedders
async def test_templates_are_compared_with_each_other(system: FaceSystem) -> None:
    """Symmetric, 1 with itself, NaN where two share no model."""
    names = DEFAULT_EMBEDDERS
    templates = [template_of(14), template_of(14, names=names[:1]), template_of(14, names=names[1:])]
    response = await system.stub.Compare(pb.CompareRequest(templates=templates))
    matrix = np.array(response.similarities).reshape(3, 3)
    assert matrix == pytest.approx(matrix.T, nan_ok=True)
    assert matrix[0, :2] == pytest.approx(1, abs=1e-3)
    assert np.isnan(matrix[1, 2])


@both_embedders
async def test_malformed_requests_are_refused(system: FaceSystem) -> None:
    """Each names a field: INVALID_ARGUMENT, and nothing is stored."""
    performer = await system.performer()
    good = template_of(15)
    row = BUILT_IN_ROWS[DEFAULT_EMBEDDERS[0]]
    body = common_pb2.Template(signal=common_pb2.SIGNAL_BODY, embeddings=good.embeddings)
    short, zero, broken = (
        common_pb2.Template(
            signal=common_pb2.SIGNAL_FACE,
            embeddings=[to_proto_embedding(row.name, row.version, vector.astype(np.float32))],
        )
        for vector in (np.ones(3), np.zeros(row.dimension), np.full(row.dimension, np.nan))
    )
    foreign = common_pb2.Template(
        signal=common_pb2.SIGNAL_FACE, embeddings=[to_proto_embedding("x", "1", np.ones(3, np.float32))]
    )
    query = common_pb2.ScoreQuery(key="a", templates=[good])
    no_hash, no_box, unsure = enrolment(good), enrolment(good), enrolment(good)
    no_hash.source.image_hash = "x"
    no_box.box.width = 0
    unsure.template.quality = 1.5
    stub = system.stub
    refused: list[Awaitable[object]] = [
        stub.Observe(pb.ObserveRequest(image=_portrait(), max_candidates=1001)),
        stub.Score(pb.ScoreRequest(queries=[query, query])),
        stub.Score(pb.ScoreRequest(queries=[common_pb2.ScoreQuery(key="a")])),
        stub.Score(
            pb.ScoreRequest(queries=[common_pb2.ScoreQuery(key="a", templates=[good], performer_ids=["7"])])
        ),
        *(stub.Compare(pb.CompareRequest(templates=[one])) for one in (body, short, zero, broken)),
        stub.Compare(pb.CompareRequest()),
        *(
            stub.Enroll(pb.EnrollRequest(performer_id=performer, observations=[one]))
            for one in (no_hash, no_box, unsure, enrolment(foreign), enrolment(short))
        ),
        stub.Enroll(pb.EnrollRequest(performer_id=performer)),
        stub.Enroll(pb.EnrollRequest(performer_id="x", observations=[enrolment(good)])),
        stub.Forget(pb.ForgetRequest(performer_id="x")),
        stub.Lookup(pb.LookupRequest(performer_ids=["x"])),
    ]
    assert [await code_of(call) for call in refused] == [_INVALID] * len(refused)
    assert await system.faces(performer) == 0


@both_embedders
async def test_status_counts_what_can_be_found(system: FaceSystem) -> None:
    """Models by role, performers and faces."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(16)), enrolment(template_of(17)))
    status = (await system.stub.GetStatus(pb.GetStatusRequest())).status
    assert status.is_ready
    assert (status.performers, status.observations) == (1, 2)
    assert [(model.role, model.name, model.vectors) for model in status.models] == [
        ("face.detector", "face_detector", 0),
        ("face.landmarks", "face_mesh", 0),
        ("face.embedder", "mobilefacenet", 2),
        ("face.embedder", "dlib_resnet", 2),
    ]


async def test_without_the_better_embedder_dlib_s_is_used(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where mobilefacenet could not be built the service runs with dlib_resnet, and a line says so."""
    await migrate_face(database)
    _copy_models(tmp_path, without="mobilefacenet")
    async with open_face_system(database, models=tmp_path) as system:
        [face] = (await system.observe(_portrait())).faces
        assert [one.model for one in face.template.embeddings] == ["dlib_resnet"]
    assert "mobilefacenet" in capsys.readouterr().out


@both_embedders
async def test_an_embedder_that_comes_into_use_later_is_filled(database: str) -> None:
    """Faces of one embedder are found by that one; sent again they are enrolled for the other, too."""
    await migrate_face(database)
    view = enrolment(template_of(18), image="one picture")
    async with open_face_system(database, face=FaceSection(port=0, embedder=("mobilefacenet",))) as system:
        performer = await system.performer()
        [first] = await system.enroll(performer, view)
    async with open_face_system(database) as system:
        before = (await system.score(template_of(18), performer))[performer]
        [second] = await system.enroll(performer, view)
        [third] = await system.enroll(performer, view)
        status = (await system.stub.GetStatus(pb.GetStatusRequest())).status
    assert [one.is_accepted for one in (first, second, third)] == [True, True, False]
    assert before.similarity == pytest.approx(1, abs=1e-3)
    assert [model.vectors for model in status.models if model.dimension] == [1, 1]
    assert (status.observations, await system.faces(performer)) == (1, 1)


@both_embedders
async def test_an_embedder_of_ones_own(database: str, tmp_path: Path) -> None:
    """An ONNX file of the owner's under a name of its own describes faces as its row says."""
    await migrate_face(database)
    built_in = BUILT_IN_ROWS["mobilefacenet"]
    point = built_in.operating_point
    own = EmbedderSettings(
        name="own",
        file=ModelStore().path("mobilefacenet"),
        size=built_in.size,
        layout=built_in.layout,
        color=built_in.color,
        subtract=built_in.subtract,
        divide=built_in.divide,
        template="arcface",
        mirror=True,
        dimension=built_in.dimension,
        impostor_p99=point.impostor_p99,
        genuine_median=point.genuine_median,
        identification_confidence=0.5,
    )
    section = FaceSection(port=0, embedder=("own", "mobilefacenet"), embedders=(own,))
    async with open_face_system(database, face=section, models=own_store(tmp_path)) as system:
        [face] = (await system.observe(_portrait())).faces
    first, second = face.template.embeddings
    assert (first.model, second.model) == ("own", "mobilefacenet")
    # The built-in row averages more looks of the same network.
    assert float(_vector(first) @ _vector(second)) > 0.95


@both_embedders
@pytest.mark.parametrize("wrong", [{"dimension": 64}, {"size": 96}, {"layout": "NCHW"}])
async def test_a_row_that_does_not_fit_its_file_is_refused(
    database: str, tmp_path: Path, wrong: dict[str, object]
) -> None:
    """Another dimension, size or layout than the file's: an error at the start that names the model."""
    await migrate_face(database)
    settings = {"name": "mobilefacenet", "file": ModelStore().path("mobilefacenet"), **wrong}
    own = EmbedderSettings.model_validate(settings)
    section = FaceSection(port=0, embedder=("mobilefacenet",), embedders=(own,))
    with pytest.raises(ModelError, match="mobilefacenet"):
        async with open_face_system(database, face=section, models=own_store(tmp_path)):
            pass


async def test_a_damaged_model_is_refused_at_the_start(database: str, tmp_path: Path) -> None:
    """A built file that is not what was built is an error that names it."""
    await migrate_face(database)
    _copy_models(tmp_path)
    mesh = tmp_path / "face_mesh.onnx"
    mesh.write_bytes(mesh.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="face_mesh"):
        async with open_face_system(database, models=tmp_path):
            pass


async def test_a_database_without_our_tables_is_refused(database: str) -> None:
    """The error says what to do."""
    await migrate(database, [SchemaSource("catalogue", "gateway")])
    with pytest.raises(StoreError, match="marquee migrate"):
        async with open_face_system(database):
            pass


@pytest.mark.skipif(not _LFW.is_dir(), reason="photographs of the benchmark are not here")
async def test_people_in_photographs_are_recognised(system: FaceSystem) -> None:
    """One photograph of each of ten people enrolled; of each another one is recognised."""
    known = {}
    for name, (first, _) in _people(10).items():
        known[name] = await system.performer()
        face = (await system.observe(first)).faces[0]
        await system.enroll(known[name], enrolment(face.template))
    right = 0
    for name, (_, second) in _people(10).items():
        face = (await system.observe(second)).faces[0]
        right += face.candidates[0].performer_id == known[name]
    assert right >= 9


def _people(count: int) -> dict[str, tuple[bytes, bytes]]:
    """Two photographs of each of so many people."""
    folders = sorted(one for one in _LFW.iterdir() if one.is_dir())[10 : 10 * (count + 1) : 10]
    files = {one.name: sorted(one.glob("*.jpg")) for one in folders}
    return {name: (first.read_bytes(), second.read_bytes()) for name, (first, second, *_) in files.items()}


def _vector(embedding: common_pb2.Embedding) -> NDArray[np.float32]:
    return np.frombuffer(embedding.vector, "<f4")


def _copy_models(folder: Path, *, without: str = "") -> None:
    """A folder of built models as `marquee models build` leaves it, perhaps without one."""
    root = ModelStore().root
    manifest = json.loads((root / "manifest.json").read_text())
    for file in root.glob("*.onnx"):
        if file.stem != without:
            shutil.copy(file, folder)
    text = json.dumps(_without(manifest, without))
    (folder / "manifest.json").write_text(text)


def _without(value: object, name: str) -> object:
    if isinstance(value, dict):
        return {key: _without(inner, name) for key, inner in value.items() if key != name}
    return value


async def test_the_process_serves_and_stops(database: str) -> None:
    """`python -m services.face` says that it listens, and ends with 0 at the first signal."""
    await migrate_face(database)
    settings = {"MARQUEE_DATABASE_DSN": database, "MARQUEE_FACE_PORT": "0"}
    async with open_process("services.face", **settings) as process:
        async with open_channel(f"127.0.0.1:{await listening_port(process)}") as channel:
            stub = face_pb2_grpc.FaceServiceStub(channel)
            status = await stub.GetStatus(pb.GetStatusRequest(), timeout=30)
            assert status.status.is_ready
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
