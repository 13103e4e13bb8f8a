"""What ratios of proportions weigh: as a test on this library showed, else as shipped."""

from __future__ import annotations

import asyncio

from chassis.errors import InvalidInput
from chassis.signal.calibration_calls import parse_change, to_proto_models
from chassis.signal.calibration_store import CalibrationStore, StoredCalibration
from marquee.common.v1 import calibration_pb2, common_pb2
from services.body.table import MeasurementModel

__all__ = ["SHIPPED", "BodyWeight"]

SHIPPED = common_pb2.CalibrationInUse(
    provenance="how proportions vary between adults, ANSUR II, and how much of it rendered people bear out; "
    "not tested on this library, so a body counts only where three full frontal views are enrolled",
    # Of C_llr over the weight the least is at 0.26 (bench.fusion, docs/body.md).
    weight=0.25,
)
"""Until a test on the library's own pictures."""


class BodyWeight:
    """Owns what is used; the database decides, and every process follows it by looking.

    Without the database what was seen last goes on being used. The ratios themselves have no parameters.
    """

    def __init__(self, store: CalibrationStore, model: MeasurementModel) -> None:
        self._store = store
        self._model = model
        self._stored: StoredCalibration | None = None
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<BodyWeight, {self.in_use.weight:g}>"

    @property
    def in_use(self) -> common_pb2.CalibrationInUse:
        """What is told of it."""
        stored = self._stored
        if stored is None or stored.fitted is None:
            return SHIPPED
        return common_pb2.CalibrationInUse(
            is_of_this_library=True,
            provenance=stored.fitted.provenance,
            genuine_pairs=stored.fitted.genuine_pairs,
            impostor_pairs=stored.fitted.impostor_pairs,
            created_at=stored.created_at.isoformat(),
            weight=stored.weight,
        )

    @property
    def state(self) -> calibration_pb2.CalibrationState:
        """With the model that it is of."""
        return calibration_pb2.CalibrationState(
            models=to_proto_models([self._model.key]),
            in_use=self.in_use,
            shipped=calibration_pb2.FittedCalibration(provenance=SHIPPED.provenance),
        )

    async def look(self) -> None:
        """See what was committed before this call. Raises as the database does."""
        async with self._turn:  # what was read first is not what is used last
            stored = {one.models: one for one in await self._store.newest()}
            self._stored = stored.get((self._model.key,))

    async def change(self, change: calibration_pb2.CalibrationChange) -> common_pb2.CalibrationInUse:
        """Commit a change, and return what is used then.

        Raises InvalidInput naming the field, Refused for another model, and as the database does.
        """
        parsed = parse_change(change, [self._model.key])
        if parsed.fitted is not None and parsed.fitted.parameters:
            raise InvalidInput("parameters: proportions have none")
        if parsed.fitted is None and parsed.weight not in (None, SHIPPED.weight):
            raise InvalidInput("weight: what ships has its own; another one needs a provenance in `fitted`")
        weight = SHIPPED.weight if parsed.weight is None else parsed.weight
        await self._store.put([self._model.key], parsed.fitted, weight)
        await self.look()
        return self.in_use
