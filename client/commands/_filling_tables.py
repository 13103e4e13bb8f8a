"""What a backfill did, as people read it. Pure but for rich's tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.markup import escape
from rich.table import Table

from client.filling_results import Filled, Outcome, PictureResult

__all__ = ["Tally", "sources_table"]


class Tally:
    """What has been told so far; true at any moment, so also when somebody stops the command."""

    def __init__(self) -> None:
        self.pictures: list[PictureResult] = []
        self.performers: list[Filled] = []
        self.enrolled = 0

    def add(self, result: PictureResult) -> None:
        """One more picture."""
        self.pictures.append(result)
        self.enrolled += result.outcome is Outcome.ENROLLED

    @property
    def is_left(self) -> bool:
        """Whether another run tries some of the pictures again."""
        return any(one.outcome.is_open for one in self.pictures)

    def headline(self, total: int) -> str:
        """One line about everybody."""
        reached = sum(one.is_reached for one in self.performers)
        refused = sum(one.is_refused for one in self.performers)
        parts = [
            f"{len(self.performers)} of {total} performers done",
            f"{reached} have reached the target",
            f"{len(self.performers) - reached - refused} have no more pictures to try",
        ]
        if refused:
            parts.append(f"{refused} are not attested to be adults, so nothing was tried")
        return "; ".join(parts)

    def document(self) -> dict[str, Any]:
        """All of it."""
        return {
            "performers": [asdict(one) for one in self.performers],
            "pictures": [asdict(one) for one in self.pictures],
        }


def sources_table(pictures: Sequence[PictureResult]) -> Table:
    """What became of the pictures of each source."""
    shown = [outcome for outcome in Outcome if any(one.outcome is outcome for one in pictures)]
    table = Table("source", "tried", *(outcome.value for outcome in shown))
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_column("why not")
    groups: dict[str, list[PictureResult]] = defaultdict(list)
    for one in pictures:
        groups[one.source].append(one)
    for source in sorted(groups):
        counts = Counter(one.outcome for one in groups[source])
        reasons = Counter(one.reason for one in groups[source] if one.reason)
        words = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
        cells = (str(counts[outcome] or "") for outcome in shown)
        table.add_row(escape(source), str(len(groups[source])), *cells, words)
    return table
