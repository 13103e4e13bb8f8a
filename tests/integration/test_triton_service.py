"""A signal service whose models run in Triton: what callers get when Triton is away, and recovery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.config import InferenceSection
from chassis.models import ModelStore
from chassis.models.repository import assemble
from client.supervisor.parts import free_ports
from client.triton_stand_in.server import TritonProcess
from marquee.body.v1 import body_pb2 as pb
from marquee.face.v1 import face_pb2
from services.body.models import SPECS
from services.body.serving import SERVICE
from tests.fakes.body_service import BodySystem, migrate_body, open_body_system
from tests.fakes.face_service import migrate_face, open_face_system
from tests.fakes.figure import scene
from tests.fakes.pictures import encode
from tests.fakes.triton import load, open_triton, unload
from tests.fakes.waiting import until


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two networks of the body signal."""
    folder = tmp_path_factory.mktemp("triton") / "models"
    assemble(folder, ModelStore(), SPECS)
    return folder


@pytest.fixture
async def triton(repository: Path, tmp_path: Path) -> AsyncIterator[TritonProcess]:
    """A server of the test's own."""
    async with open_triton(repository, tmp_path / "triton.log") as process:
        yield process


@pytest.fixture
async def body(triton: TritonProcess, database: str) -> AsyncIterator[BodySystem]:
    """A ready body service."""
    await migrate_body(database)
    async with open_body_system(database, inference=_settings(triton)) as system:
        await _until(system, is_ready=True)
        yield system


@pytest.fixture(scope="module")
def picture() -> bytes:
    """Somebody to look at."""
    return encode(scene(400, 600, (120.0, 40.0, 1.0)), ".png")


def _settings(triton: TritonProcess, *, retry_seconds: float = 0.2) -> InferenceSection:
    return InferenceSection(triton_url=triton.address, triton_retry_seconds=retry_seconds)


async def _is_ready(body: BodySystem) -> bool:
    stub = health_pb2_grpc.HealthStub(body.channel)
    reply = await stub.Check(health_pb2.HealthCheckRequest(service=SERVICE), timeout=10)
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


async def _until(body: BodySystem, *, is_ready: bool) -> None:
    async def is_so() -> bool:
        return await _is_ready(body) is is_ready

    await until(is_so)


async def _reason(body: BodySystem) -> str:
    return str((await body.stub.GetStatus(pb.GetStatusRequest(), timeout=10)).status.reason)


async def _code(body: BodySystem, picture: bytes, *, timeout: float = 20.0) -> grpc.StatusCode:
    try:
        await body.stub.Observe(pb.ObserveRequest(image=picture), timeout=timeout)
    except grpc.aio.AioRpcError as exc:
        return exc.code()
    return grpc.StatusCode.OK


async def test_a_picture_is_observed(body: BodySystem, picture: bytes) -> None:
    """The service's answer is that of models in Triton."""
    observed = await body.observe(picture)
    assert (observed.image_width, observed.image_height) != (0, 0)


async def test_triton_is_absent_at_the_start(
    repository: Path, tmp_path: Path, database: str, picture: bytes
) -> None:
    """The service starts, is not ready and says why; callers get UNAVAILABLE; it recovers by itself."""
    await migrate_body(database)
    async with open_triton(repository, tmp_path / "log") as process:
        pass  # its ports are free again
    async with open_body_system(database, inference=_settings(process)) as body:
        assert not await _is_ready(body)
        assert "is not there" in await _reason(body)
        assert await _code(body, picture) is grpc.StatusCode.UNAVAILABLE
        await process.start()
        try:
            await _until(body, is_ready=True)
            assert await _code(body, picture) is grpc.StatusCode.OK
        finally:
            await process.stop(patience=10)


async def test_triton_is_killed_in_a_request_and_started_again(
    triton: TritonProcess, body: BodySystem, picture: bytes
) -> None:
    """No request hangs; the service reports not ready, and is ready again when Triton is."""
    requests = [asyncio.create_task(_code(body, picture)) for _ in range(6)]
    await asyncio.sleep(0.05)
    triton.kill()
    codes = set(await asyncio.gather(*requests))
    assert codes <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    assert grpc.StatusCode.UNAVAILABLE in codes
    await _until(body, is_ready=False)
    await triton.wait()
    await triton.start()
    await _until(body, is_ready=True)
    assert await _code(body, picture) is grpc.StatusCode.OK


async def test_a_model_is_unloaded(triton: TritonProcess, body: BodySystem, picture: bytes) -> None:
    """A server that is ready is not enough: not ready, naming the model, until it is loaded again."""
    await unload(triton, "pose_detector")
    await _until(body, is_ready=False)
    assert "pose_detector" in await _reason(body)
    assert await _code(body, picture) is grpc.StatusCode.UNAVAILABLE
    await load(triton, "pose_detector")
    await _until(body, is_ready=True)
    assert await _code(body, picture) is grpc.StatusCode.OK


async def test_a_deadline_shorter_than_the_model(body: BodySystem, picture: bytes) -> None:
    """The caller gets DEADLINE_EXCEEDED, and the next one an answer."""
    assert await _code(body, picture, timeout=0.005) is grpc.StatusCode.DEADLINE_EXCEEDED
    assert await _code(body, picture) is grpc.StatusCode.OK


async def test_a_file_of_another_shape(
    triton: TritonProcess, body: BodySystem, repository: Path, picture: bytes
) -> None:
    """A repository whose file and configuration agree, but on another shape than the service's, is told."""
    config = repository / "pose_landmarks" / "config.pbtxt"
    model = repository / "pose_landmarks" / "1" / "model.onnx"
    right_config, right_model = config.read_text(), model.read_bytes()
    other = repository / "pose_detector"
    wrong_config = (other / "config.pbtxt").read_text().replace('"pose_detector"', '"pose_landmarks"')
    try:
        model.unlink()  # it may be the store's own file under a second name
        model.write_bytes((other / "1" / "model.onnx").read_bytes())
        config.write_text(wrong_config)
        await load(triton, "pose_landmarks")
        await until(lambda: _names(body, "pose_landmarks"))
        assert await _code(body, picture) is not grpc.StatusCode.OK
    finally:
        model.write_bytes(right_model)
        config.write_text(right_config)
    await load(triton, "pose_landmarks")
    await _until(body, is_ready=True)
    assert await _code(body, picture) is grpc.StatusCode.OK


async def _names(body: BodySystem, model: str) -> bool:
    return model in await _reason(body)


async def test_an_embedding_service_starts_without_triton(database: str, picture: bytes) -> None:
    """A service that tries its embedders out does so when they come: it starts, not ready, and says why."""
    await migrate_face(database)
    nobody = InferenceSection(triton_url=f"127.0.0.1:{free_ports(1)[0]}", triton_retry_seconds=0.1)
    async with open_face_system(database, inference=nobody) as face:
        status = (await face.stub.GetStatus(face_pb2.GetStatusRequest(), timeout=10)).status
        assert not status.is_ready
        assert "is not there" in status.reason
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await face.observe(picture)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
