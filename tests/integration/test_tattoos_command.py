"""The owner's tattoos from end to end: command and client, a real gateway, tattoo service and database."""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chassis.errors import InvalidInput, NotFound, Refused, Unavailable
from chassis.geometry import Box
from client.api import Marquee
from client.tattoo_values import Tattoo
from client.transfer.values import TattooText
from marquee.common.v1 import common_pb2
from tests.fakes.command_shell import Done, ended, start_command
from tests.fakes.gateway_system import System, open_system
from tests.fakes.postgres import database, postgres_server
from tests.fakes.tattoo_service import (
    TattooSystem,
    enrolment,
    migrate_tattoo,
    open_tattoo_system,
    plain_section,
    template_of,
)

__all__ = ["database", "postgres_server"]

_LEFT, _CHEST = common_pb2.BODY_REGION_LEFT_FOREARM, common_pb2.BODY_REGION_CHEST


@dataclass(frozen=True)
class _All:
    """Anna has a dragon in two views and something on the chest; Bea has only words."""

    gateway: System
    tattoo: TattooSystem
    marquee: Marquee
    anna: str
    bea: str
    folder: Path

    async def run(self, *options: str) -> Done:
        server = f"127.0.0.1:{self.gateway.server.port}"
        process = await start_command(
            "tattoos", "--server", server, *options, MARQUEE_DATA=str(self.folder), COLUMNS="200"
        )
        return await ended(process)

    async def read(self, *options: str) -> Any:
        done = await self.run("--json", *options)
        assert done.code == 0, done.err
        return json.loads(done.out)

    async def annas(self) -> dict[str, Tattoo]:
        """By region."""
        [found] = [each async for each in self.marquee.tattoos.search(performer_id=self.anna)]
        return {tattoo.region: tattoo for tattoo in found.tattoos}


@pytest_asyncio.fixture(loop_scope="session")
async def all_(database: str, tmp_path: Path) -> AsyncIterator[_All]:
    """All parts; the other signals are fakes."""
    await migrate_tattoo(database)
    async with (
        open_tattoo_system(database, plain_section(tmp_path)) as tattoo,
        open_system(database, tattoo_address=tattoo.address) as gateway,
        Marquee.connect(f"127.0.0.1:{gateway.server.port}") as marquee,
    ):
        anna = await gateway.performer("Anna", external_ids={"folder": "Anna"}, birth_date="1990-01-01")
        bea = await gateway.performer("Bea")
        await tattoo.enroll(
            anna,
            enrolment(template_of(1), region=_LEFT, image="a", date="2020-02-02"),
            enrolment(template_of(1), region=_LEFT, image="b", date="2021-02-02"),
            enrolment(template_of(2), region=_CHEST, image="b", box=Box(50, 60, 70, 80)),
        )
        texts = [
            TattooText(anna, "left forearm", "red dragon", "stashdb.org"),
            TattooText(bea, "right thigh", "dragon and rose", "stashdb.org"),
        ]
        await marquee.transfer.import_tattoo_texts(texts)
        yield _All(gateway, tattoo, marquee, anna, bea, tmp_path)


async def test_a_performers_tattoos_are_shown(all_: _All) -> None:
    """Region, dates, views, confidence, sources and words."""
    done = await all_.run("folder:Anna")
    assert done.code == 0, done.err
    [line] = [line for line in done.out.splitlines() if "left forearm" in line]
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells[1:] == [
        "left forearm",
        "2020-02-02",
        "",
        "2",
        "0.75",
        "observed, stashdb.org",
        "left forearm: red dragon",
    ]
    assert "Bea" not in done.out


async def test_everybodys_are_searched(all_: _All) -> None:
    """By words, by region, by both; performers of whom there are only words are found."""
    for options, names in (
        (("--words", "dragon"), {"Anna", "Bea"}),
        (("--words", "Dragon Rose"), {"Bea"}),
        (("--region", "left_forearm"), {"Anna"}),
        (("--region", "left_forearm", "--words", "dragon"), {"Anna"}),
        (("--region", "chest", "--words", "dragon"), set()),
    ):
        assert {one["name"] for one in await all_.read(*options)} == names, options
    done = await all_.run("--words", "dragon")
    assert [line for line in done.out.splitlines() if "Bea" in line and "dragon and rose" in line]
    assert "no such tattoos" in (await all_.run("--words", "unicorn")).out


async def test_pages_are_put_together(all_: _All) -> None:
    """The client reads on until everybody was named; the command stops at its limit."""
    found = [one.performer.name async for one in all_.marquee.tattoos.search(words="dragon", page_size=1)]
    assert sorted(found) == ["Anna", "Bea"]
    assert len(await all_.read("--words", "dragon", "--limit", "1")) == 1


async def test_the_owner_corrects_by_short_ids(all_: _All) -> None:
    """Dates and place, split, merge, deletion of a view: as the list shows them."""
    left = (await all_.annas())["left_forearm"]
    who = ("folder:Anna", "--tattoo", left.id[:8])
    await all_.read(*who, "--removed", "2022-05-05", "--first-seen", "2015-01-01", "--place", "right_forearm")
    right = (await all_.annas())["right_forearm"]
    assert (right.id, right.first_seen, right.removed) == (
        left.id,
        datetime.date(2015, 1, 1),
        datetime.date(2022, 5, 5),
    )
    await all_.read(*who, "--removed", "unknown", "--first-seen", "unknown")
    right = (await all_.annas())["right_forearm"]
    assert (right.first_seen, right.removed) == (datetime.date(2020, 2, 2), None)
    [anna] = await all_.read(*who, "--split", right.views[1].id[:8])
    assert sorted(len(one["views"]) for one in anna["tattoos"]) == [1, 1, 1]
    [other] = [
        one["id"] for one in anna["tattoos"] if one["region"] == "right_forearm" and one["id"] != left.id
    ]
    [anna] = await all_.read(*who, "--merge", other[:8])
    assert sorted(len(one["views"]) for one in anna["tattoos"]) == [1, 2]
    chest = (await all_.annas())["chest"]
    [anna] = await all_.read("folder:Anna", "--delete-view", chest.views[0].id[:8])
    assert [one["region"] for one in anna["tattoos"]] == ["right_forearm"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--tattoo", "1234", "--removed", "2020-01-01"), "whose tattoo"),
        (("folder:Anna", "--removed", "2020-01-01"), "which tattoo"),
        (("folder:Anna", "--tattoo", "zzz", "--removed", "2020-01-01"), "beginning of 0 ids"),
        (("folder:Anna", "--tattoo", "zzz"), "nothing is said"),
        (("folder:Nobody",), "no such performer"),
    ],
)
async def test_what_is_not_clear_is_asked_back(all_: _All, options: tuple[str, ...], says: str) -> None:
    """One line, exit code 1."""
    done = await all_.run(*options)
    assert done.code == 1
    assert says in done.err


async def test_a_day_that_is_none_is_wrong_use(all_: _All) -> None:
    """Exit code 2, before anything is asked."""
    done = await all_.run("folder:Anna", "--tattoo", "1", "--removed", "soon")
    assert done.code == 2
    assert "no day" in done.err


async def test_adults_only(all_: _All) -> None:
    """A tattoo is not said to have been there before the eighteenth birthday."""
    tattoo = (await all_.annas())["chest"]
    with pytest.raises(Refused, match="eighteenth"):
        await all_.marquee.tattoos.update(all_.anna, tattoo.id, first_seen=datetime.date(2007, 12, 31))
    await all_.marquee.tattoos.update(all_.anna, tattoo.id, first_seen=datetime.date(2008, 1, 1))


async def test_errors_are_the_callers_or_the_services(all_: _All) -> None:
    """A tattoo of somebody else, a region that is none, nobody's id."""
    tattoo = (await all_.annas())["chest"]
    with pytest.raises(NotFound):
        await all_.marquee.tattoos.update(all_.bea, tattoo.id, removed=None)
    with pytest.raises(NotFound):
        await all_.marquee.tattoos.merge(all_.anna, [tattoo.id, all_.bea])
    with pytest.raises(NotFound):
        await all_.marquee.tattoos.delete_views(all_.bea, [tattoo.views[0].id])
    with pytest.raises(InvalidInput):
        [one async for one in all_.marquee.tattoos.search(regions=["elbow"])]


async def test_a_tattoo_service_that_is_away_is_said_so(database: str) -> None:
    """UNAVAILABLE, and not an empty list."""
    async with (
        open_system(database, tattoo_address="127.0.0.1:1") as gateway,
        Marquee.connect(f"127.0.0.1:{gateway.server.port}") as marquee,
    ):
        with pytest.raises(Unavailable):
            [one async for one in marquee.tattoos.search(words="dragon")]


async def test_the_forgotten_are_in_no_list(all_: _All) -> None:
    """Neither their tattoos nor what was said of them."""
    await all_.marquee.forget(all_.anna)
    assert {one["name"] for one in await all_.read("--words", "dragon")} == {"Bea"}
    left = await all_.tattoo.rows.execute(
        "SELECT FROM tattoo.region_knowledge WHERE performer_id = $1", all_.anna
    )
    assert not left
