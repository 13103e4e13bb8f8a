"""The embedders of the face service as they come and go: opened, tried, loaded, recorded, rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog

from chassis.config import InferenceSection
from chassis.errors import MarqueeError, ModelError
from chassis.inference import Inference
from chassis.models import ModelStore
from chassis.signal.enrolment import load
from chassis.signal.model_change import ModelChange
from chassis.signal.model_sets import ModelKey, ModelRecord
from chassis.signal.operating_point import OperatingPoint
from chassis.work import WorkPool
from services.face.embedding import Embedder
from services.face.ensemble import Ensemble
from services.face.library import FaceLibrary
from services.face.selection import embedder_file
from services.face.store import FaceStore
from services.face.table import BUILT_IN_ROWS, RECIPE, EmbedderRow, FaceView
from services.face.templates import TEMPLATES

__all__ = ["FaceModels", "FaceChange", "FaceEmbedders", "models_of", "record_of", "row_from"]

_log = structlog.get_logger()

FaceChange = ModelChange[EmbedderRow, FaceLibrary]


@dataclass(frozen=True, slots=True)
class FaceModels:
    """What one call works with."""

    generation: int
    library: FaceLibrary
    """Of the embedders that serve."""
    embedders: tuple[Embedder, ...]
    """That serve, the primary first."""
    further: tuple[Embedder, ...] = ()
    """That are being prepared: they describe, and nothing is found by them yet."""

    @property
    def described(self) -> Ensemble:
        """All of them, for what is stored."""
        return Ensemble(tuple(one.row for one in (*self.embedders, *self.further)))


class FaceEmbedders:
    """`chassis.signal.model_change.Models` of faces."""

    def __init__(
        self,
        inference: Inference,
        work: WorkPool,
        store: FaceStore,
        files: ModelStore,
        settings: InferenceSection,
    ) -> None:
        self._inference = inference
        self._work = work
        self._store = store
        self._files = files
        self._settings = settings
        self._embedders: dict[ModelKey, Embedder] = {}
        self._tried: set[ModelKey] = set()

    def record(self, row: EmbedderRow) -> ModelRecord:
        return record_of(row)

    def rebuilt(self, record: ModelRecord) -> EmbedderRow:
        built_in = BUILT_IN_ROWS.get(record.name)
        row = built_in if built_in is not None and built_in.key == record.key else row_from(record)
        embedder_file(row, self._files, self._settings)
        return row

    def new_known(self, rows: Sequence[EmbedderRow]) -> FaceLibrary:
        self._store.use(rows)
        return FaceLibrary(Ensemble(tuple(rows)))

    async def load(self, known: FaceLibrary, keys: Sequence[ModelKey]) -> None:
        await load(self._store.every(keys), known, self._work)
        _log.info("faces loaded", performers=known.performers, faces=known.faces)

    async def open(self, rows: Sequence[EmbedderRow]) -> None:
        try:
            for row in rows:
                await self._add(row)
            await self._inference.ready([row.model for row in rows])
        except MarqueeError:
            self._tried -= {row.key for row in rows}
            raise
        for row in rows:
            await self._try(row)

    async def keep(self, rows: Sequence[EmbedderRow]) -> None:
        for row in rows:
            if row.file is None or self._settings.triton_url:
                continue
            try:
                await self._work.run(self._files.keep, row.name, row.version, row.file)
            except ModelError as exc:
                _log.warning("a changed file would end what it serves", model=row.name, cause=str(exc))

    async def close(self, rows: Sequence[EmbedderRow]) -> None:
        for row in rows:
            self._embedders.pop(row.key, None)
            self._tried.discard(row.key)
            await self._inference.remove(row.model)

    def of(self, rows: Sequence[EmbedderRow]) -> tuple[Embedder, ...]:
        """The embedders of these rows, as far as they were ever opened."""
        return tuple(self._embedders[row.key] for row in rows if row.key in self._embedders)

    async def _add(self, row: EmbedderRow) -> None:
        if row.key in self._embedders:  # its file was verified then, which takes a while
            return
        await self._inference.add(row.model, embedder_file(row, self._files, self._settings))
        self._embedders[row.key] = Embedder(row, self._inference, self._work)
        point = row.operating_point
        _log.info("face embedder", model=row.name, version=row.version, operating_point=point.provenance)

    async def _try(self, row: EmbedderRow) -> None:
        """Run the model once when it is new or has been away."""
        if row.key not in self._tried:
            await self._embedders[row.key].check()
            self._tried.add(row.key)


def models_of(change: FaceChange, embedders: FaceEmbedders, generation: int | None = None) -> FaceModels:
    """What a call works with now; `generation`: what the call's templates were made with."""
    in_use = change.in_use
    serving = in_use.serving if generation is None else in_use.of(generation)
    further = in_use.new_rows if not change.problem else ()
    return FaceModels(serving.number, serving.known, embedders.of(serving.rows), embedders.of(further))


def record_of(row: EmbedderRow) -> ModelRecord:
    """Everything that decides an embedder's vectors and what they mean, as JSON values."""
    facts = asdict(replace(row, file=None, is_recorded=False))
    for name in ("name", "version", "file", "is_recorded"):
        del facts[name]
    return ModelRecord(row.name, row.version, {**facts, "template": row.template.name, "recipe": RECIPE})


def row_from(record: ModelRecord) -> EmbedderRow:
    """The inverse of `record_of`. Raises ModelError for a record that this code cannot follow."""
    facts: dict[str, Any] = dict(record.facts)
    if facts.pop("recipe", None) != RECIPE:
        raise ModelError(f"model {record.name} {record.version}: its faces were prepared in another way")
    try:
        facts["template"] = TEMPLATES[facts["template"]]
        facts["views"] = tuple(FaceView(**view) for view in facts["views"])
        facts["operating_point"] = OperatingPoint(**facts["operating_point"])
        return EmbedderRow(name=record.name, version=record.version, is_recorded=True, **facts)
    except (KeyError, TypeError) as exc:
        raise ModelError(f"model {record.name} {record.version}: its record is of another version") from exc
