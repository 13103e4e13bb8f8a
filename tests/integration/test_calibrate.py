"""Calibrating end to end: a real gateway with real services and database, client and command."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from chassis.channels import open_channel
from chassis.errors import InvalidInput, Overloaded, Refused, Unavailable, Unsupported
from chassis.geometry import Box
from chassis.signal.calibration_parameters import from_parameters, to_parameters
from chassis.signal.shipped_calibration import read_shipped
from client.api import Marquee
from client.calibrating import CalibrationOutcome, CalibrationProgress, CalibrationReport, SignalCalibration
from client.values import Signal
from gateway.calibration.enrolled import read_images, read_templates
from gateway.signals import BodyClient, FaceClient, Query, TattooClient, Trust
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2, face_pb2_grpc
from marquee.gateway.v1 import calibration_pb2, calibration_pb2_grpc
from services.face.config import FaceSection
from services.face.table import BUILT_IN_ROWS
from services.tattoo.key_point_translation import to_proto_key_points
from services.tattoo.key_points import find_key_points
from tests.fakes import tattoo_service
from tests.fakes.calibration_gallery import FACE_MODEL, Shoots, fill_gallery
from tests.fakes.command_shell import ended, start_command
from tests.fakes.drawings import drawing
from tests.fakes.face_service import both_embedders, enrolment, migrate_face, open_face_system, template_of
from tests.fakes.gateway_system import open_system
from tests.fakes.signals import FakeBody, FakeFace, FakeTattoo
from tests.fakes.tattoo_service import migrate_tattoo, open_tattoo_system, plain_section
from tests.fakes.transfer_system import TransferSystem, migrate_transfer, open_transfer_system
from tests.fakes.waiting import until

_FACE = FaceSection(port=0, embedder=(FACE_MODEL,))
# Alike by 0.3 only: for what ships, that speaks against it.
_UNLIKE = Shoots(face_noise=1.5)
_LEADING = (Signal.FACE, Signal.TATTOO)


# A calibration of this library from before, which knows other pictures.
_OWN = """
INSERT INTO face.calibrations (models, parameters, genuine_pairs, impostor_pairs, provenance)
VALUES (jsonb_build_array(jsonb_build_array($1::text, $2::text)), $3, 100, 1000, 'before')
"""


@asynccontextmanager
async def _system(dsn: str, folder: Path, shoots: Shoots) -> AsyncIterator[TransferSystem]:
    await migrate_transfer(dsn)
    await fill_gallery(dsn, shoots)
    with_bodies = shoots.are_built_alike is not None
    async with open_transfer_system(dsn, folder, face=_FACE, with_bodies=with_bodies) as system:
        yield system


def _shipped_parameters() -> dict[str, float]:
    key = BUILT_IN_ROWS[FACE_MODEL].key
    return next(
        to_parameters(one.calibration) for one in read_shipped("services.face") if one.models == (key,)
    )


def _of(report: CalibrationReport, signal: Signal) -> SignalCalibration:
    return next(one for one in report.signals if one.signal is signal)


async def test_what_is_fitted_is_used_in_the_next_score(database: str, tmp_path: Path) -> None:
    """By every replica, and the status says so; repeated, it comes to the same end; discarded, it goes."""
    async with (
        _system(database, tmp_path, _UNLIKE) as system,
        open_face_system(database, face=_FACE) as second,
    ):
        told: list[CalibrationProgress] = []
        report = await system.marquee.calibrate(signals=_LEADING, on_progress=told.append)
        face, tattoo = _of(report, Signal.FACE), _of(report, Signal.TATTOO)
        assert face.outcome is CalibrationOutcome.FITTED, face.detail
        assert tattoo.outcome is CalibrationOutcome.FITTED, tattoo.detail
        assert (face.performers, face.probes, face.genuine_pairs) == (40, 120, 120)
        assert face.impostor_pairs == 120 * 39
        assert face.undated_pairs == 0
        assert face.held_out is not None
        assert face.held_out.own < face.held_out.shipped
        assert tattoo.held_out is not None
        assert tattoo.held_out.shipped == pytest.approx(1.0)
        assert tattoo.paired_test is not None
        assert tattoo.paired_test.is_tested
        assert {one.stage.value for one in told} == {"reading", "comparing", "fitting", "testing"}
        assert max(one.done for one in told if one.stage.value == "comparing") == 120

        status = await system.marquee.status()
        in_use = status.signals[Signal.FACE].calibration
        assert in_use == face.in_use
        assert in_use is not None
        assert in_use.is_of_this_library
        assert "this library" in in_use.provenance
        await until(lambda: _is_own(second.stub))

        again = await system.marquee.calibrate(signals=_LEADING)
        assert _of(again, Signal.FACE).in_use == face.in_use
        assert await system.value("SELECT count(*) FROM face.calibrations") == 1

        discarded = await system.marquee.calibrate(signals=_LEADING, discard=True)
        assert {one.outcome for one in discarded.signals} == {CalibrationOutcome.DISCARDED}
        assert _of(discarded, Signal.TATTOO).in_use is None
        shipped = _of(discarded, Signal.FACE).in_use
        assert shipped is not None
        assert not shipped.is_of_this_library


@pytest.mark.parametrize("are_built_alike", [True, False])
async def test_a_body_counts_where_it_is_shown_to_help(
    database: str, tmp_path: Path, are_built_alike: bool
) -> None:
    """Its weight is fitted and tested beside faces; where it does not help it is 0, and both are stored."""
    shoots = replace(_UNLIKE, face_noise=3.0, are_built_alike=are_built_alike)
    async with _system(database, tmp_path, shoots) as system:
        before = (await system.marquee.status()).signals[Signal.BODY].calibration
        assert before is not None
        assert not before.is_of_this_library
        report = await system.marquee.calibrate(signals=[Signal.BODY])
        [body] = report.signals
        assert (body.performers, body.probes, body.genuine_pairs) == (40, 120, 120)
        assert body.impostor_pairs == 120 * 39
        assert body.held_out is not None
        test = body.paired_test
        assert test is not None
        assert test.is_tested
        assert test.log_gain is not None
        assert body.in_use is not None
        assert body.in_use.is_of_this_library
        assert body.in_use.weight == pytest.approx(test.weight)
        if are_built_alike:
            assert body.outcome is CalibrationOutcome.FITTED, body.detail
            assert body.in_use.weight > 0.5
            assert body.held_out.own < 0.9
            assert test.log_gain.low > 0
        else:
            assert body.outcome is CalibrationOutcome.NOT_BETTER, body.detail
            assert body.in_use.weight == 0.0
            assert "count nothing" in body.detail
        assert (await system.marquee.status()).signals[Signal.BODY].calibration == body.in_use
        await system.marquee.calibrate(signals=[Signal.BODY])
        assert await system.value("SELECT count(*) FROM body.calibrations") == 1
        [gone] = (await system.marquee.calibrate(signals=[Signal.BODY], discard=True)).signals
        assert gone.in_use == before
        assert gone.detail == "what ships is used again"


async def test_a_body_that_no_face_goes_with_is_not_tested(database: str, tmp_path: Path) -> None:
    """And nothing is stored: that nothing shows that it hurts is no help."""
    async with _system(database, tmp_path, replace(_UNLIKE, are_built_alike=True)) as system:
        await system.fetch("DELETE FROM face.vectors WHERE image_date > '2020-01-01'")
        [body] = (await system.marquee.calibrate(signals=[Signal.BODY])).signals
        assert body.outcome is CalibrationOutcome.TOO_FEW_PAIRS
        assert body.paired_test is not None
        assert not body.paired_test.is_tested
        assert "not tested beside faces, nothing was changed" in body.detail
        assert await system.value("SELECT count(*) FROM body.calibrations") == 0


async def _is_own(stub: face_pb2_grpc.FaceServiceAsyncStub) -> bool:
    query = common_pb2.ScoreQuery(key="q", templates=[template_of(1, names=(FACE_MODEL,))])
    reply = await stub.Score(face_pb2.ScoreRequest(queries=[query]), timeout=10)
    return reply.calibration.is_of_this_library


async def test_a_dry_run_stores_nothing(database: str, tmp_path: Path) -> None:
    """It says what would be."""
    async with _system(database, tmp_path, _UNLIKE) as system:
        report = await system.marquee.calibrate(signals=[Signal.FACE], dry_run=True, seed=7)
        [face] = report.signals
        assert (report.is_dry_run, report.seed) == (True, 7)
        assert face.outcome is CalibrationOutcome.FITTED
        assert face.in_use is not None
        assert not face.in_use.is_of_this_library
        assert await system.value("SELECT count(*) FROM face.calibrations") == 0


async def test_too_few_pairs_change_nothing(database: str, tmp_path: Path) -> None:
    """The message says how many there are and how many are needed; nobody with one image is a probe."""
    few = replace(_UNLIKE, performers=20)
    async with _system(database, tmp_path, few) as system:
        await system.fetch("DELETE FROM tattoo.performer_tattoos WHERE first_seen_date > '2020-01-01'")
        report = await system.marquee.calibrate()
        face, tattoo = _of(report, Signal.FACE), _of(report, Signal.TATTOO)
        assert face.outcome is CalibrationOutcome.TOO_FEW_PAIRS
        assert face.detail.startswith("60 genuine pairs of 20 performers are too few, 64 are needed")
        assert tattoo.outcome is CalibrationOutcome.TOO_FEW_PAIRS
        assert tattoo.probes == 0
        assert await system.value("SELECT count(*) FROM face.calibrations") == 0
        assert await system.value("SELECT count(*) FROM tattoo.calibrations") == 0


async def test_what_is_not_better_is_not_used(database: str, tmp_path: Path) -> None:
    """Where faces are like those that the shipped one knows; one from before that is no worse is kept."""
    async with _system(database, tmp_path, Shoots(face_noise=0.1, tattoo_noise=None)) as system:
        await system.fetch(_OWN, *BUILT_IN_ROWS[FACE_MODEL].key, json.dumps(_shipped_parameters()))

        async def is_own() -> bool:
            before = (await system.marquee.status()).signals[Signal.FACE].calibration
            return before is not None and before.is_of_this_library

        await until(is_own)
        [face] = (await system.marquee.calibrate(signals=[Signal.FACE])).signals
        assert face.outcome is CalibrationOutcome.NOT_BETTER, face.detail
        assert "it is kept, the new one is not shown to be better" in face.detail
        assert face.held_out is not None
        assert face.held_out.earlier == pytest.approx(face.held_out.shipped)
        assert face.in_use is not None
        assert face.in_use.provenance == "before"


async def test_images_without_a_day_are_counted(database: str, tmp_path: Path) -> None:
    """They may be of one shoot."""
    async with _system(database, tmp_path, replace(_UNLIKE, are_dated=False, tattoo_noise=None)) as system:
        [face] = (await system.marquee.calibrate(signals=[Signal.FACE], dry_run=True)).signals
        assert face.undated_pairs == face.genuine_pairs == 120
        assert "120 of 120 genuine pairs undated: pictures of one shoot flatter them" in face.detail


async def test_the_command_shows_a_table_and_json(database: str, tmp_path: Path) -> None:
    """And `marquee status` what is in use."""
    async with _system(database, tmp_path, _UNLIKE) as system:

        async def run(*options: str) -> tuple[int, str, str]:
            process = await start_command(
                *options, "--server", system.address, MARQUEE_DATA=str(tmp_path / "data")
            )
            done = await ended(process)
            return done.code, done.out, done.err

        code, out, _ = await run("calibrate", "--json", "--dry-run", "--signals", "face", "--seed", "3")
        document = json.loads(out)
        assert (code, document["is_dry_run"], document["seed"]) == (0, True, 3)
        assert document["signals"][0]["outcome"] == "fitted"
        code, out, _ = await run("calibrate")
        assert code == 0
        assert "calibrated on this library on" in out
        assert "body: 0 genuine pairs of 0 performers are too few" in out
        code, out, _ = await run("calibrate", "--signals", "face,tattoo,body")
        assert code == 3
        _, out, _ = await run("status")
        assert "face: calibrated on this library on" in out
        code, out, _ = await run("calibrate", "--discard", "--signals", "face")
        assert (code, "what ships is used again" in out) == (0, True)
        code, _, err = await run("calibrate", "--signals", "voice")
        assert code == 2
        assert "'voice' is none of face, tattoo, body" in err


async def test_a_signal_that_is_away_is_named(database: str) -> None:
    """And nothing is measured or stored."""
    async with open_system(database) as system, _marquee(system.server.port) as marquee:
        await system.served["tattoo"].kill()
        with pytest.raises(Unavailable, match="tattoo could not be reached"):
            await marquee.calibrate()
        assert not system.face.requests("ExportVectors")
        with pytest.raises(InvalidInput, match="max_probes"):
            await marquee.calibrate(max_probes=5)


async def test_a_caller_who_leaves_stops_it(database: str) -> None:
    """Nothing is stored, and no signal is asked any more."""
    async with open_system(database) as system, AsyncExitStack() as stack:
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{system.server.port}"))
        system.tattoo.gates["ExportVectors"] = asyncio.Event()
        stub: calibration_pb2_grpc.CalibrationServiceAsyncStub
        stub = calibration_pb2_grpc.CalibrationServiceStub(channel)
        call = stub.Calibrate(calibration_pb2.CalibrateRequest())
        reading = asyncio.ensure_future(call.read())
        await system.tattoo.until(lambda: bool(system.tattoo.requests("ExportVectors")))
        call.cancel()
        await system.tattoo.until(lambda: system.tattoo.cancelled > 0)
        await asyncio.gather(reading, return_exceptions=True)
        assert call.cancelled()
        assert await call.code() is grpc.StatusCode.CANCELLED
        assert not system.face.calibration.changes
        assert not system.tattoo.calibration.changes


async def test_a_caller_who_leaves_while_it_is_stored_leaves_nothing_half_done(database: str) -> None:
    """Face and tattoo are stored both, though nobody hears of it."""
    async with open_system(database) as system, AsyncExitStack() as stack:
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{system.server.port}"))
        gate = system.face.gates["SetCalibration"] = asyncio.Event()
        stub: calibration_pb2_grpc.CalibrationServiceAsyncStub
        stub = calibration_pb2_grpc.CalibrationServiceStub(channel)
        call = stub.Calibrate(calibration_pb2.CalibrateRequest(discard=True))
        reading = asyncio.ensure_future(call.read())
        await system.face.until(lambda: bool(system.face.requests("SetCalibration")))
        call.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await asyncio.sleep(0.1)
        assert not system.face.cancelled
        gate.set()
        await system.tattoo.until(lambda: bool(system.tattoo.calibration.changes))
        assert system.face.calibration.changes


async def test_a_failure_between_the_signals_says_what_was_stored(database: str) -> None:
    """A tattoo service that dies while it stores may have stored."""
    async with open_system(database) as system, _marquee(system.server.port) as marquee:
        system.tattoo.errors["SetCalibration"] = Unavailable("down")
        words = "tattoo could not be reached.*stored: face; not known whether it was stored: tattoo"
        with pytest.raises(Unavailable, match=words):
            await marquee.calibrate(discard=True)
        assert system.face.calibration.changes


@pytest.mark.parametrize("name", ["face", "tattoo"])
async def test_models_that_switch_meanwhile_end_it(database: str, name: str) -> None:
    """Before anything is stored; the face's do, too, where tattoos alone are calibrated."""
    async with open_system(database) as system, _marquee(system.server.port) as marquee:
        fake: FakeFace | FakeTattoo = getattr(system, name)
        gate = fake.gates["ExportVectors"] = asyncio.Event()
        calibrating = asyncio.create_task(marquee.calibrate(signals=[Signal.TATTOO]))
        await fake.until(lambda: bool(fake.requests("ExportVectors")))
        fake.calibration.models = [("fake", "2")]
        gate.set()
        words = f"{name}: its models changed meanwhile; nothing was stored; calibrate again"
        with pytest.raises(Refused, match=words):
            await calibrating


@pytest.mark.parametrize("verb", ["GetCalibration", "SetCalibration"])
async def test_a_service_that_is_too_old_is_named(database: str, verb: str) -> None:
    """It does not know what it is asked for; that is no internal error."""
    async with open_system(database) as system, _marquee(system.server.port) as marquee:
        system.face.errors[verb] = Unsupported("Method not found!")
        words = "face: its service is of a version that cannot be calibrated; nothing was stored"
        with pytest.raises(Unsupported, match=words):
            await marquee.calibrate(discard=True)
        assert not system.tattoo.calibration.changes


async def test_there_is_one_calibration_at_a_time(database: str) -> None:
    """A second caller is told so; when the first has left, there is room again."""
    async with open_system(database) as system, _marquee(system.server.port) as marquee:
        gate = system.face.gates["ExportVectors"] = asyncio.Event()
        first = asyncio.create_task(marquee.calibrate())
        await system.face.until(lambda: bool(system.face.requests("ExportVectors")))
        with pytest.raises(Overloaded, match="another calibration is under way"):
            await marquee.calibrate(discard=True)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await system.face.until(lambda: system.face.cancelled > 0)
        gate.set()

        async def has_room() -> bool:
            try:
                await marquee.calibrate(discard=True)
            except Overloaded:
                return False
            return True

        await until(has_room)


@asynccontextmanager
async def _marquee(port: int) -> AsyncIterator[Marquee]:
    async with Marquee.connect(f"127.0.0.1:{port}", timeout=30) as marquee:
        yield marquee


async def test_a_score_says_how_far_it_is_to_be_trusted(database: str) -> None:
    """As the service says it; one that does not say, as what ships."""
    async with open_system(database) as system, AsyncExitStack() as stack:
        for name, client_of in (("face", FaceClient), ("tattoo", TattooClient), ("body", BodyClient)):
            fake: FakeFace | FakeTattoo | FakeBody = getattr(system, name)
            fake.known["anna"]["a view"] = 0.9
            channel = await stack.enter_async_context(open_channel(system.served[name].address))
            template = common_pb2.Template(embeddings=[common_pb2.Embedding(vector=b"a view")])
            queries = [Query("q", (template,), ("anna",))]
            client = client_of(channel)
            assert (await client.score(queries, timeout=5))["q"]["anna"].trust == Trust()
            fake.calibration.in_use = common_pb2.CalibrationInUse(is_of_this_library=True, weight=0.3)
            assert (await client.score(queries, timeout=5))["q"]["anna"].trust == Trust(True, 0.3)
            if not isinstance(client, BodyClient):
                alike = await client.similarities(queries, timeout=5)
                assert alike == {"q": {"anna": pytest.approx(0.9)}}


async def test_templates_of_tattoos_have_their_key_points(database: str, tmp_path: Path) -> None:
    """Exports leave them out; without them a probe would be judged otherwise than the next scene is."""
    await migrate_tattoo(database)
    async with open_tattoo_system(database, plain_section(tmp_path)) as system:
        anna = await system.performer()
        pointed = tattoo_service.template_of(1)
        pointed.key_points.CopyFrom(to_proto_key_points(find_key_points(drawing(1))))
        offered = [
            tattoo_service.enrolment(pointed, image="one"),
            tattoo_service.enrolment(tattoo_service.template_of(2), image="one", box=Box(50, 60, 30, 40)),
            tattoo_service.enrolment(pointed, image="two"),
        ]
        assert all(one.is_accepted for one in await system.enroll(anna, *offered))
        client, key = TattooClient(system.channel), (tattoo_service.MODEL, tattoo_service.VERSION)
        images = await read_images(client, {key}, seconds=5, on_read=lambda _: None)
        spot = (anna, offered[0].source.image_hash)
        assert images == {anna: dict.fromkeys((one.source.image_hash for one in offered), "")}
        found = await read_templates(client, {key}, [spot], seconds=5)
        assert found.keys() == {spot}
        assert sorted(one.HasField("key_points") for one in found[spot]) == [False, True]
        for template in found[spot]:
            assert template.quality == pytest.approx(0.9)
            assert [(one.model, one.version) for one in template.embeddings] == [key]
            if template.HasField("key_points"):
                assert template.key_points == pointed.key_points
        assert not await read_templates(client, {("another", "1")}, [spot], seconds=5)


@both_embedders
async def test_a_probe_has_the_vectors_of_every_embedder(database: str) -> None:
    """As a face that is seen has; what is left out is left out of both."""
    await migrate_face(database)
    async with open_face_system(database) as system, AsyncExitStack() as stack:
        anna = await system.performer()
        offered = [enrolment(template_of(1), image="one"), enrolment(template_of(2), image="two")]
        await system.enroll(anna, *offered)
        reply = await system.stub.GetCalibration(face_pb2.GetCalibrationRequest(), timeout=10)
        models = [(one.model, one.version) for one in reply.state.models]
        assert len(models) == 2
        assert from_parameters(reply.state.shipped.parameters) == from_parameters(reply.state.used.parameters)
        client = FaceClient(await stack.enter_async_context(open_channel(system.address)))
        one, spot = offered[0].source.image_hash, (anna, offered[0].source.image_hash)
        found = await read_templates(client, models, [spot], seconds=5)
        [template] = found[spot]
        assert {(each.model, each.version) for each in template.embeddings} == set(models)
        assert template.signal == common_pb2.SIGNAL_FACE
        alike = await client.similarities([Query("q", (template,), (anna,), (one,))], timeout=5)
        assert alike["q"][anna] < 0.5
