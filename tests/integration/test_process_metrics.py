"""What Prometheus reads from a process: real servers, real models, real scrapes."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.channels import open_channel
from chassis.config import InferenceSection, ServerSection
from chassis.errors import ConfigError, ModelError, NotFound, Unavailable
from chassis.health import Readiness
from chassis.inference import ModelFile
from chassis.metrics import Metrics, open_metrics
from chassis.parts import open_inference
from chassis.postgres import SchemaSource, migrate
from chassis.server import open_server
from marquee.body.v1 import body_pb2, body_pb2_grpc
from marquee.face.v1 import face_pb2, face_pb2_grpc
from marquee.gateway.v1 import status_pb2, status_pb2_grpc
from tests.fakes.body_service import migrate_body
from tests.fakes.onnx_models import arithmetic, picky
from tests.fakes.pictures import encode, gradient
from tests.fakes.postgres import database, postgres_server
from tests.fakes.scrape import scraped
from tests.fakes.service_process import failure_of, listening_port, logged_number, open_process

__all__ = ["database", "postgres_server"]

_SERVICE = "marquee.face.v1.FaceService"
_ANY = ServerSection(metrics_port=0)


class _Service(face_pb2_grpc.FaceServiceServicer):
    async def GetStatus(
        self, request: face_pb2.GetStatusRequest, context: object
    ) -> face_pb2.GetStatusResponse:
        return face_pb2.GetStatusResponse()

    async def Forget(self, request: face_pb2.ForgetRequest, context: object) -> face_pb2.ForgetResponse:
        raise NotFound("no performer 6ba7b810 of that name")


def _register(server: grpc.aio.Server) -> None:
    servicer = _Service()  # type: ignore[abstract]  # the verbs these tests do not call are left out
    face_pb2_grpc.add_FaceServiceServicer_to_server(servicer, server)


@asynccontextmanager
async def _served(readiness: Readiness) -> AsyncIterator[tuple[int, grpc.aio.Channel]]:
    """A service, where its metrics are, and a channel to it."""
    async with (
        open_metrics(_ANY) as metrics,
        open_server(_ANY, services=[(_SERVICE, _register)], readiness=readiness, metrics=metrics) as server,
        open_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        yield _port(metrics), channel


def _port(metrics: Metrics) -> int:
    assert metrics.port is not None
    return metrics.port


async def test_calls_are_counted_by_method_and_code() -> None:
    """Each call once, with how long it took; probes are no calls; a message reaches no label."""
    async with _served(Readiness({})) as (port, channel):
        stub = face_pb2_grpc.FaceServiceStub(channel)
        for _ in range(3):
            await stub.GetStatus(face_pb2.GetStatusRequest())
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Forget(face_pb2.ForgetRequest())
        await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        unknown: Any = channel.unary_unary("/of.nobody/Knows")
        with pytest.raises(grpc.aio.AioRpcError):
            await unknown(b"")
        found = await scraped(port)
    status = {"method": f"/{_SERVICE}/GetStatus", "code": "OK"}
    forget = {"method": f"/{_SERVICE}/Forget", "code": "NOT_FOUND"}
    assert found.of("marquee_rpc_seconds_count", **status) == 3
    assert found.of("marquee_rpc_seconds_sum", **status) > 0
    assert found.of("marquee_rpc_seconds_bucket", **status, le="+Inf") == 3
    assert found.of("marquee_rpc_seconds_count", **forget) == 1
    assert len(found.labels("marquee_rpc_seconds_count")) == 2


async def test_readiness_is_told_as_it_is() -> None:
    """1 while the service is ready, 0 while a resource is away."""
    is_away = True

    async def resource() -> None:
        if is_away:
            raise Unavailable("away")

    readiness = Readiness({"resource": resource})
    async with _served(readiness) as (port, _):
        assert (await scraped(port)).of("marquee_ready") == 0
        is_away = False
        await readiness.check()
        assert (await scraped(port)).of("marquee_ready") == 1


async def test_runs_of_models_are_counted(tmp_path: Path) -> None:
    """Runs, their inputs, waits and times, failures by cause and repeated runs, for each model."""
    files = {
        "sums": ModelFile(name="a", path=arithmetic(tmp_path / "a.onnx")),
        "picky": ModelFile(name="p", path=picky(tmp_path / "p.onnx")),
    }
    settings = InferenceSection(device="cpu", max_batch=4)
    async with (
        open_metrics(_ANY) as metrics,
        open_inference(settings, files, metrics.inference) as inference,
    ):
        await inference.infer("sums", np.ones((10, 3), np.float32))
        calls = [inference.infer("picky", np.full((1, 1), value, np.float32)) for value in (0, 9, 1)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        found = await scraped(_port(metrics))
    assert [type(result) for result in results] == [dict, ModelError, dict]
    sums, fails = {"model": "sums", "backend": "cpu"}, {"model": "picky", "backend": "cpu"}
    assert found.of("marquee_inference_seconds_count", **sums) == 3
    assert found.of("marquee_inference_batch_size_sum", **sums) == 10
    assert found.of("marquee_inference_batch_size_bucket", **sums, le="2.0") == 1
    assert found.of("marquee_inference_wait_seconds_count", **sums) == 3
    assert found.of("marquee_inference_seconds_count", **fails) == 2
    assert found.of("marquee_inference_failures_total", **fails, cause="model") == 2  # shared, then alone
    assert found.of("marquee_inference_retries_total", **fails) == 3
    assert found.of("marquee_inference_failures_total", **sums, cause="model") == 0


async def test_a_cause_is_one_of_a_few_words() -> None:
    """Whatever the message, and whatever the error."""
    async with open_metrics(_ANY) as metrics:
        for error in (Unavailable("host 10.0.0.1"), ValueError("of nobody"), ModelError("model m")):
            metrics.inference.failed("m", "triton", error)
        found = await scraped(_port(metrics))
    causes = {labels["cause"] for labels in found.labels("marquee_inference_failures_total")}
    assert causes == {"unavailable", "other", "model"}


async def test_two_services_in_one_process_count_apart() -> None:
    """Neither has the other's numbers, nor its port."""
    async with _served(Readiness({})) as (one, channel), _served(Readiness({})) as (two, _):
        await face_pb2_grpc.FaceServiceStub(channel).GetStatus(face_pb2.GetStatusRequest())
        status = {"method": f"/{_SERVICE}/GetStatus", "code": "OK"}
        assert (await scraped(one)).of("marquee_rpc_seconds_count", **status) == 1
        assert (await scraped(two)).of("marquee_rpc_seconds_count", **status) == 0


async def test_a_taken_port_is_a_clear_error() -> None:
    """The message names the field and the address."""
    async with open_metrics(_ANY) as metrics:
        taken = ServerSection(metrics_port=metrics.port)
        with pytest.raises(ConfigError, match=rf"metrics_port: .*127\.0\.0\.1:{metrics.port}"):
            async with open_metrics(taken):
                pass


async def test_a_host_that_is_none_of_this_machine_is_a_clear_error() -> None:
    """As one that has no address at all."""
    for host in ("192.0.2.1", "nowhere.invalid", "no..name"):
        with pytest.raises(ConfigError, match="metrics_port"):
            async with open_metrics(ServerSection(metrics_host=host, metrics_port=0)):
                pass


async def test_off_serves_nothing() -> None:
    """What is counted is kept, no port is opened and no thread is started."""
    before = set(threading.enumerate())
    async with open_metrics(ServerSection.model_validate({"metrics_port": "off"})) as metrics:
        metrics.called("/a/B", "OK", 0.1)
        assert metrics.port is None
        assert not [thread for thread in set(threading.enumerate()) - before if "serve" in thread.name]


async def test_leaving_closes_the_port() -> None:
    """Nothing answers there any more, and another can have it."""
    async with open_metrics(_ANY) as metrics:
        port = _port(metrics)
        await scraped(port)
    with pytest.raises(OSError, match="refused"):
        await scraped(port)
    async with open_metrics(ServerSection(metrics_port=port)) as again:
        assert again.port == port


async def test_a_process_can_be_scraped(database: str) -> None:
    """A real gateway says that it is ready and what memory it has; a second one does not share its port."""
    await migrate(database, [SchemaSource("catalogue", "gateway")])
    settings = {"MARQUEE_DATABASE_DSN": database, "MARQUEE_GATEWAY_PORT": "0"}
    async with open_process("gateway", **settings, MARQUEE_GATEWAY_METRICS_PORT="0") as process:
        port = await logged_number(process, "serving metrics", "metrics_port")
        async with open_channel(f"127.0.0.1:{await listening_port(process)}") as channel:
            await status_pb2_grpc.StatusServiceStub(channel).GetStatus(status_pb2.GetStatusRequest())
        found = await scraped(port)
        assert found.of("marquee_ready") == 1
        status = {"method": "/marquee.gateway.v1.StatusService/GetStatus", "code": "OK"}
        assert found.of("marquee_rpc_seconds_count", **status) == 1
        assert found.of("process_resident_memory_bytes") > 1e7
        code, text = await failure_of("gateway", **settings, MARQUEE_GATEWAY_METRICS_PORT=str(port))
        assert (code, f"metrics_port: cannot listen on 127.0.0.1:{port}" in text) == (2, True)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)
        assert process.returncode == 0


async def test_a_process_tells_what_its_models_do(database: str) -> None:
    """One picture that a real body service looks at is one run of its detector."""
    await migrate_body(database)
    settings = {"MARQUEE_DATABASE_DSN": database, "MARQUEE_BODY_PORT": "0", "MARQUEE_INFERENCE_DEVICE": "cpu"}
    async with open_process("services.body", **settings, MARQUEE_BODY_METRICS_PORT="0") as process:
        port = await logged_number(process, "serving metrics", "metrics_port")
        async with open_channel(f"127.0.0.1:{await listening_port(process)}") as channel:
            request = body_pb2.ObserveRequest(image=encode(gradient(320, 240)), max_candidates=1)
            await body_pb2_grpc.BodyServiceStub(channel).Observe(request, timeout=60)
        found = await scraped(port)
    labels = {"model": "pose_detector", "backend": "cpu"}
    assert found.of("marquee_inference_seconds_count", **labels) == 1
    assert found.of("marquee_inference_batch_size_count", **labels) == 1
    assert found.of("marquee_inference_wait_seconds_count", **labels) == 1
