"""Which networks the settings choose, and which settings are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.config import InferenceSection, ModelsSection, load_config
from chassis.errors import ConfigError, ModelError
from services.tattoo.chosen import choose_models
from services.tattoo.config import TattooConfig, TattooSection
from tests.fakes.tattoo_service import own_embedder, plain_section


def test_the_owners_networks_are_used_as_they_say(tmp_path: Path) -> None:
    """Files, layout, dimension and operating point come from the settings."""
    section = plain_section(tmp_path)
    chosen = choose_models(section, ModelsSection(directory=tmp_path / "nothing built"), InferenceSection())
    [row] = chosen.embedders
    assert row.key == ("layout", "1")
    assert (row.layout, row.size, row.dimension, row.mirror) == ("NHWC", 64, 64, False)
    assert row.operating_point.confidence(0.55) == pytest.approx(0.5)
    assert set(chosen.files) == {"tattoo_detector", "layout@1"}
    assert chosen.files["tattoo_detector"].path == section.detector_file


def test_the_version_of_an_own_detector_is_its_content(tmp_path: Path) -> None:
    """Two files are two versions."""
    versions = set()
    for content in (b"one", b"two"):
        file = tmp_path / "detector.onnx"
        file.write_bytes(content)
        section = plain_section(tmp_path).model_copy(update={"detector_file": file})
        versions.add(choose_models(section, ModelsSection(), InferenceSection()).detector.version)
    assert len(versions) == 2


@pytest.mark.parametrize("threshold", [0.1, 0.9])
def test_a_threshold_of_the_owners_goes_before_the_detectors(tmp_path: Path, threshold: float) -> None:
    """The outline never asks for more than the tattoo itself."""
    section = plain_section(tmp_path).model_copy(update={"detection_threshold": threshold})
    detector = choose_models(section, ModelsSection(), InferenceSection()).detector
    assert detector.threshold == threshold
    assert 0 < detector.edge <= threshold


def test_a_model_that_is_not_built_is_named(tmp_path: Path) -> None:
    """The built-in detector is wanted, and the folder of models is empty."""
    section = plain_section(tmp_path).model_copy(update={"detector_file": None})
    with pytest.raises(ModelError, match="tattoo_boxes"):
        choose_models(section, ModelsSection(directory=tmp_path / "empty"), InferenceSection())


def test_names_must_be_known_and_different(tmp_path: Path) -> None:
    """Unknown, repeated, or taken from a built-in model: the error names the setting."""
    good = plain_section(tmp_path)
    one, built_in = own_embedder(tmp_path), own_embedder(tmp_path, name="tattoo_embedder")
    cases: list[tuple[dict[str, object], str]] = [
        ({"embedder": ("layout", "other")}, "tattoo.embedder: no embedder other"),
        ({"embedder": ("layout", "layout")}, "tattoo.embedder:"),
        ({"embedders": (one, one)}, "tattoo.embedders"),
        ({"embedders": (built_in,), "embedder": ("tattoo_embedder",)}, "tattoo.embedders"),
    ]
    for change, message in cases:
        with pytest.raises(ConfigError, match=message):
            choose_models(good.model_copy(update=change), ModelsSection(), InferenceSection())


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("genuine_median = 0.1", "tattoo.embedders"),
        ("deviation = [0.1, 0.0, 0.1]", "tattoo.embedders"),
        ('layout = "CHWN"', "tattoo.embedders.0.layout"),
        ("colour = 1", "tattoo.embedders.0.colour"),
        ("size = 4", "tattoo.embedders.0.size"),
    ],
)
def test_an_embedder_that_makes_no_sense_is_refused(tmp_path: Path, line: str, field: str) -> None:
    """Strictly parsed, and the error says which field."""
    values = {
        "name": '"own"',
        "version": '"1"',
        "file": '"own.onnx"',
        "size": "64",
        "dimension": "8",
        "impostor_p99": "0.3",
        "genuine_median": "0.8",
    }
    key, value = line.split(" = ")
    lines = [f"{key} = {value}" for key, value in {**values, key: value}.items()]
    file = tmp_path / "marquee.toml"
    file.write_text("\n".join(["[[tattoo.embedders]]", *lines]))
    with pytest.raises(ConfigError, match=field):
        load_config(TattooConfig, path=file, environ={})


def test_embedders_can_be_chosen_by_a_variable() -> None:
    """A comma-separated list, as for every list of words."""
    config = load_config(TattooConfig, environ={"MARQUEE_TATTOO_EMBEDDER": "a, b"})
    assert config.tattoo.embedder == ("a", "b")


def test_settings_have_bounds() -> None:
    """No embedder at all is refused like any other value out of range."""
    with pytest.raises(ValueError, match="embedder"):
        TattooSection(embedder=())
