"""Settings: one TOML file, the environment over it, strict."""

from pathlib import Path

import pytest

from chassis.config import MetricsPort, Port, ProcessConfig, Section, ServerSection, load_config
from chassis.errors import ConfigError


class _FaceSection(ServerSection):
    port: Port = 50051
    """Port."""
    metrics_port: MetricsPort = 9091
    """Port of metrics."""
    embedders: tuple[str, ...] = ("mobilefacenet",)
    """Names."""


class _FaceConfig(ProcessConfig):
    face: _FaceSection = _FaceSection()
    """[face]"""


def _load(text: str, tmp_path: Path, environ: dict[str, str] | None = None) -> _FaceConfig:
    path = tmp_path / "marquee.toml"
    path.write_text(text)
    return load_config(_FaceConfig, path=path, environ=environ or {})


def test_defaults_listen_on_loopback_only() -> None:
    """Without a file every field has a safe default; a server is reachable from this machine alone."""
    config = load_config(_FaceConfig, environ={"MARQUEE_CONFIG": ""})
    assert config.face.host == "127.0.0.1"
    assert config.face.port == 50051


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    """MARQUEE_<SECTION>_<FIELD> replaces one field and leaves its neighbours."""
    config = _load(
        '[face]\nport = 7\nhost = "127.0.0.2"\n[log]\nlevel = "debug"\n', tmp_path, {"MARQUEE_FACE_PORT": "9"}
    )
    assert (config.face.port, config.face.host, config.log.level) == (9, "127.0.0.2", "debug")


def test_metrics_can_be_off(tmp_path: Path) -> None:
    """By the word, in the file or the environment; a port is a number in either."""
    assert _load("", tmp_path).face.metrics_port == 9091
    assert _load('[face]\nmetrics_port = "off"\n', tmp_path).face.metrics_port is None
    assert _load("", tmp_path, {"MARQUEE_FACE_METRICS_PORT": "off"}).face.metrics_port is None
    assert _load("", tmp_path, {"MARQUEE_FACE_METRICS_PORT": "0"}).face.metrics_port == 0


def test_a_list_in_a_variable_is_comma_separated(tmp_path: Path) -> None:
    """Lists of words can be given by environment."""
    assert _load("", tmp_path, {"MARQUEE_FACE_EMBEDDERS": "a, b"}).face.embedders == ("a", "b")


def test_sections_of_other_processes_are_left_to_them(tmp_path: Path) -> None:
    """One file serves all processes."""
    assert _load("[gateway]\nport = 1\n", tmp_path).face.port == 50051


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[face]\nprot = 1\n", "face.prot"),
        ("[face]\nport = 70000\n", "face.port"),
        ('[face]\nport = "x"\n', "face.port"),
        ('[face]\nmetrics_port = "none"\n', r"face\.metrics_port: "),
        ("[face]\nmetrics_port = 70000\n", r"face\.metrics_port: "),
        ("[fcae]\nport = 1\n", "fcae"),
        ("face = 3\n", "face"),
        ("[face\n", "not valid TOML"),
    ],
)
def test_an_error_names_the_field(tmp_path: Path, text: str, named: str) -> None:
    """A typo, a range, a type, a section: each is refused by name."""
    with pytest.raises(ConfigError, match=named):
        _load(text, tmp_path)


def test_a_misspelt_variable_is_an_error(tmp_path: Path) -> None:
    """A variable with our prefix that names nothing is not ignored."""
    with pytest.raises(ConfigError, match="MARQUEE_FCAE_PORT"):
        _load("", tmp_path, {"MARQUEE_FCAE_PORT": "1"})


def test_dsn_comes_from_a_file_when_given(tmp_path: Path) -> None:
    """Secrets come by path; the file wins over the plain field."""
    secret = tmp_path / "dsn"
    secret.write_text("postgresql://secret\nnot this\n")
    config = _load(f'[database]\ndsn = "x"\ndsn_file = "{secret}"\n', tmp_path)
    assert config.database.resolve_dsn() == "postgresql://secret"


def test_no_dsn_says_what_to_do(tmp_path: Path) -> None:
    """A process started alone without a database names the setting and the way out."""
    with pytest.raises(ConfigError, match="marquee up"):
        _load("", tmp_path).database.resolve_dsn()


def test_values_are_frozen() -> None:
    """Settings cannot change under a running process."""
    section: Section = ServerSection()
    with pytest.raises(ValueError, match="frozen"):
        section.host = "0.0.0.0"  # type: ignore[attr-defined]  # the point of the test
