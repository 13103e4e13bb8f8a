"""Embedders of the owner's while the face service changes them: files overwritten, lost, broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from chassis.errors import ModelError
from chassis.models import ModelStore
from services.face.config import EmbedderSettings, FaceSection
from tests.fakes.face_service import FaceSystem, enrolment, migrate_face, open_face_system, template_of
from tests.fakes.model_store import own_store
from tests.fakes.onnx_models import save
from tests.fakes.pictures import encode
from tests.fakes.portrait import portrait
from tests.fakes.waiting import until

_DLIB = ("dlib_resnet",)
_OLD = FaceSection(port=0, embedder=_DLIB)


def _mine(file: Path, *, version: str) -> FaceSection:
    """An embedder of the owner's: dlib's network under another name."""
    own = EmbedderSettings(
        name="mine",
        file=file,
        version=version,
        size=150,
        layout="NCHW",
        color="RGB",
        subtract=0.0,
        divide=1.0,
        template="dlib",
        mirror=False,
        dimension=128,
        impostor_p99=0.9,
        genuine_median=0.95,
        identification_confidence=0.8,
    )
    return FaceSection(port=0, embedder=("mine",), embedders=(own,))


async def _is_complete(system: FaceSystem) -> bool:
    return not (await system.status()).HasField("model_change")


async def test_an_overwritten_file_goes_on_serving(database: str, tmp_path: Path) -> None:
    """The version that serves was kept: the owner's file may be another one by now."""
    await migrate_face(database)
    store, file = own_store(tmp_path), tmp_path / "mine.onnx"
    shutil.copyfile(ModelStore().path("dlib_resnet"), file)
    picture = encode(portrait(250))
    async with open_face_system(database, face=_mine(file, version="1"), models=store) as system:
        person = await system.performer()
        template = (await system.observe(picture)).faces[0].template
        await system.enroll(person, enrolment(template, image="p"))
    model = onnx.load(file)
    model.doc_string = "another file with the same network"
    onnx.save(model, file)
    async with open_face_system(database, face=_mine(file, version="2"), models=store) as system:
        face = (await system.observe(picture)).faces[0]
        assert [(one.model, one.version) for one in face.template.embeddings] == [
            ("mine", "1"),
            ("mine", "2"),
        ]
        assert face.candidates[0].performer_id == person
        await system.enroll(person, enrolment(face.template, image="p"))
        await until(lambda: _is_complete(system))
        again = (await system.observe(picture)).faces[0]
        assert [(one.model, one.version) for one in again.template.embeddings] == [("mine", "2")]
        assert again.candidates[0].performer_id == person


async def test_another_file_under_the_same_version_is_not_used(database: str, tmp_path: Path) -> None:
    """Vectors of two files never share a version: the kept one goes on, and status says what to do."""
    await migrate_face(database)
    store, file = own_store(tmp_path), tmp_path / "mine.onnx"
    shutil.copyfile(ModelStore().path("dlib_resnet"), file)
    picture = encode(portrait(250))
    async with open_face_system(database, face=_mine(file, version="1"), models=store) as system:
        before = (await system.observe(picture)).faces[0].template.embeddings[0]
    file.write_bytes(b"another file")
    async with open_face_system(database, face=_mine(file, version="1"), models=store) as system:
        assert (await system.observe(picture)).faces[0].template.embeddings[0] == before
        status = await system.status()
        assert status.is_ready
        assert "mine 1: the one before goes on" in status.model_change.problem
    (store / "mine@1.onnx").unlink()
    with pytest.raises(ModelError, match="model mine 1"):
        async with open_face_system(database, face=_mine(file, version="1"), models=store):
            pass


async def test_a_version_that_served_long_ago_is_remembered(database: str, tmp_path: Path) -> None:
    """Its vectors are stored still: another file under its version is not used after others have served."""
    await migrate_face(database)
    store, file = own_store(tmp_path), tmp_path / "mine.onnx"
    shutil.copyfile(ModelStore().path("dlib_resnet"), file)
    async with open_face_system(database, face=_mine(file, version="1"), models=store):
        pass
    async with open_face_system(database, face=_OLD, models=store):
        pass
    model = onnx.load(file)
    model.doc_string = "another file with the same network"
    onnx.save(model, file)
    async with open_face_system(database, face=_mine(file, version="1"), models=store) as system:
        status = await system.status()
        assert "another file than before for mine 1" in status.model_change.problem


async def test_an_old_model_that_cannot_run_any_more(database: str, tmp_path: Path) -> None:
    """The new one takes over with what it has, and status says what is missing and why."""
    await migrate_face(database)
    store, file = own_store(tmp_path), tmp_path / "mine.onnx"
    shutil.copyfile(ModelStore().path("dlib_resnet"), file)
    async with open_face_system(database, face=_mine(file, version="1"), models=store) as system:
        person = await system.performer()
        template = template_of(1, names=_DLIB)
        template.embeddings[0].model, template.embeddings[0].version = "mine", "1"
        await system.enroll(person, enrolment(template))
    (store / "mine@1.onnx").unlink()
    async with open_face_system(database, face=_OLD, models=store) as system:
        status = await system.status()
        assert status.is_ready
        assert "cannot be run any more" in status.model_change.problem
        assert (status.model_change.observations, status.model_change.described) == (1, 0)
        assert (await system.pending()).total == 1


@pytest.fixture
async def person(database: str) -> str:
    """Somebody enrolled while only a built-in embedder was in use."""
    await migrate_face(database)
    async with open_face_system(database, face=_OLD) as system:
        person = await system.performer()
        await system.enroll(person, enrolment(template_of(1, names=_DLIB)))
        return person


async def test_a_new_model_that_breaks_costs_nothing(database: str, person: str, tmp_path: Path) -> None:
    """The old one serves, the service is ready, and status names the file that is wrong."""
    file = tmp_path / "mine.onnx"
    file.write_bytes(b"no model")
    section = _mine(file, version="1")
    async with open_face_system(database, face=section, models=own_store(tmp_path)) as system:
        assert set(await system.score(template_of(1, names=_DLIB), person)) == {person}
        status = await system.status()
        assert status.is_ready
        assert "mine" in status.model_change.problem
        face = (await system.observe(encode(portrait(250)))).faces[0]
        assert [one.model for one in face.template.embeddings] == ["dlib_resnet"]


def _blank_only(file: Path) -> Path:
    """A network that describes a black picture, which a trial shows it, and fails on every other."""
    nodes = [
        helper.make_node("ReduceSum", ["input", "axes"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["sum"], ["index"], to=onnx.TensorProto.INT64),
        helper.make_node("Gather", ["table", "index"], ["vector"]),
    ]
    constants = {"axes": np.array([1, 2, 3]), "table": np.ones((1, 128), np.float32)}
    return save(file, nodes, takes=["n", 3, 150, 150], gives={"vector": ["n", 128]}, constants=constants)


async def test_a_new_model_that_fails_at_work(database: str, person: str, tmp_path: Path) -> None:
    """What it cannot describe is described by the others, and status says what is wrong until it can."""
    section = _mine(_blank_only(tmp_path / "mine.onnx"), version="1")
    async with open_face_system(database, face=section, models=own_store(tmp_path)) as system:
        assert (await system.status()).model_change.problem == ""
        faces = (await system.observe(encode(portrait(250)))).faces
        assert [one.model for one in faces[0].template.embeddings] == ["dlib_resnet"]
        status = await system.status()
        assert status.is_ready
        assert "mine" in status.model_change.problem
        assert set(await system.score(faces[0].template, person)) == {person}
