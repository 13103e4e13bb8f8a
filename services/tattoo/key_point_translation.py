"""Between the contract's key points and ours, checked."""

from __future__ import annotations

from chassis.errors import InvalidInput
from chassis.protos import parse_uuid, to_proto_box
from chassis.signal.requests import check_count, parse_image_hash
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from services.tattoo.key_point_store import ViewPoints
from services.tattoo.key_points import MOST_BYTES, VERSION, KeyPoints, from_bytes, to_bytes

__all__ = ["parse_key_points", "parse_performer_images", "to_proto_key_points", "to_proto_view_points"]

_LONGEST_VERSION = 64
_MOST_IMAGES = 100


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


def parse_performer_images(request: pb.ListKeyPointsRequest) -> list[tuple[str, str]]:
    """Up to 100 pairs of performer id and image hash. Raises InvalidInput, naming the field."""
    check_count("images", len(request.images), least=0, most=_MOST_IMAGES)
    return [(parse_uuid(one.performer_id), parse_image_hash(one.image_hash)) for one in request.images]


def to_proto_view_points(view: ViewPoints) -> pb.ViewKeyPoints:
    return pb.ViewKeyPoints(
        performer_id=view.performer_id,
        image_hash=view.image_hash,
        box=to_proto_box(view.box),
        key_points=to_proto_key_points(view.points),
    )
