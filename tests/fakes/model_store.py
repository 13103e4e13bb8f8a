"""A folder of models of a test's own, with the built ones in it: services keep files of the owner's there."""

from __future__ import annotations

import shutil
from pathlib import Path

from chassis.models import ModelStore
from chassis.models.manifest import link_or_copy

__all__ = ["own_store"]


def own_store(folder: Path) -> Path:
    """A copy of the user's folder of models under `folder`; the files are shared, and never written to."""
    source, target = ModelStore().root, folder / "own models"
    if not target.exists():
        target.mkdir(parents=True)
        for file in source.glob("*.onnx"):
            link_or_copy(file, target / file.name)
        shutil.copyfile(source / "manifest.json", target / "manifest.json")
    return target
