"""The built wheel, installed away from the checkout, has all it needs and identifies."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.images import cv2
from client.supervisor.stack import throw_away_folder
from tests.fakes.portrait import portrait

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel, built from this checkout, is installed."""
    work = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(work), str(_ROOT)]
    subprocess.run(build, check=True, timeout=120)
    (wheel,) = work.glob("marquee-*.whl")
    install = [*pip, "install", "--no-deps", "--target", str(work / "site"), str(wheel)]
    subprocess.run(install, check=True, timeout=120)
    return work / "site"


def _run(site: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python where the installed wheel comes before the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_the_wheel_is_what_runs(site: Path, tmp_path: Path) -> None:
    """The tests below speak of the installed files, not of the checkout."""
    code = "import chassis, client, gateway, marquee, services; print(chassis.__file__, marquee.__file__)"
    shown = _run(site, tmp_path, "-c", code)
    assert shown.stdout.count(str(site)) == 2, shown.stderr


@pytest.mark.parametrize(
    "pattern",
    [
        "gateway/migrations/*.sql",
        "services/*/migrations/*.sql",
        "services/face/weights/*",
        "services/tattoo/weights/*",
        "client/demo/renders/*.jpg",
        "marquee/*/v1/*.proto",
        "triton_models/*/config.pbtxt",
        "client/triton_stand_in/requirements.lock",
        "client/triton_stand_in/backend/model.py",
    ],
)
def test_data_files_are_in_the_wheel(site: Path, pattern: str) -> None:
    """SQL, weights and the contract travel with the code."""
    assert list(site.glob(pattern))


def test_nothing_but_the_product_is_in_the_wheel(site: Path) -> None:
    """Tests, benchmarks and training stay at home."""
    folders = {path.name for path in site.iterdir() if path.is_dir() and "dist-info" not in path.name}
    assert folders - {"bin"} == {"marquee", "chassis", "services", "gateway", "client", "triton_models"}


def test_the_installed_command_identifies(site: Path, tmp_path: Path) -> None:
    """From nothing but the wheel: database, migrations, three services, gateway, one answer."""
    picture = tmp_path / "face.png"
    picture.write_bytes(cv2.imencode(".png", portrait(320)[:, :, ::-1])[1].tobytes())
    with throw_away_folder() as data:
        done = _run(site, tmp_path, "-m", "client", "identify", str(picture), "--data", str(data), "--json")
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout)
    assert {report["state"] for report in answer["reports"]} <= {"ok", "nothing visible"}
