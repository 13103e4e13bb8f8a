"""`catalogue.performers.body_ratios`: what follows for a performer from all measurements.

Names that integrations know; docs/body.md defines each. Derived in the transaction that changes the
measurements, so it is never older than they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from chassis.postgres.pool import Connection
from services.body.kinds import RatioKind
from services.body.measurement import Measurement, combine
from services.body.table import MeasurementModel
from services.body.template import stored_measurement

__all__ = ["body_ratios", "derive_body_ratios", "clear_body_ratios"]

_NAMES = {
    RatioKind.SHOULDER_HIP: "shoulder_hip_ratio",
    RatioKind.LEG_TORSO: "leg_torso_ratio",
    RatioKind.SHOULDER_TORSO: "shoulder_torso_ratio",
}
# Finer than any photograph measures, and the same in whatever order measurements are added up.
_DECIMALS = 4


def body_ratios(measurements: Sequence[Measurement]) -> dict[str, float]:
    """The ratios of one person by name, of at least one measurement; only those that some of them show."""
    known = combine(measurements).ratios()
    return {name: round(known[kind][0], _DECIMALS) for kind, name in _NAMES.items() if kind in known}


async def derive_body_ratios(connection: Connection, performer_id: str, model: MeasurementModel) -> None:
    """Write the ratios of a performer's measurements of this model; without any leave what is there.

    In the transaction that changed them, with the performer locked.
    """
    rows = await connection.fetch(_MEASUREMENTS, performer_id, *model.key)
    if rows:
        ratios = body_ratios([stored_measurement(row["vector"]) for row in rows])
        await connection.execute(_WRITE, performer_id, json.dumps(ratios))


async def clear_body_ratios(connection: Connection, performer_id: str) -> None:
    """Take back what was derived."""
    await connection.execute(_WRITE, performer_id, "{}")


_MEASUREMENTS = """
SELECT vector FROM body.measurements WHERE performer_id = $1 AND model = $2 AND version = $3
"""
_WRITE = """
UPDATE catalogue.performers SET body_ratios = $2::jsonb WHERE id = $1 AND body_ratios <> $2::jsonb
"""
