"""The networks that the owner chooses, and the process around them."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from chassis.channels import open_channel
from chassis.errors import ConfigError, ModelError, StoreError
from chassis.geometry import Box
from chassis.postgres import SchemaSource, migrate
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from marquee.tattoo.v1 import tattoo_pb2_grpc
from services.tattoo.config import TattooSection
from tests.fakes.ink import tattooed
from tests.fakes.onnx_models import arithmetic
from tests.fakes.pictures import encode
from tests.fakes.postgres import database, postgres_server
from tests.fakes.service_process import failure_of, listening_port, open_process, said
from tests.fakes.service_rows import ServiceRows
from tests.fakes.tattoo_models import LAYOUT_DIMENSION, dark_detector
from tests.fakes.tattoo_service import (
    MODEL,
    TattooSystem,
    enrolment,
    migrate_tattoo,
    open_tattoo_system,
    own_embedder,
    plain_section,
    seen,
    system,
    template_of,
)
from tests.fakes.waiting import until

__all__ = ["database", "postgres_server", "system"]

_LARGE = Box(60, 90, 240, 240)


async def test_two_embedders_describe_each_tattoo(database: str, tmp_path: Path) -> None:
    """A template has two vectors, a tattoo two rows that count as one; what one model knows is found."""
    await migrate_tattoo(database)
    first, second = own_embedder(tmp_path), own_embedder(tmp_path, name="second")
    performer, old = "", ""
    async with open_tattoo_system(database, plain_section(tmp_path, first)) as system:
        old = await system.performer()
        [tattoo] = (await system.observe(tattooed(("ring", _LARGE)))).tattoos
        await system.enroll(old, seen(tattoo))
    async with open_tattoo_system(database, plain_section(tmp_path, first, second)) as system:
        performer = await system.performer()
        [tattoo] = (await system.observe(tattooed(("ring", _LARGE)))).tattoos
        assert [one.model for one in tattoo.template.embeddings] == [MODEL, "second"]
        [outcome] = await system.enroll(performer, seen(tattoo))
        assert outcome.is_accepted
        assert await system.rows.count(performer) == 2
        scores = await system.score(tattoo.template, performer, old)
        assert [len(scores[one].known) for one in (performer, old)] == [1, 1]
        assert [scores[one].similarity for one in (performer, old)] == pytest.approx([1, 1], abs=1e-5)
        lookup = await system.stub.Lookup(pb.LookupRequest(performer_ids=[performer]))
        assert len(lookup.performers[0].tattoos) == 1
        assert (await system.stub.GetStatus(pb.GetStatusRequest())).status.observations == 2


async def test_another_version_is_prepared_while_the_old_one_serves(database: str, tmp_path: Path) -> None:
    """Vectors of the two never meet; when every tattoo is described by the new one, it takes over."""
    await migrate_tattoo(database)
    old, new = own_embedder(tmp_path), own_embedder(tmp_path, version="2")
    async with open_tattoo_system(database, plain_section(tmp_path, old)) as system:
        performer = await system.performer()
        [tattoo] = (await system.observe(tattooed(("ring", _LARGE)))).tattoos
        await system.enroll(performer, seen(tattoo))
    async with open_tattoo_system(database, plain_section(tmp_path, new)) as system:
        [again] = (await system.observe(tattooed(("ring", _LARGE)))).tattoos
        assert [one.version for one in again.template.embeddings] == ["1", "2"]
        assert again.candidates[0].performer_id == performer
        assert set(await system.score(template_of(1, version="2"), performer)) == set()
        [waiting] = (await system.stub.ListPending(pb.ListPendingRequest())).observations
        assert (waiting.performer_id, waiting.region) == (performer, common_pb2.BODY_REGION_UNKNOWN)
        assert waiting.box == tattoo.box
        await system.enroll(performer, seen(again))
        await until(lambda: _has_switched(system))
        assert await system.rows.count(performer) == 2
        assert set(await system.score(template_of(1, version="1"), performer)) == set()
        assert set(await system.score(template_of(1, version="2"), performer)) == {performer}
        lookup = await system.stub.Lookup(pb.LookupRequest(performer_ids=[performer]))
        assert len(lookup.performers[0].tattoos) == 1


async def test_what_is_known_of_a_tattoo_outlives_a_change(database: str, tmp_path: Path) -> None:
    """Region and dates are those of the enrolment and of the owner, whatever describing again says."""
    await migrate_tattoo(database)
    old, new = own_embedder(tmp_path), own_embedder(tmp_path, version="2")
    async with open_tattoo_system(database, plain_section(tmp_path, old)) as system:
        performer = await system.performer()
        await system.enroll(performer, enrolment(template_of(1), image="p", date="2019-01-01"))
        await system.rows.execute("UPDATE tattoo.performer_tattoos SET removed_date = '2022-02-02'")
    async with open_tattoo_system(database, plain_section(tmp_path, new)) as system:
        again = enrolment(template_of(1, version="2"), image="p", region=common_pb2.BODY_REGION_UNKNOWN)
        await system.enroll(performer, again)
        await until(lambda: _has_switched(system))
        [known] = (await system.score(template_of(1, version="2"), performer))[performer].known
        assert known.region == common_pb2.BODY_REGION_LEFT_FOREARM
        assert (known.first_seen_date, known.removed_date) == ("2019-01-01", "2022-02-02")


async def _has_switched(system: TattooSystem) -> bool:
    return not (await system.stub.GetStatus(pb.GetStatusRequest())).status.HasField("model_change")


async def test_a_network_that_is_not_what_it_should_be_is_refused(database: str, tmp_path: Path) -> None:
    """Missing, no model at all, other inputs or outputs than told: an error at the start that names it."""
    await migrate_tattoo(database)
    broken, other = tmp_path / "broken.onnx", arithmetic(tmp_path / "other.onnx")
    broken.write_bytes(b"no model")
    good = plain_section(tmp_path)
    [embedder] = good.embedders
    cases: list[tuple[TattooSection, type[Exception], str]] = [
        (good.model_copy(update={"detector_file": tmp_path / "none.onnx"}), ConfigError, "detector_file"),
        (good.model_copy(update={"detector_file": broken}), ModelError, "tattoo_detector"),
        (good.model_copy(update={"detector_file": other}), ModelError, "tattoo_detector"),
        (plain_section(tmp_path, embedder.model_copy(update={"dimension": 7})), ModelError, "layout"),
        (plain_section(tmp_path, embedder.model_copy(update={"size": 80})), ModelError, "layout"),
        (plain_section(tmp_path, embedder.model_copy(update={"file": broken})), ModelError, "layout"),
    ]
    for section, error, name in cases:
        with pytest.raises(error, match=name):
            async with open_tattoo_system(database, section):
                pass


async def test_a_database_without_our_tables_is_refused(database: str, tmp_path: Path) -> None:
    """The error says what to do."""
    await migrate(database, [SchemaSource("catalogue", "gateway")])
    with pytest.raises(StoreError, match="marquee migrate"):
        async with open_tattoo_system(database, plain_section(tmp_path)):
            pass


def _settings(folder: Path, *, version: str = "7") -> Path:
    """A settings file that names networks of the owner's."""
    [embedder] = plain_section(folder).embedders
    file = folder / "marquee.toml"
    file.write_text(
        f"""
        [models]
        directory = "{folder / "models"}"
        [tattoo]
        port = 0
        detector_file = "{dark_detector(folder / "own.onnx")}"
        detector_format = "heatmap"
        embedder = ["{embedder.name}"]
        [[tattoo.embedders]]
        name = "{embedder.name}"
        version = "{version}"
        file = "{embedder.file}"
        size = 64
        layout = "NHWC"
        mirror = false
        dimension = {LAYOUT_DIMENSION}
        impostor_p99 = 0.3
        genuine_median = 0.8
        """
    )
    return file


async def test_the_process_serves_and_stops(database: str, tmp_path: Path) -> None:
    """With networks from a settings file: ready, sees, and ends with 0 at the first signal."""
    await migrate_tattoo(database)
    settings = {"MARQUEE_DATABASE_DSN": database, "MARQUEE_CONFIG": str(_settings(tmp_path))}
    async with open_process("services.tattoo", **settings) as process:
        async with open_channel(f"127.0.0.1:{await listening_port(process)}") as channel:
            stub = tattoo_pb2_grpc.TattooServiceStub(channel)
            status = (await stub.GetStatus(pb.GetStatusRequest())).status
            assert status.is_ready
            assert [model.version for model in status.models if model.dimension] == ["7"]
            image = encode(tattooed(("ring", _LARGE)))
            assert len((await stub.Observe(pb.ObserveRequest(image=image))).tattoos) == 1
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0


async def test_the_process_reads_its_settings_again(database: str, tmp_path: Path) -> None:
    """SIGHUP: another embedder is prepared while the old one serves; wrong settings change nothing."""
    await migrate_tattoo(database)
    file = _settings(tmp_path)
    settings = {"MARQUEE_DATABASE_DSN": database, "MARQUEE_CONFIG": str(file)}
    async with (
        open_process("services.tattoo", **settings) as process,
        open_channel(address := f"127.0.0.1:{await listening_port(process)}") as channel,
    ):
        rows = ServiceRows(database, "tattoo.performer_tattoos")
        system = TattooSystem(address, tattoo_pb2_grpc.TattooServiceStub(channel), channel, rows)
        performer = await system.performer()
        [tattoo] = (await system.observe(tattooed(("ring", _LARGE)))).tattoos
        await system.enroll(performer, seen(tattoo))
        file.write_text("no TOML")
        process.send_signal(signal.SIGHUP)
        assert "not valid TOML" in await said(process, "the settings cannot be used")
        assert await _uses(system) == {"7": common_pb2.MODEL_USE_SERVING}
        _settings(tmp_path, version="8")
        process.send_signal(signal.SIGHUP)
        await said(process, "settings read again")
        serving, preparing = common_pb2.MODEL_USE_SERVING, common_pb2.MODEL_USE_PREPARING
        assert await _uses(system) == {"7": serving, "8": preparing}
        [again] = (await system.observe(tattooed(("ring", _LARGE)))).tattoos
        assert again.candidates[0].performer_id == performer
        await system.enroll(performer, seen(again))
        await said(process, "models switched")
        assert await _uses(system) == {"8": serving}


async def _uses(system: TattooSystem) -> dict[str, int]:
    """Embedders by version: what each is used for."""
    status = (await system.stub.GetStatus(pb.GetStatusRequest())).status
    return {one.version: one.use for one in status.models if one.dimension}


async def test_the_process_says_why_it_cannot_start() -> None:
    """Wrong settings: one line that names the field, and exit code 2."""
    code, text = await failure_of("services.tattoo", MARQUEE_TATTOO_MAX_TATTOOS="0")
    assert code == 2
    assert text.startswith("marquee: tattoo.max_tattoos")
    assert text.count("\n") == 1
