"""Between the contract's messages and the client's values; enum values from the future become UNSPECIFIED."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import TypeVar

from google.protobuf.descriptor import EnumDescriptor

from chassis.geometry import Box
from client.catalogue import (
    AgeStatus,
    BreastRecord,
    EnrollImage,
    EnrollReply,
    Forgotten,
    Performer,
    PersonChoice,
    Rejection,
    SignalCount,
    SignalOutcome,
)
from client.values import (
    Candidate,
    Contribution,
    ContributionKind,
    Evidence,
    ExternalId,
    Hint,
    HintKind,
    Identification,
    Person,
    PersonStatus,
    Policy,
    ReportState,
    SceneYear,
    Sighting,
    Signal,
    SignalReport,
)
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2, identification_pb2

__all__ = [
    "identification",
    "to_performer",
    "performer",
    "counts",
    "forgotten",
    "to_enroll",
    "enroll_reply",
    "signal",
    "named",
    "to_signal",
    "to_policy",
    "to_hint",
    "to_statement",
]

_Member = TypeVar("_Member", bound=StrEnum)

_POLICIES = {
    Policy.DEFAULT: identification_pb2.FUSION_POLICY_UNSPECIFIED,
    Policy.WEIGHTED: identification_pb2.FUSION_POLICY_WEIGHTED,
    Policy.BAYESIAN: identification_pb2.FUSION_POLICY_BAYESIAN,
}
_SIGNALS = {
    Signal.FACE: common_pb2.SIGNAL_FACE,
    Signal.TATTOO: common_pb2.SIGNAL_TATTOO,
    Signal.BODY: common_pb2.SIGNAL_BODY,
}
_HINTS = {
    HintKind.TAGGED: identification_pb2.HINT_KIND_TAGGED,
    HintKind.STUDIO: identification_pb2.HINT_KIND_STUDIO,
    HintKind.POPULARITY: identification_pb2.HINT_KIND_POPULARITY,
}
_CHOICES = {
    PersonChoice.ONLY_OR_AGREEING: catalogue_pb2.PERSON_CHOICE_ONLY_OR_AGREEING,
    PersonChoice.LARGEST_FACE: catalogue_pb2.PERSON_CHOICE_LARGEST_FACE,
}


# --- to the server ---


def to_signal(value: Signal) -> common_pb2.Signal.ValueType:
    return _SIGNALS[value]


def to_policy(value: Policy) -> identification_pb2.FusionPolicy.ValueType:
    return _POLICIES[value]


def to_hint(value: Hint) -> identification_pb2.PerformerHint:
    return identification_pb2.PerformerHint(
        performer_id=value.performer_id, kind=_HINTS[value.kind], factor=value.factor
    )


def to_statement(natural_probability: float | None) -> identification_pb2.SceneStatement:
    return identification_pb2.SceneStatement(natural_probability=natural_probability)


def to_performer(value: Performer) -> catalogue_pb2.Performer:
    return catalogue_pb2.Performer(
        id=value.id,
        name=value.name,
        aliases=value.aliases,
        external_ids=[catalogue_pb2.ExternalId(authority=e.authority, id=e.id) for e in value.external_ids],
        birth_date=_iso(value.birth_date),
        career_start_year=value.career_start_year,
        career_end_year=value.career_end_year,
        adult_attested=value.adult_attested or None,  # False would withdraw what is stored
        gender=value.gender,
        country=value.country,
        image_url=value.image_url,
        urls=value.urls,
        breast_history=[_to_breast_record(each) for each in value.breast_history],
        body_ratios=value.body_ratios,
    )


def _to_breast_record(value: BreastRecord) -> catalogue_pb2.BreastRecord:
    return catalogue_pb2.BreastRecord(
        size_category=value.size_category,
        natural_probability=value.natural_probability,
        effective_from=_iso(value.effective_from),
        effective_until=_iso(value.effective_until),
        source=value.source,
    )


def to_enroll(value: EnrollImage) -> catalogue_pb2.EnrollImagesRequest:
    return catalogue_pb2.EnrollImagesRequest(
        key=value.key,
        performer_id=value.performer_id,
        image=value.image,
        uri=value.uri,
        date=_iso(value.date),
        person_choice=_CHOICES[value.choice],
        source=value.source,
    )


# --- from the server ---


def identification(reply: identification_pb2.IdentifyResponse) -> Identification:
    reports = [_report(report) for report in reply.reports]
    return Identification(
        width=reply.image_width,
        height=reply.image_height,
        people=tuple(_person(person) for person in reply.people),
        reports={report.signal: report for report in reports},
        policy=named(identification_pb2.FusionPolicy.DESCRIPTOR, reply.policy, Policy.DEFAULT),
        unassigned=tuple(_sighting(sighting) for sighting in reply.unassigned),
        elapsed_ms=reply.elapsed_ms,
        scene_years=tuple(SceneYear(each.year, each.probability) for each in reply.scene_years),
    )


def performer(reply: catalogue_pb2.Performer) -> Performer:
    return Performer(
        id=reply.id,
        name=reply.name,
        aliases=tuple(reply.aliases),
        external_ids=_external_ids(reply.external_ids),
        birth_date=_date(reply.birth_date),
        career_start_year=reply.career_start_year,
        career_end_year=reply.career_end_year,
        adult_attested=reply.adult_attested,
        gender=reply.gender,
        country=reply.country,
        image_url=reply.image_url,
        urls=tuple(reply.urls),
        age_status=named(catalogue_pb2.AgeStatus.DESCRIPTOR, reply.age_status, AgeStatus.UNSPECIFIED),
        breast_history=tuple(_breast_record(each) for each in reply.breast_history),
        body_ratios={name: reply.body_ratios[name] for name in sorted(reply.body_ratios)},
    )


def _breast_record(reply: catalogue_pb2.BreastRecord) -> BreastRecord:
    has_probability = reply.HasField("natural_probability")
    return BreastRecord(
        size_category=reply.size_category,
        natural_probability=round(reply.natural_probability, 6) if has_probability else None,
        effective_from=_date(reply.effective_from),
        effective_until=_date(reply.effective_until),
        source=reply.source,
    )


def counts(reply: Iterable[catalogue_pb2.SignalCoverage]) -> dict[Signal, SignalCount]:
    return {signal(each.signal): SignalCount(each.observations, each.performers) for each in reply}


def forgotten(reply: catalogue_pb2.ForgetPerformerResponse) -> Forgotten:
    return Forgotten(
        deleted={signal(each.signal): each.observations for each in reply.deleted},
        unconfirmed=tuple(signal(each) for each in reply.unconfirmed),
    )


def enroll_reply(reply: catalogue_pb2.EnrollImagesResponse) -> EnrollReply:
    return EnrollReply(
        key=reply.key,
        is_accepted=reply.is_accepted,
        reason=None if reply.is_accepted else _rejection(reply.reason),
        detail=reply.detail,
        signals={signal(each.signal): _outcome(each) for each in reply.signals},
        image_hash=reply.image_hash,
    )


def _outcome(reply: catalogue_pb2.SignalEnrollment) -> SignalOutcome:
    return SignalOutcome(reply.accepted, tuple(_rejection(each.reason) for each in reply.rejected))


def _report(reply: identification_pb2.SignalReport) -> SignalReport:
    state = named(identification_pb2.SignalReport.State.DESCRIPTOR, reply.state, ReportState.UNSPECIFIED)
    return SignalReport(
        signal(reply.signal), state, reply.observe_ms, reply.score_ms, reply.observations, reply.detail
    )


def _person(reply: identification_pb2.Person) -> Person:
    return Person(
        box=_box(reply.box),
        status=named(identification_pb2.PersonStatus.DESCRIPTOR, reply.status, PersonStatus.UNSPECIFIED),
        candidates=tuple(_candidate(each) for each in reply.candidates),
        sightings=tuple(_sighting(each) for each in reply.sightings),
        tattoo_coverage=reply.tattoo_coverage,
        regions_in_view=tuple(_region(each) for each in reply.regions_in_view),
        is_tattoo_primary=reply.is_tattoo_primary,
        identification_threshold=reply.identification_threshold,
        unknown_probability=reply.unknown_probability if reply.HasField("unknown_probability") else None,
        margin=reply.margin if reply.HasField("margin") else None,
        is_uncalibrated=identification_pb2.ANSWER_NOTE_UNCALIBRATED_FOR_THIS_LIBRARY in reply.notes,
        has_uncounted=identification_pb2.ANSWER_NOTE_SIGNAL_COUNTS_NOTHING in reply.notes,
        grouping_clearness=round(reply.grouping_clearness, 6),
    )


def _candidate(reply: identification_pb2.RankedCandidate) -> Candidate:
    return Candidate(
        performer_id=reply.performer_id,
        name=reply.name,
        external_ids=_external_ids(reply.external_ids),
        urls=tuple(reply.urls),
        score=reply.score,
        probability=reply.probability if reply.HasField("probability") else None,
        evidence=tuple(_evidence(each) for each in reply.evidence),
        contributions=tuple(_contribution(each) for each in reply.contributions),
    )


def _contribution(reply: identification_pb2.Contribution) -> Contribution:
    kinds = identification_pb2.ContributionKind.DESCRIPTOR
    return Contribution(
        named(kinds, reply.kind, ContributionKind.UNSPECIFIED), reply.log_ratio, reply.summary
    )


def _evidence(reply: identification_pb2.Evidence) -> Evidence:
    return Evidence(
        signal=signal(reply.signal),
        similarity=reply.similarity,
        confidence=reply.confidence,
        weight=reply.weight,
        is_proposed=reply.is_proposed,
        llr=reply.llr if reply.HasField("llr") else None,
        is_compatible=reply.is_compatible if reply.HasField("is_compatible") else None,
        summary=reply.summary,
    )


def _sighting(reply: identification_pb2.Sighting) -> Sighting:
    return Sighting(signal(reply.signal), _box(reply.box), reply.quality, _region(reply.region))


def _external_ids(reply: Iterable[catalogue_pb2.ExternalId]) -> tuple[ExternalId, ...]:
    return tuple(ExternalId(each.authority, each.id) for each in reply)


def _box(reply: common_pb2.Box) -> Box:
    # Not chassis.protos.from_proto_box: a client shows what it got, it does not judge it.
    return Box(reply.x, reply.y, reply.width, reply.height)


def signal(value: int) -> Signal:
    return named(common_pb2.Signal.DESCRIPTOR, value, Signal.UNSPECIFIED)


def _rejection(value: int) -> Rejection:
    return named(common_pb2.RejectionReason.DESCRIPTOR, value, Rejection.UNSPECIFIED)


def _region(value: int) -> str:
    """`left forearm` for BODY_REGION_LEFT_FOREARM; "" when not stated or not known to this client."""
    words = _words(common_pb2.BodyRegion.DESCRIPTOR, value)
    return "" if words == "unspecified" else words


def named(enum: EnumDescriptor, value: int, otherwise: _Member) -> _Member:
    """The member of the same words as the contract's value; `otherwise` for one this client does not know."""
    words = _words(enum, value)
    return next((member for member in type(otherwise) if member.value == words), otherwise)


def _words(enum: EnumDescriptor, value: int) -> str:
    """`nothing visible` for STATE_NOTHING_VISIBLE: every enum's zero is its prefix and UNSPECIFIED."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    known = enum.values_by_number.get(value)
    return known.name.removeprefix(prefix).replace("_", " ").lower() if known else ""


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
