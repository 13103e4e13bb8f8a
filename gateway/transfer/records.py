"""Which performers of a portion are created, changed or refused. Pure; `bulk_store` does what is decided."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from chassis.errors import InvalidInput
from gateway.age import AgeNotAttested, UnderAge, check_image, is_attested
from gateway.catalogue.performer import ExternalId, Performer, check_ratios, merged, validated
from gateway.catalogue.upsert import checked, checked_new
from marquee.gateway.v1.transfer_pb2 import (
    PERFORMER_REFUSAL_AGE_NOT_ATTESTED,
    PERFORMER_REFUSAL_CONFLICT,
    PERFORMER_REFUSAL_DO_NOT_IDENTIFY,
    PERFORMER_REFUSAL_INVALID,
    PERFORMER_REFUSAL_UNDER_AGE,
    PerformerRefusal,
)

__all__ = ["Decision", "Known", "Record", "Refusal", "decided", "validated_records"]


@dataclass(frozen=True, slots=True)
class Record:
    """A performer with the ratios of their body by name."""

    performer: Performer
    ratios: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a performer was not stored."""

    reason: PerformerRefusal.ValueType
    detail: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue has of a portion, locked until the transaction ends."""

    performers: Mapping[str, Performer]
    """Those that the portion names by id or external id."""
    owners: Mapping[ExternalId, str]
    forgotten: frozenset[ExternalId]
    """Ids of the portion that are not to be identified."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one record: a performer to create or to change, or neither."""

    performer: Performer | None
    ratios: Mapping[str, float]
    is_created: bool = False
    is_changed: bool = False
    refusal: Refusal | None = None


def validated_records(records: Sequence[Record], today: datetime.date) -> list[Record | Refusal]:
    """Each record with trimmed text and ids in one form, or why it cannot be taken."""
    return [_validated(record, today) for record in records]


def decided(
    records: Sequence[Record | Refusal],
    known: Known,
    *,
    adults_only: frozenset[str],
    today: datetime.date,
) -> list[Decision]:
    """What becomes of each record, by the rules of UpsertPerformer.

    A performer, or an external id, that two records of the portion claim is the first one's. Somebody of
    unknown age is taken only where adulthood is attested, also by an id of an authority in `adults_only`.
    """
    claims = _Claims(known)
    return [
        Decision(None, {}, refusal=record)
        if isinstance(record, Refusal)
        else _decided(record, claims, adults_only, today)
        for record in records
    ]


class _Claims:
    """Who owns what, as the portion is gone through."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._taken: dict[ExternalId, str] = {}
        self._seen: set[str] = set()

    def target(self, change: Performer) -> str | None:
        """The id of the stored performer that a record is about; None: a new one."""
        owners = dict.fromkeys(
            owner for one in change.external_ids if (owner := self.known.owners.get(one)) is not None
        )
        target = change.id if change.id in self.known.performers else next(iter(owners), None)
        if owners.keys() - {target}:
            raise _Conflict("external_ids: one belongs to another performer")
        if target in self._seen or not self._taken.keys().isdisjoint(change.external_ids):
            raise _Conflict("an earlier performer of the request has the same id")
        return target

    def take(self, performer: Performer) -> None:
        if performer.id in self._seen:
            raise _Conflict("an earlier performer of the request has the same id")
        self._seen.add(performer.id)
        self._taken.update(dict.fromkeys(performer.external_ids, performer.id))


class _Conflict(Exception):
    """An id is somebody else's."""


def _validated(record: Record, today: datetime.date) -> Record | Refusal:
    try:
        check_ratios(record.ratios)
        return Record(validated(record.performer, today=today), record.ratios)
    except InvalidInput as exc:
        return Refusal(PERFORMER_REFUSAL_INVALID, str(exc))


def _decided(record: Record, claims: _Claims, adults_only: frozenset[str], today: datetime.date) -> Decision:
    change = record.performer
    if not claims.known.forgotten.isdisjoint(change.external_ids):
        return _refused(PERFORMER_REFUSAL_DO_NOT_IDENTIFY, "asked not to be identified")
    try:
        target = claims.target(change)
        stored = claims.known.performers[target] if target is not None else None
        if stored is None:
            performer = checked_new(_new(change), today)
        else:
            performer = checked(_changed(stored, change), today)
        _check_adult(performer, adults_only, today)
        claims.take(performer)
    except InvalidInput as exc:
        return _refused(PERFORMER_REFUSAL_INVALID, str(exc))
    except UnderAge as exc:
        return _refused(PERFORMER_REFUSAL_UNDER_AGE, str(exc))
    except AgeNotAttested as exc:
        return _refused(PERFORMER_REFUSAL_AGE_NOT_ATTESTED, str(exc))
    except _Conflict as exc:
        return _refused(PERFORMER_REFUSAL_CONFLICT, str(exc))
    return Decision(
        performer, record.ratios, is_created=stored is None, is_changed=stored not in (None, performer)
    )


def _check_adult(performer: Performer, adults_only: frozenset[str], today: datetime.date) -> None:
    attested = is_attested(
        adult_attested=bool(performer.adult_attested),
        authorities=[one.authority for one in performer.external_ids],
        adults_only_authorities=adults_only,
    )
    check_image(birth_date=performer.birth_date, is_attested=attested, image_date=None, today=today)


def _new(change: Performer) -> Performer:
    return replace(change, id=change.id or str(uuid.uuid4()), adult_attested=bool(change.adult_attested))


def _changed(stored: Performer, change: Performer) -> Performer:
    """As `merged`, under the stored id; external ids are added: who brings some may not know the others."""
    return replace(merged(stored, replace(change, id="")), id=stored.id)


def _refused(reason: PerformerRefusal.ValueType, detail: str) -> Decision:
    return Decision(None, {}, refusal=Refusal(reason, detail))
