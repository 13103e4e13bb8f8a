"""Models from files of the project itself."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from chassis.models import CommittedFile, ModelStore
from tests.fakes.model_packages import CONTENT, spec_of, wheel


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommittedFile:
    """A file in a package of its own."""
    package = tmp_path / "path" / "committed_part"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "weights" / "m.bin").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(tmp_path / "path"))
    monkeypatch.delitem(sys.modules, package.name, raising=False)
    digest = hashlib.sha256(CONTENT).hexdigest()
    return CommittedFile(module="committed_part", path="weights/m.bin", sha256=digest)


def test_it_is_built_without_fetching_anything(committed: CommittedFile, tmp_path: Path) -> None:
    """No archive is asked for, and none is kept."""
    store = ModelStore(tmp_path / "models")
    spec = spec_of(wheel(), source=committed)
    lines: list[str] = []
    [result] = store.build([spec], report=lines.append)
    assert result.outcome == "built"
    assert not any("fetching" in line for line in lines)
    assert not (tmp_path / "models" / "archives").exists()
    session = onnxruntime.InferenceSession(str(store.path("tiny", version="1")))
    [scaled] = session.run(None, {"input": np.ones((1, 4), np.float32)})
    assert scaled.tolist() == [[float(CONTENT)] * 4]


def test_a_file_that_was_changed_is_not_built(committed: CommittedFile, tmp_path: Path) -> None:
    """The message names it."""
    (tmp_path / "path" / "committed_part" / "weights" / "m.bin").write_bytes(b"9")
    [result] = ModelStore(tmp_path / "models").build([spec_of(wheel(), source=committed)])
    assert result.outcome == "failed"
    assert result.detail == "committed_part/weights/m.bin is not the pinned file"


@pytest.mark.parametrize("module", ["committed_part", "no_such_part"])
def test_a_file_that_is_not_there(committed: CommittedFile, tmp_path: Path, module: str) -> None:
    """An installation that lacks it is told so."""
    gone = CommittedFile(module=module, path="weights/none.bin", sha256=committed.sha256)
    [result] = ModelStore(tmp_path / "models").build([spec_of(wheel(), source=gone)])
    assert result.outcome == "failed"
    assert "weights/none.bin cannot be read: the installation is not complete" in result.detail
