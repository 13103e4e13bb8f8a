"""How many faces are enrolled of many performers, and what becomes of them: the SQL, and its message."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from chassis.signal.counting import column_of, to_proto_counts
from marquee.face.v1 import face_pb2 as pb

__all__ = ["FACES_BY_QUALITY", "COUNT_FACES", "to_proto_face_counts"]

FACES_BY_QUALITY = """
SELECT performer_id,
       count(*) FILTER (WHERE is_searched),
       count(*) FILTER (WHERE is_searched AND quality > 0.8),
       coalesce(max(quality) FILTER (WHERE is_searched), 0),
       count(*) FILTER (WHERE is_searched AND quality < 0.4),
       count(*) FILTER (WHERE state = 'reserve'),
       count(*) FILTER (WHERE state = 'quarantined'),
       count(*) FILTER (WHERE state = 'active' AND NOT is_searched)
FROM (
    SELECT performer_id, state, max(quality) AS quality,
           state = 'active' AND bool_or((model, version) IN (SELECT * FROM unnest({names}, {versions})))
               AS is_searched
    FROM face.vectors WHERE {condition} GROUP BY performer_id, image_hash, state
) AS faces
GROUP BY performer_id
"""
"""Per performer: faces that are searched, good ones of them (above 0.8), the best quality, weak ones (below
0.4); then those in reserve, quarantined, and without a vector of the embedders of these names and versions.

One face may have a vector of each embedder. All of it is in an index: rows are as wide as their vectors.
"""
COUNT_FACES = FACES_BY_QUALITY.format(
    condition="performer_id > $1::uuid AND performer_id <= $2::uuid",
    names="$4::text[]",
    versions="$5::text[]",
) + ("ORDER BY performer_id LIMIT $3")
"""The same of a range, as `count_range` takes it."""


def to_proto_face_counts(rows: Sequence[asyncpg.Record]) -> pb.CountObservationsResponse:
    """Rows of COUNT_FACES as columns."""
    return pb.CountObservationsResponse(
        counts=to_proto_counts(rows),
        good_faces=column_of(rows, 2),
        weak_faces=column_of(rows, 4),
        reserve_faces=column_of(rows, 5),
        quarantined_faces=column_of(rows, 6),
        unsearchable_faces=column_of(rows, 7),
    )
