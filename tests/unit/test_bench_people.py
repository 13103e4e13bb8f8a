"""How bench.people judges a grouping: people found, split, merged; faces; whose tattoos are given to whom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.people.__main__ import tables_of
from bench.people.figures import Looked, of_clearness, of_tattoos
from bench.people.judging import Fate, judge, owner_of_body, owner_of_face, owner_of_skin
from bench.people.truth import NOBODY, TrueGroup, TruePerson, TrueTattoo, is_tattoo_shown
from chassis.geometry import Box, Point
from gateway.association import Association, PersonInstance
from gateway.observations import BodySeen, FaceSeen, KeyPoint, TattooSeen
from marquee.common.v1 import common_pb2
from trainer.studio.truth import Box as StudioBox
from trainer.studio.truth import TattooTruth

_SEED = 1
_TEMPLATE = common_pb2.Template()
_HEAD = (0, 2, 5, 9, 10)
_TATTOO = Box(90, 130, 20, 20)


def _person(x: float, *, has_face: bool = True, tattoos: Sequence[Box] = ()) -> TruePerson:
    """100 wide and 300 high around x, a face of some 20 pixels at the top."""
    points = np.stack([x + np.linspace(-40, 40, 33), np.linspace(20, 300, 33)], axis=1)
    points[list(_HEAD)] = [(x, 40), (x + 6, 34), (x - 6, 34), (x + 4, 46), (x - 4, 46)]
    return TruePerson(
        box=Box(x - 50, 10, 100, 290),
        key_points=points,
        is_visible=np.ones(33, bool),
        face=points[list(_HEAD)] if has_face else None,
        tattoos=tuple(TrueTattoo(box, ()) for box in tattoos),
    )


def _group(*people: TruePerson) -> TrueGroup:
    owners = np.full((320, 400), NOBODY, np.uint8)
    for number, person in enumerate(people):
        assert person.box is not None
        box = person.box
        owners[int(box.y) : int(box.bottom), int(box.x) : int(box.right)] = number
    return TrueGroup(Path("000001.jpg"), "side by side", people, owners)


_TWO = _group(_person(100, tattoos=[_TATTOO]), _person(300))


def _face(x: float, y: float = 40) -> FaceSeen:
    return FaceSeen(Box(x - 12, y - 15, 24, 30), 0.9, 0.9, (), _TEMPLATE, ())


def _body(person: TruePerson, *, off: float = 0.0) -> BodySeen:
    points = tuple(KeyPoint(float(x) + off, float(y), 0.9) for x, y in person.key_points)
    return BodySeen(person.box or Box(0, 0, 1, 1), 0.9, 0.9, points, (), None, ())


def _tattoo(box: Box) -> TattooSeen:
    return TattooSeen(box, 0.9, 0.9, (), _TEMPLATE, ())


def _instance(
    face: FaceSeen | None, body: BodySeen | None, *tattoos: TattooSeen, clearness: float = 0.6
) -> PersonInstance:
    return PersonInstance(face, body, tattoos, clearness)


def test_parts_are_known_by_where_they_truly_are() -> None:
    """A face by the head, a body by its skeleton, a tattoo by the skin; else they are nobody's."""
    first, second = _TWO.people
    assert [owner_of_face(_TWO, _face(x)) for x in (102, 298, 200)] == [0, 1, NOBODY]
    assert owner_of_face(_TWO, _face(100, 200)) == NOBODY
    assert [owner_of_body(_TWO, _body(one)) for one in (first, second)] == [0, 1]
    assert owner_of_body(_TWO, _body(first, off=90)) == NOBODY
    assert owner_of_skin(_TWO, _tattoo(_TATTOO)) == 0
    assert owner_of_skin(_TWO, _tattoo(Box(140, 100, 20, 20))) == NOBODY


def test_a_right_grouping_has_everybody_once_with_their_own() -> None:
    """Found, nobody twice, nobody mixed."""
    first, second = _TWO.people
    association = Association(
        (_instance(_face(100), _body(first), _tattoo(_TATTOO)), _instance(_face(300), _body(second))), ()
    )
    judged, grouped, boxes = judge(_TWO, association)
    assert [(one.instances, one.is_merged, one.face) for one in judged] == [(1, False, Fate.OWN)] * 2
    assert judged[0].tattoos == (Fate.OWN,)
    assert all(one.is_pure and one.is_there for one in grouped)
    assert boxes == [Fate.OWN]


def test_a_face_apart_from_its_body_is_one_person_as_two() -> None:
    """And of a face on somebody else's body both are merged."""
    first, second = _TWO.people
    apart = Association((_instance(_face(100), None), _instance(None, _body(first))), ())
    judged, _, _ = judge(_TWO, apart)
    assert (judged[0].instances, judged[0].face, judged[0].tattoos) == (2, Fate.NOBODY, (Fate.MISSED,))
    assert judged[1].instances == 0
    mixed = Association((_instance(_face(100), _body(second)), _instance(None, _body(first))), ())
    judged, grouped, _ = judge(_TWO, mixed)
    assert [one.is_merged for one in judged] == [True, True]
    assert judged[0].face is Fate.OTHER
    assert [one.is_pure for one in grouped] == [False, True]


@pytest.mark.parametrize(
    ("holder", "fate"),
    [(0, Fate.OWN), (1, Fate.OTHER), (2, Fate.NOT_THERE), (None, Fate.NOBODY)],
)
def test_a_tattoo_is_lent_to_whoever_else_has_it(holder: int | None, fate: Fate) -> None:
    """Its person, the other one, a face that is nobody's, or unassigned."""
    faces = (_face(100), _face(300), _face(200))
    tattoo = _tattoo(_TATTOO)
    people = tuple(
        _instance(face, None, *([tattoo] if number == holder else [])) for number, face in enumerate(faces)
    )
    association = Association(people, () if holder is not None else (tattoo,))
    judged, grouped, boxes = judge(_TWO, association)
    assert judged[0].tattoos == (fate,)
    assert boxes == [fate]
    assert [one.is_there for one in grouped] == [True, True, False]


def test_tattoos_alone_are_their_wearers_unless_they_are_of_two() -> None:
    """Where nobody is found, all tattoos are one person."""
    alone = Association((_instance(None, None, _tattoo(_TATTOO)),), ())
    both = Association((_instance(None, None, _tattoo(_TATTOO), _tattoo(Box(290, 130, 20, 20))),), ())
    assert judge(_TWO, alone)[0][0].tattoos == (Fate.OWN,)
    assert judge(_TWO, both)[0][0].tattoos == (Fate.OTHER,)
    assert not judge(_TWO, both)[1][0].is_pure


def _true_tattoo(**changes: object) -> TattooTruth:
    facts: dict[str, object] = {
        "tattoo_id": "t", "design_id": "d", "region": "CHEST", "region_shares": {"CHEST": 1.0}, "size": 0.1,
        "box": StudioBox(x=0, y=0, w=20, h=20), "pixels": 200, "polygon": [], "visible_fraction": 0.8,
        "facing_fraction": 0.9, "inside_fraction": 1.0, "occlusion": 0.0, "area_share": 0.1,
        "view_angle": 10.0, "contrast": 0.5,
    }  # fmt: skip
    return TattooTruth.model_validate(facts | changes)


def test_tattoos_that_are_mostly_hidden_are_not_asked_about() -> None:
    """Half of what faces the camera must be seen, and enough of it that somebody can."""
    assert is_tattoo_shown(_true_tattoo())
    assert not is_tattoo_shown(_true_tattoo(visible_fraction=0.4))
    assert is_tattoo_shown(_true_tattoo(visible_fraction=0.4, facing_fraction=0.5))
    assert not is_tattoo_shown(_true_tattoo(pixels=20))
    assert not is_tattoo_shown(_true_tattoo(contrast=0.05))


def test_tables_have_a_row_for_each_kind_and_for_all() -> None:
    """The quick mode: two pictures whose grouping is known."""
    first, second = _TWO.people
    leak = Association(
        (_instance(_face(100), _body(first)), _instance(None, _body(second), _tattoo(_TATTOO))), ()
    )
    right = Association((_instance(_face(100), _body(first), _tattoo(_TATTOO), clearness=0.9),), ())
    looked = [
        Looked(name, kind, tuple(people), tuple(grouped), tuple(boxes))
        for name, kind, association in (("1", "overlapping", leak), ("2", "side by side", right))
        for people, grouped, boxes in [judge(_TWO, association)]
    ]
    tables = tables_of(looked, looked)
    assert list(tables["people"]) == ["overlapping", "side by side", "all"]
    assert tables["people"]["all"]["found"].value == pytest.approx(3 / 4)
    assert of_tattoos(looked, seed=_SEED)["another person"].value == pytest.approx(1 / 2)
    assert of_tattoos(looked, seed=_SEED)["boxes leaked"].of == 2
    clear = of_clearness(looked, seed=_SEED)
    assert (clear["0.5 to 0.75"].value, clear["0.75 to 1"].value) == (0.5, 1.0)


def test_skin_is_where_the_outline_is() -> None:
    """Not the box, which may hold somebody else."""
    outline = (Point(140, 100), Point(149, 100), Point(149, 140), Point(140, 140))
    tattoo = TattooSeen(Box(140, 100, 60, 40), 0.9, 0.9, outline, _TEMPLATE, ())
    assert owner_of_skin(_TWO, tattoo) == 0
