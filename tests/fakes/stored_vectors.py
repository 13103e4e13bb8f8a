"""Vectors that a fake signal was given to store."""

from __future__ import annotations

from collections.abc import Sequence

from marquee.common.v1 import common_pb2, transfer_pb2

__all__ = ["StoredVectors"]

_Key = tuple[str, str, str, str]


class StoredVectors:
    """Rows by performer, picture and model; `in_use`: models that are searched."""

    def __init__(self) -> None:
        self.rows: dict[_Key, transfer_pb2.VectorRow] = {}
        self.in_use: set[str] = set()

    def take(self, rows: Sequence[transfer_pb2.VectorRow]) -> tuple[int, int, list[common_pb2.NotSearchable]]:
        """How many are new, how many were here, and which cannot be found."""
        before = len(self.rows)
        self.rows = {_key(row): row for row in rows} | self.rows
        stored = len(self.rows) - before
        models = [row.embedding.model for row in rows if row.embedding.model not in self.in_use]
        unknown = [
            common_pb2.NotSearchable(
                model=model, version="1", observations=models.count(model), reason=f"{model}.onnx is missing"
            )
            for model in sorted(set(models))
        ]
        return stored, len(rows) - stored, unknown

    def page(self, size: int, token: str) -> tuple[list[transfer_pb2.VectorRow], str]:
        """Rows after as many as the token says."""
        start = int(token or 0)
        rows = [self.rows[key] for key in sorted(self.rows)]
        end = start + size
        return rows[start:end], str(end) if end < len(rows) else ""


def _key(row: transfer_pb2.VectorRow) -> _Key:
    return (row.performer_id, row.source.image_hash, row.embedding.model, row.embedding.version)
