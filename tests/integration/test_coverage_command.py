"""`marquee coverage` as a process, against a real gateway and database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from marquee.gateway.v1 import catalogue_pb2 as pb
from tests.fakes.command_shell import Done, ended, start_command
from tests.fakes.gateway_system import System, open_system, picture
from tests.fakes.postgres import database, postgres_server
from tests.fakes.scenes import face_at

__all__ = ["database", "postgres_server"]


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[System]:
    """Anna has a good face from her folder; Bea's only source is dead; of Cleo something is known."""
    async with open_system(database, target_faces=1, target_good_faces=1, target_bodies=0) as system:
        system.face.seen = [face_at(300, 100, name="f")]
        anna, bea, cleo = [await system.performer(name) for name in ("Anna", "Bea", "Cleo")]
        image = pb.EnrollImagesRequest(key="k", performer_id=anna, image=picture(), uri="/anna/1.jpg")
        assert [one.is_accepted async for one in system.catalogue.EnrollImages(iter([image]))] == [True]
        reports = [
            pb.ImageReport(performer_id=bea, source="dead.example", uri="https://a/1", failure="not_found"),
            pb.ImageReport(performer_id=cleo, source="stashdb.org", uri="https://b/1"),
        ]
        await system.catalogue.RecordImages(pb.RecordImagesRequest(images=reports))
        yield system


async def _marquee(system: System, folder: Path, *options: str) -> Done:
    server = f"127.0.0.1:{system.server.port}"
    process = await start_command("coverage", "--server", server, *options, MARQUEE_DATA=str(folder))
    return await ended(process)


async def _json(system: System, folder: Path, *options: str) -> Any:
    done = await _marquee(system, folder, "--json", *options)
    assert done.code == 0, done.err
    return json.loads(done.out)


async def test_totals_and_sources_are_shown(system: System, tmp_path: Path) -> None:
    """Faces by quality, the target, every source with its reasons; one that brought nothing is marked."""
    done = await _marquee(system, tmp_path)
    assert done.code == 0, done.err
    assert "2 of 3 performers are below the target: 1 faces, 1 good faces each" in done.out
    [dead] = [line for line in done.out.splitlines() if "dead.example" in line]
    assert "brought nothing: not_found 1" in dead
    [new] = [line for line in done.out.splitlines() if "stashdb.org" in line]
    assert "not tried yet" in new
    assert "brought nothing" not in new
    [folder] = [line for line in done.out.splitlines() if "folder" in line]
    assert [cell.strip() for cell in folder.split("│")[1:6]] == ["folder", "1", "1", "1", "1"]


async def test_lists_are_filtered(system: System, tmp_path: Path) -> None:
    """Below the target, without faces from a source, both, nobody."""
    for options, names in (
        (("--performers",), ["Anna", "Bea", "Cleo"]),
        (("--below-target",), ["Bea", "Cleo"]),
        (("--without-faces",), ["Bea", "Cleo"]),
        (("--without-source", "folder"), ["Bea", "Cleo"]),
        (("--without-source", "stashdb.org"), ["Anna", "Bea", "Cleo"]),
        (("--without-source", "stashdb.org", "--below-target"), ["Bea", "Cleo"]),
    ):
        seen = await _json(system, tmp_path, *options)
        assert [each["name"] for each in seen["page"]] == names, options
    assert "page" not in await _json(system, tmp_path)


async def test_json_has_everything(system: System, tmp_path: Path) -> None:
    """Totals, target, sources with reasons, and of each performer the same."""
    seen = await _json(system, tmp_path, "--performers")
    assert (seen["performers"], seen["below_target"], seen["without_observations"]) == (3, 2, 2)
    assert seen["target"] == {"faces": 1, "good_faces": 1, "bodies": 0}
    aside = {"reserve": 0, "quarantined": 0, "unsearchable": 0}
    assert seen["faces"] == {"good": 1, "usable": 0, "weak": 0, "best_quality": 0, **aside}
    dead = seen["sources"][0]
    assert (dead["source"], dead["seen"], dead["has_brought_nothing"]) == ("dead.example", 1, True)
    assert dead["reasons"] == [{"state": "failed", "reason": "not_found", "images": 1}]
    anna = seen["page"][0]
    assert anna["observations"] == {"face": 1, "tattoo": 0, "body": 0}
    assert anna["faces"] == {"good": 1, "usable": 0, "weak": 0, "best_quality": 0.9, **aside}
    assert (anna["is_below_target"], anna["sources"][0]["with_face"]) == (False, 1)


async def test_a_signal_that_is_away_is_named(system: System, tmp_path: Path) -> None:
    """Its numbers are missing, not zero; a list that needs it is an error."""
    await system.served["face"].kill()
    done = await _marquee(system, tmp_path, "--performers")
    assert done.code == 0
    assert "face did not answer; its numbers are missing" in done.err
    assert "? of 3 performers are below the target" in done.out
    done = await _marquee(system, tmp_path, "--below-target")
    assert done.code == 1
    assert "face did not answer" in done.err
