"""From domain values to the contract's messages and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chassis.protos import parse_date, to_proto_box
from gateway.catalogue.breast_history import BreastRecord
from gateway.catalogue.names import NamedPerformer
from gateway.catalogue.performer import ExternalId, Performer
from gateway.identify import Identification
from gateway.observations import FaceSeen, Signal, TattooSeen
from gateway.people import PersonView
from gateway.ranked import Contribution, Evidence, Ranked, RankedPerson
from gateway.reports import Report
from gateway.signals.base import plain
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2
from marquee.gateway.v1 import identification_pb2 as pb

__all__ = [
    "to_proto_signal",
    "to_proto_external_ids",
    "to_identify_response",
    "performer_from",
    "to_proto_performer",
    "to_proto_counts",
]


def to_proto_signal(signal: Signal) -> common_pb2.Signal.ValueType:
    return _SIGNALS[signal]


_SIGNALS: dict[Signal, common_pb2.Signal.ValueType] = {
    Signal.FACE: common_pb2.SIGNAL_FACE,
    Signal.TATTOO: common_pb2.SIGNAL_TATTOO,
    Signal.BODY: common_pb2.SIGNAL_BODY,
}


def to_identify_response(result: Identification) -> pb.IdentifyResponse:
    return pb.IdentifyResponse(
        image_width=result.width,
        image_height=result.height,
        people=[_person(person, result.performers) for person in result.people],
        reports=[_report(report) for report in result.reports],
        policy=result.policy,
        unassigned=[
            *(_tattoo(tattoo, common_pb2.BODY_REGION_UNKNOWN) for tattoo in result.unassigned),
            *map(_face, result.drawn),
        ],
        elapsed_ms=result.milliseconds,
        scene_years=[pb.SceneYear(year=year, probability=p) for year, p in sorted(result.years.items())],
    )


def performer_from(message: catalogue_pb2.Performer) -> Performer:
    """Raises InvalidInput for a malformed birth date; the other fields are checked where they are used."""
    return Performer(
        id=message.id,
        name=message.name,
        aliases=tuple(message.aliases),
        external_ids=tuple(ExternalId(one.authority, one.id) for one in message.external_ids),
        birth_date=parse_date(message.birth_date, field="birth_date"),
        career_start_year=message.career_start_year,
        career_end_year=message.career_end_year,
        adult_attested=message.adult_attested if message.HasField("adult_attested") else None,
        gender=message.gender,
        country=message.country,
        image_url=message.image_url,
        urls=tuple(message.urls),
        breast_history=tuple(map(_breast_record_from, message.breast_history)),
        body_ratios=dict(message.body_ratios),
    )


def _breast_record_from(message: catalogue_pb2.BreastRecord) -> BreastRecord:
    has_probability = message.HasField("natural_probability")
    return BreastRecord(
        size_category=message.size_category,
        natural_probability=plain(message.natural_probability) if has_probability else None,
        effective_from=parse_date(message.effective_from, field="breast_history.effective_from"),
        effective_until=parse_date(message.effective_until, field="breast_history.effective_until"),
        source=message.source,
    )


def to_proto_performer(
    performer: Performer, age_status: catalogue_pb2.AgeStatus.ValueType
) -> catalogue_pb2.Performer:
    return catalogue_pb2.Performer(
        id=performer.id,
        name=performer.name,
        aliases=performer.aliases,
        external_ids=to_proto_external_ids(performer.external_ids),
        birth_date=performer.birth_date.isoformat() if performer.birth_date else "",
        career_start_year=performer.career_start_year,
        career_end_year=performer.career_end_year,
        adult_attested=performer.adult_attested,
        gender=performer.gender,
        country=performer.country,
        image_url=performer.image_url,
        urls=performer.urls,
        age_status=age_status,
        breast_history=[_breast_record(one) for one in performer.breast_history],
        body_ratios=performer.body_ratios,
    )


def _breast_record(one: BreastRecord) -> catalogue_pb2.BreastRecord:
    # An optional field that is given None stays unset.
    return catalogue_pb2.BreastRecord(
        size_category=one.size_category,
        natural_probability=one.natural_probability,
        effective_from=one.effective_from.isoformat() if one.effective_from else "",
        effective_until=one.effective_until.isoformat() if one.effective_until else "",
        source=one.source,
    )


def to_proto_external_ids(ids: Sequence[ExternalId]) -> list[catalogue_pb2.ExternalId]:
    return [catalogue_pb2.ExternalId(authority=one.authority, id=one.id) for one in ids]


def to_proto_counts(counts: Mapping[Signal, int]) -> list[catalogue_pb2.SignalCoverage]:
    """Observations of one performer by signal."""
    return [
        catalogue_pb2.SignalCoverage(
            signal=to_proto_signal(signal), observations=count, performers=1 if count else 0
        )
        for signal, count in sorted(counts.items())
    ]


def _person(person: RankedPerson, performers: Mapping[str, NamedPerformer]) -> pb.Person:
    view = person.view
    return pb.Person(
        box=to_proto_box(view.box),
        grouping_clearness=view.person.clearness,
        status=person.status,
        candidates=[_candidate(one, performers[one.performer_id]) for one in person.candidates],
        sightings=_sightings(view),
        tattoo_coverage=view.coverage,
        regions_in_view=view.regions_in_view,
        is_tattoo_primary=view.person.face is None and bool(view.person.tattoos),
        identification_threshold=person.threshold,
        unknown_probability=person.unknown,
        margin=person.margin,
        notes=_notes(person),
    )


def _notes(person: RankedPerson) -> list[pb.AnswerNote.ValueType]:
    notes = {
        pb.ANSWER_NOTE_UNCALIBRATED_FOR_THIS_LIBRARY: person.is_uncalibrated,
        pb.ANSWER_NOTE_SIGNAL_COUNTS_NOTHING: person.has_uncounted,
    }
    return [note for note, is_so in notes.items() if is_so]


def _candidate(candidate: Ranked, performer: NamedPerformer) -> pb.RankedCandidate:
    return pb.RankedCandidate(
        performer_id=performer.id,
        name=performer.name,
        external_ids=to_proto_external_ids(performer.external_ids),
        urls=performer.urls,
        score=candidate.score,
        probability=candidate.probability,
        evidence=[_evidence(one) for one in candidate.evidence],
        contributions=[_contribution(one) for one in candidate.contributions],
    )


def _contribution(one: Contribution) -> pb.Contribution:
    return pb.Contribution(kind=one.kind, log_ratio=one.log_ratio, summary=one.summary)


def _evidence(evidence: Evidence) -> pb.Evidence:
    # An optional field that is given None stays unset.
    return pb.Evidence(
        signal=to_proto_signal(evidence.signal),
        similarity=evidence.similarity,
        confidence=evidence.confidence,
        weight=evidence.weight,
        is_proposed=evidence.is_proposed,
        llr=evidence.llr,
        is_compatible=evidence.is_compatible,
        summary=evidence.summary,
    )


def _sightings(view: PersonView) -> list[pb.Sighting]:
    face, body = view.person.face, view.person.body
    sightings = []
    if face is not None:
        sightings.append(_face(face))
    tattoos = zip(view.person.tattoos, view.tattoo_regions, strict=True)
    sightings += [_tattoo(tattoo, region) for tattoo, region in tattoos]
    if body is not None:
        sightings.append(
            pb.Sighting(signal=common_pb2.SIGNAL_BODY, box=to_proto_box(body.box), quality=body.quality)
        )
    return sightings


def _face(face: FaceSeen) -> pb.Sighting:
    return pb.Sighting(signal=common_pb2.SIGNAL_FACE, box=to_proto_box(face.box), quality=face.quality)


def _tattoo(tattoo: TattooSeen, region: common_pb2.BodyRegion.ValueType) -> pb.Sighting:
    return pb.Sighting(
        signal=common_pb2.SIGNAL_TATTOO,
        box=to_proto_box(tattoo.box),
        quality=tattoo.quality,
        region=region,
    )


def _report(report: Report) -> pb.SignalReport:
    return pb.SignalReport(
        signal=to_proto_signal(report.signal),
        state=report.state,
        observe_ms=report.observe_ms,
        score_ms=report.score_ms,
        observations=report.observations,
        detail=report.detail,
    )
