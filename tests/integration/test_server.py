"""A real server on a real channel: codes, deadlines, request ids, health, reflection, draining."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from chassis import errors
from chassis.channels import open_channel
from chassis.config import ServerSection
from chassis.deadline import Deadline, current_deadline, deadline_scope
from chassis.health import Readiness
from chassis.interceptors import RequestInterceptor
from chassis.server import Server, open_server
from marquee.face.v1 import face_pb2, face_pb2_grpc
from marquee.gateway.v1 import calibration_pb2, calibration_pb2_grpc

_SERVICE = "marquee.face.v1.FaceService"


class _Scripted(face_pb2_grpc.FaceServiceServicer):
    """Answers GetStatus with what it saw of the call, and Forget with an error the test chose."""

    def __init__(self) -> None:
        self.error: BaseException = errors.NotFound("no such performer")
        self.seen_seconds = 0.0
        self.seen_request_id = ""
        self.entered = asyncio.Event()
        self.was_cancelled = asyncio.Event()
        self.release = asyncio.Event()

    async def GetStatus(
        self, request: face_pb2.GetStatusRequest, context: object
    ) -> face_pb2.GetStatusResponse:
        deadline = current_deadline()
        self.seen_seconds = deadline.remaining() if deadline else -1.0
        self.seen_request_id = structlog.contextvars.get_contextvars()["request_id"]
        return face_pb2.GetStatusResponse()

    async def Forget(self, request: face_pb2.ForgetRequest, context: object) -> face_pb2.ForgetResponse:
        raise self.error

    async def Observe(self, request: face_pb2.ObserveRequest, context: object) -> face_pb2.ObserveResponse:
        self.entered.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.was_cancelled.set()
            raise
        return face_pb2.ObserveResponse(image_width=7)


def _scripted() -> _Scripted:
    return _Scripted()  # type: ignore[abstract]  # the verbs these tests do not call are left out


@asynccontextmanager
async def _served(
    servicer: _Scripted, readiness: Readiness | None = None, **settings: float
) -> AsyncIterator[tuple[Server, grpc.aio.Channel]]:
    section = ServerSection.model_validate(settings)

    def register(server: grpc.aio.Server) -> None:
        face_pb2_grpc.add_FaceServiceServicer_to_server(servicer, server)

    async with (
        open_server(section, services=[(_SERVICE, register)], readiness=readiness or Readiness({})) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        yield server, channel


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (errors.InvalidInput("k: too large"), grpc.StatusCode.INVALID_ARGUMENT, "k: too large"),
        (errors.InvalidImage("empty"), grpc.StatusCode.INVALID_ARGUMENT, "empty"),
        (errors.NotFound("no such performer"), grpc.StatusCode.NOT_FOUND, "no such performer"),
        (errors.Conflict("taken"), grpc.StatusCode.ALREADY_EXISTS, "taken"),
        (errors.Refused("under 18"), grpc.StatusCode.FAILED_PRECONDITION, "under 18"),
        (errors.Overloaded("busy"), grpc.StatusCode.RESOURCE_EXHAUSTED, "busy"),
        (errors.Unavailable("database"), grpc.StatusCode.UNAVAILABLE, "database"),
        (errors.Unsupported("later"), grpc.StatusCode.UNIMPLEMENTED, "later"),
        (TimeoutError("secret"), grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline is over"),
    ],
)
async def test_errors_become_codes(error: Exception, code: grpc.StatusCode, text: str) -> None:
    """Each cause has one code, and the client reads our words."""
    servicer = _scripted()
    servicer.error = error
    async with _served(servicer) as (_, channel):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await face_pb2_grpc.FaceServiceStub(channel).Forget(face_pb2.ForgetRequest())
    assert (caught.value.code(), caught.value.details()) == (code, text)


async def test_an_unplanned_error_leaks_nothing() -> None:
    """Whatever else goes wrong is INTERNAL without the exception's text."""
    servicer = _scripted()
    servicer.error = ValueError("password=hunter2")
    async with _served(servicer) as (_, channel):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await face_pb2_grpc.FaceServiceStub(channel).Forget(face_pb2.ForgetRequest())
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in (caught.value.details() or "")


async def test_the_deadline_of_a_caller_reaches_the_callee() -> None:
    """A call made inside a deadline carries what is left of it, whatever the call's own timeout."""
    servicer = _scripted()
    async with _served(servicer) as (_, channel):
        with deadline_scope(Deadline.after(3.0)):
            await face_pb2_grpc.FaceServiceStub(channel).GetStatus(face_pb2.GetStatusRequest(), timeout=60)
    assert 0.0 < servicer.seen_seconds <= 3.0


async def test_a_call_without_deadline_gets_the_default() -> None:
    """No call runs forever."""
    servicer = _scripted()
    async with _served(servicer, default_deadline_seconds=0.2) as (_, channel):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await face_pb2_grpc.FaceServiceStub(channel).Observe(face_pb2.ObserveRequest())
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert servicer.was_cancelled.is_set()


async def test_the_request_id_is_carried_on() -> None:
    """The id bound in the caller is the id bound in the callee."""
    servicer = _scripted()
    async with _served(servicer) as (_, channel):
        with structlog.contextvars.bound_contextvars(request_id="abc123"):
            await face_pb2_grpc.FaceServiceStub(channel).GetStatus(face_pb2.GetStatusRequest())
        assert servicer.seen_request_id == "abc123"
        await face_pb2_grpc.FaceServiceStub(channel).GetStatus(face_pb2.GetStatusRequest())
        assert len(servicer.seen_request_id) == 32


async def test_a_client_that_leaves_cancels_the_work() -> None:
    """Nothing is computed for a caller who is gone."""
    servicer = _scripted()
    async with _served(servicer) as (_, channel):
        call = face_pb2_grpc.FaceServiceStub(channel).Observe(face_pb2.ObserveRequest())
        waiting = asyncio.ensure_future(call)
        await asyncio.wait_for(servicer.entered.wait(), 5)
        waiting.cancel()
        await asyncio.wait_for(servicer.was_cancelled.wait(), 5)


async def test_too_many_calls_are_refused_and_health_is_not() -> None:
    """Beyond the bound a call gets RESOURCE_EXHAUSTED, while liveness still answers."""
    servicer = _scripted()
    async with _served(servicer, max_concurrent_rpcs=1) as (_, channel):
        stub = face_pb2_grpc.FaceServiceStub(channel)
        first = asyncio.ensure_future(stub.Observe(face_pb2.ObserveRequest()))
        await asyncio.wait_for(servicer.entered.wait(), 5)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetStatus(face_pb2.GetStatusRequest())
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        health = health_pb2_grpc.HealthStub(channel)
        reply = await health.Check(health_pb2.HealthCheckRequest(service=""))
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
        servicer.release.set()
        assert (await first).image_width == 7


async def test_readiness_follows_its_checks_and_liveness_does_not() -> None:
    """A resource that fails takes the service out; the process stays alive; the reason is told."""
    is_broken = True

    async def database() -> None:
        if is_broken:
            raise errors.Unavailable("no connection")

    readiness = Readiness({"database": database}, interval_seconds=0.05)
    async with _served(_scripted(), readiness) as (_, channel):
        health = health_pb2_grpc.HealthStub(channel)
        ready = await health.Check(health_pb2.HealthCheckRequest(service=_SERVICE))
        alive = await health.Check(health_pb2.HealthCheckRequest(service=""))
        assert ready.status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert alive.status == health_pb2.HealthCheckResponse.SERVING
        assert readiness.reason == "database: no connection"
        is_broken = False
        watch = health.Watch(health_pb2.HealthCheckRequest(service=_SERVICE), timeout=5)
        async for reply in watch:
            if reply.status == health_pb2.HealthCheckResponse.SERVING:
                break
        assert readiness.is_ready


async def test_a_check_that_hangs_counts_as_failed() -> None:
    """A resource that does not answer is not usable."""
    readiness = Readiness({"database": asyncio.Event().wait}, timeout_seconds=0.05)  # type: ignore[dict-item]  # hangs
    await readiness.check()
    assert "no answer" in readiness.reason


async def test_stopping_drains_running_calls() -> None:
    """A call under way when the server stops still gets its answer."""
    servicer = _scripted()
    async with _served(servicer, drain_seconds=5) as (server, channel):
        call = asyncio.ensure_future(
            face_pb2_grpc.FaceServiceStub(channel).Observe(face_pb2.ObserveRequest())
        )
        await asyncio.wait_for(servicer.entered.wait(), 5)
        closing = asyncio.create_task(server.aclose())
        await asyncio.sleep(0.05)
        assert not server.readiness.is_ready
        servicer.release.set()
        assert (await call).image_width == 7
        await closing


async def test_a_taken_port_is_a_clear_error() -> None:
    """Two servers never share a port silently."""
    async with _served(_scripted()) as (server, _):
        with pytest.raises(errors.ConfigError, match=f"127.0.0.1:{server.port}"):
            async with _served(_scripted(), port=server.port):
                pass


async def test_reflection_lists_the_service() -> None:
    """grpcurl can find its way without the .proto files."""
    async with _served(_scripted()) as (_, channel):
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=5
        )
        reply = await call.read()
    names = {service.name for service in reply.list_services_response.service}
    assert {_SERVICE, "grpc.health.v1.Health"} <= names


def test_the_interceptor_shows_its_state() -> None:
    """A repr says how busy it is."""
    assert repr(RequestInterceptor(max_concurrent=3, default_deadline=1)) == "RequestInterceptor(0/3 active)"


class _Calibrating(calibration_pb2_grpc.CalibrationServiceServicer):
    """One reply, then an error."""

    def __init__(self) -> None:
        self.seen_request_id = ""

    async def Calibrate(
        self, request: calibration_pb2.CalibrateRequest, context: object
    ) -> AsyncIterator[calibration_pb2.CalibrateResponse]:
        self.seen_request_id = structlog.contextvars.get_contextvars()["request_id"]
        yield calibration_pb2.CalibrateResponse()
        raise errors.Unavailable("the signal is away")


async def test_many_replies_are_wrapped_as_one_is() -> None:
    """Codes, words and request ids of calls that answer more than once."""
    servicer = _Calibrating()
    settings = ServerSection(port=0, metrics_port="off")
    name = "marquee.gateway.v1.CalibrationService"

    def register(server: grpc.aio.Server) -> None:
        calibration_pb2_grpc.add_CalibrationServiceServicer_to_server(servicer, server)

    serving = open_server(settings, services=[(name, register)], readiness=Readiness({}))
    async with serving as server, open_channel(f"127.0.0.1:{server.port}") as channel:
        stub: calibration_pb2_grpc.CalibrationServiceAsyncStub
        stub = calibration_pb2_grpc.CalibrationServiceStub(channel)
        call = stub.Calibrate(calibration_pb2.CalibrateRequest())
        assert await call.read() == calibration_pb2.CalibrateResponse()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert caught.value.details() == "the signal is away"
    assert servicer.seen_request_id


class _Flooding(calibration_pb2_grpc.CalibrationServiceServicer):
    """More replies than a caller who does not read has room for."""

    def __init__(self) -> None:
        self.replies = 0
        self.was_closed_by: asyncio.Task[object] | None = None
        self.served_by: asyncio.Task[object] | None = None
        self.deadline_at_the_end: Deadline | None = None
        self.closed = asyncio.Event()

    async def Calibrate(
        self, request: calibration_pb2.CalibrateRequest, context: object
    ) -> AsyncIterator[calibration_pb2.CalibrateResponse]:
        self.served_by = asyncio.current_task()
        signal = calibration_pb2.SignalCalibration(detail="x" * 100_000)
        report = calibration_pb2.CalibrationReport(signals=[signal])
        try:
            while True:
                self.replies += 1
                yield calibration_pb2.CalibrateResponse(report=report)
        finally:
            await asyncio.sleep(0)
            self.was_closed_by, self.deadline_at_the_end = asyncio.current_task(), current_deadline()
            self.closed.set()


async def test_a_caller_who_leaves_while_a_reply_is_written_is_no_error() -> None:
    """What makes the replies is closed at once, within its call: nothing is logged as unplanned."""
    servicer = _Flooding()
    settings = ServerSection(port=0, metrics_port="off")
    name = "marquee.gateway.v1.CalibrationService"

    def register(server: grpc.aio.Server) -> None:
        calibration_pb2_grpc.add_CalibrationServiceServicer_to_server(servicer, server)

    serving = open_server(settings, services=[(name, register)], readiness=Readiness({}))
    with structlog.testing.capture_logs() as logs:
        async with serving as server, open_channel(f"127.0.0.1:{server.port}") as channel:
            stub: calibration_pb2_grpc.CalibrationServiceAsyncStub
            stub = calibration_pb2_grpc.CalibrationServiceStub(channel)
            call = stub.Calibrate(calibration_pb2.CalibrateRequest(), timeout=60)
            await call.read()
            before = -1
            while servicer.replies != before:
                before = servicer.replies
                await asyncio.sleep(0.2)
            call.cancel()
            await asyncio.wait_for(servicer.closed.wait(), 5)
            gc.collect()
            await asyncio.sleep(0.05)
    assert servicer.was_closed_by is servicer.served_by
    assert servicer.deadline_at_the_end is not None
    assert [one["code"] for one in logs if one["event"] == "call"] == ["CANCELLED"]
    assert not [one for one in logs if one["log_level"] == "error"]
