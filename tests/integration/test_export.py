"""`export` of a real system, and `import` of what it wrote into another."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Thread

import asyncpg
import numpy as np
import pytest
import pytest_asyncio
import voyager  # type: ignore[import-untyped]  # ships no types

from chassis.errors import ConfigError, Conflict, InvalidInput
from chassis.fingerprint import Fingerprint
from chassis.postgres.embedded import EmbeddedPostgres
from client.catalogue import BreastRecord, Performer
from client.transfer.exporting import Exported, export_to
from client.transfer.folder import sha256_of
from client.transfer.importing import ImportSummary, import_from, open_folder
from client.transfer.universal_id import PREFERRED
from client.transfer.values import Observation, PerformerRecord, VectorRow
from client.values import ExternalId, Signal
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS
from tests.fakes.command_shell import ended, start_command
from tests.fakes.community_folder import unit_vectors, write_index
from tests.fakes.face_service import both_embedders
from tests.fakes.postgres import fresh_database
from tests.fakes.transfer_system import TransferSystem, open_transfer_system
from tests.fakes.waiting import until

_PEOPLE = 3
_HISTORY = BreastRecord(size_category="32C", natural_probability=0.9, effective_from=date(2012, 3, 4))


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str, tmp_path: Path) -> AsyncIterator[TransferSystem]:
    """Three people, the last without an id elsewhere, with two faces each in two models and one tattoo."""
    async with open_transfer_system(database, tmp_path) as system:
        await _enrol(system)
        yield system


async def _enrol(system: TransferSystem) -> list[str]:
    records = [
        PerformerRecord(
            Performer(
                name=f"Person {number}",
                aliases=("Alias",),
                external_ids=(ExternalId("folder", str(number)), ExternalId("stashdb.org", f"id-{number}")),
                adult_attested=True,
                country="CZ",
                breast_history=(_HISTORY,),
            ),
            {"shoulder_hip_ratio": 1.25},
        )
        for number in range(_PEOPLE)
    ]
    imported = await system.marquee.transfer.import_performers(records)
    ids = [one.id for one in imported]
    await system.fetch("DELETE FROM catalogue.external_ids WHERE performer_id = $1", ids[-1])
    for model, dimension, seed in (("first", 8, 1), ("second", 4, 2)):
        vectors = unit_vectors(2 * _PEOPLE, dimension, seed=seed)
        rows = [
            VectorRow(ids[number // 2], model, "1", vector.tobytes(), _face(number))
            for number, vector in enumerate(vectors)
        ]
        await system.marquee.transfer.import_vectors(Signal.FACE, rows)
    tattoos = [
        VectorRow(id_, "ink", "1", vector.tobytes(), _tattoo(number))
        for number, (id_, vector) in enumerate(zip(ids, unit_vectors(_PEOPLE, 16, seed=3), strict=True))
    ]
    await system.marquee.transfer.import_vectors(Signal.TATTOO, tattoos)
    return ids


def _face(number: int) -> Observation:
    uri = f"/pictures/{number}.jpg"
    return Observation(quality=0.5, image_hash=f"{number:064x}", uri=uri, box=(1.0, 2.0, 30.0, 40.0))


def _tattoo(number: int) -> Observation:
    return Observation(
        quality=0.75,
        image_hash=f"{number:064x}",
        box=(1.0, 2.0, 30.0, 40.0),
        region="left_forearm",
        confidence=0.5,
        fingerprint=Fingerprint(64, 48, (0, 6, 64, 36), bytes([number] * 64), bytes(64)).encode(),
    )


async def _export(system: TransferSystem, target: Path) -> Exported:
    return await export_to(system.marquee, target, preferred=PREFERRED)


async def _import(system: TransferSystem, folder: Path) -> ImportSummary:
    return await import_from(system.marquee, open_folder(folder, adult_attested=False, versions={}))


async def test_an_export_has_everything_by_position(system: TransferSystem, tmp_path: Path) -> None:
    """Universal ids by position, vectors under the same positions, performers, and a true manifest."""
    target = tmp_path / "export"
    done = await _export(system, target)
    assert (done.performers, done.observations) == (3, {Signal.FACE: 6, Signal.TATTOO: 3})
    performers = json.loads((target / "performers.json").read_text())
    assert {one["universal_id"] for one in performers} >= {"stashdb.org:id-0", "stashdb.org:id-1"}
    assert all(one["body_ratios"] == {"shoulder_hip_ratio": 1.25} for one in performers)
    nameless = next(one for one in performers if one["name"] == "Person 2")
    assert nameless["universal_id"] == f"marquee:{nameless['id']}"
    faces = json.loads((target / "faces.json").read_text())
    lines = [json.loads(line) for line in (target / "faces.jsonl").read_text().splitlines()]
    position = next(number for number, line in enumerate(lines) if line["uri"] == "/pictures/2.jpg")
    assert faces[position] == "stashdb.org:id-1"
    index = voyager.Index.load(str(target / "face_first_1.voy"))
    np.testing.assert_allclose(index.get_vector(position), unit_vectors(6, 8, seed=1)[2], atol=1e-6)
    tattoos = voyager.Index.load(str(target / "tattoo_embeddings.voy"))
    assert (len(tattoos), tattoos.num_dimensions) == (3, 16)
    manifest = json.loads((target / "manifest.json").read_text())
    names = {path.name for path in target.iterdir()} - {"manifest.json"}
    assert {name: sha256_of(target / name) for name in names} == {
        name: facts["sha256"] for name, facts in manifest["files"].items()
    }
    assert (target.stat().st_mode & 0o777) == 0o700


async def test_an_export_read_back_elsewhere_is_the_same(
    system: TransferSystem, tmp_path: Path, postgres_server: EmbeddedPostgres
) -> None:
    """Same ids, attributes, vectors and facts; and exported there again, the same files."""
    await _export(system, tmp_path / "first")
    async with fresh_database(postgres_server) as dsn, open_transfer_system(dsn, tmp_path) as other:
        summary = await _import(other, tmp_path / "first")
        assert summary.is_complete
        assert summary.created == 3
        await _export(other, tmp_path / "second")
        for query in (
            "SELECT id, name, aliases, country, adult_attested, body_ratios"
            " FROM catalogue.performers ORDER BY 1",
            "SELECT authority, id, performer_id, position FROM catalogue.external_ids ORDER BY 1, 2",
            "SELECT performer_id, size_category, natural_probability, effective_from, effective_until, source"
            " FROM catalogue.performer_breast_history ORDER BY 1",
            "SELECT performer_id, model, version, quality, box, image_hash, source, image_date, state"
            " FROM face.vectors ORDER BY 1, 2, 6",
            "SELECT performer_id, model, body_region, image_hash, box, confidence, quality, tattoo_id"
            " FROM tattoo.performer_tattoos ORDER BY 1, 4",
        ):
            assert await other.fetch(query) == await system.fetch(query)
        # Indices keep vectors of length 1 only to the last digit.
        np.testing.assert_allclose(await _vectors(other), await _vectors(system), atol=1e-6)
    first, second = ((tmp_path / name / "performers.json").read_text() for name in ("first", "second"))
    assert first == second
    assert first.count('"size_category": "32C"') == 3


async def test_faces_that_are_set_aside_stay_so_elsewhere(
    system: TransferSystem, tmp_path: Path, postgres_server: EmbeddedPostgres
) -> None:
    """State, reason and the owner's word come back; in files of their own, so that nobody searches them."""
    for number, state in ((2, "quarantined"), (3, "reserve")):
        await system.fetch(
            "UPDATE face.vectors SET state = $2, state_reason = 'why' WHERE image_hash = $1",
            f"{number:064x}",
            state,
        )
    await system.fetch("UPDATE face.vectors SET is_confirmed = true WHERE image_hash = $1", f"{0:064x}")
    target = tmp_path / "export"
    done = await _export(system, target)
    assert done.observations[Signal.FACE] == 4
    assert (done.vectors["face_first_1.voy"], done.vectors["face_set_aside_first_1.voy"]) == (4, 2)
    assert len(json.loads((target / "faces.json").read_text())) == 4
    lines = [json.loads(line) for line in (target / "faces_set_aside.jsonl").read_text().splitlines()]
    assert sorted((one["state"], one["state_reason"]) for one in lines) == [
        ("quarantined", "why"),
        ("reserve", "why"),
    ]
    async with fresh_database(postgres_server) as dsn, open_transfer_system(dsn, tmp_path) as other:
        assert (await _import(other, target)).is_complete
        query = (
            "SELECT performer_id, model, image_hash, state, state_reason, is_confirmed"
            " FROM face.vectors ORDER BY 1, 2, 3"
        )
        assert await other.fetch(query) == await system.fetch(query)


async def test_a_state_that_is_none_is_refused(system: TransferSystem) -> None:
    """The row alone."""
    [performer] = [one async for page in system.marquee.transfer.export_performers() for one in page][:1]
    vectors = unit_vectors(2, 8, seed=5)
    rows = [
        VectorRow(
            performer.performer.id,
            "first",
            "1",
            vector.tobytes(),
            replace(_face(40 + number), state=state),
        )
        for number, (vector, state) in enumerate(zip(vectors, ("hidden", "reserve"), strict=True))
    ]
    result = await system.marquee.transfer.import_vectors(Signal.FACE, rows)
    assert (result.stored, [one.index for one in result.rejected]) == (1, [0])
    assert result.rejected[0].detail.startswith("state: ")


async def test_importing_an_export_where_it_came_from_changes_nothing(
    system: TransferSystem, tmp_path: Path
) -> None:
    """Everybody is found by id, everything is there."""
    await _export(system, tmp_path / "export")
    summary = await _import(system, tmp_path / "export")
    assert (summary.created, summary.known) == (0, 3)
    assert sum(one.stored for one in summary.sets) == 0
    assert sum(one.known for one in summary.sets) == 15


async def test_an_interrupted_export_leaves_nothing(system: TransferSystem, tmp_path: Path) -> None:
    """Cancelled at any step: no folder, and nothing beside it."""
    target = tmp_path / "export"
    for steps in range(3):
        with pytest.raises(asyncio.CancelledError):
            await export_to(system.marquee, target, preferred=(), on_step=_interrupted_after(steps))
        assert [name for name in os.listdir(tmp_path) if "export" in name] == []


async def test_what_a_killed_export_left_is_removed_by_the_next(
    system: TransferSystem, tmp_path: Path
) -> None:
    """A half folder beside the target is no obstacle, and is gone afterwards."""
    (tmp_path / ".export.partial").mkdir()
    (tmp_path / ".export.partial" / "performers.json").write_text("half")
    await _export(system, tmp_path / "export")
    assert not (tmp_path / ".export.partial").exists()
    open_folder(tmp_path / "export", adult_attested=False, versions={})


async def test_an_export_replaces_nothing(system: TransferSystem, tmp_path: Path) -> None:
    """A folder with something in it is left as it is."""
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="there already"):
        await _export(system, tmp_path / "export")
    assert os.listdir(tmp_path / "export") == ["mine.txt"]


async def test_a_folder_that_cannot_be_written_is_told(system: TransferSystem) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        await _export(system, Path("/proc/export"))


async def test_who_is_forgotten_meanwhile_is_in_no_export(system: TransferSystem, tmp_path: Path) -> None:
    """Forgotten after the performers were written: nothing is kept, and the next export is without them."""
    [row] = await system.fetch("SELECT id FROM catalogue.performers WHERE name = 'Person 0'")

    def forget(what: str, count: int) -> None:
        if what == "face vectors":
            leaving = Thread(target=lambda: asyncio.run(_delete(system.dsn, row["id"])))
            leaving.start()
            leaving.join()

    with pytest.raises(Conflict, match="forgotten"):
        await export_to(system.marquee, tmp_path / "export", preferred=PREFERRED, on_step=forget)
    assert not (tmp_path / "export").exists()
    assert (await _export(system, tmp_path / "export")).performers == 2
    text = "".join(path.read_text() for path in (tmp_path / "export").glob("*.json*"))
    assert str(row["id"]) not in text
    assert "stashdb.org:id-0" not in text


@pytest.mark.parametrize("name", ["faces.json", "faces.jsonl", "performers.json", "face_first_1.voy"])
async def test_a_damaged_export_is_not_imported(system: TransferSystem, tmp_path: Path, name: str) -> None:
    """Cut short: nothing of it is sent."""
    await _export(system, tmp_path / "export")
    path = tmp_path / "export" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InvalidInput, match="truncated"):
        await _import(system, tmp_path / "export")


async def test_an_index_of_another_dimension_than_stated_is_refused(
    system: TransferSystem, tmp_path: Path
) -> None:
    """The manifest's checksum is right, its dimension is not."""
    target = tmp_path / "export"
    await _export(system, target)
    write_index(target / "face_first_1.voy", unit_vectors(6, 12, seed=9))
    manifest = json.loads((target / "manifest.json").read_text())
    path = target / "face_first_1.voy"
    manifest["files"][path.name] = {"sha256": sha256_of(path), "bytes": path.stat().st_size}
    (target / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InvalidInput, match="12 values, expected 8"):
        await _import(system, target)


async def test_a_stored_model_takes_no_vectors_of_another_dimension(system: TransferSystem) -> None:
    """What is stored under a model says how long its vectors are; the others are refused one by one."""
    [row] = await system.fetch("SELECT id FROM catalogue.performers WHERE name = 'Person 1'")
    rows = [
        VectorRow(str(row["id"]), "first", "1", vector.tobytes(), _face(number))
        for number, vector in ((70, unit_vectors(1, 12, seed=1)[0]), (71, unit_vectors(1, 8, seed=1)[0]))
    ]
    result = await system.marquee.transfer.import_vectors(Signal.FACE, rows)
    assert (result.stored, [one.index for one in result.rejected]) == (1, [0])


@both_embedders
async def test_imported_faces_are_decided_over_like_enrolled_ones(system: TransferSystem) -> None:
    """Of 25 faces of the primary embedder 20 are searched, and soon; the others are not exported."""
    [row] = await system.fetch("SELECT id FROM catalogue.performers WHERE name = 'Person 1'")
    name, version = DEFAULT_EMBEDDERS[0], BUILT_IN_ROWS[DEFAULT_EMBEDDERS[0]].version
    vectors = unit_vectors(25, BUILT_IN_ROWS[name].dimension, seed=4)
    rows = [
        VectorRow(str(row["id"]), name, version, vector.tobytes(), _face(100 + number))
        for number, vector in enumerate(vectors)
    ]
    result = await system.marquee.transfer.import_vectors(Signal.FACE, rows)
    assert (result.stored, result.not_searchable) == (25, ())
    states = await system.fetch(
        "SELECT state, count(*) FROM face.vectors WHERE model = $1 GROUP BY 1 ORDER BY 1", name
    )
    assert [tuple(state) for state in states] == [("active", 20), ("reserve", 5)]
    exported = [page async for page in system.marquee.transfer.export_vectors(Signal.FACE)]
    assert sum(one.model == name for page in exported for one in page) == 20

    async def are_searched() -> bool:
        face = (await system.marquee.status()).signals[Signal.FACE]
        return [one.vectors for one in face.models if one.name == name] == [20]

    await until(are_searched)


async def test_the_commands_do_it_and_say_so(system: TransferSystem, tmp_path: Path) -> None:
    """`marquee export`, `import` of the same folder, a second export into the same place, `status`."""
    target = str(tmp_path / "export")
    written = await ended(await start_command("export", target, "--server", system.address))
    assert (written.code, "is complete" in written.out) == (0, True), written.err
    assert "vectors in tattoo_embeddings.voy" in written.out
    read = await ended(await start_command("import", target, "--server", system.address))
    assert read.code == 0, read.err
    assert "6 faces stored, not searchable: first.onnx is missing, see docs/models.md" in read.out
    again = await ended(await start_command("export", target, "--server", system.address))
    assert (again.code, "is there already" in again.err) == (1, True)
    status = await ended(await start_command("status", "--server", system.address))
    assert "face: 6 faces stored, not searchable: second.onnx is missing, see docs/models.md" in status.out


async def test_an_imported_tattoo_makes_its_region_known(system: TransferSystem) -> None:
    """As one that was enrolled here does."""
    rows = await system.fetch("SELECT DISTINCT body_region, knowledge, source FROM tattoo.region_knowledge")
    assert [tuple(row) for row in rows] == [("left_forearm", "known_tattooed", "observed")]


async def _vectors(system: TransferSystem) -> list[list[float]]:
    query = "SELECT vector FROM face.vectors WHERE model = 'first' ORDER BY performer_id, image_hash"
    return [np.frombuffer(row["vector"], "<f4").tolist() for row in await system.fetch(query)]


async def _delete(dsn: str, performer_id: object) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("DELETE FROM catalogue.performers WHERE id = $1", performer_id)
    await connection.close()


def _interrupted_after(steps: int) -> Callable[[str, int], None]:
    left = steps

    def step(what: str, count: int) -> None:
        nonlocal left
        if not left:
            raise asyncio.CancelledError
        left -= 1

    return step
