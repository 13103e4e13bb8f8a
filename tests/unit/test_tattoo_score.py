"""How the templates of one person are combined, and templates compared."""

from collections.abc import Collection, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.work import WorkPool
from services.tattoo.enrolled import EnrolledTattoos
from services.tattoo.key_points import KeyPoints, find_key_points, to_bytes
from services.tattoo.score import ScoreTattoos, TattooQuery, weighted
from services.tattoo.template import Template, Vector
from services.tattoo.verification import VerifyCandidates
from tests.fakes.drawings import drawing, turned
from tests.fakes.linear_map import linear_map
from tests.fakes.tattoos import LEFT, RIGHT, UP, embedder_row, row

POINT = embedder_row("a").operating_point
PAINTED = find_key_points(drawing(1))
COSINE = st.floats(-1, 1)
SHARE = st.floats(0, 1)


class Painted:
    """Every row has the same key points."""

    async def of_rows(self, seqs: Collection[int]) -> Mapping[int, KeyPoints]:
        return dict.fromkeys(seqs, PAINTED)

    async def starts_of_rows(self, seqs: Collection[int]) -> Mapping[int, bytes]:
        return dict.fromkeys(seqs, to_bytes(PAINTED))


def unverified(pool: WorkPool) -> VerifyCandidates:
    return VerifyCandidates(Painted(), pool, candidates=0)


def test_one_template_counts_in_full() -> None:
    """With a single view its similarity is told as it is, whatever its quality."""
    assert weighted([{"p": 0.9, "q": -0.4}], [0.1], POINT) == {"p": 0.9, "q": -0.4}


def test_a_second_tattoo_that_is_not_enrolled_takes_nothing_away() -> None:
    """The best of the views decides, they are not averaged."""
    assert weighted([{"p": 0.9}, {"p": 0.0}], [0.8, 0.8], POINT)["p"] == 0.9


def test_a_blurred_view_counts_less_than_a_sharp_one() -> None:
    """Half the quality halves what lies above the impostors' 99th percentile."""
    a = POINT.impostor_p99
    assert weighted([{"p": 0.0}, {"p": 0.9}], [0.8, 0.4], POINT)["p"] == pytest.approx(a + (0.9 - a) / 2)


def test_views_of_no_quality_count_alike() -> None:
    """Where nothing is worth anything, nothing is divided by zero."""
    assert weighted([{"p": 0.7}, {"p": 0.8}], [0.0, 0.0], POINT) == {"p": 0.8}


@given(st.lists(st.tuples(COSINE, SHARE), min_size=1, max_size=6))
def test_the_combination_never_exceeds_the_best_view(views: list[tuple[float, float]]) -> None:
    """Weighting only ever discounts, and never below what the best-quality view says."""
    similarities, qualities = zip(*views, strict=True)
    best = weighted([{"p": one} for one in similarities], qualities, POINT)["p"]
    surest = similarities[int(np.argmax(qualities))]
    assert min(surest, max(similarities)) - 1e-9 <= best <= max(similarities) + 1e-9


async def test_performers_are_scored_in_the_order_asked_and_only_those_known() -> None:
    """Unknown ids get no score; facts of the known ones come along."""
    rows = [embedder_row("a")]
    enrolled = EnrolledTattoos(rows)
    enrolled.add([row(1, "p", LEFT), row(2, "q", UP, region="neck")])
    async with WorkPool(1, 8) as pool:
        query = TattooQuery("k", (Template({("a", "1"): LEFT}, 0.5),), ("q", "nobody", "p"))
        ((first, second),) = await ScoreTattoos(enrolled, pool, rows, unverified(pool))([query])
    assert (first.performer_id, second.performer_id) == ("q", "p")
    assert second.similarity == pytest.approx(1.0)
    assert first.known[0].region == "neck"


async def test_a_calibrated_score_tells_its_ratio() -> None:
    """By the similarity that counts and the best view's quality; without a calibration there is none."""
    rows = [embedder_row("a")]
    enrolled = EnrolledTattoos(rows)
    enrolled.add([row(1, "p", LEFT), row(2, "q", UP)])
    calibration = linear_map(2 / 3, 6.0)
    query = TattooQuery("k", (Template({("a", "1"): LEFT}, 0.5),), ("p", "q"))
    async with WorkPool(1, 8) as pool:
        verify = unverified(pool)
        ((same, other),) = await ScoreTattoos(enrolled, pool, rows, verify, calibration)([query])
        ((plain, _),) = await ScoreTattoos(enrolled, pool, rows, verify)([query])
    assert same.llr == pytest.approx(calibration.llr(same.similarity, 0.5)) == pytest.approx(2.0)
    assert other.llr is not None
    assert other.llr < 0
    assert plain.llr is None


async def test_each_template_tells_which_tattoo_it_is_most_like() -> None:
    """In their order, discounted as the score is: the surest match is the score."""
    rows = [embedder_row("a")]
    enrolled = EnrolledTattoos(rows)
    enrolled.add([row(1, "p", LEFT), row(2, "p", UP), row(3, "q", RIGHT)])
    calibration = linear_map(0.5, 6.0)
    templates = (
        Template({("a", "1"): UP}, 0.4),
        Template({("other", "1"): UP}, 0.8),
        Template({("a", "1"): LEFT}, 0.8),
    )
    query = TattooQuery("k", templates, ("p", "q"))
    async with WorkPool(1, 8) as pool:
        score = ScoreTattoos(enrolled, pool, rows, unverified(pool), calibration)
        ((p, q),) = await score([query])
        ((plain, _),) = await ScoreTattoos(enrolled, pool, rows, unverified(pool))([query])
    assert [one.tattoo_id for one in p.matches] == ["id-2", "", "id-1"]
    a = POINT.impostor_p99
    assert [one.similarity for one in p.matches] == pytest.approx([a + (1 - a) / 2, 0.0, 1.0])
    assert p.matches[2].llr == p.llr
    assert p.matches[1].llr is None
    assert [one.tattoo_id for one in q.matches] == ["id-3", "", "id-3"]
    assert max(one.similarity for one in q.matches if one.tattoo_id) == q.similarity
    assert [one.llr for one in plain.matches] == [None, None, None]


async def test_the_tattoo_that_key_points_agree_with_is_the_one() -> None:
    """Though another one of the performer's has a more similar vector."""
    rows, points = [embedder_row("a")], find_key_points(turned(drawing(1)))
    near: Vector = np.array([0.9, 0.436, 0, 0], np.float32)
    enrolled = EnrolledTattoos(rows)
    enrolled.add([row(1, "p", LEFT), row(2, "p", near / np.linalg.norm(near))])

    class OnlySecond(Painted):
        async def of_rows(self, seqs: Collection[int]) -> Mapping[int, KeyPoints]:
            return {2: PAINTED}

    query = TattooQuery("k", (Template({("a", "1"): LEFT}, 0.5, points),), ("p",))
    async with WorkPool(1, 8) as pool:
        verify = VerifyCandidates(OnlySecond(), pool, candidates=2)
        ((score,),) = await ScoreTattoos(enrolled, pool, rows, verify)([query])
    assert score.agreeing > 0
    assert [one.tattoo_id for one in score.matches] == ["id-2"]


async def test_each_template_of_a_person_is_verified_for_itself() -> None:
    """What agrees is told with the performer whose view it is, of any of the templates, and of any person."""
    rows, points = [embedder_row("a")], find_key_points(turned(drawing(1)))
    enrolled = EnrolledTattoos(rows)
    enrolled.add([row(1, "p", LEFT), row(2, "q", UP)])
    plain, painted = Template({("a", "1"): LEFT}, 0.5), Template({("a", "1"): LEFT}, 0.5, points)
    queries = [
        TattooQuery("one", (plain, painted), ("q", "p")),
        TattooQuery("two", (plain,), ("q", "p")),
        TattooQuery("three", (painted, plain), ("p",)),
    ]
    async with WorkPool(1, 8) as pool:
        verify = VerifyCandidates(Painted(), pool, candidates=1)
        scores = await ScoreTattoos(enrolled, pool, rows, verify)(queries)
    assert [[one.performer_id for one in of_query] for of_query in scores] == [["q", "p"], ["q", "p"], ["p"]]
    assert [[one.agreeing > 0 for one in of_query] for of_query in scores] == [
        [False, True],
        [False, False],
        [True],
    ]


async def test_templates_of_other_models_score_nobody() -> None:
    """Vectors of another model or version are never compared."""
    rows = [embedder_row("a")]
    enrolled = EnrolledTattoos(rows)
    enrolled.add([row(1, "p", LEFT)])
    async with WorkPool(1, 8) as pool:
        query = TattooQuery("k", (Template({("a", "2"): LEFT}, 0.5),), ("p",))
        assert await ScoreTattoos(enrolled, pool, rows, unverified(pool))([query]) == [[]]


async def test_compare_gives_a_symmetric_matrix_with_gaps_where_no_model_is_shared() -> None:
    """Cosines of all pairs, 1 with itself, NaN without a shared model."""
    templates = [
        Template({("a", "1"): LEFT}, 1.0),
        Template({("a", "1"): RIGHT}, 1.0),
        Template({("other", "1"): LEFT}, 1.0),
    ]
    rows = [embedder_row("a")]
    async with WorkPool(1, 8) as pool:
        matrix = await ScoreTattoos(EnrolledTattoos(rows), pool, rows, unverified(pool)).compare(templates)
    assert matrix[:2, :2] == pytest.approx(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    assert np.isnan(matrix[2]).all()
    assert np.isnan(matrix[:, 2]).all()
