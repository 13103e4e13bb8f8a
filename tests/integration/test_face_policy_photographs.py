"""The enrolment policy on real photographs: somebody else's are found, and the same picture saved again."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2 as pb
from tests.fakes.face_service import FaceSystem, enrolment, migrate_face, open_face_system
from tests.fakes.pictures import encode
from tests.fakes.postgres import database, postgres_server

__all__ = ["database", "postgres_server"]

_LFW = Path("../shared/data/lfw/identities")
_PEOPLE = 8

pytestmark = pytest.mark.skipif(not _LFW.is_dir(), reason="photographs of the benchmark are not here")


def _photographs() -> list[list[bytes]]:
    """Of people with at least four."""
    folders = (sorted(one.glob("*.jpg")) for one in sorted(_LFW.iterdir()))
    several = [files for files in folders if len(files) >= 4][:_PEOPLE]
    return [[file.read_bytes() for file in files] for files in several]


async def _seen(system: FaceSystem, photograph: bytes) -> pb.FaceEnrolment:
    """The largest face."""
    face = (await system.observe(photograph, max_candidates=0)).faces[0]
    return enrolment(face.template, image=str(zlib.crc32(photograph)))


async def test_photographs_of_somebody_else_are_found(database: str) -> None:
    """Each person with all photographs and one of the next person: nearly all strangers, and no own ones."""
    await migrate_face(database)
    async with open_face_system(database) as system:
        people = [[await _seen(system, each) for each in photographs] for photographs in _photographs()]
        found = own = 0
        for number, faces in enumerate(people):
            stranger = people[(number + 1) % _PEOPLE][0]
            performer = await system.performer()
            *outcomes, last = await system.enroll(performer, *faces, stranger)
            outlier = common_pb2.REJECTION_REASON_OUTLIER
            found += last.reason == outlier
            own += sum(one.reason == outlier for one in outcomes)
    assert found >= _PEOPLE - 1
    assert own <= 1


async def test_a_photograph_saved_again_is_a_near_duplicate(database: str) -> None:
    """Smaller and compressed harder: another file, the same picture. Another photograph is none."""
    await migrate_face(database)
    first, second, *_ = _photographs()[0]
    picture = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    smaller = cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    async with open_face_system(database) as system:
        faces = [await _seen(system, one) for one in (first, second, encode(smaller[:, :, ::-1], ".jpg"))]
        outcomes = await system.enroll(await system.performer(), *faces)
    assert sorted(one.reason for one in outcomes) == [0, 0, common_pb2.REJECTION_REASON_NEAR_DUPLICATE]
    assert outcomes[1].is_accepted
