"""How a service follows its table: the parts that every set of models is followed with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from chassis.config import IndexSection
from chassis.index import IndexSettings
from chassis.postgres.pool import Pool
from chassis.signal.feed import Feed, FeedTable
from chassis.signal.followed import Followed
from chassis.signal.index_files import IndexFiles, prune
from chassis.signal.known_rows import KnownRows, RowSource
from chassis.signal.model_sets import ModelKey

__all__ = ["Following"]

_RowT = TypeVar("_RowT")
_KnownT = TypeVar("_KnownT", bound=KnownRows[Any])


@dataclass(frozen=True, slots=True)
class Following:
    """Of one signal."""

    feed: Feed
    index: IndexSettings
    """What galleries are made with."""
    directory: Path | None
    """Where this signal's indexes are kept; None: nowhere."""
    snapshot_seconds: float

    @classmethod
    def of_table(cls, settings: IndexSection, pool: Pool, table: FeedTable) -> Following:
        """As the settings say."""
        directory = settings.directory / table.schema if settings.directory is not None else None
        index = IndexSettings(is_compact=settings.compact)
        return cls(Feed(pool, table), index, directory, settings.snapshot_seconds)

    def followed(
        self, source: RowSource[_RowT], new_known: Callable[[], _KnownT], keys: Sequence[ModelKey]
    ) -> Followed[_RowT, _KnownT]:
        """What is known of these models' rows; it is not started yet."""
        files = None
        if self.directory is not None:
            files = IndexFiles(self.directory, self.index, seconds=self.snapshot_seconds)
        return Followed(self.feed, source, new_known, keys, files)

    def prune(self, keys: Iterable[ModelKey]) -> None:
        """Delete files of models that are none of these. It blocks: use a thread."""
        if self.directory is not None:
            prune(self.directory, keys)
