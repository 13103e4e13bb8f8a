"""What the tattoo service sees and compares: a real channel, a real database, real networks."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

import grpc
import numpy as np
import pytest

from chassis.geometry import Box
from chassis.protos import from_proto_box
from gateway.signals.base import outline_of
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from tests.fakes.ink import DESIGNS, skin, tattooed
from tests.fakes.pictures import encode
from tests.fakes.postgres import database, postgres_server
from tests.fakes.rpc import code_of
from tests.fakes.tattoo_models import LAYOUT_DIMENSION
from tests.fakes.tattoo_service import (
    MODEL,
    VERSION,
    TattooSystem,
    enrolment,
    migrate_tattoo,
    open_tattoo_system,
    plain_section,
    seen,
    system,
    template_of,
)

__all__ = ["database", "postgres_server", "system"]

_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_LARGE, _SMALL = Box(60, 90, 240, 240), Box(430, 180, 130, 130)


async def test_tattoos_are_observed_with_everything_there_is_to_say(system: TattooSystem) -> None:
    """Two of them: where they were drawn, largest first, with outline, quality, template."""
    response = await system.observe(tattooed(("left", _SMALL), ("ring", _LARGE)))
    assert (response.image_width, response.image_height) == (640, 480)
    assert len(response.tattoos) == 2
    for tattoo, drawn in zip(response.tattoos, (_LARGE, _SMALL), strict=True):
        box = from_proto_box(tattoo.box)
        assert box.iou(drawn) > 0.6
        assert tattoo.detection_confidence > 0.7
        assert 0.3 < tattoo.quality <= 1
        assert len(tattoo.mask.points) >= 3
        assert all(box.scaled(1.3).contains(point) for point in outline_of(tattoo.mask))
        assert tattoo.template.signal == common_pb2.SIGNAL_TATTOO
        assert tattoo.template.quality == tattoo.quality
        [embedding] = tattoo.template.embeddings
        assert (embedding.model, embedding.version) == (MODEL, VERSION)
        assert not tattoo.candidates
    [point] = response.operating_points
    assert (point.model, point.version) == (MODEL, VERSION)
    assert point.impostor_p99 == pytest.approx(0.3)
    assert point.genuine_median == pytest.approx(0.8)
    assert point.identification_confidence == pytest.approx(0.6)


async def test_plain_skin_has_no_tattoo(system: TattooSystem) -> None:
    """Nothing visible is an answer, not an error."""
    response = await system.observe(skin(320, 200))
    assert not response.tattoos
    assert (response.image_width, response.image_height) == (320, 200)


async def test_a_blurred_or_small_tattoo_is_worth_less(system: TattooSystem) -> None:
    """Quality falls when a picture is blurred, and when it is the same in fewer pixels."""
    [sharp] = (await system.observe(tattooed(("ring", _LARGE)))).tattoos
    [blurred] = (await system.observe(tattooed(("ring", _LARGE), blur=8))).tattoos
    small = tattooed(("ring", Box(15, 22, 60, 60)), width=160, height=120)
    [few] = (await system.observe(small)).tattoos
    assert blurred.quality < sharp.quality
    assert few.quality < sharp.quality


async def test_only_the_largest_tattoos_are_described(database: str, tmp_path: Path) -> None:
    """The work that one picture makes is bounded."""
    await migrate_tattoo(database)
    async with open_tattoo_system(database, plain_section(tmp_path, max_tattoos=1)) as system:
        [tattoo] = (await system.observe(tattooed(("left", _SMALL), ("ring", _LARGE)))).tattoos
    assert from_proto_box(tattoo.box).iou(_LARGE) > 0.6


@pytest.mark.parametrize("image", [b"", b"nonsense", encode(skin())[:900]], ids=["empty", "other", "cut off"])
async def test_other_bytes_are_refused(system: TattooSystem, image: bytes) -> None:
    """No acceptable image: INVALID_ARGUMENT, and the service goes on."""
    assert await code_of(system.stub.Observe(pb.ObserveRequest(image=image))) is _INVALID
    assert (await system.observe(tattooed(("ring", _LARGE)))).tattoos


async def test_a_tattoo_is_recognised_in_another_picture(system: TattooSystem) -> None:
    """Everybody enrolled by one design, then seen elsewhere and larger: each leads to its bearer."""
    bearers = {}
    for design in DESIGNS:
        bearers[design] = await system.performer()
        [tattoo] = (await system.observe(tattooed((design, _LARGE)))).tattoos
        [outcome] = await system.enroll(bearers[design], seen(tattoo, image=design))
        assert outcome.is_accepted
    for design, bearer in bearers.items():
        response = await system.observe(tattooed((design, Box(200, 60, 336, 336))), max_candidates=3)
        [tattoo] = response.tattoos
        first, second, third = tattoo.candidates
        assert first.performer_id == bearer
        assert first.confidence > 0.9
        assert first.similarity > second.similarity >= third.similarity
        scores = await system.score(tattoo.template, *bearers.values())
        assert scores[bearer].similarity == pytest.approx(first.similarity, abs=1e-5)
        assert scores[bearer].confidence == pytest.approx(first.confidence, abs=1e-5)
        assert max(scores, key=lambda one: scores[one].similarity) == bearer
        assert not scores[bearer].HasField("llr")


async def test_candidates_are_people_not_pictures(system: TattooSystem) -> None:
    """Many pictures of one performer are one candidate, and leave room for the others."""
    often, once = await system.performer(), await system.performer()
    await system.enroll(often, *(enrolment(template_of(1)) for _ in range(20)))
    await system.enroll(once, enrolment(template_of(2)))
    [tattoo] = (await system.observe(tattooed(("ring", _LARGE)), max_candidates=2)).tattoos
    assert {one.performer_id for one in tattoo.candidates} == {often, once}
    [none] = (await system.observe(tattooed(("ring", _LARGE)), max_candidates=0)).tattoos
    assert not none.candidates


async def test_templates_of_one_person_are_combined(system: TattooSystem) -> None:
    """The best tattoo decides, a view of lesser quality counts less, other models' templates not at all."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(1)))
    other, good = template_of(2), template_of(1)
    blurred, foreign = template_of(1, quality=0.45), template_of(1, version="0")

    def query(key: str, *templates: common_pb2.Template) -> common_pb2.ScoreQuery:
        return common_pb2.ScoreQuery(key=key, templates=templates, performer_ids=[performer])

    queries = [
        query("with another", good, other, foreign),
        query("alone", good),
        query("blurred", blurred, other),
        query("foreign", foreign),
    ]
    results = (await system.stub.Score(pb.ScoreRequest(queries=queries))).results
    assert [one.key for one in results] == [one.key for one in queries]
    similarities = [one.scores[0].similarity if one.scores else None for one in results]
    assert similarities == pytest.approx([1.0, 1.0, 0.65, None], abs=1e-5)
    [known] = results[0].scores[0].known
    matches = results[0].scores[0].matches
    assert [one.tattoo_id for one in matches] == [known.tattoo_id, known.tattoo_id, ""]
    assert [one.similarity for one in matches] == pytest.approx([1.0, 0.0, 0.0], abs=1e-5)


async def test_templates_are_compared_with_each_other(system: TattooSystem) -> None:
    """Symmetric cosines, NaN where there is no common model."""
    between = np.zeros(LAYOUT_DIMENSION, np.float32)
    between[[1, 2]] = 7
    templates = [template_of(1), template_of(2), template_of(between), template_of(1, version="0")]
    response = await system.stub.Compare(pb.CompareRequest(templates=templates))
    matrix = np.array(response.similarities).reshape(4, 4)
    half = np.sqrt(0.5)
    expected = [[1, 0, half], [0, 1, half], [half, half, 1]]
    assert matrix[:3, :3] == pytest.approx(np.array(expected), abs=1e-6)
    assert np.isnan(matrix[3]).all()
    assert np.isnan(matrix[:, 3]).all()


async def test_malformed_requests_are_refused(system: TattooSystem) -> None:
    """Each names a field: INVALID_ARGUMENT, and nothing is stored."""
    performer = await system.performer()
    good = template_of(1)
    face = common_pb2.Template(signal=common_pb2.SIGNAL_FACE, embeddings=good.embeddings)
    short = template_of(np.ones(3, np.float32))
    empty = common_pb2.Template(signal=common_pb2.SIGNAL_TATTOO)
    zero = template_of(np.zeros(LAYOUT_DIMENSION, np.float32))
    endless = template_of(np.full(LAYOUT_DIMENSION, np.inf, np.float32))
    query = common_pb2.ScoreQuery(key="a", templates=[good])
    no_hash, no_box, unsure, nowhere, undated = (enrolment(good) for _ in range(5))
    no_hash.source.image_hash = "x"
    no_box.box.width = 0
    unsure.detection_confidence = 1.5
    nowhere.region = common_pb2.BODY_REGION_UNSPECIFIED
    undated.source.date = "yesterday"
    unasked = [template_of(1, quality=-1), template_of(1, version="0"), face, short, empty, zero, endless]
    stub = system.stub

    def enroll(*observations: pb.TattooEnrolment) -> Awaitable[object]:
        return stub.Enroll(pb.EnrollRequest(performer_id=performer, observations=observations))

    refused: list[Awaitable[object]] = [
        stub.Observe(pb.ObserveRequest(image=encode(skin()), max_candidates=1001)),
        stub.Score(pb.ScoreRequest(queries=[query, query])),
        stub.Score(pb.ScoreRequest(queries=[common_pb2.ScoreQuery(key="a")])),
        stub.Score(
            pb.ScoreRequest(queries=[common_pb2.ScoreQuery(key="a", templates=[good], performer_ids=["7"])])
        ),
        *(stub.Compare(pb.CompareRequest(templates=[one])) for one in (face, short, empty, zero)),
        stub.Compare(pb.CompareRequest()),
        *(enroll(one) for one in (no_hash, no_box, unsure, nowhere, undated)),
        *(enroll(enrolment(good), enrolment(one)) for one in unasked),
        enroll(),
        stub.Enroll(pb.EnrollRequest(performer_id="x", observations=[enrolment(good)])),
        stub.Forget(pb.ForgetRequest(performer_id="x")),
        stub.Lookup(pb.LookupRequest(performer_ids=["x"])),
    ]
    assert [await code_of(call) for call in refused] == [_INVALID] * len(refused)
    assert await system.rows.count(performer) == 0


async def test_status_counts_what_can_be_found(system: TattooSystem) -> None:
    """Models by role, performers and tattoos."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(1)), enrolment(template_of(2)))
    status = (await system.stub.GetStatus(pb.GetStatusRequest())).status
    assert status.is_ready
    assert (status.performers, status.observations) == (1, 2)
    detector, embedder = status.models
    assert (detector.role, detector.dimension) == ("tattoo.detector", 0)
    assert (embedder.role, embedder.name, embedder.version) == ("tattoo.embedder", MODEL, VERSION)
    assert (embedder.dimension, embedder.vectors) == (LAYOUT_DIMENSION, 2)
