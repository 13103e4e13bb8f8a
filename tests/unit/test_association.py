"""Faces, bodies and tattoos become people by geometry, and evidence never moves to somebody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.geometry import Box, Point
from gateway.association import PersonInstance, associate
from gateway.observations import BodySeen, FaceSeen, TattooSeen
from gateway.polygons import inside, is_inside
from tests.fakes.scenes import body_at, face_at, rectangle, tattoo_at


def _names(person: PersonInstance) -> tuple[str, str, list[str]]:
    face = person.face.template.embeddings[0].vector.decode() if person.face else ""
    body = person.body.template.embeddings[0].vector.decode() if person.body and person.body.template else ""
    return face, body, [tattoo.template.embeddings[0].vector.decode() for tattoo in person.tattoos]


def _people(
    faces: Sequence[FaceSeen] = (), bodies: Sequence[BodySeen] = (), tattoos: Sequence[TattooSeen] = ()
) -> list[tuple[str, str, list[str]]]:
    return [_names(person) for person in associate(faces, bodies, tattoos).people]


def test_nothing_seen_is_nobody() -> None:
    """An empty picture has no people and nothing left over."""
    association = associate([], [], [])
    assert (association.people, association.unassigned) == ((), ())


def test_a_face_goes_to_the_body_whose_head_it_is() -> None:
    """Two people side by side whose boxes overlap: each gets the own body, whatever the order."""
    faces = [face_at(300, 100, name="f1"), face_at(450, 110, name="f2")]
    bodies = [body_at(450, 110, name="b2"), body_at(300, 100, name="b1")]
    assert sorted(_people(faces, bodies)) == [("f1", "b1", []), ("f2", "b2", [])]


def test_a_face_without_a_body_and_a_body_without_a_face_are_people() -> None:
    """A face far from a body's head is somebody else."""
    people = _people([face_at(1000, 100, name="f")], [body_at(200, 100, name="b")])
    assert people == [("f", "", []), ("", "b", [])]


def test_a_large_face_in_front_is_not_the_head_of_somebody_behind() -> None:
    """The head of a small body lies inside a large face's box, and the sizes tell them apart."""
    front, behind = face_at(500, 500, 600, name="f"), body_at(520, 520, 60, name="b")
    assert _people([front], [behind]) == [("f", "", []), ("", "b", [])]


def test_a_face_without_landmarks_is_matched_by_its_box() -> None:
    """A detector that gives boxes only still finds its body."""
    face = face_at(300, 100, name="f")
    bare = FaceSeen(face.box, face.quality, face.detection_confidence, (), face.template, ())
    assert _people([bare], [body_at(300, 100, name="b")]) == [("f", "b", [])]


def test_a_body_whose_head_is_hidden_takes_a_face_only_without_any_other_choice() -> None:
    """One face above one headless body belong together; with two faces there, nobody can tell."""
    body = body_at(300, 100, head_visibility=0.1, name="b")
    assert _people([face_at(300, 100, name="f")], [body]) == [("f", "b", [])]
    two = _people([face_at(260, 100, 60, name="f1"), face_at(340, 100, 60, name="f2")], [body])
    assert sorted(two) == [("", "b", []), ("f1", "", []), ("f2", "", [])]


def test_a_visible_head_elsewhere_is_not_overruled_by_the_box() -> None:
    """A face inside a body's box is another person's when the body's own head is seen elsewhere."""
    people = _people([face_at(420, 250, 80, name="f")], [body_at(300, 100, name="b")])
    assert sorted(people) == [("", "b", []), ("f", "", [])]


@pytest.mark.parametrize(
    ("x", "y", "owner"),
    [
        (300, 250, "b1"),  # chest of the first
        (425, 300, "b1"),  # left forearm of the first, right beside the second's box
        (700, 250, "b2"),  # chest of the second
        (300, 100, "b1"),  # in the first face
        (300, 670, "b1"),  # in the box with its margin, below every region in view
    ],
)
def test_a_tattoo_goes_to_the_body_it_is_on(x: float, y: float, owner: str) -> None:
    """The face first, then the regions in view, then the box of the body."""
    faces = [face_at(300, 100), face_at(700, 100)]
    bodies = [body_at(300, 100, name="b1"), body_at(700, 100, name="b2")]
    owners = [body for _, body, tattoos in _people(faces, bodies, [tattoo_at(x, y)]) if tattoos]
    assert owners == [owner]


def test_a_tattoo_that_could_be_either_persons_counts_for_nobody() -> None:
    """In an embrace, a tattoo inside regions of both is unassigned."""
    bodies = [body_at(300, 100), body_at(340, 110)]
    association = associate([], bodies, [tattoo_at(320, 250, name="t")])
    assert len(association.people) == 2
    assert all(not person.tattoos for person in association.people)
    assert len(association.unassigned) == 1


def test_a_tattoo_that_touches_a_neighbour_stays_with_its_owner() -> None:
    """Most of the ink is inside one body's regions and little inside the other's."""
    bodies = [body_at(300, 100, name="b1"), body_at(580, 100, name="b2")]
    # The regions meet at x = 430 to 450: the second's right arm begins inside the first's left arm.
    people = _people([], bodies, [tattoo_at(420, 220, 40)])
    assert [body for _, body, tattoos in people if tattoos] == ["b1"]


def test_a_tattoo_beside_a_body_is_its_own_unless_somebody_else_is_as_near() -> None:
    """In a body's box but on none of its regions: a neighbour's box need not hold it to make a doubt."""
    beside = tattoo_at(440, 600)
    one, neighbour = body_at(300, 100, name="b1"), body_at(608, 100, name="b2")
    assert not neighbour.box.scaled(1.1).contains(beside.box.center)
    [alone] = associate([], [one], [beside]).people
    assert len(alone.tattoos) == 1
    assert 0 < alone.clearness < 1
    assert len(associate([], [one, neighbour], [beside]).unassigned) == 1


def test_a_tattoo_beside_a_body_may_be_of_a_face_whose_body_is_not_found() -> None:
    """Within that face's reach it is nobody's; on the body's own regions it is the body's."""
    faces, bodies = [face_at(520, 100, name="f")], [body_at(300, 100, name="b")]
    assert len(associate(faces, bodies, [tattoo_at(440, 600)]).unassigned) == 1
    assert [body for _, body, tattoos in _people(faces, bodies, [tattoo_at(300, 250)]) if tattoos] == ["b"]


def test_a_tattoo_far_from_everybody_is_reported_apart() -> None:
    """A poster on the wall is nobody's skin."""
    association = associate([face_at(300, 100)], [body_at(300, 100)], [tattoo_at(1500, 100)])
    assert not association.people[0].tattoos
    assert len(association.unassigned) == 1


def test_a_face_without_a_body_has_a_reach() -> None:
    """When only a face was found, a tattoo below it is its own, one far away is not."""
    association = associate(
        [face_at(500, 100)], [], [tattoo_at(600, 350, name="near"), tattoo_at(1500, 350, name="far")]
    )
    assert _names(association.people[0])[2] == ["near"]
    assert [one.template.embeddings[0].vector for one in association.unassigned] == [b"far"]


def guessed(x: float, y: float) -> BodySeen:
    """A body of which head, shoulders and arms are in view, and a box that ends with them."""
    body = body_at(x, y)
    upper = tuple(view for view in body.regions if view.outline[0].y < y + 2.5 * 100)
    box = Box(body.box.x, body.box.y, body.box.width, 2.5 * 100)
    return dataclasses.replace(body, box=box, regions=upper)


def test_a_body_guessed_from_head_and_shoulders_leaves_the_face_its_reach() -> None:
    """What lies below such a body's box may be skin all the same; beyond a whole body it is not."""
    below = tattoo_at(300, 480)
    assert [
        len(one.tattoos) for one in associate([face_at(300, 100)], [guessed(300, 100)], [below]).people
    ] == [1]
    beside = tattoo_at(520, 300)
    assert len(associate([face_at(300, 100)], [body_at(300, 100)], [beside]).unassigned) == 1


def test_a_neighbour_without_a_body_does_not_take_what_is_below_a_guessed_one() -> None:
    """The nearer face has it, or nobody."""
    faces = [face_at(300, 100, name="f1"), face_at(560, 100, name="f2")]
    [owner] = [
        name for name, _, tattoos in _people(faces, [guessed(300, 100)], [tattoo_at(300, 260)]) if tattoos
    ]
    assert owner == "f1"
    people = associate(faces, [guessed(300, 100)], [tattoo_at(420, 480)])
    assert len(people.unassigned) == 1


def test_between_two_faces_without_bodies_the_clearly_nearer_one_wins() -> None:
    """A tattoo beneath one face is that person's; halfway it is nobody's."""
    faces = [face_at(300, 100, name="f1"), face_at(600, 100, name="f2")]
    assert [face for face, _, tattoos in _people(faces, [], [tattoo_at(300, 210)]) if tattoos] == ["f1"]
    assert len(associate(faces, [], [tattoo_at(450, 300)]).unassigned) == 1


def _owner(faces: Sequence[FaceSeen], bodies: Sequence[BodySeen], tattoo: TattooSeen) -> str | None:
    return next((name for name, _, tattoos in _people(faces, bodies, [tattoo]) if tattoos), None)


def test_below_one_face_and_beside_the_trunk_of_another_a_tattoo_is_the_first_ones() -> None:
    """Far below two heads the distances are nearly alike; how far aside it is tells whose trunk it is on."""
    faces = [face_at(300, 100, name="f1"), face_at(500, 100, name="f2")]
    assert [_owner(faces, [], tattoo_at(x, 450)) for x in (300, 350, 500)] == ["f1", "f1", "f2"]
    assert _owner(faces, [], tattoo_at(400, 450)) is None
    # Heads one behind the other: it is on both trunks.
    assert _owner([faces[0], face_at(400, 100, name="f2")], [], tattoo_at(300, 450)) is None


def _turned(face: FaceSeen, degrees: float) -> FaceSeen:
    """About the middle of its box."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    x, y = face.box.center.x, face.box.center.y
    landmarks = tuple(
        Point(x + c * (p.x - x) - s * (p.y - y), y + s * (p.x - x) + c * (p.y - y)) for p in face.landmarks
    )
    return dataclasses.replace(face, landmarks=landmarks)


def test_where_a_head_lies_on_its_side_below_it_is_not_below_in_the_picture() -> None:
    """What is below the picture's face may be beside that of somebody who lies: nobody's."""
    faces = [face_at(300, 100, name="f1"), face_at(500, 100, name="f2")]
    for lying in ([_turned(faces[0], 90), faces[1]], [faces[0], _turned(faces[1], -60)]):
        assert _owner(lying, [], tattoo_at(300, 450)) is None


def test_what_is_nearest_to_a_whole_body_is_not_left_to_a_neighbour() -> None:
    """Its regions do not hold it, and a neighbour of whom only the face is seen does not get it for that."""
    faces = [face_at(300, 100, name="f1"), face_at(560, 100, name="f2")]
    assert _owner(faces, [body_at(300, 100)], tattoo_at(520, 200)) == "f2"
    assert _owner([faces[0], face_at(760, 100, name="f2")], [body_at(300, 100)], tattoo_at(520, 300)) is None


def test_how_clearly_parts_are_one_person_is_told() -> None:
    """1 where nothing was joined or nobody else is near; less with a neighbour, or a head that lies badly."""
    [alone] = associate([face_at(300, 100)], [], []).people
    [near] = associate([face_at(300, 100)], [], [tattoo_at(300, 300)]).people
    assert (alone.clearness, near.clearness) == (1.0, 1.0)
    faces = [face_at(300, 100, name="f1"), face_at(560, 100, name="f2")]
    owner = next(one for one in associate(faces, [], [tattoo_at(330, 210)]).people if one.tattoos)
    assert 0.5 <= owner.clearness < 1
    [well] = associate([face_at(300, 100)], [body_at(300, 100)], []).people
    [badly] = associate([face_at(312, 108)], [body_at(300, 100)], []).people
    assert badly.body is not None
    assert 0 < badly.clearness < well.clearness <= 1
    [guess] = associate([face_at(300, 100)], [body_at(300, 100, head_visibility=0.1)], []).people
    assert guess.body is not None
    assert guess.clearness == 0


def test_tattoos_alone_are_one_person() -> None:
    """A close-up without face and body: all the tattoos are of one person, which nothing makes clear."""
    association = associate([], [], [tattoo_at(100, 100, name="a"), tattoo_at(900, 900, name="b")])
    assert [_names(person) for person in association.people] == [("", "", ["a", "b"])]
    assert association.unassigned == ()
    assert association.people[0].clearness == 0
    assert associate([], [], [tattoo_at(100, 100)]).people[0].clearness == 1


def test_duplicates_count_once() -> None:
    """Second detections of a face, a body or a tattoo make no second person; the surer one stays."""
    faces = [face_at(300, 100, confidence=0.6, name="weak"), face_at(304, 102, confidence=0.9, name="sure")]
    bodies = [body_at(300, 100, name="b", confidence=0.9), body_at(303, 101, confidence=0.5)]
    tattoos = [tattoo_at(300, 250, name="t"), tattoo_at(301, 250, confidence=0.3)]
    assert _people(faces, bodies, tattoos) == [("sure", "b", ["t"])]


def test_bodies_in_an_embrace_are_two_people() -> None:
    """Boxes may overlap almost wholly; the key points tell two bodies apart."""
    first, second = body_at(300, 100), body_at(340, 100)
    assert first.box.iou(second.box) > 0.7
    assert len(associate([], [first, second], []).people) == 2


def test_largest_face_first_then_the_others_by_size() -> None:
    """The order of people is the contract's, not the signals'."""
    faces = [face_at(100, 100, 40, name="small"), face_at(700, 200, 200, name="large")]
    bodies = [body_at(1500, 100, 20, name="tiny"), body_at(2000, 300, 90, name="big")]
    assert [face or body for face, body, _ in _people(faces, bodies)] == ["large", "small", "big", "tiny"]


def test_a_persons_box_holds_everything_seen() -> None:
    """The person's box is the union of face, body and tattoos."""
    person = associate([face_at(500, 100)], [], [tattoo_at(600, 350)]).people[0]
    assert person.box == Box.from_corners(450, 50, 610, 360)


def test_a_crowd_of_fifty_keeps_everybody_apart() -> None:
    """Fifty people in rows: each face gets its own body and each chest its own tattoo."""
    spots = [(200 + 260 * column, 150 + 700 * row) for row in range(5) for column in range(10)]
    faces = [face_at(x, y, 80, name=f"{index}") for index, (x, y) in enumerate(spots)]
    bodies = [body_at(x, y, 80, name=f"{index}") for index, (x, y) in enumerate(spots)]
    tattoos = [tattoo_at(x, y + 120, name=f"{index}") for index, (x, y) in enumerate(spots)]
    people = _people(faces[::-1], bodies, tattoos[::3] + tattoos[1::3] + tattoos[2::3])
    assert sorted(people) == sorted((str(index), str(index), [str(index)]) for index in range(50))


_spots = st.lists(
    st.tuples(st.floats(0, 2000), st.floats(0, 2000), st.floats(20, 300)), min_size=0, max_size=6
)


@settings(max_examples=60, deadline=None)
@given(_spots, _spots, _spots)
def test_everything_seen_is_somewhere_exactly_once(
    faces: list[tuple[float, float, float]],
    bodies: list[tuple[float, float, float]],
    tattoos: list[tuple[float, float, float]],
) -> None:
    """No evidence is shared by two people, none is invented, and only duplicates vanish."""
    association = associate(
        [face_at(*spot) for spot in faces],
        [body_at(*spot) for spot in bodies],
        [tattoo_at(*spot) for spot in tattoos],
    )
    seen_faces = [person.face.box for person in association.people if person.face]
    seen_bodies = [person.body.box for person in association.people if person.body]
    seen_tattoos = [tattoo.box for person in association.people for tattoo in person.tattoos]
    seen_tattoos += [tattoo.box for tattoo in association.unassigned]
    for seen, given_ in ((seen_faces, faces), (seen_bodies, bodies), (seen_tattoos, tattoos)):
        assert len(set(seen)) == len(seen) <= len(given_)
        assert bool(seen) == bool(given_)


def test_the_mask_decides_where_a_tattoo_is() -> None:
    """A long box across two people holds ink in one corner only: the ink counts."""
    bodies = [body_at(300, 100, name="b1"), body_at(700, 100, name="b2")]
    tattoo = TattooSeen(
        Box(380, 200, 250, 100), 0.8, 0.9, rectangle(395, 210, 40, 80), tattoo_at(0, 0).template, ()
    )
    assert [body for _, body, tattoos in _people([], bodies, [tattoo]) if tattoos] == ["b1"]
    assert tattoo.mask[0] == Point(395, 210)


_corners = st.lists(
    st.builds(Point, st.floats(-100, 100), st.floats(-100, 100)), min_size=0, max_size=8, unique=True
)


@given(_corners, st.builds(Point, st.floats(-100, 100), st.floats(-100, 100)))
def test_one_point_and_many_points_are_judged_alike(outline: list[Point], point: Point) -> None:
    """The two ways to ask whether a polygon holds a point agree."""
    assert is_inside(point, outline) == bool(inside(np.array([[point.x, point.y]]), outline)[0])
