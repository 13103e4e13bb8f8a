"""Between the tattoo contract's messages and domain values."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from chassis.errors import InvalidInput
from chassis.geometry import Box, Point
from chassis.protos import to_proto_embedding
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from services.tattoo.detect import Detection
from services.tattoo.enrolled import EnrolledTattoos
from services.tattoo.key_points import find_key_points, to_bytes
from services.tattoo.lookup import TattooAttributes
from services.tattoo.models_in_use import TattooModels
from services.tattoo.observe import ObservedImage, ObservedTattoo, VerifiedMatch
from services.tattoo.regions_store import Knowledge, RegionStatement
from services.tattoo.score import TattooMatch, TattooScore
from services.tattoo.template import Template
from services.tattoo.translation import TattooTranslation
from tests.fakes.drawings import drawing
from tests.fakes.tattoos import LEFT, RIGHT, UP, embedder_row, row

A, B = ("a", "1"), ("b", "1")
_ID = "00000000-0000-4000-8000-000000000001"


def _translation() -> TattooTranslation:
    return TattooTranslation([embedder_row("a"), embedder_row("b")])


def _template(*models: tuple[str, str]) -> common_pb2.Template:
    embeddings = [to_proto_embedding(*model, 5 * LEFT) for model in models]
    return common_pb2.Template(signal=common_pb2.SIGNAL_TATTOO, embeddings=embeddings, quality=0.5)


def _enrolment(region: common_pb2.BodyRegion.ValueType) -> pb.EnrollRequest:
    observation = pb.TattooEnrolment(
        template=_template(A),
        box=common_pb2.Box(x=1, y=2, width=3, height=4),
        detection_confidence=0.5,
        region=region,
        source=common_pb2.ImageSource(image_hash="a" * 64, uri="u", date="2020-03-04"),
    )
    return pb.EnrollRequest(performer_id=_ID, observations=[observation])


def test_a_template_survives_the_wire() -> None:
    """What Observe sends is what Score, Compare and Enroll read, of every active embedder."""
    detection = Detection(Box(1, 2, 3, 4), 0.75, (Point(1, 2), Point(4, 2), Point(4, 6)))
    points = find_key_points(drawing(1))
    template = Template({A: LEFT, B: UP}, 0.5, points)
    tattoo = ObservedTattoo(detection, template, (VerifiedMatch(_ID, 0.5, 42),))
    rows = (embedder_row("a"), embedder_row("b"))
    image = ObservedImage(640, 480, (tattoo,), TattooModels(7, EnrolledTattoos(rows), rows))
    response = TattooTranslation(rows, generation=7).observed(image)
    assert (response.image_width, response.image_height) == (640, 480)
    [sent] = response.tattoos
    assert [(point.x, point.y) for point in sent.mask.points] == [(1, 2), (4, 2), (4, 6)]
    assert sent.template.generation == 7
    assert (sent.box.width, sent.detection_confidence, sent.quality) == (3, 0.75, 0.5)
    assert sent.candidates[0].confidence == pytest.approx(0.5)
    assert sent.candidates[0].agreeing_points == 42
    assert [point.model for point in response.operating_points] == ["a", "b"]
    [read] = _translation().compared(pb.CompareRequest(templates=[sent.template]))
    assert read.quality == 0.5
    assert read.key_points is not None
    assert to_bytes(read.key_points) == to_bytes(points)
    assert {key: vector.tolist() for key, vector in read.vectors.items()} == {
        A: LEFT.tolist(),
        B: UP.tolist(),
    }


def test_vectors_of_other_models_are_left_out() -> None:
    """A template may come from before a change of models; vectors are of length 1 whatever was sent."""
    [read] = _translation().compared(pb.CompareRequest(templates=[_template(A, ("a", "0"), ("z", "1"))]))
    assert set(read.vectors) == {A}
    assert np.linalg.norm(read.vectors[A]) == pytest.approx(1)


@pytest.mark.parametrize("region", [one for one in common_pb2.BodyRegion.values() if one])
def test_every_region_comes_back_as_it_was_sent(region: common_pb2.BodyRegion.ValueType) -> None:
    """Stored as a word, told as the contract's value."""
    [tattoo] = _translation().tattoos(_enrolment(region))
    assert tattoo.region == tattoo.region.lower()
    known = row(1, _ID, LEFT, region=tattoo.region).known
    response = _translation().attributes([TattooAttributes(_ID, (known,), ())])
    assert response.performers[0].tattoos[0].region == region


def test_a_region_that_is_none_is_refused_and_an_unknown_word_is_unknown() -> None:
    """Unspecified or out of range is the caller's mistake; a word of a newer version is not."""
    for region in (0, 99):
        with pytest.raises(InvalidInput, match="region"):
            _translation().tattoos(_enrolment(common_pb2.BodyRegion.ValueType(region)))
    known = row(1, _ID, LEFT, region="left_wing").known
    response = _translation().attributes([TattooAttributes(_ID, (known,), ())])
    assert response.performers[0].tattoos[0].region == common_pb2.BODY_REGION_UNKNOWN


def test_an_enrolment_keeps_all_that_was_said() -> None:
    """Box, confidence, quality, source and day."""
    [tattoo] = _translation().tattoos(_enrolment(common_pb2.BODY_REGION_NECK))
    assert (tattoo.box, tattoo.confidence, tattoo.quality) == (Box(1, 2, 3, 4), 0.5, 0.5)
    assert (tattoo.image_hash, tattoo.uri) == ("a" * 64, "u")
    assert (tattoo.date, tattoo.region) == (datetime.date(2020, 3, 4), "neck")


def test_what_no_active_model_describes_cannot_be_enrolled() -> None:
    """It could never be found; the error names the models in use."""
    request = _enrolment(common_pb2.BODY_REGION_NECK)
    request.observations[0].template.CopyFrom(_template(("z", "1")))
    with pytest.raises(InvalidInput, match="a 1, b 1"):
        _translation().tattoos(request)


def test_scores_tell_what_is_known_and_no_likelihood() -> None:
    """In the primary's measure, with dates as days or empty; llr stays unset until there is a calibration."""
    query = common_pb2.ScoreQuery(key="k", templates=[_template(A)], performer_ids=[_ID])
    queries = _translation().queries(pb.ScoreRequest(queries=[query]))
    known = row(1, _ID, RIGHT, region="chest").known
    tattooed = RegionStatement(
        region="chest",
        knowledge=Knowledge.KNOWN_TATTOOED,
        source="stashdb.org",
        description="rose",
        since=datetime.date(2019, 1, 1),
    )
    matches = (TattooMatch("id-1", 0.6, 1.5), TattooMatch())
    scores = [[TattooScore(_ID, 0.6, (known,), matches=matches)]]
    response = _translation().scored(queries, scores, {_ID: [tattooed]})
    [score] = response.results[0].scores
    assert (response.results[0].key, score.performer_id) == ("k", _ID)
    assert score.confidence == pytest.approx(0.75)
    assert not score.HasField("llr")
    assert (score.known[0].first_seen_date, score.known[0].removed_date) == ("2020-01-01", "")
    assert score.known[0].region == common_pb2.BODY_REGION_CHEST
    assert (score.known[0].tattoo_id, score.known[0].view_id, score.known[0].views) == ("id-1", "view-1", 1)
    first, second = score.matches
    assert (first.tattoo_id, first.llr) == ("id-1", 1.5)
    assert (second.tattoo_id, second.HasField("llr")) == ("", False)
    [region] = score.regions
    assert region == pb.KnownRegion(
        region=common_pb2.BODY_REGION_CHEST,
        knowledge=pb.REGION_KNOWLEDGE_KNOWN_TATTOOED,
        source="stashdb.org",
        description="rose",
        since_date="2019-01-01",
    )
