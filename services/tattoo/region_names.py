"""Body regions as the database names them: the contract's, in lower case."""

from __future__ import annotations

from chassis.errors import InvalidInput
from marquee.common.v1 import common_pb2

__all__ = ["region_name", "region_value"]

_PREFIX = "BODY_REGION_"


def region_name(region: common_pb2.BodyRegion.ValueType) -> str:
    """Such as left_forearm. Raises InvalidInput for a number that is no region."""
    if region == common_pb2.BODY_REGION_UNSPECIFIED or region not in common_pb2.BodyRegion.values():
        raise InvalidInput("region: not a body region; send UNKNOWN when nobody can tell")
    return common_pb2.BodyRegion.Name(region).removeprefix(_PREFIX).lower()


def region_value(name: str) -> common_pb2.BodyRegion.ValueType:
    """UNKNOWN for a region that a newer version stored."""
    values = dict(common_pb2.BodyRegion.items())
    return values.get(_PREFIX + name.upper(), common_pb2.BODY_REGION_UNKNOWN)
