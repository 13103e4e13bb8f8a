"""Which models the settings choose, and the files they are in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from chassis.config import InferenceSection, ModelsSection
from chassis.errors import ConfigError
from chassis.inference import ModelFile
from chassis.models import ModelStore
from chassis.models.packages import sha256_of
from chassis.parts import built_in_file
from chassis.signal.operating_point import OperatingPoint
from services.tattoo.config import OwnEmbedder, TattooSection
from services.tattoo.models import TATTOO_BOXES, TATTOO_DETECTOR, TATTOO_EMBEDDER
from services.tattoo.table import (
    BOXES,
    DETECTOR,
    EMBEDDER,
    DetectorFormat,
    DetectorRow,
    EmbedderRow,
    built_in_detector,
    built_in_embedder,
)

__all__ = ["OWN_THRESHOLD", "ChosenModels", "choose_models", "embedder_file"]

# For a detector of the owner's, unless the settings say otherwise.
OWN_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class ChosenModels:
    """The models in use."""

    detector: DetectorRow
    embedders: tuple[EmbedderRow, ...]
    """At least one; the first is the primary one."""
    files: Mapping[str, ModelFile]
    """Each model as `open_inference` takes it, by the key it runs under."""

    @property
    def detector_files(self) -> dict[str, ModelFile]:
        """Those of the detector alone."""
        return {name: self.files[name] for name in (self.detector.name, self.detector.heat) if name}


def choose_models(
    settings: TattooSection, models: ModelsSection, inference: InferenceSection
) -> ChosenModels:
    """Return the models that the settings name.

    Raises ConfigError for an embedder nobody knows or one named twice, ModelError for a built-in model that
    is not built or damaged. Files of the owner are checked when they are opened.
    """
    store = ModelStore(models.directory)
    detector, embedders = _detector(settings), _embedders(settings)
    files = _detector_files(detector, store, inference)
    files |= {row.model: embedder_file(row, store, inference) for row in embedders}
    return ChosenModels(detector, embedders, files)


def _detector_files(row: DetectorRow, store: ModelStore, inference: InferenceSection) -> dict[str, ModelFile]:
    if row.file is None:
        return {spec.name: built_in_file(spec, store, inference) for spec in (TATTOO_BOXES, TATTOO_DETECTOR)}
    return {row.name: ModelFile(name=row.name, path=row.file)}


def embedder_file(row: EmbedderRow, store: ModelStore, inference: InferenceSection) -> ModelFile:
    """The model of a row. Raises ModelError when it should run here and is not there."""
    version = row.model_version or row.version
    if row.is_recorded:
        path = None if inference.triton_url else store.kept(row.name, version, sha256=row.sha256)
        return ModelFile(name=row.name, version=version, path=path)
    if row.file is None:
        return built_in_file(TATTOO_EMBEDDER, store, inference)
    return ModelFile(name=row.name, version=version, path=row.file)


def _detector(settings: TattooSection) -> DetectorRow:
    file = settings.detector_file
    row = built_in_detector() if file is None else _own_detector(file, settings.detector_format)
    if settings.detection_threshold is None:
        return row
    threshold = settings.detection_threshold
    edge = min(row.edge, threshold) if row.format == "heatmap" else row.edge
    return replace(row, threshold=threshold, edge=edge)


def _own_detector(file: Path, format: DetectorFormat) -> DetectorRow:
    return DetectorRow(
        name=DETECTOR,
        version=_digest(file),
        format=format,
        threshold=OWN_THRESHOLD,
        edge=OWN_THRESHOLD / 2,
        file=file,
    )


def _embedders(settings: TattooSection) -> tuple[EmbedderRow, ...]:
    own = {one.name: _own_row(one) for one in settings.embedders}
    if len(own) < len(settings.embedders) or not own.keys().isdisjoint((BOXES, DETECTOR, EMBEDDER)):
        raise ConfigError("tattoo.embedders: a name is given twice, or is that of a built-in model")
    if unknown := [name for name in settings.embedder if name not in (EMBEDDER, *own)]:
        there = ", ".join((EMBEDDER, *own))
        raise ConfigError(f"tattoo.embedder: no embedder {unknown[0]}; there are {there}")
    if len(set(settings.embedder)) < len(settings.embedder):
        raise ConfigError("tattoo.embedder: an embedder is named twice")
    return tuple(built_in_embedder() if name == EMBEDDER else own[name] for name in settings.embedder)


def _own_row(own: OwnEmbedder) -> EmbedderRow:
    return EmbedderRow(
        name=own.name,
        version=own.version,
        size=own.size,
        layout=own.layout,
        color=own.color,
        mean=own.mean,
        deviation=own.deviation,
        mirror=own.mirror,
        coarse=own.coarse,
        dimension=own.dimension,
        operating_point=OperatingPoint(
            impostor_p99=own.impostor_p99,
            genuine_median=own.genuine_median,
            identification_confidence=own.identification_confidence,
            provenance="the owner's settings",
        ),
        file=own.file,
        sha256=_digest_if_there(own.file),
    )


def _digest_if_there(file: Path) -> str | None:
    """SHA-256 of an embedder's file; opening one that cannot be read will say so."""
    try:
        return sha256_of(file)
    except OSError:
        return None


def _digest(file: Path) -> str:
    try:
        return sha256_of(file)[:12]
    except OSError as exc:
        raise ConfigError(f"tattoo.detector_file: {file} cannot be read ({exc.strerror})") from exc
