"""`marquee backfill` as a process: a real gateway and database, real web servers, scripted signals."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2 as pb
from tests.fakes.command_shell import Done, ended, start_command
from tests.fakes.gateway_system import System, open_system, picture
from tests.fakes.postgres import database, postgres_server
from tests.fakes.scenes import face_at
from tests.fakes.web import Web, reply, serve_web

__all__ = ["database", "postgres_server"]


@dataclass(frozen=True)
class _Case:
    """A gateway that wants two faces of everybody, a web server, and the command."""

    system: System
    web: Web
    folder: Path

    async def start(self, *options: str | Path, rate: str = "100") -> asyncio.subprocess.Process:
        return await start_command(
            *("backfill", "--server", f"127.0.0.1:{self.system.server.port}"),
            *("--allow-private", "127.0.0.2", "--rate", rate, "--json", self.folder / "report.json"),
            *options,
            MARQUEE_DATA=str(self.folder),
        )

    async def run(self, *options: str | Path) -> Done:
        return await ended(await self.start(*options))

    def report(self) -> Any:
        return json.loads((self.folder / "report.json").read_text())

    def outcomes(self) -> dict[str, str]:
        """Path of each picture's URL -> what became of it."""
        return {one["uri"].removeprefix(self.web.url()): one["outcome"] for one in self.report()["pictures"]}

    async def know(self, performer_id: str, *paths: str, source: str = "stashdb.org") -> None:
        """Pictures at these paths are known, and there, unless the test said what is."""
        reports = []
        for path in paths:
            if path not in self.web.answers:
                # A picture of its own for each path.
                self.web.put(path, reply(200, picture(sum(map(ord, path)) % 300), Content_Type="image/png"))
            url = self.web.url(path)
            reports.append(pb.ImageReport(performer_id=performer_id, source=source, uri=url))
        await self.system.catalogue.RecordImages(pb.RecordImagesRequest(images=reports))

    async def images(self, performer_id: str) -> dict[str, tuple[int, str, bool]]:
        request = pb.ListPerformerImagesRequest(performer_id=performer_id)
        images = (await self.system.catalogue.ListPerformerImages(request)).images
        return {one.uri.removeprefix(self.web.url()): (one.state, one.reason, one.is_open) for one in images}

    def asked(self) -> list[str]:
        return [one.path for one in self.web.asked]


@pytest_asyncio.fixture(loop_scope="session")
async def case(database: str, tmp_path: Path) -> AsyncIterator[_Case]:
    async with AsyncExitStack() as stack:
        opening = open_system(database, target_faces=2, target_good_faces=0, target_bodies=0)
        system = await stack.enter_async_context(opening)
        web = await stack.enter_async_context(serve_web("127.0.0.2"))
        system.face.seen = [face_at(300, 100, name="f")]
        yield _Case(system, web, tmp_path)


async def test_only_who_needs_it_until_it_is_enough(case: _Case) -> None:
    """Anna has enough; of Bea two of four pictures are read; Cleo has one; nobody else is asked for."""
    anna, bea, cleo = [await case.system.performer(name) for name in ("Anna", "Bea", "Cleo")]
    case.system.face.remember(anna, 2)
    await case.know(anna, "/anna/1")
    await case.know(bea, "/bea/1", "/bea/2", "/bea/3", "/bea/4")
    await case.know(cleo, "/cleo/1")
    done = await case.run()
    assert done.code == 0, done.out + done.err
    assert sorted(case.asked()) == ["/bea/1", "/bea/2", "/cleo/1"]
    assert case.outcomes() == dict.fromkeys(["/bea/1", "/bea/2", "/cleo/1"], "enrolled")
    assert "2 of 2 performers done; 1 have reached the target; 1 have no more pictures to try" in done.out
    assert [len(case.system.face.enrolled[one]) for one in (anna, bea, cleo)] == [2, 2, 1]
    sources = {observation.source.uri for _, observation in case.system.face.enrolled[cleo]}
    assert sources == {case.web.url("/cleo/1")}
    again = await case.run()
    assert "nobody below the target" in again.out
    assert len(case.asked()) == 3


async def test_what_cannot_be_read_is_remembered(case: _Case) -> None:
    """Gone is not asked again; busy is, by the next run; the next picture takes the place of both."""
    anna = await case.system.performer("Anna")
    case.web.put("/1", reply(404))
    case.web.put("/2", reply(429, Retry_After="7200"))
    case.web.put("/3", reply(200, b"<html>", Content_Type="text/html"))
    # The second host keeps on when the first wants rest.
    async with serve_web("127.0.0.3") as other:
        other.put("/4", reply(200, picture(4), Content_Type="image/png"))
        await case.know(anna, "/1", "/3", "/2")
        known = pb.ImageReport(performer_id=anna, source="stashdb.org", uri=other.url("/4"))
        await case.system.catalogue.RecordImages(pb.RecordImagesRequest(images=[known]))
        done = await case.run("--allow-private", "127.0.0.3")
    assert done.code == 3
    assert "HTTP status 404" in done.out
    assert len(case.system.face.enrolled[anna]) == 1
    images = await case.images(anna)
    failed = pb.IMAGE_STATE_FAILED
    assert images["/1"] == (failed, "not_found", False)
    assert images["/2"] == (failed, "rate_limited", True)
    assert images["/3"] == (failed, "rate_limited", True)
    assert case.asked() == ["/1", "/2"]
    case.web.asked.clear()
    case.web.put("/2", reply(200, picture(2), Content_Type="image/png"))
    assert (await case.run()).code == 0
    assert "/1" not in case.asked()
    assert "/2" in case.asked()
    assert len(case.system.face.enrolled[anna]) == 2


async def test_refused_pictures_are_not_fetched_again(case: _Case) -> None:
    """Whatever the reason is, a do-not-identify list included: it is final, and says so in the summary."""
    anna = await case.system.performer("Anna")
    await case.know(anna, "/1", "/2")
    case.system.face.refuse = (common_pb2.REJECTION_REASON_LOW_QUALITY, "too small")
    done = await case.run()
    assert done.code == 0
    assert case.outcomes() == {"/1": "rejected", "/2": "rejected"}
    assert "low_quality 2" in done.out
    case.system.face.refuse = None
    assert "nobody below the target" in (await case.run()).out
    assert len(case.asked()) == 2


async def test_a_picture_of_several_is_tried_again_when_a_face_is_known(case: _Case) -> None:
    """It is fetched once, and enrolled once another picture has shown who the performer is."""
    anna = await case.system.performer("Anna")
    await case.know(anna, "/1", "/2")
    crowd = picture(sum(map(ord, "/1")) % 300)
    case.system.face.seen_in[crowd] = [face_at(200, 100, name="x"), face_at(500, 100, name="f")]
    done = await case.run()
    assert done.code == 0, done.out + done.err
    assert case.outcomes() == {"/1": "enrolled", "/2": "enrolled"}
    assert sorted(case.asked()) == ["/1", "/2"]


async def test_sources_and_missing_only(case: _Case) -> None:
    """--source reads its pictures only; --missing-only passes over who has a face, or one from the source."""
    anna, bea = await case.system.performer("Anna"), await case.system.performer("Bea")
    await case.know(anna, "/anna/1", "/anna/2")
    await case.know(bea, "/bea/1", source="fansdb.cc")
    case.system.face.remember(anna)
    assert (await case.run("--missing-only", "--source", "fansdb.cc")).code == 0
    assert case.asked() == ["/bea/1"]
    await case.run("--missing-only")
    assert case.asked() == ["/bea/1"]
    await case.run("--source", "stashdb.org", "--missing-only")
    assert case.asked() == ["/bea/1", "/anna/1"]
    await case.know(anna, "/anna/3")
    await case.run("--source", "fansdb.cc")
    assert case.asked() == ["/bea/1", "/anna/1"]


async def test_nobody_is_tried_whose_age_is_unknown(case: _Case) -> None:
    """Nothing is fetched, and it is said."""
    anna = await case.system.performer("Anna", birth_date="")
    await case.know(anna, "/1")
    done = await case.run()
    assert "1 are not attested to be adults" in done.out
    assert case.asked() == []


async def test_private_addresses_need_the_owners_word(case: _Case) -> None:
    """Without it the picture fails for good, and no connection is made."""
    anna = await case.system.performer("Anna")
    known = pb.ImageReport(performer_id=anna, uri=case.web.url("/1").replace("127.0.0.2", "127.0.0.1"))
    await case.system.catalogue.RecordImages(pb.RecordImagesRequest(images=[known]))
    done = await case.run()
    assert "leads to an address that is not public" in done.out
    [image] = (await case.images(anna)).values()
    assert image == (pb.IMAGE_STATE_FAILED, "private_address", False)
    assert case.web.connections == 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_it_goes_on_where_it_was_stopped(case: _Case, how: signal.Signals) -> None:
    """Killed or interrupted in the middle: nothing is done twice; Ctrl-C tells what was done."""
    performers = [await case.system.performer(f"P{number}") for number in range(6)]
    for number, performer_id in enumerate(performers):
        await case.know(performer_id, f"/{number}/1", f"/{number}/2")
    process = await case.start("--at-a-time", "2", rate="20")
    await case.system.face.until(lambda: len(case.system.face.requests("Enroll")) >= 4)
    process.send_signal(how)
    done = await ended(process)
    first = case.asked()
    assert 4 <= len(first) < 12
    if how is signal.SIGINT:
        assert done.code == 130
        assert "performers done" in done.out
        told = [one["uri"] for one in case.report()["pictures"]]
        assert 1 <= len(told) <= len(first)
    case.web.asked.clear()
    assert (await case.run()).code == 0
    enrolled = [digest for one in performers for digest, _ in case.system.face.enrolled[one]]
    assert len(enrolled) == 12
    offered = [one.performer_id for one in case.system.face.requests("Enroll")]
    # At most what was under way, two at a time, is done once more.
    assert 12 <= len(first) + len(case.web.asked) <= 14
    assert 12 <= len(offered) <= 14


async def test_a_service_that_is_away_ends_it_and_refuses_nothing(case: _Case) -> None:
    """It waits, and gives up with a summary; the picture is open, and the next run enrols it."""
    anna = await case.system.performer("Anna")
    await case.know(anna, "/1")
    case.system.face.errors["Enroll"] = RuntimeError("no")
    process = await case.start()
    await case.system.face.until(lambda: len(case.system.face.requests("Enroll")) >= 2)
    case.system.face.errors.clear()
    done = await ended(process)
    assert done.code in (0, 3), done.err
    if done.code == 3:
        assert case.outcomes() == {"/1": "not answered"}
        assert (await case.run()).code == 0
    assert len(case.system.face.enrolled[anna]) == 1


async def test_a_folder_fills_up_who_needs_it(case: _Case) -> None:
    """As `marquee enroll` reads it; who has enough or is unknown is told; what was sent is not sent again."""
    ids = {name: await case.system.performer(name, external_ids={"folder": name}) for name in ("Anna", "Bea")}
    case.system.face.remember(ids["Bea"], 2)
    for name in ("Anna", "Bea", "Nobody"):
        folder = case.folder / "gallery" / name
        folder.mkdir(parents=True)
        for number in range(3):
            (folder / f"{number}.png").write_bytes(picture(10 * len(name) + number))
    (case.folder / "gallery" / "Anna" / "0.png").write_bytes(b"no picture")
    done = await case.run("--folder", case.folder / "gallery")
    assert done.code == 0, done.out + done.err
    assert "Nobody: nobody with this id" in " ".join(done.err.split())
    assert "1 performers have enough" in done.err
    assert sorted(one["outcome"] for one in case.report()["pictures"]) == ["enrolled", "enrolled", "rejected"]
    looked_at = len(case.system.face.requests("Observe"))
    case.system.face.enrolled[ids["Anna"]].pop()
    done = await case.run("--folder", case.folder / "gallery")
    assert "0 have reached the target; 1 have no more pictures" in done.out
    assert len(case.system.face.requests("Observe")) == looked_at


async def test_wrong_use_is_told(case: _Case) -> None:
    """Options that do not go together, networks that are none."""
    for options in (
        ("--reembed", "--source", "x"),
        ("--reembed", "--missing-only"),
        ("--folder", case.folder, "--source", "x"),
        ("--root", "/a=/b"),
        ("--allow-private", "192.168.1.1/24"),
        ("--rate", "0"),
    ):
        assert (await case.run(*options)).code == 2, options
