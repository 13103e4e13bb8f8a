"""Tattoos verified by key points: a real channel, a real database, real networks."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

import grpc
import numpy as np
import pytest

from chassis.geometry import Box
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from services.tattoo.key_point_translation import to_proto_key_points
from services.tattoo.key_points import VERSION, find_key_points
from tests.fakes.database_line import open_line
from tests.fakes.drawings import drawing, turned, worn
from tests.fakes.postgres import database, postgres_server
from tests.fakes.rpc import code_of
from tests.fakes.tattoo_models import LAYOUT_DIMENSION
from tests.fakes.tattoo_service import (
    MODEL,
    TattooSystem,
    enrolment,
    migrate_tattoo,
    open_tattoo_system,
    own_embedder,
    plain_section,
    seen,
    system,
    template_of,
)
from tests.fakes.waiting import until

__all__ = ["database", "postgres_server", "system"]

_BOX = Box(60, 90, 240, 240)


def pointed(template: common_pb2.Template, seed: int | None) -> common_pb2.Template:
    """The template with the key points of a drawing."""
    if seed is not None:
        template.key_points.CopyFrom(to_proto_key_points(find_key_points(drawing(seed))))
    return template


def towards(cosine: float) -> common_pb2.Template:
    """A template at this cosine from `template_of(1)`."""
    vector = np.zeros(LAYOUT_DIMENSION, np.float32)
    vector[1:3] = cosine, np.sqrt(1 - cosine**2)
    return template_of(vector)


def probe() -> common_pb2.Template:
    """Drawing 1, turned."""
    template = template_of(1)
    points = find_key_points(turned(drawing(1)))
    template.key_points.CopyFrom(to_proto_key_points(points))
    return template


async def bearer_and_look_alike(system: TattooSystem) -> tuple[str, str]:
    """Drawing 1 at a cosine of 0.6 from the probe, and drawing 2 at 0.9."""
    bearer, alike = await system.performer(), await system.performer()
    await system.enroll(bearer, enrolment(pointed(towards(0.6), 1), image="bearer"))
    await system.enroll(alike, enrolment(pointed(towards(0.9), 2), image="alike"))
    return bearer, alike


async def test_a_look_alike_loses_to_the_one_whose_key_points_agree(system: TattooSystem) -> None:
    """Although its vector is more alike; the score says how many points agree."""
    bearer, alike = await bearer_and_look_alike(system)
    scores = await system.score(probe(), alike, bearer)
    assert scores[bearer].agreeing_points >= 20
    assert scores[alike].agreeing_points == 0
    assert scores[bearer].similarity > scores[alike].similarity
    assert scores[bearer].confidence > 0.9
    assert 0.3 < scores[alike].similarity < 0.9


async def test_key_points_are_observed_stored_and_found_again(system: TattooSystem) -> None:
    """From picture to picture: Observe tells the points that agree, and Score tells the same."""
    bearer, other = await system.performer(), await system.performer()
    for performer, seed in ((bearer, 1), (other, 2)):
        [tattoo] = (await system.observe(worn(drawing(seed), _BOX))).tattoos
        assert tattoo.template.key_points.version == VERSION
        [outcome] = await system.enroll(performer, seen(tattoo, image=f"of {seed}"))
        assert outcome.is_accepted
    [row] = await system.rows.of(bearer)
    assert row["key_points_version"] == VERSION
    assert 132 * 20 < len(row["key_points"]) <= 132 * 160
    nearer = Box(200, 60, 340, 340)
    [tattoo] = (await system.observe(worn(drawing(1), nearer), max_candidates=2)).tattoos
    first, second = tattoo.candidates
    assert (first.performer_id, second.performer_id) == (bearer, other)
    assert first.agreeing_points >= 20
    assert second.agreeing_points == 0
    scores = await system.score(tattoo.template, bearer, other)
    assert scores[bearer].agreeing_points == first.agreeing_points
    assert scores[bearer].similarity == pytest.approx(first.similarity, abs=1e-5)


async def test_whoever_agrees_is_named_although_more_alike_ones_fill_the_list(system: TattooSystem) -> None:
    """One candidate is wanted; two are compared, and the verified one is told."""
    bearer, alike = await system.performer(), await system.performer()
    [tattoo] = (await system.observe(worn(drawing(1), _BOX))).tattoos
    vector = np.frombuffer(tattoo.template.embeddings[0].vector, "<f4")
    await system.enroll(alike, enrolment(pointed(template_of(vector), 2)))
    aside = vector + 0.5 * np.linalg.norm(vector) * np.eye(LAYOUT_DIMENSION, dtype=np.float32)[0]
    await system.enroll(bearer, enrolment(pointed(template_of(aside), 1)))
    response = await system.observe(worn(drawing(1), Box(180, 60, 300, 300)), max_candidates=1)
    [candidate] = response.tattoos[0].candidates
    assert candidate.performer_id == bearer


async def test_whoever_agrees_is_found_far_down_the_list(system: TattooSystem) -> None:
    """Behind forty look-alikes, in a picture and by name: all are screened, ten compared."""
    bearer = await system.performer()
    [tattoo] = (await system.observe(worn(drawing(1), _BOX))).tattoos
    vector = np.frombuffer(tattoo.template.embeddings[0].vector, "<f4")
    unit = vector / np.linalg.norm(vector)
    across = np.eye(LAYOUT_DIMENSION, dtype=np.float32)[0]
    alike = [await system.performer() for _ in range(40)]
    for number, performer in enumerate(alike):
        moved = template_of(unit + (0.1 + number / 100) * across)
        await system.enroll(performer, enrolment(pointed(moved, 2 + number)))
    await system.enroll(bearer, enrolment(pointed(template_of(unit + across), 1)))
    response = await system.observe(worn(drawing(1), Box(180, 60, 300, 300)), max_candidates=5)
    first, second, *_ = response.tattoos[0].candidates
    assert first.performer_id == bearer
    assert first.agreeing_points >= 20
    assert second.agreeing_points == 0
    scores = await system.score(response.tattoos[0].template, *alike, bearer)
    assert scores[bearer].agreeing_points == first.agreeing_points
    assert max(scores.values(), key=lambda one: one.similarity) is scores[bearer]


async def test_nothing_is_found_or_compared_when_it_is_off(database: str, tmp_path: Path) -> None:
    """`verify_candidates = 0`: the vectors alone decide."""
    await migrate_tattoo(database)
    section = plain_section(tmp_path).model_copy(update={"verify_candidates": 0})
    async with open_tattoo_system(database, section) as system:
        bearer, alike = await bearer_and_look_alike(system)
        scores = await system.score(probe(), alike, bearer)
        [tattoo] = (await system.observe(worn(drawing(1), _BOX))).tattoos
    assert scores[bearer].similarity == pytest.approx(0.6, abs=1e-5)
    assert scores[alike].similarity == pytest.approx(0.9, abs=1e-5)
    assert scores[bearer].agreeing_points == 0
    assert not tattoo.template.HasField("key_points")


async def test_without_the_database_the_vectors_decide(database: str, tmp_path: Path) -> None:
    """Neutral while it is away, and verified again when it is back."""
    await migrate_tattoo(database)
    async with (
        open_line(database) as line,
        open_tattoo_system(database, plain_section(tmp_path), reached_by=line.dsn) as system,
    ):
        bearer, alike = await bearer_and_look_alike(system)
        await line.cut()
        scores = await system.score(probe(), alike, bearer)
        assert scores[bearer].similarity == pytest.approx(0.6, abs=1e-5)
        assert scores[alike].similarity == pytest.approx(0.9, abs=1e-5)
        assert (await system.observe(worn(drawing(1), _BOX))).tattoos[0].candidates
        await line.mend()
        scores = await system.score(probe(), alike, bearer)
        assert scores[bearer].agreeing_points >= 20


async def test_a_row_without_key_points_is_neutral_until_the_picture_is_seen_again(
    system: TattooSystem,
) -> None:
    """It was enrolled before there were any. The same view is a duplicate, and brings them."""
    bearer = await system.performer()
    await system.enroll(bearer, enrolment(towards(0.6), image="old"))
    scores = await system.score(probe(), bearer)
    assert (scores[bearer].agreeing_points, len(scores)) == (0, 1)
    assert scores[bearer].similarity == pytest.approx(0.6, abs=1e-5)
    [again] = await system.enroll(bearer, enrolment(pointed(towards(0.6), 1), image="old"))
    assert again.reason == common_pb2.REJECTION_REASON_DUPLICATE_IMAGE
    assert (await system.score(probe(), bearer))[bearer].agreeing_points >= 20
    assert await system.rows.count(bearer) == 1


async def test_key_points_of_another_version_are_never_compared(system: TattooSystem) -> None:
    """Neither stored ones nor sent ones; sent to be enrolled they are not kept."""
    bearer = await system.performer()
    foreign = pointed(towards(0.6), 1)
    foreign.key_points.version = "sift.0"
    await system.enroll(bearer, enrolment(foreign, image="a"))
    [row] = await system.rows.of(bearer)
    assert row["key_points"] is None
    await system.enroll(bearer, enrolment(pointed(towards(0.6), 1), image="a"))
    old = probe()
    old.key_points.version = "sift.0"
    assert (await system.score(old, bearer))[bearer].agreeing_points == 0
    assert (await system.score(probe(), bearer))[bearer].agreeing_points >= 20
    await system.rows.execute("UPDATE tattoo.performer_tattoos SET key_points_version = 'sift.0'")
    assert (await system.score(probe(), bearer))[bearer].agreeing_points == 0


async def test_damaged_key_points_are_as_if_there_were_none(system: TattooSystem) -> None:
    """The answer goes without them."""
    bearer, _ = await bearer_and_look_alike(system)
    await system.rows.execute("UPDATE tattoo.performer_tattoos SET key_points = '\\x0102'")
    scores = await system.score(probe(), bearer)
    assert scores[bearer].agreeing_points == 0
    assert scores[bearer].similarity == pytest.approx(0.6, abs=1e-5)


async def test_another_embedders_row_of_a_view_has_its_key_points(database: str, tmp_path: Path) -> None:
    """Described again without key points, by Enroll or by an import, a view keeps them."""
    await migrate_tattoo(database)
    section = plain_section(tmp_path, own_embedder(tmp_path), own_embedder(tmp_path, name="other"))
    async with open_tattoo_system(database, section) as system:
        bearer = await system.performer()
        await system.enroll(bearer, enrolment(pointed(towards(0.6), 1), image="a"))
        await system.enroll(bearer, enrolment(template_of(1, model="other"), image="a"))
        page = await system.stub.ExportVectors(pb.ExportVectorsRequest())
        third = page.rows[0]
        third.embedding.version = "elsewhere"
        taken = await system.stub.ImportVectors(pb.ImportVectorsRequest(rows=[third]))
        rows = await system.rows.of(bearer)
    assert taken.stored == 1
    assert [(row["model"], row["version"]) for row in rows] == [
        (MODEL, "1"),
        ("other", "1"),
        (MODEL, "elsewhere"),
    ]
    assert len({row["key_points"] for row in rows}) == 1
    assert rows[0]["key_points"]


async def test_a_performer_who_is_forgotten_leaves_no_key_points(system: TattooSystem) -> None:
    """They are in the rows, and are gone with them; nobody's points agree afterwards."""
    bearer, alike = await bearer_and_look_alike(system)
    await system.stub.Forget(pb.ForgetRequest(performer_id=bearer))
    left = await system.rows.execute(
        "SELECT performer_id FROM tattoo.performer_tattoos WHERE key_points IS NOT NULL"
    )
    assert [str(row["performer_id"]) for row in left] == [alike]
    scores = await system.score(probe(), bearer, alike)
    assert list(scores) == [alike]
    assert scores[alike].agreeing_points == 0


async def test_an_export_leaves_key_points_out(system: TattooSystem) -> None:
    """What comes back from it is searched by its vector, and verified once its picture is seen again."""
    bearer, _ = await bearer_and_look_alike(system)
    page = await system.stub.ExportVectors(pb.ExportVectorsRequest())
    await system.stub.Forget(pb.ForgetRequest(performer_id=bearer))
    taken = await system.stub.ImportVectors(pb.ImportVectorsRequest(rows=page.rows))
    assert (taken.stored, taken.known) == (1, 1)

    async def is_found() -> bool:
        return bool(await system.score(probe(), bearer))

    await until(is_found)
    scores = await system.score(probe(), bearer)
    assert scores[bearer].similarity == pytest.approx(0.6, abs=1e-5)
    assert scores[bearer].agreeing_points == 0
    await system.enroll(bearer, enrolment(pointed(towards(0.6), 1), image="bearer"))
    assert (await system.score(probe(), bearer))[bearer].agreeing_points >= 20


@pytest.mark.parametrize(
    ("points", "version"),
    [
        (b"\0" * 131, VERSION),
        (b"", VERSION),
        (b"\0" * 132 * 201, VERSION),
        (b"\xff" * 132, VERSION),
        (b"", ""),
    ],
    ids=["cut off", "empty", "too many", "outside", "no version"],
)
async def test_malformed_key_points_are_refused(system: TattooSystem, points: bytes, version: str) -> None:
    """By every call that takes a template: INVALID_ARGUMENT, and nothing is stored."""
    performer = await system.performer()
    template = template_of(1)
    template.key_points.CopyFrom(common_pb2.KeyPoints(version=version, points=points))
    query = common_pb2.ScoreQuery(key="q", templates=[template], performer_ids=[performer])
    calls: list[Awaitable[object]] = [
        system.stub.Score(pb.ScoreRequest(queries=[query])),
        system.stub.Compare(pb.CompareRequest(templates=[template])),
        system.stub.Enroll(
            pb.EnrollRequest(
                performer_id=performer, observations=[enrolment(template_of(2)), enrolment(template)]
            )
        ),
    ]
    assert [await code_of(call) for call in calls] == [grpc.StatusCode.INVALID_ARGUMENT] * 3
    assert await system.rows.count(performer) == 0
