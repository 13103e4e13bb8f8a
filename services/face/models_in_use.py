"""The embedders of the face service as they come and go: opened, tried, loaded, recorded, rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from chassis.config import InferenceSection
from chassis.errors import ModelError
from chassis.inference import Inference, ModelFile
from chassis.models import ModelStore
from chassis.signal.embedders import OpenedEmbedders
from chassis.signal.followed import Followed
from chassis.signal.following import Following
from chassis.signal.model_change import ModelChange
from chassis.signal.model_sets import ModelRecord
from chassis.signal.operating_point import OperatingPoint
from chassis.work import WorkPool
from services.face.embedding import Embedder
from services.face.ensemble import Ensemble
from services.face.library import FaceLibrary, FaceRow
from services.face.selection import embedder_file
from services.face.store import FaceStore
from services.face.table import BUILT_IN_ROWS, RECIPE, EmbedderRow, FaceView
from services.face.templates import TEMPLATES

__all__ = ["FaceModels", "FaceChange", "FaceEmbedders", "models_of", "record_of", "row_from"]

FaceChange = ModelChange[EmbedderRow, FaceLibrary]


def _ignore(_row: EmbedderRow, _failure: str) -> None:
    """For models of which none is being prepared."""


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
    on_work: Callable[[EmbedderRow, str], None] = _ignore
    """Called when one of the further ones has described, or with the reason why it could not."""


class FaceEmbedders(OpenedEmbedders[EmbedderRow]):
    """`chassis.signal.model_change.Models` of faces."""

    def __init__(
        self,
        inference: Inference,
        work: WorkPool,
        store: FaceStore,
        files: ModelStore,
        settings: InferenceSection,
        following: Following,
    ) -> None:
        super().__init__(inference, work, files, are_elsewhere=bool(settings.triton_url))
        self._store = store
        self._settings = settings
        self._following = following

    def record(self, row: EmbedderRow) -> ModelRecord:
        return record_of(row)

    def rebuilt(self, record: ModelRecord) -> EmbedderRow:
        built_in = BUILT_IN_ROWS.get(record.name)
        row = built_in if built_in is not None and built_in.key == record.key else row_from(record)
        self.file_of(row)
        return row

    def followed(self, rows: Sequence[EmbedderRow]) -> Followed[FaceRow, FaceLibrary]:
        self._store.use(rows)
        new = partial(FaceLibrary, Ensemble(tuple(rows)), settings=self._following.index)
        return self._following.followed(self._store, new, [row.key for row in rows])

    def file_of(self, row: EmbedderRow) -> ModelFile:
        return embedder_file(row, self._files, self._settings)

    async def try_out(self, row: EmbedderRow) -> None:
        await self.embedder(row).check()

    def embedder(self, row: EmbedderRow) -> Embedder:
        """What describes faces with this row's model."""
        return Embedder(row, self._inference, self._work)

    def of(self, rows: Sequence[EmbedderRow]) -> tuple[Embedder, ...]:
        return tuple(map(self.embedder, rows))


def models_of(change: FaceChange, embedders: FaceEmbedders, made_in: Collection[int] = ()) -> FaceModels:
    """What a call works with now; `made_in`: generations that the call's templates were made in."""
    in_use = change.in_use
    serving = in_use.of(made_in)
    return FaceModels(
        serving.number,
        serving.known,
        embedders.of(serving.rows),
        embedders.of(in_use.further),
        change.worked,
    )


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
