"""What a signal's embedders are calibrated by, as the database has it: this library's, else what ships."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from chassis.errors import InvalidInput
from chassis.signal.calibration_parameters import from_parameters
from chassis.signal.calibration_store import CalibrationStore, Fitted, StoredCalibration
from chassis.signal.model_sets import ModelKey
from chassis.signal.shipped_calibration import ShippedCalibration
from chassis.signal.used_calibration import UsedCalibration

__all__ = ["Calibrations"]

_log = structlog.get_logger()


class Calibrations:
    """Owns what is used; the database decides, and every process follows it by looking.

    Without the database what was seen last goes on being used. shipped: what came with the service.
    """

    def __init__(self, store: CalibrationStore, shipped: Sequence[ShippedCalibration]) -> None:
        self._store = store
        self._shipped = {one.models: one for one in shipped}
        self._stored: Mapping[tuple[ModelKey, ...], StoredCalibration] = {}
        self._used: Mapping[tuple[ModelKey, ...], UsedCalibration] = {}
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<Calibrations, {len(self._used)} of this library, {len(self._shipped)} shipped>"

    def of(self, models: Sequence[ModelKey]) -> UsedCalibration | None:
        """What exactly these embedders, the primary first, are calibrated by; None: nothing."""
        return self._used.get(tuple(models)) or self.shipped_for(models)

    def shipped_for(self, models: Sequence[ModelKey]) -> UsedCalibration | None:
        """What came with Marquee for these embedders, used or not."""
        shipped = self._shipped.get(tuple(models))
        return UsedCalibration.shipped(shipped) if shipped is not None else None

    async def look(self) -> None:
        """See what was committed before this call. Raises as the database does."""
        async with self._turn:  # what was read first is not what is used last
            stored = {one.models: one for one in await self._store.newest()}
            if stored != self._stored:
                used = {models: self._usable(one) for models, one in stored.items()}
                self._stored, self._used = stored, {key: one for key, one in used.items() if one is not None}

    async def put(self, models: Sequence[ModelKey], fitted: Fitted | None, weight: float) -> None:
        """Commit what these embedders, which serve, are calibrated by, and use it; `fitted` None: what ships.

        weight: 0..1. Raises InvalidInput for parameters that are no calibration, Refused when other embedders
        serve, and as the database does.
        """
        if fitted is not None:
            from_parameters(fitted.parameters)
        await self._store.put(models, fitted, weight)
        await self.look()

    def _usable(self, stored: StoredCalibration) -> UsedCalibration | None:
        """What ships, with the weight stored, for one that this version of the code does not understand.

        None where nothing ships.
        """
        fitted = stored.fitted
        if fitted is None:
            return self._shipped_with(stored)
        try:
            calibration = from_parameters(fitted.parameters)
        except InvalidInput as exc:
            _log.warning(
                "this library's calibration is of another version; what ships is used", cause=str(exc)
            )
            return self._shipped_with(stored)
        return UsedCalibration(
            calibration,
            fitted.provenance,
            fitted.genuine_pairs,
            fitted.impostor_pairs,
            stored.weight,
            stored.created_at,
        )

    def _shipped_with(self, stored: StoredCalibration) -> UsedCalibration | None:
        shipped = self._shipped.get(stored.models)
        return UsedCalibration.shipped(shipped, stored.weight) if shipped is not None else None
