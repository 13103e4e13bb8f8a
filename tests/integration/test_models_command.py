"""`marquee models build` and `marquee models list`, as people run them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from google.protobuf import descriptor_pb2, descriptor_pool

from chassis.models import ModelStore, discover_specs
from client.models_command import models
from tests.fakes.model_packages import spec_of, wheel

_KILLED_WHILE_BUILDING = """
import os, signal, sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from chassis.models import ModelStore
from tests.fakes.model_packages import build_scale, spec_of, wheel

kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
spec = spec_of(wheel())
ModelStore(Path(sys.argv[1])).build([replace(spec, build=partial(build_scale, on_build=kill))])
"""


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A data folder of the test's own: a build also writes Triton's repository there."""
    monkeypatch.setenv("MARQUEE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(models, [str(argument) for argument in arguments])


def test_list_shows_every_model() -> None:
    """Each model is shown with source, licence, provenance, input, normalisation and outputs."""
    result = _run("list")
    words = " ".join(result.output.split())
    assert result.exit_code == 0
    for spec in discover_specs():
        for text in (spec.name, spec.role, str(spec.source), spec.licence, spec.input.normalisation):
            assert text in words
        assert all(str(output) in words for output in spec.outputs)


def test_list_says_what_is_built(tmp_path: Path) -> None:
    """An empty folder has nothing built."""
    result = _run("list", "--directory", tmp_path)
    assert result.output.count("not built") == len(discover_specs())


def test_build_without_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without npm the better embedder is skipped and the output says what takes its place; no error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    result = _run("build", "mobilefacenet", "--directory", tmp_path / "models")
    words = " ".join(result.output.split())
    assert "skipped mobilefacenet: npm is not installed" in words
    assert "dlib_resnet will be the face embedder" in words
    assert result.exit_code == 0


def test_build_that_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A model that cannot be had is named with the reason, and the command exits with 1."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    result = _run("build", "face_mesh", "--directory", tmp_path)
    words = " ".join(result.output.split())
    assert "failed face_mesh: pip could not fetch pip:mediapipe 0.10.14: ERROR: No matching" in words
    assert "0 of 1 models are ready" in words
    assert result.exit_code == 1


def test_build_of_an_unknown_model(tmp_path: Path) -> None:
    """A wrong name is answered with the right ones."""
    result = _run("build", "face_mash", "--directory", tmp_path)
    assert result.exit_code == 2
    assert "no model is named face_mash" in result.output
    assert "face_mesh" in result.output


def test_build_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all models built, the command needs neither pip nor npm."""
    built = [spec.name for spec in discover_specs() if ModelStore().built(spec)]
    if not built:
        pytest.skip("no model is built in this user's cache")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PATH", "/nonexistent")
    result = _run("build", *built)
    assert result.exit_code == 0
    assert f"{len(built)} of {len(built)} models are ready" in " ".join(result.output.split())


def test_build_in_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """The error is one line that names the folder."""
    (tmp_path / "file").write_text("")
    result = _run("build", "face_mesh", "--directory", tmp_path / "file" / "models")
    assert result.exit_code == 1
    assert str(tmp_path / "file" / "models") in result.output
    assert "Traceback" not in result.output


def test_killed_while_building(tmp_path: Path) -> None:
    """A build that is killed leaves the folder usable: no model, no lock, and the archive is still there."""
    wheel().save(tmp_path / "archives", wheel().package.archive_name)
    command = [sys.executable, "-c", _KILLED_WHILE_BUILDING, str(tmp_path)]
    killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": os.getcwd()}, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert ModelStore(tmp_path).built(spec_of(wheel())) is None
    (result,) = ModelStore(tmp_path).build([spec_of(wheel())])
    assert result.outcome == "built"


def test_tritons_contract_can_be_written(tmp_path: Path) -> None:
    """Whole, so that a tool can call it: messages are found by name and every import is there."""
    assert _run("protoset", tmp_path / "triton.binpb").exit_code == 0
    written = descriptor_pb2.FileDescriptorSet.FromString((tmp_path / "triton.binpb").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in written.file:
        pool.Add(file)  # type: ignore[no-untyped-call] # the library's stubs leave it out
    service = pool.FindServiceByName("inference.GRPCInferenceService")  # type: ignore[no-untyped-call] # as above
    assert {"ModelInfer", "ModelReady"} <= {method.name for method in service.methods}


def test_a_contract_that_cannot_be_written(tmp_path: Path) -> None:
    """Is told with its path."""
    result = _run("protoset", tmp_path / "missing" / "triton.binpb")
    assert result.exit_code == 1
    assert "cannot be written" in result.output


def test_build_puts_a_triton_repository_together(tmp_path: Path, data_folder: Path) -> None:
    """What is built is there with its configuration; a folder can be named."""
    result = _run("build", "face_mesh")
    assert result.exit_code == 0
    folder = data_folder / "triton" / "models" / "face_mesh"
    assert (folder / "config.pbtxt").is_file()
    assert (folder / "1" / "model.onnx").is_file()
    assert _run("build", "face_mesh", "--repository", tmp_path / "elsewhere").exit_code == 0
    assert (tmp_path / "elsewhere" / "face_mesh" / "1" / "model.onnx").is_file()
