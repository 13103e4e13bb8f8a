"""What the supervisor runs and where: parts, ports, addresses, data folders."""

import os
from pathlib import Path

import pytest

from chassis.errors import ConfigError
from client.supervisor.data_folder import default_data_folder
from client.supervisor.parts import Part, discover_parts, load_settings, schema_sources
from client.supervisor.stack import reachable

_PARTS = (Part("face", "services.face"), Part("gateway", "gateway"))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("MARQUEE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_the_gateway_starts_last_and_migrates_first() -> None:
    """It asks the others, so it comes after them; they reference its schema, so it is there before theirs."""
    parts = discover_parts()
    assert [part.name for part in parts] == ["face", "tattoo", "body", "gateway"]
    assert [source.schema for source in schema_sources(parts)] == ["catalogue", "face", "tattoo", "body"]


def test_readiness_is_asked_by_the_full_name_of_a_service() -> None:
    """The names of the contract."""
    assert [part.health_name for part in discover_parts()] == [
        "marquee.face.v1.FaceService",
        "marquee.tattoo.v1.TattooService",
        "marquee.body.v1.BodyService",
        "marquee.gateway.v1.IdentificationService",
    ]


def test_ports_are_the_documented_ones() -> None:
    """Without settings everything listens on the loopback at its day-one port."""
    listens = load_settings(_PARTS).listens
    assert listens == {"face": ("127.0.0.1", 50051), "gateway": ("127.0.0.1", 50050)}


def test_ports_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same settings that the services read; other fields of theirs are left to them."""
    monkeypatch.setenv("MARQUEE_GATEWAY_PORT", "6000")
    monkeypatch.setenv("MARQUEE_GATEWAY_HOST", "0.0.0.0")
    monkeypatch.setenv("MARQUEE_FACE_SOMETHING_OF_ITS_OWN", "1")
    assert load_settings(_PARTS).listens["gateway"] == ("0.0.0.0", 6000)


def test_a_malformed_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which setting."""
    monkeypatch.setenv("MARQUEE_FACE_PORT", "many")
    with pytest.raises(ConfigError, match=r"face\.port"):
        load_settings(_PARTS)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1:1"),
        ("0.0.0.0", "127.0.0.1:1"),
        ("::", "[::1]:1"),
        ("[::1]", "[::1]:1"),
        ("node.local", "node.local:1"),
    ],
)
def test_a_server_on_all_interfaces_is_called_on_the_loopback(host: str, address: str) -> None:
    """What one listens on is not always what one can call."""
    assert reachable(host, 1) == address


def test_the_data_folder_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By MARQUEE_DATA; otherwise it is never in the home of root, which PostgreSQL's user cannot enter."""
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    expected = Path("/var/lib/marquee") if os.geteuid() == 0 else Path("/srv/data/marquee")
    assert default_data_folder() == expected
    monkeypatch.setenv("MARQUEE_DATA", "/srv/other")
    assert default_data_folder() == Path("/srv/other")
