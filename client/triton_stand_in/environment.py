"""The stand-in's environment: pinned packages in a virtual environment of its own, and the backend folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from chassis.errors import Unavailable
from chassis.models.lock import BuildLock

__all__ = ["StandInEnvironment", "ensure_environment", "default_stand_in_root"]

Report = Callable[[str], None]

_HERE = Path(__file__).parent
_LOCK = _HERE / "requirements.lock"
_BACKEND = _HERE / "backend" / "model.py"
_INSTALL_SECONDS = 900
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, slots=True)
class StandInEnvironment:
    """An installed stand-in."""

    root: Path

    @property
    def server(self) -> Path:
        """The tritonserver program."""
        return self._triton / "bin" / "tritonserver"

    @property
    def backends(self) -> Path:
        """The folder for --backend-directory."""
        return self.root / "backends"

    def variables(self) -> dict[str, str]:
        """The environment variables that the server needs, and nothing of this process's Python."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        search = [str(self._libraries), *_own_libraries()]
        return {
            **kept,
            "PATH": f"{self.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            # Without this the server hangs while it loads: its stub finds no libpython.
            "LD_LIBRARY_PATH": os.pathsep.join(search),
        }

    @property
    def venv(self) -> Path:
        """Where the packages are installed."""
        return self.root / "venv"

    @property
    def _packages(self) -> Path:
        return self.venv / "lib" / f"python{_PYTHON}" / "site-packages"

    @property
    def _triton(self) -> Path:
        return self._packages / "pytriton" / "tritonserver"

    @property
    def _libraries(self) -> Path:
        return self._packages / "nvidia_pytriton.libs"

    def fill_backends(self) -> None:
        """Real copies: Triton refuses a backend whose files are links to elsewhere."""
        python, onnx = self.backends / "python", self.backends / "onnxruntime"
        for folder in (python, onnx):
            folder.mkdir(parents=True)
        stub = self._triton / "python_backend_stubs" / _PYTHON / "triton_python_backend_stub"
        for source in (
            self._triton / "backends" / "python" / "libtriton_python.so",
            self._triton / "backends" / "python" / "triton_python_backend_utils.py",
            stub,
        ):
            shutil.copyfile(source, python / source.name)
        (python / stub.name).chmod(0o755)
        shutil.copyfile(_BACKEND, onnx / _BACKEND.name)


def default_stand_in_root() -> Path:
    """The folder of stand-ins in the user's cache."""
    return platformdirs.user_cache_path("marquee") / "triton-stand-in"


def ensure_environment(
    root: Path | None = None, *, report: Report = lambda _line: None
) -> StandInEnvironment:
    """The stand-in of this version, installed when it is not there yet: 90 MB to fetch, 330 MB on disk.

    One process installs, others wait; an interrupted installation is done again. Raises Unavailable, saying
    why: another system than Linux on x86-64, no registry, no shared libpython.
    """
    if not sys.platform.startswith("linux"):
        raise Unavailable("the Triton stand-in runs on Linux only")
    environment = StandInEnvironment((root or default_stand_in_root()) / _identity())
    stamp = environment.root / "complete"
    if stamp.exists():
        return environment
    with BuildLock(environment.root.parent, on_wait=lambda: report("waiting for another installation")):
        if not stamp.exists():
            shutil.rmtree(environment.root, ignore_errors=True)
            report("installing the Triton stand-in (90 MB to fetch)")
            _install(environment)
            stamp.touch()
    return environment


def _identity() -> str:
    """Changes with whatever is installed."""
    content = _LOCK.read_bytes() + _BACKEND.read_bytes() + sys.version.encode() + sys.base_prefix.encode()
    return hashlib.sha256(content).hexdigest()[:16]


def _install(environment: StandInEnvironment) -> None:
    pip = [str(environment.venv / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    with _told():
        _run([sys.executable, "-m", "venv", str(environment.venv)])
        _run([*pip, "install", "--no-input", "--no-deps", "--require-hashes", "--requirement", str(_LOCK)])
        _check_libpython(environment)
        environment.fill_backends()


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong during an installation, in one line."""
    try:
        yield
    except subprocess.TimeoutExpired as exc:
        raise Unavailable("the Triton stand-in was not installed in time") from exc
    except subprocess.CalledProcessError as exc:
        lines = [line for line in exc.stderr.splitlines() if line.strip()] or ["it gave no reason"]
        raise Unavailable(f"the Triton stand-in cannot be installed: {lines[-1]}") from exc
    except OSError as exc:
        raise Unavailable(f"the Triton stand-in cannot be installed: {exc.strerror}") from exc


def _check_libpython(environment: StandInEnvironment) -> None:
    """The stub of Python 3.13 brings its own libpython; those before need this Python's shared one."""
    if sys.version_info >= (3, 13):
        return
    library = f"libpython{_PYTHON}.so.1.0"
    load = [str(environment.venv / "bin" / "python"), "-c", f"import ctypes; ctypes.CDLL({library!r})"]
    done = subprocess.run(load, env=environment.variables(), capture_output=True, timeout=60)
    if done.returncode != 0:
        raise Unavailable(f"the Triton stand-in needs {library}: install your system's libpython{_PYTHON}")


def _own_libraries() -> list[str]:
    """Where this Python's libpython lies, when it has a shared one."""
    folder = sysconfig.get_config_var("LIBDIR")
    return [folder] if sysconfig.get_config_var("Py_ENABLE_SHARED") and folder else []


def _run(command: list[str]) -> None:
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        stdin=subprocess.DEVNULL,
    )
