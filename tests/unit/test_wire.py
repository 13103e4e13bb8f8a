"""The contract's messages as the client's values: every enum has its name, and the future does no harm."""

from datetime import date
from enum import StrEnum

import pytest
from google.protobuf.descriptor import EnumDescriptor

from client import _wire
from client.catalogue import AgeStatus, BreastRecord, Performer, Rejection
from client.system import ModelUse
from client.values import ExternalId, PersonStatus, ReportState, Signal
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2, identification_pb2


@pytest.mark.parametrize(
    ("members", "enum"),
    [
        (Signal, common_pb2.Signal.DESCRIPTOR),
        (Rejection, common_pb2.RejectionReason.DESCRIPTOR),
        (AgeStatus, catalogue_pb2.AgeStatus.DESCRIPTOR),
        (PersonStatus, identification_pb2.PersonStatus.DESCRIPTOR),
        (ReportState, identification_pb2.SignalReport.State.DESCRIPTOR),
        (ModelUse, common_pb2.ModelUse.DESCRIPTOR),
    ],
)
def test_the_client_knows_every_value_of_the_contract(members: type[StrEnum], enum: EnumDescriptor) -> None:
    """A value added to the contract must be added to the client too."""
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    names = {value.name.removeprefix(prefix) for value in enum.values}
    assert {member.name for member in members} == names


def test_values_of_a_newer_server_become_unspecified() -> None:
    """An older client shows what it understands of an answer."""
    reply = identification_pb2.IdentifyResponse(
        people=[
            identification_pb2.Person(
                status=99,  # type: ignore[arg-type]  # a number this contract does not have
                sightings=[identification_pb2.Sighting(signal=42, region=77)],  # type: ignore[arg-type]  # as above
            )
        ]
    )
    (person,) = _wire.identification(reply).people
    assert person.status is PersonStatus.UNSPECIFIED
    assert person.sightings[0].signal is Signal.UNSPECIFIED
    assert person.sightings[0].region == ""


def test_body_regions_are_words() -> None:
    """As people say them."""
    region = common_pb2.BODY_REGION_LEFT_HAND_OR_WRIST
    reply = identification_pb2.IdentifyResponse(people=[identification_pb2.Person(regions_in_view=[region])])
    assert _wire.identification(reply).people[0].regions_in_view == ("left hand or wrist",)


def test_a_performer_survives_the_way_there_and_back() -> None:
    """Every field that a client may set."""
    record = BreastRecord(
        size_category="C", natural_probability=0.9, effective_from=date(2012, 1, 2), source="x"
    )
    sent = Performer(
        name="Ann",
        external_ids=(ExternalId("x", "1"),),
        birth_date=date(1990, 1, 2),
        adult_attested=True,
        breast_history=(record, BreastRecord(natural_probability=0.0)),
        body_ratios={"leg_torso_ratio": 1.5},
    )
    assert _wire.performer(_wire.to_performer(sent)) == sent


def test_what_is_optional_stays_unset() -> None:
    """No likelihood ratio and no probability are None, not 0."""
    evidence = identification_pb2.Evidence(signal=common_pb2.SIGNAL_BODY, llr=0.0, is_compatible=False)
    candidate = identification_pb2.RankedCandidate(evidence=[evidence, identification_pb2.Evidence()])
    person = identification_pb2.Person(candidates=[candidate])
    seen = _wire.identification(identification_pb2.IdentifyResponse(people=[person]))
    found = seen.people[0].candidates[0]
    assert found.probability is None
    assert [(each.llr, each.is_compatible) for each in found.evidence] == [(0.0, False), (None, None)]
