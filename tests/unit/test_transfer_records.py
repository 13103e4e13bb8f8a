"""Which performers of a portion are created, changed or refused."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from gateway.catalogue.performer import ExternalId, Performer
from gateway.transfer.records import Decision, Known, Record, decided, validated_records
from marquee.gateway.v1 import transfer_pb2 as pb

_TODAY = datetime.date(2024, 6, 15)
_ADULT = datetime.date(1990, 1, 1)
_ONE, _TWO = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
_ID = ExternalId("stashdb.org", "a")
_NOBODY = Known({}, {}, frozenset())


def _decide(records: Sequence[Record], known: Known = _NOBODY) -> list[Decision]:
    return decided(
        validated_records(records, _TODAY), known, adults_only=frozenset({"stashdb.org"}), today=_TODAY
    )


def _record(
    name: str = "Ann", *ids: ExternalId, id_: str = "", birth: datetime.date | None = _ADULT
) -> Record:
    return Record(Performer(id=id_, name=name, external_ids=ids, birth_date=birth))


def _refusal(decision: Decision) -> int:
    assert decision.refusal is not None
    assert decision.performer is None
    return decision.refusal.reason


def test_a_new_performer_is_created_under_the_id_given() -> None:
    """And under one of our own where none is given."""
    named, unnamed = _decide([_record(id_=_ONE), _record()])
    assert named.performer is not None
    assert unnamed.performer is not None
    assert (named.is_created, named.performer.id) == (True, _ONE)
    assert unnamed.performer.id not in ("", _ONE)


def test_an_external_id_finds_the_stored_performer_under_whatever_id() -> None:
    """The other installation's id is not ours; external ids are added."""
    stored = Performer(id=_TWO, name="Ann", external_ids=(_ID,), adult_attested=True)
    known = Known({_TWO: stored}, {_ID: _TWO}, frozenset())
    other = ExternalId("fansdb.cc", "b")
    [decision] = _decide([_record("Ann Lee", _ID, other, id_=_ONE)], known)
    assert decision.performer is not None
    assert (decision.is_created, decision.is_changed, decision.performer.id) == (False, True, _TWO)
    assert (decision.performer.name, decision.performer.external_ids) == ("Ann Lee", (_ID, other))


def test_what_is_stored_already_is_not_changed() -> None:
    stored = Performer(id=_ONE, name="Ann", external_ids=(_ID,), birth_date=_ADULT, adult_attested=False)
    [decision] = _decide([_record("Ann", _ID)], Known({_ONE: stored}, {_ID: _ONE}, frozenset()))
    assert (decision.is_created, decision.is_changed) == (False, False)


def test_an_id_of_somebody_else_is_a_conflict() -> None:
    """Two stored performers, or an earlier one of the portion."""
    stored = {id_: Performer(id=id_, name="A", adult_attested=True) for id_ in (_ONE, _TWO)}
    known = Known(stored, {_ID: _TWO}, frozenset())
    assert _refusal(_decide([_record("Ann", _ID, id_=_ONE)], known)[0]) == pb.PERFORMER_REFUSAL_CONFLICT
    first, second = _decide([_record("Ann", _ID), _record("Ben", _ID)])
    assert first.is_created
    assert _refusal(second) == pb.PERFORMER_REFUSAL_CONFLICT
    first, second = _decide([_record("Ann", id_=_ONE), _record("Ben", id_=_ONE)])
    assert first.is_created
    assert _refusal(second) == pb.PERFORMER_REFUSAL_CONFLICT


def test_only_adults_are_taken() -> None:
    """By birth date; without one by attestation, or by an id of a source that lists adults only."""
    minor, unknown, listed = _decide(
        [
            _record(birth=datetime.date(2010, 1, 1)),
            _record(birth=None),
            _record("Ann", _ID, birth=None),
        ]
    )
    assert _refusal(minor) == pb.PERFORMER_REFUSAL_UNDER_AGE
    assert _refusal(unknown) == pb.PERFORMER_REFUSAL_AGE_NOT_ATTESTED
    assert listed.is_created


def test_a_birth_date_that_makes_a_minor_of_a_stored_performer_is_refused() -> None:
    """Also where an enrolled image would be of a minor."""
    stored = Performer(
        id=_ONE,
        name="A",
        external_ids=(_ID,),
        adult_attested=True,
        earliest_image_date=datetime.date(2005, 1, 1),
    )
    known = Known({_ONE: stored}, {_ID: _ONE}, frozenset())
    [decision] = _decide([_record("A", _ID, birth=_ADULT)], known)
    assert _refusal(decision) == pb.PERFORMER_REFUSAL_UNDER_AGE


def test_who_is_not_to_be_identified_is_refused() -> None:
    [decision] = _decide([_record("Ann", _ID)], Known({}, {}, frozenset({_ID})))
    assert _refusal(decision) == pb.PERFORMER_REFUSAL_DO_NOT_IDENTIFY


def test_malformed_records_are_refused_alone() -> None:
    """No name, a country that is none, ratios that are none."""
    records = [
        _record(""),
        Record(Performer(name="A", birth_date=_ADULT, country="Czechia")),
        Record(Performer(name="A", birth_date=_ADULT), {"shoulder_hip_ratio": float("nan")}),
        Record(Performer(name="A", birth_date=_ADULT), {"height": 1.7}),
        _record("Ann"),
    ]
    *bad, good = _decide(records)
    assert [_refusal(one) for one in bad] == [pb.PERFORMER_REFUSAL_INVALID] * 4
    assert good.is_created
