"""A Triton model repository is put together, brought up to date, and never seen half-made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chassis.errors import ModelError
from chassis.models import ModelSpec, ModelStore
from chassis.models.repository import assemble, config_of, has_config
from tests.fakes.model_packages import spec_of, wheel


def _fetch(store: ModelStore) -> None:
    """Put the archive that the model is made from where a download would."""
    archive = wheel()
    archive.save(store.root / "archives", archive.package.archive_name)


@pytest.fixture
def spec() -> ModelSpec:
    """A small model under a name that has a configuration."""
    return replace(spec_of(wheel()), name="face_mesh", version="1")


@pytest.fixture
def store(tmp_path: Path, spec: ModelSpec) -> ModelStore:
    """A folder of models with that one built."""
    store = ModelStore(tmp_path / "models")
    _fetch(store)
    assert store.build([spec])[0].outcome == "built"
    return store


def test_configuration_and_file_are_put_together(tmp_path: Path, store: ModelStore, spec: ModelSpec) -> None:
    """As Triton wants them: the file in a folder named by its version."""
    root = tmp_path / "data" / "triton"
    assert assemble(root, store, [spec]) == ["face_mesh"]
    assert (root / "face_mesh" / "config.pbtxt").read_text() == config_of(spec)
    model = root / "face_mesh" / "1" / "model.onnx"
    assert model.read_bytes() == store.path("face_mesh").read_bytes()
    assert not model.is_symlink()


def test_nothing_is_touched_when_all_is_there(tmp_path: Path, store: ModelStore, spec: ModelSpec) -> None:
    """A Triton that polls must not load everything again."""
    assemble(tmp_path / "r", store, [spec])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "r").rglob("*")}
    assemble(tmp_path / "r", store, [spec])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "r").rglob("*")} == before


def test_a_model_that_is_not_built_is_left_out(tmp_path: Path, store: ModelStore, spec: ModelSpec) -> None:
    """Such as the embedder that needs npm."""
    other = replace(spec, name="mobilefacenet")
    assert assemble(tmp_path / "r", store, [spec, other]) == ["face_mesh"]
    assert not (tmp_path / "r" / "mobilefacenet").exists()


def test_a_new_version_stands_beside_the_last_one(tmp_path: Path, store: ModelStore, spec: ModelSpec) -> None:
    """Older ones go; so does what an interrupted run left."""
    root = tmp_path / "r"
    for version in ("1", "2", "10"):
        new = replace(spec, version=version)
        _fetch(store)
        store.build([new])
        (root / "face_mesh" / ".partial-99").mkdir(parents=True, exist_ok=True)
        assemble(root, store, [new])
    assert {path.name for path in (root / "face_mesh").iterdir()} == {"2", "10", "config.pbtxt"}


def test_damage_is_repaired(tmp_path: Path, store: ModelStore, spec: ModelSpec) -> None:
    """A file or configuration that is not ours is replaced; the store's own file stays whole."""
    root = tmp_path / "r"
    assemble(root, store, [spec])
    model, config = root / "face_mesh" / "1" / "model.onnx", root / "face_mesh" / "config.pbtxt"
    model.unlink()
    model.write_bytes(b"damaged")
    config.write_text("name: 'other'")
    assemble(root, store, [spec])
    assert model.read_bytes() == store.path("face_mesh").read_bytes()
    assert config.read_text() == config_of(spec)


def test_folders_of_the_owner_stay(tmp_path: Path, store: ModelStore, spec: ModelSpec) -> None:
    """An embedder of one's own lies beside ours."""
    mine = tmp_path / "r" / "arcface" / "1" / "model.onnx"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    assemble(tmp_path / "r", store, [spec])
    assert mine.read_bytes() == b"mine"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, store: ModelStore, spec: ModelSpec) -> None:
    """With its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        assemble(tmp_path / "file" / "r", store, [spec])


def test_a_model_without_configuration_is_no_served_one(spec: ModelSpec) -> None:
    """Those that only others are made of are not served."""
    other = replace(spec, name="mobilenet_v2")
    assert not has_config(other)
    with pytest.raises(ModelError, match="no Triton configuration"):
        config_of(other)
