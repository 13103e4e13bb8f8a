"""`import` of the community's published layout into a real gateway with real services."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from onnx import helper

from chassis.errors import InvalidInput
from client.coverage import CoverageFilter
from client.transfer.importing import ImportSummary, import_from, open_folder
from client.transfer.values import unseen_hash
from services.face.config import EmbedderSettings, FaceSection
from tests.fakes.community_folder import (
    CommunityFolder,
    community_folder,
    unit_vectors,
    write_index,
    write_manifest,
)
from tests.fakes.onnx_models import Shape, save
from tests.fakes.transfer_system import TransferSystem, open_transfer_system

_FACES = "SELECT count(*) FROM face.vectors"
_TATTOOS = "SELECT count(*) FROM tattoo.performer_tattoos"


@pytest.fixture
def folder(tmp_path: Path) -> CommunityFolder:
    """Four people with two faces each, in both embedders, and a tattoo each."""
    return community_folder(tmp_path / "community")


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str, tmp_path: Path) -> AsyncIterator[TransferSystem]:
    async with open_transfer_system(database, tmp_path) as system:
        yield system


async def _import(
    system: TransferSystem, folder: CommunityFolder, *, adult_attested: bool = False
) -> ImportSummary:
    incoming = await asyncio.to_thread(open_folder, folder.root, adult_attested=adult_attested, versions={})
    return await import_from(system.marquee, incoming)


async def test_everything_is_stored_and_what_is_not_searchable_is_said(
    system: TransferSystem, folder: CommunityFolder
) -> None:
    """Performers, ids, ratios, vectors under their model, regions from words; and why no face is found."""
    summary = await _import(system, folder)
    assert (summary.created, summary.known, summary.is_complete) == (4, 0, True)
    assert [(one.model, one.version, one.stored) for one in summary.sets] == [
        ("facenet512", "community", 8),
        ("arcface", "community", 8),
        ("community_tattoo", "community", 4),
    ]
    assert summary.sets[0].not_searchable == {"facenet512.onnx is missing, see docs/models.md": 8}
    assert summary.remarks == ("4 piercings are not used",)
    [person] = await system.fetch(
        "SELECT p.name, p.aliases, p.body_ratios, e.authority, e.id FROM catalogue.performers p"
        " JOIN catalogue.external_ids e ON e.performer_id = p.id WHERE p.name = 'Person 1'"
    )
    assert (person["aliases"], person["authority"]) == (["Alias 1"], "stashdb.org")
    ratios = {"shoulder_hip_ratio": 1.4, "leg_torso_ratio": 1.1, "arm_span_height_ratio": 1.0}
    assert json.loads(person["body_ratios"]) == ratios
    [face] = await system.fetch(
        "SELECT v.* FROM face.vectors v JOIN catalogue.performers p ON p.id = v.performer_id"
        " WHERE p.name = 'Person 2' AND v.source = 'https://cdn.example.org/2.jpg' AND v.model = 'facenet512'"
    )
    assert face["image_hash"] == unseen_hash("https://cdn.example.org/2.jpg")
    assert face["quality"] == pytest.approx(0.9)
    np.testing.assert_allclose(np.frombuffer(face["vector"], "<f4"), folder.facenet[2], atol=1e-6)
    knowledge = await system.fetch(
        "SELECT DISTINCT body_region, knowledge, source, description FROM tattoo.region_knowledge"
    )
    assert [tuple(one) for one in knowledge] == [
        ("left_forearm", "known_tattooed", "stashdb.org", "left forearm: rose")
    ]


async def test_the_pictures_are_noted_for_a_backfill(system: TransferSystem, folder: CommunityFolder) -> None:
    """Each URL is known under its source, so that it can be read with the embedders here."""
    await _import(system, folder)
    rows = await system.fetch("SELECT source, state, count(*) FROM catalogue.images GROUP BY 1, 2")
    assert [tuple(row) for row in rows] == [("stashdb.org", "known", 8)]


async def test_status_says_what_cannot_be_found(system: TransferSystem, folder: CommunityFolder) -> None:
    """By model, with the count and the reason; and nothing waits to be described again."""
    await _import(system, folder)
    face = next(
        state for signal, state in (await system.marquee.status()).signals.items() if signal == "face"
    )
    assert [(one.model, one.observations, one.reason) for one in face.not_searchable] == [
        ("arcface", 8, "arcface.onnx is missing, see docs/models.md"),
        ("facenet512", 8, "facenet512.onnx is missing, see docs/models.md"),
    ]
    assert face.model_change is None


async def test_faces_that_cannot_be_found_count_for_no_target(
    system: TransferSystem, folder: CommunityFolder
) -> None:
    """Coverage has them apart: everybody still needs faces, and a backfill of who has none goes on."""
    await _import(system, folder)
    totals = await system.marquee.coverage()
    assert totals.faces is not None
    assert (totals.faces.good + totals.faces.usable + totals.faces.weak, totals.faces.unsearchable) == (0, 8)
    assert totals.below_target == 4
    wanted = CoverageFilter(only_without_faces=True)
    listed = [one async for one in system.marquee.performer_coverage(wanted)]
    assert [one.faces.unsearchable for one in listed if one.faces is not None] == [2, 2, 2, 2]


async def test_importing_again_changes_nothing(system: TransferSystem, folder: CommunityFolder) -> None:
    """Everybody and everything is there already."""
    await _import(system, folder)
    before = await system.fetch("SELECT seq, xid FROM face.vectors ORDER BY seq")
    summary = await _import(system, folder)
    assert (summary.created, summary.known, summary.regions) == (0, 4, 0)
    assert [(one.stored, one.known) for one in summary.sets] == [(0, 8), (0, 8), (0, 4)]
    assert await system.fetch("SELECT seq, xid FROM face.vectors ORDER BY seq") == before


async def test_what_was_measured_here_is_kept(system: TransferSystem, folder: CommunityFolder) -> None:
    """Ratios of an import fill in where there are none, and never replace any."""
    await _import(system, folder)
    await system.fetch(
        """UPDATE catalogue.performers SET body_ratios = '{"leg_torso_ratio": 1.3}' WHERE name = 'Person 1'"""
    )
    await system.fetch("UPDATE catalogue.performers SET body_ratios = '{}' WHERE name = 'Person 2'")
    await _import(system, folder)
    ratios = await system.fetch("SELECT body_ratios FROM catalogue.performers ORDER BY name LIMIT 2")
    first, second = (json.loads(row["body_ratios"]) for row in ratios)
    assert first == {"leg_torso_ratio": 1.3}
    assert set(second) == {"shoulder_hip_ratio", "leg_torso_ratio", "arm_span_height_ratio"}


async def test_only_adults_are_taken(system: TransferSystem, folder: CommunityFolder) -> None:
    """A minor is refused with their faces.

    So is unknown age, but for the ids of sources that list adults only.
    """
    folder.change_database("""
        UPDATE performers SET birth_date = '2010-01-01' WHERE id = 1;
        UPDATE performers SET birth_date = NULL WHERE id > 1;
        UPDATE stashbox_ids SET endpoint = 'example.org' WHERE performer_id = 2;
    """)
    summary = await _import(system, folder)
    assert summary.refused == {"under age": 1, "age not attested": 1}
    assert summary.sets[0].left_out == {"of a performer who was refused": 4}
    assert await system.value(_FACES) == 8
    assert not summary.is_complete


async def test_the_owner_may_attest_unknown_ages(system: TransferSystem, folder: CommunityFolder) -> None:
    """With --adult-attested; those with a birth date are still judged by it."""
    folder.change_database("""
        UPDATE performers SET birth_date = NULL;
        UPDATE stashbox_ids SET endpoint = 'example.org';
        UPDATE performers SET birth_date = '2010-01-01' WHERE id = 1;
    """)
    summary = await _import(system, folder, adult_attested=True)
    assert (summary.created, summary.refused) == (3, {"under age": 1})
    assert await system.value("SELECT count(*) FROM catalogue.performers WHERE adult_attested") == 3


async def test_an_id_of_two_performers_is_nobodys(system: TransferSystem, folder: CommunityFolder) -> None:
    """It would join two people: both are without it, and without any other id they are left out."""
    folder.change_database("""
        INSERT INTO stashbox_ids SELECT 2, 'fansdb', 'x';
        UPDATE stashbox_ids SET stashbox_performer_id = (
            SELECT stashbox_performer_id FROM stashbox_ids WHERE performer_id = 1 LIMIT 1)
        WHERE performer_id = 2 AND endpoint <> 'fansdb';
    """)
    summary = await _import(system, folder)
    assert summary.refused == {"no id that another import could find them by": 1}
    rows = await system.fetch(
        "SELECT authority, id FROM catalogue.external_ids WHERE authority = 'fansdb.cc'"
    )
    assert [tuple(row) for row in rows] == [("fansdb.cc", "x")]
    assert await system.value("SELECT count(*) FROM catalogue.external_ids") == 3


async def test_a_position_of_two_performers_is_nobodys(
    system: TransferSystem, folder: CommunityFolder
) -> None:
    """A face that two rows claim for two people is left out."""
    folder.change_database("UPDATE faces SET facenet_index = 0 WHERE facenet_index = 7")
    (folder.root / "faces.json").unlink()
    write_manifest(folder.root)
    summary = await _import(system, folder)
    assert summary.sets[0].left_out == {
        "position without a performer": 2
    }  # 0, and 7 of which nobody says whose


async def test_positions_that_the_database_does_not_know_go_by_universal_ids(
    system: TransferSystem, folder: CommunityFolder
) -> None:
    """faces.json says whose they are; those of nobody in the folder are left out."""
    ids = json.loads((folder.root / "faces.json").read_text())
    (folder.root / "faces.json").write_text(json.dumps([*ids[:-1], "stashdb.org:nobody"]))
    folder.change_database("DELETE FROM faces WHERE facenet_index >= 6")
    summary = await _import(system, folder)
    assert summary.sets[0].stored == 7
    assert summary.sets[0].left_out == {"position without a performer": 1}


async def test_vectors_that_are_none_are_left_out(system: TransferSystem, folder: CommunityFolder) -> None:
    """NaN, infinity and zeros are refused one by one; the others are stored."""
    vectors = folder.facenet.copy()
    vectors[1, 5] = np.nan
    vectors[4, :] = np.inf
    write_index(folder.root / "face_facenet.voy", vectors)
    write_manifest(folder.root)
    summary = await _import(system, folder)
    assert summary.sets[0].stored == 6
    assert sum(summary.sets[0].left_out.values()) == 2
    assert await system.value(_FACES) == 14


async def test_who_was_forgotten_does_not_come_back(system: TransferSystem, folder: CommunityFolder) -> None:
    """Neither under their ids nor, under new ones, by their pictures."""
    await _import(system, folder)
    found = await system.fetch("SELECT id FROM catalogue.performers WHERE name = 'Person 1'")
    await system.marquee.forget(str(found[0]["id"]))
    again = await _import(system, folder)
    assert again.refused == {"do not identify": 1}
    folder.change_database("UPDATE stashbox_ids SET stashbox_performer_id = 'other' WHERE performer_id = 1")
    renamed = await _import(system, folder)
    assert renamed.created == 1
    assert sum(renamed.sets[0].left_out.values()) == 2
    assert await system.value(_FACES) == 12


async def test_a_database_without_the_optional_parts_is_read(
    system: TransferSystem, folder: CommunityFolder
) -> None:
    """Only performers and their ids have to be there."""
    folder.change_database("""
        DROP TABLE aliases; DROP TABLE tattoos; DROP TABLE piercings; DROP TABLE body_proportions; DROP
        TABLE faces; ALTER TABLE performers DROP COLUMN gender; ALTER TABLE performers DROP COLUMN
        career_end_year; ALTER TABLE performers RENAME COLUMN canonical_name TO name;
    """)
    for name in ("face_arcface.voy", "tattoo_embeddings.voy", "tattoo_embeddings.json"):
        (folder.root / name).unlink()
    write_manifest(folder.root)
    summary = await _import(system, folder)
    assert (summary.created, [one.stored for one in summary.sets]) == (4, [8])


@pytest.mark.parametrize("name", ["performers.db", "face_facenet.voy", "tattoo_embeddings.voy"])
def test_a_changed_byte_is_noticed_before_the_file_is_opened(folder: CommunityFolder, name: str) -> None:
    """The checksum of the manifest is compared first: the libraries could crash."""
    path = folder.root / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match=rf"{name}: not the SHA-256 of the manifest"):
        open_folder(folder.root, adult_attested=False, versions={})


def test_a_truncated_file_is_noticed(folder: CommunityFolder) -> None:
    path = folder.root / "face_arcface.voy"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InvalidInput, match=r"face_arcface.voy: not the SHA-256"):
        open_folder(folder.root, adult_attested=False, versions={})


def test_a_file_without_a_checksum_is_not_opened(folder: CommunityFolder) -> None:
    manifest = json.loads((folder.root / "manifest.json").read_text())
    del manifest["checksums"]["face_facenet.voy"]
    (folder.root / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InvalidInput, match="no SHA-256"):
        open_folder(folder.root, adult_attested=False, versions={})


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", "C:\\x", "link"])
def test_a_manifest_names_files_of_its_folder_only(folder: CommunityFolder, name: str) -> None:
    """Neither by a path nor through a link."""
    (folder.root / "link").symlink_to("/etc/passwd")
    write_manifest(folder.root, files={name: {"sha256": "0" * 64}})
    with pytest.raises(InvalidInput, match="not in the folder"):
        open_folder(folder.root, adult_attested=False, versions={})


def test_vectors_of_another_dimension_are_refused_at_once(folder: CommunityFolder) -> None:
    write_index(folder.root / "face_facenet.voy", unit_vectors(8, 128, seed=5))
    write_manifest(folder.root)
    with pytest.raises(InvalidInput, match="128 values, expected 512"):
        open_folder(folder.root, adult_attested=False, versions={})


@pytest.mark.parametrize("name", ["performers.db", "face_facenet.voy"])
def test_a_file_that_is_something_else_is_refused(folder: CommunityFolder, name: str) -> None:
    """A SQLite file that is none, an index that is none, each with a right checksum."""
    (folder.root / name).write_bytes(b"something else " * 100)
    write_manifest(folder.root)
    with pytest.raises(InvalidInput, match=name):
        open_folder(folder.root, adult_attested=False, versions={})


@pytest.mark.parametrize("text", ["[]", "no json", ""])
def test_a_manifest_that_is_none_is_refused(folder: CommunityFolder, text: str) -> None:
    (folder.root / "manifest.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"manifest\.json"):
        open_folder(folder.root, adult_attested=False, versions={})


async def test_the_stored_vectors_are_found_once_their_embedder_is_configured(
    database: str, tmp_path: Path, folder: CommunityFolder
) -> None:
    """Imported first; then [[face.embedders]] names a file and the version: searched, beside another one."""
    async with open_transfer_system(database, tmp_path) as system:
        await _import(system, folder)
    own = EmbedderSettings(name="facenet512", file=_facenet(tmp_path), version="community")
    settings = FaceSection(embedder=("dlib_resnet", "facenet512"), embedders=(own,))
    async with open_transfer_system(database, tmp_path, face=settings) as system:
        await _until_searchable(system, 8)
        [face, _, _] = (await system.marquee.status()).signals.values()
        assert [(one.name, one.version, one.vectors) for one in face.models if one.dimension] == [
            ("dlib_resnet", "1.1", 0),
            ("facenet512", "community", 8),
        ]
        assert face.not_searchable == ()  # the same faces, by their other vectors


async def test_imported_faces_keep_no_change_of_models_waiting(
    database: str, tmp_path: Path, folder: CommunityFolder
) -> None:
    """Nobody can read their pictures again: they do not wait, nor count for the switch to others."""
    async with open_transfer_system(database, tmp_path) as system:
        await _import(system, folder)
    async with open_transfer_system(database, tmp_path) as system:
        [face, _, _] = (await system.marquee.status()).signals.values()
        assert face.model_change is None
        assert [page.images async for page in system.marquee.pending()] == [()]


async def _until_searchable(system: TransferSystem, faces: int) -> None:
    async with asyncio.timeout(30):
        while True:
            [face, _, _] = (await system.marquee.status()).signals.values()
            if face.observations == faces:
                return
            await asyncio.sleep(0.1)


def _facenet(folder: Path) -> Path:
    """A file with the input and output of facenet512: its vector is the first 512 values of the picture."""
    nodes = [
        helper.make_node("Flatten", ["input"], ["flat"]),
        helper.make_node("Slice", ["flat", "start", "end", "axis"], ["vector"]),
    ]
    numbers = {"start": 0, "end": 512, "axis": 1}
    constants: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {
        name: np.array([number], np.int64) for name, number in numbers.items()
    }
    shape: Shape = ["n", 160, 160, 3]
    path = folder / "facenet512.onnx"
    return save(path, nodes, takes=shape, gives={"vector": ["n", 512]}, constants=constants)
