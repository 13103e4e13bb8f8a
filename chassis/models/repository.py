"""A Triton model repository, put together from our configurations and the built files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from chassis.errors import ModelError
from chassis.models.manifest import link_or_copy, write_durably
from chassis.models.packages import sha256_of
from chassis.models.spec import ModelSpec
from chassis.models.store import ModelStore

__all__ = ["CONFIG", "MODEL", "config_of", "has_config", "assemble"]

CONFIG = "config.pbtxt"
"""A model's configuration, in its folder."""
MODEL = "model.onnx"
"""The file in each version's folder, as Triton's onnxruntime backend expects it."""

# The version before the newest one, which serves while a signal changes models.
_KEPT_VERSIONS = 2
_ASIDE = ".partial-"


def has_config(spec: ModelSpec) -> bool:
    """Whether Triton can serve the model; those that only others are made of have no configuration."""
    return _config(spec.name).is_file()


def config_of(spec: ModelSpec) -> str:
    """The text of the model's config.pbtxt. Raises ModelError when it has none."""
    if not has_config(spec):
        raise ModelError(f"model {spec.name} has no Triton configuration")
    return _config(spec.name).read_text(encoding="utf-8")


def assemble(root: Path, store: ModelStore, specs: Iterable[ModelSpec]) -> list[str]:
    """Bring the repository in `root` up to date and return the names of the models in it.

    `<root>/<model>/config.pbtxt` and `<root>/<model>/<version>/model.onnx` for every model that is built and
    has a configuration. Version folders appear by one rename, complete, so that a Triton that polls the
    repository never sees half of one; a repository that is up to date is not touched. Of older versions one
    is kept. Other folders in `root` are the owner's and stay.

    Raises ModelError when the folder cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        return [spec.name for spec in specs if has_config(spec) and _update(root / spec.name, store, spec)]
    except OSError as exc:
        raise ModelError(f"the model repository {root} cannot be written: {exc.strerror}") from exc


def _config(name: str) -> Traversable:
    return files("triton_models").joinpath(name, CONFIG)


def _update(folder: Path, store: ModelStore, spec: ModelSpec) -> bool:
    """Whether the model is in the repository now: it is when it is built."""
    if store.built(spec) is None:
        return False
    folder.mkdir(exist_ok=True)
    _drop_leftovers(folder)
    _add_version(folder, store.path(spec.name, version=spec.version), spec.version)
    _write_config(folder / CONFIG, config_of(spec))
    _drop_old_versions(folder)
    return True


def _add_version(folder: Path, model: Path, version: str) -> None:
    target = folder / version
    if _is_same(target / MODEL, model):
        return
    aside = folder / f"{_ASIDE}{version}"
    aside.mkdir()
    link_or_copy(model, aside / MODEL)
    if target.exists():  # damaged, or built anew
        target.rename(folder / f"{_ASIDE}replaced")
    aside.rename(target)
    _drop_leftovers(folder)


def _write_config(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    aside = path.with_name(f"{_ASIDE}{path.name}")
    write_durably(aside, text.encode())
    os.replace(aside, path)


def _drop_old_versions(folder: Path) -> None:
    versions = sorted((int(path.name) for path in folder.iterdir() if path.name.isdecimal()), reverse=True)
    for version in versions[_KEPT_VERSIONS:]:
        shutil.rmtree(folder / str(version))


def _drop_leftovers(folder: Path) -> None:
    """Delete what a run that was interrupted left behind."""
    for path in folder.glob(f"{_ASIDE}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_same(present: Path, model: Path) -> bool:
    if not present.is_file():
        return False
    return present.samefile(model) or sha256_of(present) == sha256_of(model)
