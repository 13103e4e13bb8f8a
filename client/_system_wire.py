"""Between the contract's messages and the client's values: how the system is."""

from __future__ import annotations

from client._wire import named, signal
from client.system import (
    CalibrationInUse,
    DoNotIdentify,
    IndexRecall,
    IndexState,
    ModelChange,
    ModelState,
    ModelUse,
    ServiceState,
    SystemStatus,
)
from client.transfer._wire import not_searchable
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import status_pb2

__all__ = ["calibration_in_use", "system_status", "model_change"]


def system_status(reply: status_pb2.GetStatusResponse) -> SystemStatus:
    return SystemStatus(
        gateway=_service_state(reply.gateway),
        signals={signal(each.signal): _signal_state(each) for each in reply.signals},
        do_not_identify=_do_not_identify(reply),
    )


def _do_not_identify(reply: status_pb2.GetStatusResponse) -> DoNotIdentify | None:
    if not reply.HasField("do_not_identify"):
        return None
    return DoNotIdentify(reply.do_not_identify.external_ids, reply.do_not_identify.images)


def _signal_state(reply: status_pb2.SignalStatus) -> ServiceState:
    if not reply.is_reachable:
        return ServiceState(is_reachable=False, is_ready=False, reason=reply.detail)
    return _service_state(reply.status)


def _service_state(reply: common_pb2.ServiceStatus) -> ServiceState:
    return ServiceState(
        is_reachable=True,
        is_ready=reply.is_ready,
        reason=reply.reason,
        version=reply.version,
        uptime_seconds=reply.uptime_seconds,
        models=tuple(_model_state(each) for each in reply.models),
        performers=reply.performers,
        observations=reply.observations,
        resident_bytes=reply.resident_bytes,
        model_change=model_change(reply.model_change) if reply.HasField("model_change") else None,
        not_searchable=tuple(not_searchable(each) for each in reply.not_searchable),
        calibration=calibration_in_use(reply.calibration) if reply.HasField("calibration") else None,
    )


def calibration_in_use(reply: common_pb2.CalibrationInUse) -> CalibrationInUse:
    return CalibrationInUse(
        is_of_this_library=reply.is_of_this_library,
        provenance=reply.provenance,
        genuine_pairs=reply.genuine_pairs,
        impostor_pairs=reply.impostor_pairs,
        created_at=reply.created_at,
        weight=round(reply.weight, 6),
    )


def model_change(reply: common_pb2.ModelChange) -> ModelChange:
    return ModelChange(reply.observations, reply.described, round(reply.switch_coverage, 6), reply.problem)


def _model_state(reply: common_pb2.ModelStatus) -> ModelState:
    use = named(common_pb2.ModelUse.DESCRIPTOR, reply.use, ModelUse.UNSPECIFIED)
    index = _index_state(reply.index) if reply.HasField("index") else None
    return ModelState(reply.role, reply.name, reply.version, reply.dimension, reply.vectors, use, index)


def _index_state(reply: common_pb2.IndexStatus) -> IndexState:
    recall = reply.recall
    return IndexState(
        tombstones=reply.tombstones,
        seconds_behind=reply.seconds_behind,
        rebuilding=reply.rebuilding,
        problem=reply.problem,
        snapshot_generation=reply.snapshot_generation,
        snapshot_at=reply.snapshot_at,
        recall=IndexRecall(
            round(recall.at_10, 6), round(recall.same_performer, 6), recall.sample, recall.is_low
        )
        if reply.HasField("recall")
        else None,
    )
