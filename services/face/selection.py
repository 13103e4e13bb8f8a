"""Which embedders run: the role in the settings, the owner's own rows, and what is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import structlog

from chassis.config import InferenceSection
from chassis.errors import ConfigError, ModelError
from chassis.inference import ModelFile
from chassis.models import ModelStore
from chassis.models.packages import sha256_of
from chassis.parts import built_in_file
from chassis.signal.operating_point import OperatingPoint
from services.face.config import EmbedderSettings, FaceSection
from services.face.table import (
    BUILT_IN_ROWS,
    BUILT_IN_SPECS,
    DEFAULT_EMBEDDERS,
    MIRRORED_VIEWS,
    PLAIN_VIEWS,
    EmbedderRow,
    FaceView,
)
from services.face.templates import TEMPLATES, AlignmentTemplate

__all__ = ["rows_in_use", "row_of", "embedder_file"]

_log = structlog.get_logger()
ValueT = TypeVar("ValueT")
_OPERATING_POINT = ("impostor_p99", "genuine_median", "identification_confidence")
_GIVEN = "given in the settings"
# Of the checksum that is an owner's version.
_DIGITS = 12


def rows_in_use(
    settings: FaceSection, store: ModelStore, *, are_elsewhere: bool = False
) -> tuple[EmbedderRow, ...]:
    """Rows of the embedders to run, the primary first.

    Without a role in the settings: the built-in ones when the models `are_elsewhere`, on a model server; else
    those of them that are built, and a line in the log for each that is not. Raises ConfigError naming the
    field, ModelError when nothing is built.
    """
    table = _table(settings.embedders)
    if not settings.embedder:
        return tuple(map(BUILT_IN_ROWS.__getitem__, DEFAULT_EMBEDDERS)) if are_elsewhere else _built(store)
    if len(set(settings.embedder)) < len(settings.embedder):
        raise ConfigError("face.embedder: an embedder is named twice")
    return tuple(_named(name, table) for name in settings.embedder)


def embedder_file(row: EmbedderRow, store: ModelStore, settings: InferenceSection) -> ModelFile:
    """The model of a row. Raises ModelError when it should run here and is not built or not there."""
    version = row.model_version or row.version
    if row.is_recorded:
        path = None if settings.triton_url else store.kept(row.name, version, sha256=row.sha256)
        return ModelFile(name=row.name, version=version, path=path)
    if row.file is None:
        return built_in_file(BUILT_IN_SPECS[row.name], store, settings)
    if not row.file.is_file():
        raise ModelError(f"model {row.name}: the file that face.embedders names is not there")
    return ModelFile(name=row.name, version=version, path=row.file)


def row_of(settings: EmbedderSettings, *, field: str = "face.embedders") -> EmbedderRow:
    """The row of an owner's embedder: the built-in row of that name with what the settings give.

    Raises ConfigError naming the field for a name that is not built in and lacks a field, for an unknown
    template, for a file that cannot be read and for an operating point that is upside down.
    """
    base = BUILT_IN_ROWS.get(settings.name)
    if settings.file is None:
        raise ConfigError(f"{field}.file: the ONNX file of {settings.name} is missing")
    digest = _digest(settings.file, f"{field}.file", is_needed=settings.version is None)
    return EmbedderRow(
        name=settings.name,
        version=settings.version or digest[:_DIGITS],
        size=_first(f"{field}.size", settings.size, base.size if base else None),
        layout=_first(f"{field}.layout", settings.layout, base.layout if base else None),
        color=_first(f"{field}.color", settings.color, base.color if base else None),
        subtract=_first(f"{field}.subtract", settings.subtract, base.subtract if base else None),
        divide=_first(f"{field}.divide", settings.divide, base.divide if base else None),
        template=_template(settings.template, base, field),
        views=_views(settings.mirror, base, field),
        dimension=_first(f"{field}.dimension", settings.dimension, base.dimension if base else None),
        weight=_first(f"{field}.weight", settings.weight, base.weight if base else 1.0),
        operating_point=_operating_point(settings, base, field),
        file=settings.file,
        sha256=digest or None,
    )


def _table(own: Sequence[EmbedderSettings]) -> Mapping[str, EmbedderRow]:
    table = dict(BUILT_IN_ROWS)
    for number, settings in enumerate(own):
        field = f"face.embedders.{number}"
        if settings.name in [other.name for other in own[:number]]:
            raise ConfigError(f"{field}.name: {settings.name} is there twice")
        table[settings.name] = row_of(settings, field=field)
    return table


def _named(name: str, table: Mapping[str, EmbedderRow]) -> EmbedderRow:
    row = table.get(name)
    if row is None:
        raise ConfigError(f"face.embedder: no embedder is called {name}; known: {', '.join(sorted(table))}")
    if not row.is_enabled:
        raise ConfigError(
            f"face.embedder: {name} needs a file: add [[face.embedders]] with its name and file"
        )
    return row


def _built(store: ModelStore) -> tuple[EmbedderRow, ...]:
    """The default embedders, less those never built (no npm). A damaged one is an error."""
    rows = []
    for name in DEFAULT_EMBEDDERS:
        row = BUILT_IN_ROWS[name]
        if not store.has(name):
            _log.warning("face embedder not built, going on without", model=name)
            continue
        store.path(name, version=row.model_version)
        rows.append(row)
    if not rows:
        raise ModelError("no face embedder is built: run `marquee models build`")
    return tuple(rows)


def _first(field: str, given: ValueT | None, default: ValueT | None) -> ValueT:
    """What is given, else the default. Raises ConfigError when there is neither."""
    if given is not None:
        return given
    if default is not None:
        return default
    raise ConfigError(f"{field}: required for an embedder that is no row of the built-in table")


def _template(name: str | None, base: EmbedderRow | None, field: str) -> AlignmentTemplate:
    if name is None and base is not None:
        return base.template
    if name is None or name not in TEMPLATES:
        raise ConfigError(f"{field}.template: must be one of {', '.join(TEMPLATES)}")
    return TEMPLATES[name]


def _views(mirror: bool | None, base: EmbedderRow | None, field: str) -> tuple[FaceView, ...]:
    if mirror is None and base is not None:
        return base.views
    return MIRRORED_VIEWS if _first(f"{field}.mirror", mirror, None) else PLAIN_VIEWS


def _operating_point(settings: EmbedderSettings, base: EmbedderRow | None, field: str) -> OperatingPoint:
    given = [name for name in _OPERATING_POINT if getattr(settings, name) is not None]
    if not given and base is not None:
        return base.operating_point
    for name in _OPERATING_POINT:
        if name not in given:
            raise ConfigError(f"{field}.{name}: required; `python -m bench.faces` measures it")
    numbers = {name: float(getattr(settings, name)) for name in _OPERATING_POINT}
    if numbers["genuine_median"] <= numbers["impostor_p99"]:
        raise ConfigError(f"{field}.genuine_median: must be above impostor_p99")
    return OperatingPoint(**numbers, provenance=_GIVEN)


def _digest(file: Path, field: str, *, is_needed: bool) -> str:
    """SHA-256 of the file; "" for one that cannot be read and need not be: opening it will say so."""
    try:
        return sha256_of(file)
    except OSError as exc:
        if not is_needed:
            return ""
        raise ConfigError(f"{field}: {file} cannot be read ({exc.strerror})") from exc
