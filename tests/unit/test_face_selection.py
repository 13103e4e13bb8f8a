"""Which embedders run: settings, own files, what is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.config import InferenceSection, load_config
from chassis.errors import ConfigError, ModelError
from chassis.models import ModelStore
from services.face.config import FaceConfig
from services.face.selection import embedder_file, rows_in_use
from services.face.table import BUILT_IN_ROWS, PLAIN_VIEWS, EmbedderRow
from services.face.templates import DLIB

_OWN = """
[face]
embedder = ["own"]
[[face.embedders]]
name = "own"
file = "{file}"
size = 96
layout = "NCHW"
color = "BGR"
subtract = 0.0
divide = 255.0
template = "dlib"
mirror = false
dimension = 64
impostor_p99 = 0.3
genuine_median = 0.7
identification_confidence = 0.5
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file to point at; choosing does not open it."""
    file = tmp_path / "own.onnx"
    file.write_bytes(b"not a model")
    return file


def _rows(tmp_path: Path, text: str) -> tuple[EmbedderRow, ...]:
    settings = tmp_path / "marquee.toml"
    settings.write_text(text)
    config = load_config(FaceConfig, path=settings, environ={})
    return rows_in_use(config.face, ModelStore(tmp_path / "models"))


def test_a_row_of_ones_own_has_every_field(tmp_path: Path, model: Path) -> None:
    """Everything the settings say is in the row; its version follows the file."""
    [row] = _rows(tmp_path, _OWN.format(file=model))
    assert (row.name, row.size, row.layout, row.color) == ("own", 96, "NCHW", "BGR")
    assert (row.subtract, row.divide, row.views, row.dimension) == (0, 255, PLAIN_VIEWS, 64)
    assert row.template is DLIB
    assert row.operating_point.genuine_median == 0.7
    assert embedder_file(row, ModelStore(tmp_path), InferenceSection()).path == model
    version = row.version
    model.write_bytes(b"another model")
    assert _rows(tmp_path, _OWN.format(file=model))[0].version != version


@pytest.mark.parametrize(
    "field",
    [
        "size",
        "layout",
        "color",
        "subtract",
        "divide",
        "template",
        "mirror",
        "dimension",
        "impostor_p99",
        "genuine_median",
        "identification_confidence",
    ],
)
def test_a_missing_field_is_named(tmp_path: Path, model: Path, field: str) -> None:
    """A row of one's own needs every field."""
    lines = _OWN.format(file=model).splitlines()
    text = "\n".join(line for line in lines if not line.startswith(f"{field} "))
    with pytest.raises(ConfigError, match=rf"face\.embedders\.0\.{field}"):
        _rows(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("size = 96", "size = 3", "size"),
        ('layout = "NCHW"', 'layout = "HWC"', "layout"),
        ('color = "BGR"', 'color = "grey"', "color"),
        ("divide = 255.0", "divide = 0", "divide"),
        ('template = "dlib"', 'template = "other"', "template"),
        ("genuine_median = 0.7", "genuine_median = 0.2", "genuine_median"),
        ("dimension = 64", "dimensions = 64", "dimensions"),
        ('name = "own"', 'name = "Own!"', "name"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, model: Path, old: str, new: str, named: str) -> None:
    """Out of range, of another kind, or unknown: an error that names the field."""
    with pytest.raises(ConfigError, match=rf"face\.embedders\.0\.{named}"):
        _rows(tmp_path, _OWN.format(file=model).replace(old, new))


@pytest.mark.parametrize("name", ["facenet512", "arcface"])
def test_a_community_row_needs_only_its_file(tmp_path: Path, model: Path, name: str) -> None:
    """Disabled without the file; with it, all else comes from the table."""
    with pytest.raises(ConfigError, match=f"{name} needs a file"):
        _rows(tmp_path, f'[face]\nembedder = ["{name}"]')
    text = f'[face]\nembedder = ["{name}"]\n[[face.embedders]]\nname = "{name}"\nfile = "{model}"'
    [row] = _rows(tmp_path, text)
    built_in = BUILT_IN_ROWS[name]
    assert (row.size, row.layout, row.color, row.dimension) == (built_in.size, "NHWC", "RGB", 512)
    assert row.version


def test_a_community_row_without_a_file_is_named(tmp_path: Path) -> None:
    """A table without `file` cannot work."""
    with pytest.raises(ConfigError, match=r"face\.embedders\.0\.file"):
        _rows(tmp_path, '[[face.embedders]]\nname = "arcface"')


def test_unknown_and_doubled_names_are_errors(tmp_path: Path) -> None:
    """The role names rows of the table, each once."""
    with pytest.raises(ConfigError, match="no embedder is called"):
        _rows(tmp_path, '[face]\nembedder = ["nobody"]')
    with pytest.raises(ConfigError, match="twice"):
        _rows(tmp_path, '[face]\nembedder = ["dlib_resnet", "dlib_resnet"]')


def test_several_embedders_keep_their_order(tmp_path: Path) -> None:
    """The first named is the primary one."""
    rows = _rows(tmp_path, '[face]\nembedder = ["dlib_resnet", "mobilefacenet"]')
    assert [row.name for row in rows] == ["dlib_resnet", "mobilefacenet"]


def test_nothing_built_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    """Without any embedder there is no face signal."""
    with pytest.raises(ModelError, match="marquee models build"):
        _rows(tmp_path, "")


def test_a_file_that_went_away_is_a_model_error(tmp_path: Path, model: Path) -> None:
    """The message names the model and no path of the server."""
    [row] = _rows(tmp_path, _OWN.format(file=model))
    model.unlink()
    with pytest.raises(ModelError, match="own") as caught:
        embedder_file(row, ModelStore(tmp_path), InferenceSection())
    assert str(tmp_path) not in str(caught.value)
