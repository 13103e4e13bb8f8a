"""Enrolled faces one by one, as the face service lists them."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.geometry import Box
from chassis.protos import from_proto_box
from gateway.signals.base import plain
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2

__all__ = ["EnrolledFace", "FacePage", "page_of"]


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """One face; `reason`: why it is set aside, in words."""

    performer_id: str
    reason: str
    quality: float
    box: Box
    source: common_pb2.ImageSource


@dataclass(frozen=True, slots=True)
class FacePage:
    """Some faces; `next_page_token` is "" on the last page."""

    faces: tuple[EnrolledFace, ...]
    next_page_token: str


def page_of(response: face_pb2.ListFacesResponse) -> FacePage:
    """Raises InvalidInput for a malformed answer."""
    faces = tuple(
        EnrolledFace(one.performer_id, one.reason, plain(one.quality), from_proto_box(one.box), one.source)
        for one in response.faces
    )
    return FacePage(faces, response.next_page_token)
