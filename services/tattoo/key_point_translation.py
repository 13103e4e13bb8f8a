"""Between the contract's key points and ours, checked."""

from __future__ import annotations

from chassis.errors import InvalidInput
from marquee.common.v1 import common_pb2
from services.tattoo.key_points import MOST_BYTES, VERSION, KeyPoints, from_bytes, to_bytes

__all__ = ["parse_key_points", "to_proto_key_points"]

_LONGEST_VERSION = 64


def parse_key_points(template: common_pb2.Template) -> KeyPoints | None:
    """Those of the version in use; None where there are none, or of another one, such as a newer service's.

    Raises InvalidInput, naming the field: a version that is none, more bytes than any version has, and as
    `from_bytes` does.
    """
    if not template.HasField("key_points"):
        return None
    sent = template.key_points
    if not 0 < len(sent.version) <= _LONGEST_VERSION or not sent.version.isprintable():
        raise InvalidInput(f"key_points.version: not 1 to {_LONGEST_VERSION} printable characters")
    if len(sent.points) > MOST_BYTES:
        raise InvalidInput(f"key_points.points: {len(sent.points)} bytes, more than {MOST_BYTES}")
    return from_bytes(sent.points) if sent.version == VERSION else None


def to_proto_key_points(points: KeyPoints) -> common_pb2.KeyPoints:
    return common_pb2.KeyPoints(version=VERSION, points=to_bytes(points))
