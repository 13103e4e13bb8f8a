"""The embedders of the tattoo service as they come and go: opened, tried, loaded, recorded, rebuilt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

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
from services.tattoo.chosen import embedder_file
from services.tattoo.embed import OnWork, TattooEmbedder, ignore_work
from services.tattoo.enrolled import EnrolledTattoos, TattooRow
from services.tattoo.store import TattooStore
from services.tattoo.table import RECIPE, EmbedderRow, built_in_embedder

__all__ = ["TattooModels", "TattooChange", "TattooEmbedders", "models_of", "record_of", "row_from"]

TattooChange = ModelChange[EmbedderRow, EnrolledTattoos]


@dataclass(frozen=True, slots=True)
class TattooModels:
    """What one call works with."""

    generation: int
    enrolled: EnrolledTattoos
    """Of the embedders that serve."""
    rows: tuple[EmbedderRow, ...]
    """That serve, the primary first."""
    further: tuple[EmbedderRow, ...] = ()
    """That are being prepared: they describe, and nothing is found by them yet."""
    on_work: OnWork = ignore_work
    """Called when one of the further ones has described, or could not."""


class TattooEmbedders(OpenedEmbedders[EmbedderRow]):
    """`chassis.signal.model_change.Models` of tattoos."""

    def __init__(
        self,
        inference: Inference,
        work: WorkPool,
        store: TattooStore,
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
        built_in = built_in_embedder()
        row = built_in if built_in.key == record.key else row_from(record)
        self.file_of(row)
        return row

    def followed(self, rows: Sequence[EmbedderRow]) -> Followed[TattooRow, EnrolledTattoos]:
        self._store.use(rows)
        new = partial(EnrolledTattoos, rows, settings=self._following.index)
        return self._following.followed(self._store, new, [row.key for row in rows])

    def file_of(self, row: EmbedderRow) -> ModelFile:
        return embedder_file(row, self._files, self._settings)

    async def try_out(self, row: EmbedderRow) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        await TattooEmbedder(self._inference, self._work, [row]).embed([noise])


def models_of(change: TattooChange, made_in: Collection[int] = ()) -> TattooModels:
    """What a call works with now; `made_in`: generations that the call's templates were made in."""
    in_use = change.in_use
    serving = in_use.of(made_in)
    return TattooModels(serving.number, serving.known, serving.rows, in_use.further, change.worked)


def record_of(row: EmbedderRow) -> ModelRecord:
    """Everything that decides an embedder's vectors and what they mean, as JSON values."""
    facts = asdict(replace(row, file=None, is_recorded=False))
    for name in ("name", "version", "file", "is_recorded"):
        del facts[name]
    return ModelRecord(row.name, row.version, {**facts, "recipe": RECIPE})


def row_from(record: ModelRecord) -> EmbedderRow:
    """The inverse of `record_of`. Raises ModelError for a record that this code cannot follow."""
    facts: dict[str, Any] = dict(record.facts)
    if facts.pop("recipe", None) != RECIPE:
        raise ModelError(f"model {record.name} {record.version}: its tattoos were prepared in another way")
    try:
        facts["mean"], facts["deviation"] = tuple(facts["mean"]), tuple(facts["deviation"])
        facts["operating_point"] = OperatingPoint(**facts["operating_point"])
        return EmbedderRow(name=record.name, version=record.version, is_recorded=True, **facts)
    except (KeyError, TypeError) as exc:
        raise ModelError(f"model {record.name} {record.version}: its record is of another version") from exc
