"""A service's ratios rest on this library's calibration, which every replica follows, else on what ships."""

from __future__ import annotations

import hashlib
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import numpy as np
import pytest
import pytest_asyncio

from chassis.signal.calibration_fitting import Pairs, fit_calibration
from chassis.signal.calibration_parameters import from_parameters, to_parameters
from marquee.common.v1 import calibration_pb2, common_pb2
from marquee.face.v1 import face_pb2
from marquee.tattoo.v1 import tattoo_pb2
from services.face.config import FaceSection
from services.tattoo.key_point_translation import to_proto_key_points
from services.tattoo.key_points import find_key_points
from tests.fakes import tattoo_service
from tests.fakes.drawings import drawing
from tests.fakes.face_service import FaceSystem, enrolment, migrate_face, open_face_system, template_of
from tests.fakes.tattoo_service import (
    TattooSystem,
    migrate_tattoo,
    open_tattoo_system,
    plain_section,
    system,
)
from tests.fakes.waiting import until

__all__ = ["system"]


_DLIB = ("dlib_resnet",)
# One embedder that needs nothing built.
_SECTION = FaceSection(port=0, embedder=_DLIB)


def _fitted(seed: int = 1, changes: Mapping[str, float] | None = None) -> calibration_pb2.FittedCalibration:
    """A calibration of this library; another one for another seed."""
    rng = np.random.default_rng(seed)
    kinds = [Pairs(rng.normal(mean, 0.1, 100), rng.uniform(0.5, 1, 100)) for mean in (0.8, 0.2)]
    return calibration_pb2.FittedCalibration(
        parameters={**to_parameters(fit_calibration(*kinds)), **(changes or {})},
        provenance="a test",
        genuine_pairs=70,
        impostor_pairs=700,
    )


async def _models(faces: FaceSystem) -> list[calibration_pb2.CalibratedModel]:
    reply = await faces.stub.GetCalibration(face_pb2.GetCalibrationRequest(), timeout=10)
    return list(reply.state.models)


async def _set(
    faces: FaceSystem, fitted: calibration_pb2.FittedCalibration | None, weight: float | None = None
) -> common_pb2.CalibrationInUse:
    change = calibration_pb2.CalibrationChange(models=await _models(faces), fitted=fitted, weight=weight)
    request = face_pb2.SetCalibrationRequest(change=change)
    return (await faces.stub.SetCalibration(request, timeout=10)).calibration


async def _in_use(faces: FaceSystem) -> common_pb2.CalibrationInUse:
    return (await faces.status()).calibration


@pytest_asyncio.fixture(loop_scope="session")
async def faces(database: str) -> AsyncIterator[FaceSystem]:
    await migrate_face(database)
    async with open_face_system(database, face=_SECTION) as faces:
        yield faces


async def _score(faces: FaceSystem, performer_id: str, *, noise: float = 0.3) -> face_pb2.ScoreResponse:
    template = template_of(1, noise=noise, look=5, names=_DLIB)
    query = common_pb2.ScoreQuery(key="q", templates=[template], performer_ids=[performer_id])
    return await faces.stub.Score(face_pb2.ScoreRequest(queries=[query]), timeout=20)


async def test_what_ships_is_used_until_there_is_one_of_this_library(faces: FaceSystem) -> None:
    """The answer and the status say which, and the ratio changes with it at once."""
    performer = await faces.performer()
    await faces.enroll(performer, enrolment(template_of(1, names=_DLIB)))
    before = await _score(faces, performer)
    assert not before.calibration.is_of_this_library
    assert before.calibration.weight == 1.0
    assert before.calibration.genuine_pairs > 0

    used = await _set(faces, _fitted(), weight=0.0)
    assert used.is_of_this_library
    after = await _score(faces, performer)
    assert after.calibration == used == await _in_use(faces)
    assert (used.provenance, used.genuine_pairs, used.impostor_pairs, used.weight) == ("a test", 70, 700, 0)
    assert used.created_at
    [score] = after.results[0].scores
    own = from_parameters(_fitted().parameters)
    assert score.llr == pytest.approx(own.llr(score.similarity, 0.9), rel=1e-4)
    assert score.llr != before.results[0].scores[0].llr

    back = await _set(faces, None)
    assert not back.is_of_this_library
    assert (await _score(faces, performer)).results == before.results


async def test_replicas_follow(faces: FaceSystem) -> None:
    """Another process uses it without a restart; one that starts later, too."""
    async with open_face_system(faces.dsn, face=_SECTION) as second:
        used = await _set(faces, _fitted())

        async def follows() -> bool:
            return bool(await _in_use(second) == used)

        await until(follows)
    async with open_face_system(faces.dsn, face=_SECTION) as third:
        assert await _in_use(third) == used


async def test_the_same_again_is_one_row(faces: FaceSystem) -> None:
    """Calibrating twice leaves what calibrating once leaves."""
    used = await _set(faces, _fitted())
    assert await _set(faces, _fitted()) == used
    assert await _set(faces, _fitted(2)) != used


async def test_one_for_other_models_is_refused(faces: FaceSystem) -> None:
    """Whatever is known of their similarities says nothing of these."""
    models = [calibration_pb2.CalibratedModel(model="dlib_resnet", version="0.1")]
    change = calibration_pb2.CalibrationChange(models=models, fitted=_fitted())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await faces.stub.SetCalibration(face_pb2.SetCalibrationRequest(change=change), timeout=10)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert not (await _in_use(faces)).is_of_this_library


async def test_one_of_another_version_stays_stored_and_is_not_used(faces: FaceSystem) -> None:
    """It comes back when its models serve."""
    await _set(faces, _fitted())
    await faces.execute("""UPDATE face.calibrations SET models = '[["dlib_resnet", "0.1"]]'""")

    async def is_shipped() -> bool:
        return not (await _in_use(faces)).is_of_this_library

    await until(is_shipped)
    key = [await _models(faces)][0][0]
    await faces.execute(
        "UPDATE face.calibrations SET models = jsonb_build_array(jsonb_build_array($1::text, $2::text))",
        key.model,
        key.version,
    )

    async def is_own() -> bool:
        return (await _in_use(faces)).is_of_this_library

    await until(is_own)


async def test_one_that_this_code_does_not_understand_is_passed_over(faces: FaceSystem) -> None:
    """After an upgrade that changes the form: what ships is used, with the weight that was found."""
    await _set(faces, _fitted(), weight=0.0)
    await faces.execute("""UPDATE face.calibrations SET parameters = '{"slope": 1}'""")

    async def is_shipped() -> bool:
        return not (await _in_use(faces)).is_of_this_library

    await until(is_shipped)
    assert (await _in_use(faces)).weight == 0.0


_NAME = next(iter(_fitted().parameters))


@pytest.mark.parametrize(
    "changes", [{_NAME: math.nan}, {_NAME: math.inf}, {"another": 1.0}], ids=["nan", "infinite", "unknown"]
)
async def test_what_is_no_calibration_is_refused(faces: FaceSystem, changes: dict[str, float]) -> None:
    """And nothing is stored."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _set(faces, _fitted(changes=changes))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert not (await _in_use(faces)).is_of_this_library


async def test_a_missing_parameter_or_a_wrong_weight_is_refused(faces: FaceSystem) -> None:
    """Nothing is guessed."""
    incomplete = _fitted()
    del incomplete.parameters[_NAME]
    for fitted, weight in ((incomplete, 1.0), (_fitted(), 1.5), (_fitted(), math.nan)):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _set(faces, fitted, weight)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_faces_of_excepted_images_are_not_compared(faces: FaceSystem) -> None:
    """Of whomever; who has no other face gets no score. After a restart, too."""
    anna, bea = await faces.performer(), await faces.performer()
    same = template_of(1, names=_DLIB)
    await faces.enroll(anna, enrolment(same, image="one"))
    await faces.enroll(anna, enrolment(template_of(2, names=_DLIB), image="two"))
    await faces.enroll(bea, enrolment(template_of(1, noise=0.5, names=_DLIB), image="one"))
    hashes = [hashlib.sha256(b"one").hexdigest()]

    async def compared(system: FaceSystem, out: list[str]) -> dict[str, tuple[float, int]]:
        query = common_pb2.ScoreQuery(
            key="q", templates=[same], performer_ids=[anna, bea], except_image_hashes=out
        )
        response = await system.stub.Score(face_pb2.ScoreRequest(queries=[query]), timeout=20)
        return {one.performer_id: (round(one.similarity, 3), one.faces) for one in response.results[0].scores}

    everything = await compared(faces, [])
    assert everything[anna] == (1.0, 2)
    assert everything[bea][1] == 1
    left = await compared(faces, hashes)
    assert left.keys() == {anna}
    assert left[anna][0] < 0.5
    assert left[anna][1] == 1
    async with open_face_system(faces.dsn, face=_SECTION) as again:
        assert await compared(again, hashes) == left


async def test_what_is_enrolled_is_listed_without_vectors(faces: FaceSystem) -> None:
    """A calibration first asks which images there are; vectors are most of the bytes."""
    anna = await faces.performer()
    await faces.enroll(anna, enrolment(template_of(1, names=_DLIB), image="one"))
    with_, without = [
        await faces.stub.ExportVectors(face_pb2.ExportVectorsRequest(without_vectors=one), timeout=10)
        for one in (False, True)
    ]
    [row] = without.rows
    assert with_.rows[0].embedding.vector
    assert not row.embedding.vector
    with_.rows[0].embedding.ClearField("vector")
    assert row == with_.rows[0]


async def test_tattoos_are_listed_without_vectors(system: TattooSystem) -> None:
    """As faces are."""
    anna = await system.performer()
    await system.enroll(anna, tattoo_service.enrolment(tattoo_service.template_of(1), image="one"))
    request = tattoo_pb2.ExportVectorsRequest(without_vectors=True)
    [row] = (await system.stub.ExportVectors(request, timeout=10)).rows
    assert row.embedding.model == tattoo_service.MODEL
    assert not row.embedding.vector


async def test_similarities_come_without_what_is_known(system: TattooSystem) -> None:
    """A calibration asks of hundreds of performers, and what is known is most of the bytes."""
    anna, seen = await system.performer(), tattoo_service.template_of(1)
    await system.enroll(anna, tattoo_service.enrolment(seen, image="one"))
    query = common_pb2.ScoreQuery(key="q", templates=[seen], performer_ids=[anna])
    with_, without = [
        (await system.stub.Score(tattoo_pb2.ScoreRequest(queries=[query], without_facts=one), timeout=20))
        .results[0]
        .scores[0]
        for one in (False, True)
    ]
    assert with_.known
    assert not without.known
    assert not without.regions
    assert without.similarity == with_.similarity
    assert list(without.matches) == list(with_.matches)


async def test_a_malformed_image_hash_is_refused(faces: FaceSystem) -> None:
    """As are more than a thousand."""
    for out in (["no hash"], ["a" * 64] * 1001):
        query = common_pb2.ScoreQuery(
            key="q", templates=[template_of(1, names=_DLIB)], except_image_hashes=out
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await faces.stub.Score(face_pb2.ScoreRequest(queries=[query]), timeout=20)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_tattoos_of_excepted_images_are_not_compared(system: TattooSystem) -> None:
    """Nor are they known."""
    anna = await system.performer()
    await system.enroll(anna, tattoo_service.enrolment(tattoo_service.template_of(1), image="one"))
    await system.enroll(anna, tattoo_service.enrolment(tattoo_service.template_of(2), image="two"))

    async def scored(*out: bytes) -> list[tattoo_pb2.TattooScore]:
        query = common_pb2.ScoreQuery(
            key="q",
            templates=[tattoo_service.template_of(1)],
            performer_ids=[anna],
            except_image_hashes=[hashlib.sha256(one).hexdigest() for one in out],
        )
        response = await system.stub.Score(tattoo_pb2.ScoreRequest(queries=[query]), timeout=20)
        assert not response.HasField("calibration")
        return list(response.results[0].scores)

    [everything] = await scored()
    [left] = await scored(b"one")
    assert everything.similarity == pytest.approx(1.0)
    assert len(everything.known) == 2
    assert left.similarity == pytest.approx(0.0, abs=1e-6)
    assert len(left.known) == 1
    assert not await scored(b"one", b"two")


async def test_tattoos_follow_a_calibration_as_faces_do(database: str, tmp_path: Path) -> None:
    """Of an embedder that nothing ships for."""
    await migrate_tattoo(database)
    section = plain_section(tmp_path)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_tattoo_system(database, section))
        second = await stack.enter_async_context(open_tattoo_system(database, section))
        models = [calibration_pb2.CalibratedModel(model=tattoo_service.MODEL, version=tattoo_service.VERSION)]
        change = calibration_pb2.CalibrationChange(models=models, fitted=_fitted(), weight=0.5)
        request = tattoo_pb2.SetCalibrationRequest(change=change)
        used = (await first.stub.SetCalibration(request, timeout=10)).calibration
        assert used.weight == 0.5

        async def follows() -> bool:
            status = (await second.stub.GetStatus(tattoo_pb2.GetStatusRequest(), timeout=10)).status
            return status.HasField("calibration") and status.calibration == used

        await until(follows)
        assert (await second.stub.Lookup(tattoo_pb2.LookupRequest(), timeout=10)).calibration == used


async def test_key_points_of_views_are_listed(system: TattooSystem) -> None:
    """A view without any is left out, as is another performer's in the same image."""
    anna, bea = await system.performer(), await system.performer()
    pointed = tattoo_service.template_of(1)
    pointed.key_points.CopyFrom(to_proto_key_points(find_key_points(drawing(1))))
    await system.enroll(anna, tattoo_service.enrolment(pointed, image="one"))
    await system.enroll(anna, tattoo_service.enrolment(tattoo_service.template_of(2), image="two"))
    await system.enroll(bea, tattoo_service.enrolment(pointed, image="one"))
    images = [
        tattoo_pb2.PerformerImage(performer_id=anna, image_hash=hashlib.sha256(name).hexdigest())
        for name in (b"one", b"two")
    ]
    reply = await system.stub.ListKeyPoints(tattoo_pb2.ListKeyPointsRequest(images=images), timeout=10)
    [view] = reply.views
    assert (view.performer_id, view.image_hash) == (anna, images[0].image_hash)
    assert view.key_points == pointed.key_points
    assert view.box.width == 30
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await system.stub.ListKeyPoints(tattoo_pb2.ListKeyPointsRequest(images=images * 51), timeout=10)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_excepted_view_is_not_verified_either(system: TattooSystem) -> None:
    """Its key points agree with themselves."""
    anna = await system.performer()
    pointed = tattoo_service.template_of(1)
    pointed.key_points.CopyFrom(to_proto_key_points(find_key_points(drawing(1))))
    await system.enroll(anna, tattoo_service.enrolment(pointed, image="one"))
    await system.enroll(anna, tattoo_service.enrolment(tattoo_service.template_of(2), image="two"))
    for out, agrees in (([], True), ([hashlib.sha256(b"one").hexdigest()], False)):
        query = common_pb2.ScoreQuery(
            key="q", templates=[pointed], performer_ids=[anna], except_image_hashes=out
        )
        reply = await system.stub.Score(tattoo_pb2.ScoreRequest(queries=[query]), timeout=20)
        assert (reply.results[0].scores[0].agreeing_points > 0) is agrees
