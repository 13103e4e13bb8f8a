"""The catalogue on a real database: performers, pages, ages, forgetting, coverage, status."""

from __future__ import annotations

import asyncio
import datetime
import uuid
from collections.abc import AsyncIterator

import asyncpg
import grpc
import pytest
import pytest_asyncio

from chassis.postgres import connect, open_pool
from gateway.catalogue.names import Past, PerformerNames
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2 as pb
from marquee.gateway.v1 import status_pb2
from tests.fakes.enrolled_rows import add_body, add_face, add_tattoo
from tests.fakes.gateway_system import System, open_system
from tests.fakes.postgres import database, postgres_server

__all__ = ["database", "postgres_server"]

_FACE, _TATTOO, _BODY = common_pb2.SIGNAL_FACE, common_pb2.SIGNAL_TATTOO, common_pb2.SIGNAL_BODY


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[System]:
    """A gateway with an empty catalogue."""
    async with open_system(database) as system:
        yield system


async def _upsert(system: System, **fields: object) -> pb.UpsertPerformerResponse:
    performer = pb.Performer(**fields)  # type: ignore[arg-type]  # whatever the test sets
    return await system.catalogue.UpsertPerformer(pb.UpsertPerformerRequest(performer=performer))


async def _code(call: object) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]  # an awaitable call
    return caught.value.code()


def _ids(*pairs: tuple[str, str]) -> list[pb.ExternalId]:
    return [pb.ExternalId(authority=authority, id=id_) for authority, id_ in pairs]


async def _names(system: System, query: str = "", page_size: int = 0) -> list[str]:
    request = pb.ListPerformersRequest(query=query, page_size=page_size)
    return [one.name for one in (await system.catalogue.ListPerformers(request)).performers]


async def test_a_performer_comes_back_as_stored(system: System) -> None:
    """Every field survives, by id and by external id."""
    created = await _upsert(
        system,
        name="Anna",
        aliases=["Ann", "Änne"],
        external_ids=_ids(("StashDB.org", "a1"), ("folder", "Anna")),
        birth_date="1990-02-03",
        career_start_year=2010,
        career_end_year=2020,
        adult_attested=True,
        gender="FEMALE",
        country="DE",
        image_url="https://example.org/a.jpg",
        urls=["https://example.org/a"],
    )
    assert created.is_created
    stored = created.performer
    assert uuid.UUID(stored.id)
    assert [(one.authority, one.id) for one in stored.external_ids] == [
        ("stashdb.org", "a1"),
        ("folder", "Anna"),
    ]
    assert stored.age_status == pb.AGE_STATUS_VERIFIED
    by_id = await system.catalogue.GetPerformer(pb.GetPerformerRequest(id=stored.id.upper()))
    external = pb.ExternalId(authority="STASHDB.org", id="a1")
    by_external = await system.catalogue.GetPerformer(pb.GetPerformerRequest(external_id=external))
    assert by_id.performer == by_external.performer == stored


async def test_breast_history_is_kept_from_metadata(system: System) -> None:
    """Every field survives, unset ones stay unset; a list replaces the list, none leaves it."""
    records = [
        pb.BreastRecord(
            size_category="32C",
            natural_probability=0.9,
            effective_from="2012-01-01",
            effective_until="2015-06-30",
            source="StashDB.org",
        ),
        pb.BreastRecord(size_category="34D", effective_from="2015-07-01"),
    ]
    anna = (await _upsert(system, name="Anna", breast_history=records)).performer
    stored = (await system.catalogue.GetPerformer(pb.GetPerformerRequest(id=anna.id))).performer
    records[0].source = "stashdb.org"
    assert list(stored.breast_history) == list(anna.breast_history) == records
    assert not stored.breast_history[1].HasField("natural_probability")
    left = (await _upsert(system, id=anna.id, country="DE")).performer
    assert list(left.breast_history) == records
    replaced = (await _upsert(system, id=anna.id, breast_history=records[1:])).performer
    assert list(replaced.breast_history) == records[1:]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (pb.BreastRecord(source="x"), grpc.StatusCode.INVALID_ARGUMENT),
        (pb.BreastRecord(natural_probability=1.1), grpc.StatusCode.INVALID_ARGUMENT),
        (pb.BreastRecord(natural_probability=float("nan")), grpc.StatusCode.INVALID_ARGUMENT),
        (pb.BreastRecord(size_category="C", effective_from="2012"), grpc.StatusCode.INVALID_ARGUMENT),
        (pb.BreastRecord(size_category="C", effective_from="2030-01-01"), grpc.StatusCode.INVALID_ARGUMENT),
        (
            pb.BreastRecord(size_category="C", effective_from="2013-01-02", effective_until="2013-01-01"),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
        (
            pb.BreastRecord(size_category="C", effective_from="2008-01-01"),
            grpc.StatusCode.FAILED_PRECONDITION,
        ),
    ],
)
async def test_breast_history_that_cannot_be_is_refused(
    system: System, record: pb.BreastRecord, code: grpc.StatusCode
) -> None:
    """Out of range, days out of order or to come, and whatever describes a minor."""
    call = _upsert(system, name="Anna", birth_date="1991-01-01", breast_history=[record])
    assert await _code(call) is code
    assert await _names(system) == []


async def test_a_birth_date_that_makes_the_history_one_of_a_minor_is_refused(system: System) -> None:
    """What is stored is held against a birth date that is learned later."""
    record = pb.BreastRecord(size_category="C", effective_from="2008-01-01")
    anna = (await _upsert(system, name="Anna", breast_history=[record])).performer
    late = _upsert(system, id=anna.id, birth_date="1991-01-01")
    assert await _code(late) is grpc.StatusCode.FAILED_PRECONDITION


async def test_imported_body_ratios_count_until_something_is_measured(system: System) -> None:
    """Then they stay as the body service derives them, whatever a change says."""
    given = {"shoulder_hip_ratio": 1.25, "arm_span_height_ratio": 1.01}
    anna = (await _upsert(system, name="Anna", body_ratios=given)).performer
    assert dict(anna.body_ratios) == given
    changed = (await _upsert(system, id=anna.id, body_ratios={"shoulder_hip_ratio": 1.3})).performer
    assert dict(changed.body_ratios) == {"shoulder_hip_ratio": 1.3}
    async with connect(system.dsn) as connection:
        await add_body(connection, anna.id)
    kept = (await _upsert(system, id=anna.id, body_ratios={"shoulder_hip_ratio": 1.4})).performer
    assert dict(kept.body_ratios) == {"shoulder_hip_ratio": 1.3}
    for wrong in ({"waist": 1.0}, {"leg_torso_ratio": 0.0}, {"leg_torso_ratio": float("nan")}):
        refused = _upsert(system, id=anna.id, body_ratios=wrong)
        assert await _code(refused) is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_change_is_found_by_id_or_external_id(system: System) -> None:
    """Set fields replace, lists are replaced whole, everything else stays; external ids are added."""
    first = await _upsert(system, name="Anna", aliases=["Ann"], external_ids=_ids(("folder", "A")))
    by_id = await _upsert(system, id=first.performer.id, country="DE")
    assert (by_id.is_created, by_id.performer.name, list(by_id.performer.aliases)) == (False, "Anna", ["Ann"])
    again = await _upsert(
        system, aliases=["X"], external_ids=_ids(("folder", "A"), ("stashdb.org", "a1")), name="Anna B"
    )
    assert again.performer.id == first.performer.id
    assert (again.performer.country, list(again.performer.aliases)) == ("DE", ["X"])
    assert again.performer.age_status == pb.AGE_STATUS_ATTESTED
    # Who knows one id takes the others from nobody; who names the performer decides on all of them.
    added = await _upsert(system, external_ids=_ids(("folder", "A")))
    assert [one.authority for one in added.performer.external_ids] == ["folder", "stashdb.org"]
    only = await _upsert(system, id=first.performer.id, external_ids=_ids(("stashdb.org", "a1")))
    assert [one.authority for one in only.performer.external_ids] == ["stashdb.org"]
    lost = pb.GetPerformerRequest(external_id=pb.ExternalId(authority="folder", id="A"))
    assert await _code(system.catalogue.GetPerformer(lost)) is grpc.StatusCode.NOT_FOUND


async def test_names_never_join(system: System) -> None:
    """Two performers of one name are two performers."""
    first, second = await _upsert(system, name="Anna"), await _upsert(system, name="Anna")
    assert first.performer.id != second.performer.id


async def test_conflicting_ids_are_refused_and_change_nothing(system: System) -> None:
    """An external id of somebody else is ALREADY_EXISTS."""
    anna = (await _upsert(system, name="Anna", external_ids=_ids(("x", "1")))).performer
    await _upsert(system, name="Bea", external_ids=_ids(("x", "2")))
    both = _upsert(system, name="Both", external_ids=_ids(("x", "1"), ("x", "2")))
    assert await _code(both) is grpc.StatusCode.ALREADY_EXISTS
    taken = _upsert(system, id=anna.id, name="Taken", external_ids=_ids(("x", "2")))
    assert await _code(taken) is grpc.StatusCode.ALREADY_EXISTS
    assert await _names(system) == ["Anna", "Bea"]


async def test_many_at_once_create_one_performer(system: System) -> None:
    """Clients that race with the same external id meet the same performer."""
    replies = await asyncio.gather(
        *(
            _upsert(system, name=f"Anna {number}", external_ids=_ids(("x", "1"), ("y", str(number % 2))))
            for number in range(2)
        ),
        *(_upsert(system, name="Anna", external_ids=_ids(("x", "1"))) for _ in range(10)),
    )
    assert len({reply.performer.id for reply in replies}) == 1
    assert sum(reply.is_created for reply in replies) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": ""}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"name": "A", "birth_date": "1990"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"name": "A", "birth_date": "2030-01-01"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"name": "A", "country": "Germany"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"name": "A", "urls": ["javascript:1"]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"name": "A\0"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"name": "A", "id": "7"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"name": "A", "id": str(uuid.uuid4())}, grpc.StatusCode.NOT_FOUND),
        ({"name": "A", "birth_date": "2006-06-16"}, grpc.StatusCode.FAILED_PRECONDITION),
        (
            {"name": "A", "birth_date": "2006-06-16", "adult_attested": True},
            grpc.StatusCode.FAILED_PRECONDITION,
        ),
        (
            {"name": "A", "birth_date": "2000-01-01", "career_start_year": 2016},
            grpc.StatusCode.FAILED_PRECONDITION,
        ),
    ],
)
async def test_what_cannot_be_is_refused(
    system: System, fields: dict[str, object], code: grpc.StatusCode
) -> None:
    """Malformed is INVALID_ARGUMENT, an unknown id NOT_FOUND, under 18 FAILED_PRECONDITION;

    nothing is stored.
    """
    assert await _code(_upsert(system, **fields)) is code
    assert await _names(system) == []


async def test_a_change_cannot_make_an_adult_a_minor(system: System) -> None:
    """A birth date learned later is held against the rule as well."""
    anna = (await _upsert(system, name="Anna", adult_attested=True)).performer
    assert anna.age_status == pb.AGE_STATUS_ATTESTED
    minor = _upsert(system, id=anna.id, birth_date="2010-01-01")
    assert await _code(minor) is grpc.StatusCode.FAILED_PRECONDITION
    adult = await _upsert(system, id=anna.id, birth_date="2006-06-15")
    assert adult.performer.age_status == pb.AGE_STATUS_VERIFIED


async def test_an_attestation_can_be_withdrawn(system: System) -> None:
    """An explicit false withdraws it, a field that is not set leaves it; a reply always says which."""
    anna = (await _upsert(system, name="Anna", adult_attested=True)).performer
    left = (await _upsert(system, id=anna.id, country="DE")).performer
    assert (left.adult_attested, left.age_status) == (True, pb.AGE_STATUS_ATTESTED)
    withdrawn = (await _upsert(system, id=anna.id, adult_attested=False)).performer
    assert (withdrawn.adult_attested, withdrawn.age_status) == (False, pb.AGE_STATUS_UNKNOWN)
    bea = (await _upsert(system, name="Bea")).performer
    assert bea.HasField("adult_attested")
    assert not bea.adult_attested


async def test_age_status_follows_date_attestation_and_source(system: System) -> None:
    """A folder attests nothing; an adults-only source does."""
    nothing = await _upsert(system, name="A", external_ids=_ids(("folder", "A")))
    source = await _upsert(system, name="B", external_ids=_ids(("theporndb.net", "7")))
    assert nothing.performer.age_status == pb.AGE_STATUS_UNKNOWN
    assert source.performer.age_status == pb.AGE_STATUS_ATTESTED


async def test_pages_by_name_reach_everybody_once(system: System) -> None:
    """By name without regard to case, then id; equal names are not lost between pages."""
    for name in ["bea", "Anna", "anna", "Cleo", "Anna", "Émile", "dora"]:
        await _upsert(system, name=name)
    seen: list[pb.Performer] = []
    token = ""
    while True:
        request = pb.ListPerformersRequest(page_size=2, page_token=token)
        reply = await system.catalogue.ListPerformers(request)
        assert (len(reply.performers) <= 2, reply.total) == (True, 7)
        seen += reply.performers
        token = reply.next_page_token
        if not token:
            break
    assert [one.name.casefold() for one in seen] == ["anna", "anna", "anna", "bea", "cleo", "dora", "émile"]
    assert len({one.id for one in seen}) == 7
    assert [one.id for one in seen[:3]] == sorted(one.id for one in seen[:3])


async def test_search_finds_words_in_name_or_alias(system: System) -> None:
    """Every word, any case, anywhere; % and _ are letters like others."""
    await _upsert(system, name="Anna Lee", aliases=["Straße 7"])
    await _upsert(system, name="Joanna", aliases=["100%_real"])
    assert await _names(system, "ANNA") == ["Anna Lee", "Joanna"]
    assert await _names(system, "lee anna") == ["Anna Lee"]
    assert await _names(system, "STRASSE") == ["Anna Lee"]
    assert await _names(system, "%") == ["Joanna"]
    assert await _names(system, "nobody") == []
    total = await system.catalogue.ListPerformers(pb.ListPerformersRequest(query="joa"))
    assert total.total == 1


async def test_requests_that_cannot_be_are_refused(system: System) -> None:
    """Page sizes, tokens, ids: INVALID_ARGUMENT; ids of nobody: NOT_FOUND."""
    catalogue, nobody = system.catalogue, str(uuid.uuid4())
    invalid = [
        catalogue.ListPerformers(pb.ListPerformersRequest(page_size=1001)),
        catalogue.ListPerformers(pb.ListPerformersRequest(page_token="?")),
        catalogue.ListPerformers(pb.ListPerformersRequest(query="a\0")),
        catalogue.GetCoverage(pb.GetCoverageRequest(page_size=1001)),
        catalogue.GetPerformer(pb.GetPerformerRequest()),
        catalogue.GetPerformer(pb.GetPerformerRequest(id="Anna")),
        catalogue.ForgetPerformer(pb.ForgetPerformerRequest(id="Anna")),
    ]
    for call in invalid:
        assert await _code(call) is grpc.StatusCode.INVALID_ARGUMENT
    for call in [
        catalogue.GetPerformer(pb.GetPerformerRequest(id=nobody)),
        catalogue.ForgetPerformer(pb.ForgetPerformerRequest(id=nobody)),
    ]:
        assert await _code(call) is grpc.StatusCode.NOT_FOUND


async def test_forgetting_deletes_everything_in_every_schema(system: System) -> None:
    """Rows that refer to the performer go with it, each signal is told and its rows are counted."""
    anna = await system.performer("Anna", external_ids={"x": "1"})
    connection = await asyncpg.connect(system.dsn)
    for number in range(3):
        await add_face(connection, anna, image_hash=f"{number:064x}")
    await add_face(connection, anna, image_hash=f"{0:064x}", model="n")
    await add_tattoo(connection, anna)

    reply = await system.catalogue.ForgetPerformer(pb.ForgetPerformerRequest(id=anna))

    assert [(one.signal, one.observations, one.performers) for one in reply.deleted] == [
        (_FACE, 3, 1),
        (_TATTOO, 1, 1),
        (_BODY, 0, 0),
    ]
    assert not reply.unconfirmed
    assert [fake.forgotten for fake in (system.face, system.tattoo, system.body)] == [[anna]] * 3
    assert await connection.fetchval("SELECT count(*) FROM face.vectors") == 0
    assert await connection.fetchval("SELECT count(*) FROM tattoo.performer_tattoos") == 0
    assert await connection.fetchval("SELECT count(*) FROM catalogue.external_ids") == 0
    await connection.close()
    again = system.catalogue.ForgetPerformer(pb.ForgetPerformerRequest(id=anna))
    assert await _code(again) is grpc.StatusCode.NOT_FOUND


async def test_a_dead_signal_cannot_keep_anybody(system: System) -> None:
    """The performer is gone all the same, and the signal that could not be told is named."""
    anna = await system.performer("Anna")
    await system.served["tattoo"].kill()
    reply = await system.catalogue.ForgetPerformer(pb.ForgetPerformerRequest(id=anna))
    assert list(reply.unconfirmed) == [_TATTOO]
    assert {one.signal for one in reply.deleted} == {_FACE, _TATTOO, _BODY}
    gone = system.catalogue.GetPerformer(pb.GetPerformerRequest(id=anna))
    assert await _code(gone) is grpc.StatusCode.NOT_FOUND


async def test_a_caller_who_leaves_does_not_keep_an_index_from_forgetting(system: System) -> None:
    """Once the rows are gone the signals are told, whether or not anybody waits for the answer."""
    anna = await system.performer("Anna")
    system.face.gates["Forget"] = asyncio.Event()
    call = system.catalogue.ForgetPerformer(pb.ForgetPerformerRequest(id=anna), timeout=20)
    waiting = asyncio.ensure_future(call)
    await system.face.until(lambda: bool(system.face.requests("Forget")))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    system.face.gates["Forget"].set()
    await system.face.until(lambda: system.face.running == 0)
    assert system.face.forgotten == [anna]


async def test_coverage_counts_what_the_signals_have(system: System) -> None:
    """Totals and a page; performers without anything; unverified ages."""
    anna, bea = (
        await system.performer("Anna"),
        await system.performer("Bea", birth_date="", adult_attested=True),
    )
    await system.performer("Cleo", birth_date="", external_ids={"stashdb.org": "c"})
    await system.performer("Dora", birth_date="", external_ids={"folder": "Dora"})
    system.face.remember(anna, 3)
    system.face.remember(bea, 1)
    system.body.remember(anna, 2)
    reply = await system.catalogue.GetCoverage(pb.GetCoverageRequest(page_size=2))
    assert (reply.performers, reply.age_unverified, reply.without_observations) == (4, 2, 2)
    assert [(one.signal, one.observations, one.performers) for one in reply.signals] == [
        (_FACE, 4, 2),
        (_TATTOO, 0, 0),
        (_BODY, 2, 1),
    ]
    assert [one.performer.name for one in reply.page] == ["Anna", "Bea"]
    assert [one.observations for one in reply.page[0].signals] == [3, 0, 2]
    assert reply.next_page_token
    rest = await system.catalogue.GetCoverage(
        pb.GetCoverageRequest(page_size=5, page_token=reply.next_page_token)
    )
    assert [one.performer.name for one in rest.page] == ["Cleo", "Dora"]
    totals = await system.catalogue.GetCoverage(pb.GetCoverageRequest())
    assert (len(totals.page), totals.performers) == (0, 4)


async def test_coverage_names_who_did_not_answer(system: System) -> None:
    """A dead signal is named, also over an empty catalogue; the others are counted."""
    await system.served["body"].kill()
    empty = await system.catalogue.GetCoverage(pb.GetCoverageRequest())
    assert (list(empty.unavailable), [one.signal for one in empty.signals]) == ([_BODY], [_FACE, _TATTOO])
    anna = await system.performer("Anna")
    system.face.remember(anna)
    reply = await system.catalogue.GetCoverage(pb.GetCoverageRequest())
    assert (list(reply.unavailable), reply.without_observations) == ([_BODY], 0)
    performer = await system.catalogue.GetPerformer(pb.GetPerformerRequest(id=anna))
    assert [(one.signal, one.observations) for one in performer.coverage] == [(_FACE, 1), (_TATTOO, 0)]


async def test_coverage_goes_through_any_number_of_performers(system: System) -> None:
    """More performers than are asked about at once: each is counted once, in the order of ids."""
    connection = await asyncpg.connect(system.dsn)
    await connection.execute(
        "INSERT INTO catalogue.performers (id, name, sort_name, search_text) "
        "SELECT gen_random_uuid(), 'P' || n, 'p' || n, 'p' || n FROM generate_series(1, 42000) AS n"
    )
    ids = [str(row["id"]) for row in await connection.fetch("SELECT id FROM catalogue.performers")]
    await connection.close()
    for performer_id in ids[:1200]:
        system.face.remember(performer_id)
    reply = await system.catalogue.GetCoverage(pb.GetCoverageRequest())
    assert (reply.performers, reply.without_observations) == (42000, 40800)
    assert (reply.signals[0].performers, reply.signals[0].observations) == (1200, 1200)
    asked = [one.performers for one in system.face.requests("CountObservations")]
    in_order = sorted(ids)
    ends = [in_order[19999], in_order[39999], in_order[-1]]
    assert [(one.after, one.through) for one in asked] == list(zip(["", *ends[:-1]], ends, strict=True))


async def test_status_tells_of_everybody(system: System) -> None:
    """The gateway and each signal in one answer;

    a dead signal is not reachable, and the answer still comes.
    """
    await system.performer("Anna")
    system.face.remember(str(uuid.uuid4()))
    await system.served["tattoo"].kill()
    reply = await system.status.GetStatus(status_pb2.GetStatusRequest())
    assert (reply.gateway.is_ready, reply.gateway.performers) == (True, 1)
    assert [(one.signal, one.is_reachable) for one in reply.signals] == [
        (_FACE, True),
        (_TATTOO, False),
        (_BODY, True),
    ]
    assert (reply.do_not_identify.external_ids, reply.do_not_identify.images) == (0, 0)
    assert reply.HasField("do_not_identify")
    assert reply.signals[0].status.observations == 1
    assert reply.signals[1].detail == "could not be reached, or failed"
    assert not reply.signals[1].HasField("status")


async def test_candidates_are_named_with_their_ids_in_order(system: System) -> None:
    """What Identify asks of fifty performers at once: also of one without ids, nothing of who is unknown."""
    ids = _ids(("stashdb.org", "z"), ("fansdb.cc", "a"), ("stashdb.org", "b"))
    named = (await _upsert(system, name="Anna", external_ids=ids, urls=["https://a.example/1"])).performer
    plain = (await _upsert(system, name="Bea")).performer
    async with open_pool(system.dsn) as pool:
        found = await PerformerNames(pool)([plain.id, str(uuid.uuid4()), named.id])
    assert found.keys() == {named.id, plain.id}
    assert [(one.authority, one.id) for one in found[named.id].external_ids] == [
        ("stashdb.org", "z"),
        ("fansdb.cc", "a"),
        ("stashdb.org", "b"),
    ]
    assert (found[named.id].name, found[named.id].urls) == ("Anna", ("https://a.example/1",))
    assert (found[plain.id].name, found[plain.id].external_ids) == ("Bea", ())
    assert found[plain.id].past == Past()


async def test_the_past_of_candidates_is_read_where_it_is_asked(system: System) -> None:
    """Birth date and career, and breasts only where those are asked; of each performer once."""
    ids = _ids(("stashdb.org", "z"), ("fansdb.cc", "a"))
    said = pb.BreastRecord(natural_probability=0.25, effective_from="2020-01-01")
    anna = (
        await _upsert(
            system,
            name="Anna",
            external_ids=ids,
            birth_date="1990-01-02",
            career_start_year=2010,
            breast_history=[said],
        )
    ).performer
    async with open_pool(system.dsn) as pool:
        names = PerformerNames(pool)
        past = (await names([anna.id], with_past=True))[anna.id].past
        whole = (await names([anna.id], with_past=True, with_history=True))[anna.id].past
    assert past == Past(datetime.date(1990, 1, 2), 2010, 0)
    [record] = whole.breast_history
    assert (record.natural_probability, record.effective_from) == (0.25, datetime.date(2020, 1, 1))
