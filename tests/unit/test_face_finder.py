"""Which of the looks' candidates are the faces of a picture."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chassis.geometry import Box, Point
from services.face.detector import Detection
from services.face.finder import Candidate, choose
from tests.fakes.face_meshes import frontal_mesh

_PLACES = st.floats(0, 1000)
_SHARES = st.floats(0, 1)


def _candidate(
    confidence: float,
    *,
    x: float = 100,
    y: float = 100,
    side: float = 50,
    presence: float = 1.0,
    is_turned: bool = False,
) -> Candidate:
    box = Box(x - side / 2, y - side / 2, side, side)
    detection = Detection(confidence, box, Point(x - side / 4, y), Point(x + side / 4, y))
    return Candidate(detection, frontal_mesh(x=x, y=y, side=side, presence=presence), is_turned)


def _chosen(*candidates: Candidate) -> list[Candidate]:
    return choose(candidates, width=1000, height=800)


def test_a_face_seen_by_several_looks_counts_once() -> None:
    """As the look shows it in which detector and mesh agree best, not the surest detector alone."""
    surest, agreed = _candidate(0.9, presence=0.5), _candidate(0.7, x=104)
    assert _chosen(surest, agreed) == [agreed]


def test_what_the_mesh_does_not_confirm_is_no_face() -> None:
    """A sure detector is not enough."""
    assert _chosen(_candidate(0.9, presence=0.1)) == []


def test_largest_first_by_what_is_seen() -> None:
    """A face that is cut by the picture's edge counts as large as the part that is seen."""
    cut, whole = _candidate(0.9, x=5, y=400, side=200), _candidate(0.9, x=500, y=400, side=150)
    assert _chosen(cut, whole) == [whole, cut]


def test_a_doubtful_face_is_never_the_largest_beside_a_certain_one() -> None:
    """Beside a certain face only a smaller doubtful one counts; alone it counts."""
    certain = _candidate(0.8, x=100, side=80)
    small, large = _candidate(0.5, x=300, side=40), _candidate(0.5, x=600, side=120)
    assert _chosen(large, small, certain) == [certain, small]
    assert _chosen(large, small) == [large, small]


def test_a_turned_look_must_convince_more() -> None:
    """With little difference the upright look is believed, with much the turned one."""
    upright = _candidate(0.75)
    assert _chosen(_candidate(0.8, is_turned=True), upright) == [upright]
    turned = _candidate(0.95, is_turned=True)
    assert _chosen(turned, upright) == [turned]


def test_a_face_beyond_the_edge_is_not_in_the_picture() -> None:
    """A look with a border may see what is not there."""
    assert _chosen(_candidate(0.9, x=-60, side=50)) == []


@given(
    faces=st.lists(
        st.tuples(_SHARES, _PLACES, _PLACES, st.floats(5, 300), _SHARES, st.booleans()), max_size=12
    )
)
def test_choosing_is_a_selection(faces: list[tuple[float, float, float, float, float, bool]]) -> None:
    """Never anything new or twice, never two that overlap much, always sorted by what is seen."""
    candidates = [
        _candidate(confidence, x=x, y=y, side=side, presence=presence, is_turned=is_turned)
        for confidence, x, y, side, presence, is_turned in faces
    ]
    chosen = _chosen(*candidates)
    assert all(any(one is other for other in candidates) for one in chosen)
    picture = Box(0, 0, 1000, 800)
    areas = [one.detection.box.intersection(picture).area for one in chosen]
    assert areas == sorted(areas, reverse=True)
    for index, one in enumerate(chosen):
        assert all(one.detection.box.iou(other.detection.box) <= 0.4 for other in chosen[index + 1 :])
    assert _chosen(*chosen) == chosen
