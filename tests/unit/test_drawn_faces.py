"""A face drawn in a tattoo is nobody, and a real face is never taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.geometry import Box
from chassis.protos import from_proto_box
from gateway.association import Association, associate
from gateway.identify import Identification
from gateway.observations import BodySeen, FaceSeen, TattooSeen
from gateway.people import read_scene
from gateway.translation import to_identify_response
from marquee.common.v1.common_pb2 import SIGNAL_FACE, SIGNAL_TATTOO
from marquee.gateway.v1.identification_pb2 import FUSION_POLICY_WEIGHTED
from tests.fakes.scenes import body_at, face_at, tattoo_at, template_of

_WEARER, _BODY = face_at(300, 100, name="wearer"), body_at(300, 100)
# On the chest, in view of the body.
_TATTOO = tattoo_at(300, 260, 120)
_DRAWN = face_at(300, 255, 50, name="drawn")


def _faces(association: Association) -> list[str]:
    return [
        one.face.template.embeddings[0].vector.decode() for one in association.people if one.face is not None
    ]


def test_a_face_in_a_tattoo_on_somebodys_skin_is_nobody() -> None:
    """It is reported apart, and the tattoo is the wearer's."""
    found = associate([_WEARER, _DRAWN], [_BODY], [_TATTOO])
    assert _faces(found) == ["wearer"]
    assert [len(one.tattoos) for one in found.people] == [1]
    assert found.drawn == (_DRAWN,)
    assert found.unassigned == ()


def test_the_answer_tells_of_it_beside_the_people() -> None:
    """As of a tattoo that is nobody's."""
    scene = read_scene([_WEARER, _DRAWN], [_BODY], [_TATTOO], width=600, height=800)
    answer = to_identify_response(
        Identification(
            width=600,
            height=800,
            people=(),
            unassigned=scene.unassigned,
            drawn=scene.drawn,
            performers={},
            reports=(),
            policy=FUSION_POLICY_WEIGHTED,
            milliseconds=1.0,
        )
    )
    [told] = answer.unassigned
    assert (told.signal, from_proto_box(told.box)) == (SIGNAL_FACE, _DRAWN.box)


def test_somebody_smaller_beside_a_face_keeps_the_tattoo() -> None:
    """Of whom no body is found, though the tattoo's box holds the head: else the other one would have it."""
    beside = face_at(420, 100, 58, name="beside")
    tattoos = [tattoo_at(420, 140, 150), tattoo_at(420, 230, 20)]
    for bodies in ([], [body_at(200, 100)]):
        found = associate([face_at(200, 100, 100, name="wearer"), beside], bodies, tattoos)
        assert sorted(_faces(found)) == ["beside", "wearer"]
        [other] = [one for one in found.people if one.face is not None and one.face is not beside]
        assert not other.tattoos


@pytest.mark.parametrize(
    ("faces", "bodies", "tattoo", "why"),
    [
        ([_DRAWN], [], _TATTOO, "nobody else is seen"),
        ([_WEARER, _DRAWN], [_BODY, body_at(300, 255, 50)], _TATTOO, "it is at a body's head"),
        ([_WEARER, face_at(300, 260, 90, name="drawn")], [_BODY], _TATTOO, "it is most of the tattoo"),
        ([_WEARER, face_at(350, 255, 50, name="drawn")], [_BODY], _TATTOO, "it is not in the tattoo"),
        ([_WEARER, _DRAWN], [], _TATTOO, "no body is seen"),
        ([_WEARER, face_at(300, 260, 65, name="drawn")], [_BODY], tattoo_at(300, 260, 200), "it is large"),
        ([_WEARER, face_at(900, 100, 50, name="drawn")], [_BODY], tattoo_at(900, 100, 120), "far away"),
        (
            [_WEARER, face_at(560, 100, 100, name="drawn")],
            [_BODY],
            TattooSeen(Box(500, 40, 400, 600), 0.8, 0.9, (), template_of(SIGNAL_TATTOO, "t"), ()),
            "a tattoo's box wrongly holds somebody beside",
        ),
    ],
)
def test_a_face_that_may_be_real_stays(
    faces: list[FaceSeen], bodies: list[BodySeen], tattoo: TattooSeen, why: str
) -> None:
    """Losing a person is worse than one too many."""
    assert "drawn" in _faces(associate(faces, bodies, [tattoo])), why


def test_a_face_with_tattoos_on_it_stays() -> None:
    """Small ones on it, and a large one of which the box is around the whole head."""
    for tattoo in (tattoo_at(320, 90, 20), tattoo_at(300, 100, 110), tattoo_at(300, 150, 250)):
        assert _faces(associate([_WEARER], [_BODY], [tattoo])) == ["wearer"]


_SPOTS = st.lists(st.tuples(st.floats(0, 800), st.floats(0, 800), st.floats(20, 300)), min_size=1, max_size=5)


@given(_SPOTS, _SPOTS, st.booleans())
def test_heads_of_bodies_and_the_largest_face_always_stay(
    spots: list[tuple[float, float, float]], tattoos: list[tuple[float, float, float]], has_bodies: bool
) -> None:
    """Whatever is tattooed where, all faces are somewhere once, and somebody with a face is left."""
    faces = [face_at(*spot, name=str(number)) for number, spot in enumerate(spots)]
    bodies = [body_at(*spot) for spot in spots] if has_bodies else []
    found = associate(faces, bodies, [tattoo_at(*spot) for spot in tattoos])
    people = [one.face for one in found.people if one.face is not None]
    assert people
    assert not {id(one) for one in found.drawn} & {id(one) for one in people}
    largest = max(one.box.area for one in (*people, *found.drawn))
    assert largest == max(one.box.area for one in people)
    assert not any(one.body and one.face in found.drawn for one in found.people)
