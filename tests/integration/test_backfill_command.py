"""`marquee backfill --reembed` as a process, against a gateway in memory."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import DeadlineExceeded, MarqueeError, Overloaded, Unavailable
from chassis.images import image_hash
from marquee.common.v1 import common_pb2
from tests.fakes.command_shell import BLUE, Done, Shell, ended
from tests.fakes.gateway_server import fake_gateway
from tests.fakes.pictures import encode, gradient
from tests.fakes.web import reply, serve_web

_FACE, _TATTOO = common_pb2.SIGNAL_FACE, common_pb2.SIGNAL_TATTOO
_CROWD, _PORTRAIT, _BEN = "gallery/Ann_Lee/1_crowd.png", "gallery/Ann_Lee/2_portrait.png", "gallery/Ben/1.png"


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    """With three pictures of two people enrolled."""
    async with fake_gateway() as (fake, address):
        shell = Shell(address, tmp_path, fake)
        done = await shell.marquee("enroll", shell.gallery(), "--adults")
        assert done.code == 0, done.out + done.err
        yield shell


async def _backfill(shell: Shell, *options: str | Path) -> tuple[Done, Any]:
    """What the command printed, and its report."""
    report = shell.folder / "report.json"
    report.unlink(missing_ok=True)
    done = await shell.marquee("backfill", "--reembed", "--json", report, *options)
    return done, json.loads(report.read_text()) if report.exists() else None


def _hash(shell: Shell, file: str) -> str:
    return image_hash((shell.folder / file).read_bytes())


async def test_nothing_to_do_is_said(shell: Shell) -> None:
    """Exit code 0 while no signal changes its models."""
    done, report = await _backfill(shell)
    assert done.code == 0, done.err
    assert "no signal is changing its models: nothing to describe" in done.out
    assert report == {"signals": {}, "unavailable": [], "pictures": []}


async def test_everything_is_described_and_the_signal_switches(shell: Shell) -> None:
    """Exit code 0, the figures in the table and in the report; afterwards there is nothing to do."""
    shell.fake.change_models()
    done, report = await _backfill(shell)
    assert done.code == 0, done.out + done.err
    assert "face has switched to the new models" in done.out
    assert report["signals"]["face"]["outcomes"] == {"described": 3}
    assert report["signals"]["face"]["has_switched"] is True
    assert len(shell.fake.backfill.received) == 3
    assert (await _backfill(shell))[0].code == 0
    assert len(shell.fake.backfill.received) == 3


async def test_a_picture_that_two_signals_wait_for_is_sent_once(shell: Shell) -> None:
    """Faces and tattoos of it are counted for each signal."""
    shell.fake.change_models(tattoos=2)
    done, report = await _backfill(shell)
    assert done.code == 0, done.out + done.err
    outcomes = {name: each["outcomes"] for name, each in report["signals"].items()}
    assert outcomes == {"face": {"described": 3}, "tattoo": {"described": 6}}
    assert len(shell.fake.backfill.received) == 3


async def test_sources_that_are_gone_changed_or_unreadable_are_told_and_not_sent(shell: Shell) -> None:
    """Exit code 3, each with its reason, the rest is described; coverage is told against the share."""
    shell.fake.change_models()
    (shell.folder / _CROWD).unlink()
    (shell.folder / _PORTRAIT).write_bytes(b"retouched")
    done, report = await _backfill(shell)
    assert done.code == 3
    assert "2 pictures not described" in done.out
    assert "1_crowd.png: cannot be read (No such file or directory)" in done.out
    assert "2_portrait.png: is not the picture that was enrolled" in done.out
    face = report["signals"]["face"]
    assert face["outcomes"] == {"described": 1, "gone": 1, "changed": 1}
    assert (face["change"]["described"], face["has_switched"]) == (1, False)
    assert "33.3% of 100%" in done.out
    assert shell.fake.backfill.received == [_hash(shell, _BEN)]
    shell.oversized(_CROWD)
    done, report = await _backfill(shell)
    assert report["signals"]["face"]["outcomes"] == {"unreadable": 1, "changed": 1}
    assert "is 41 MB; at most 32 MB are accepted" in done.out


async def test_urls_are_fetched_and_must_be_the_same_bytes(shell: Shell) -> None:
    """A picture from the web is read from there again; other bytes, none, a busy server are told."""
    shell.fake.change_models()
    sources = list(shell.fake.backfill.sources.values())
    async with serve_web("127.0.0.2") as web:
        for number, source in enumerate(sources):
            data = await asyncio.to_thread(Path(source.uri).read_bytes)
            source.uri = web.put(f"/{number}", reply(200, data, Content_Type="image/png"))
        web.put("/1", reply(404))
        web.put("/2", reply(200, encode(gradient()), Content_Type="image/png"))
        done, report = await _backfill(shell, "--allow-private", "127.0.0.2", "--rate", "100")
        assert done.code == 3
        outcomes = {"described": 1, "gone": 1, "changed": 1}
        assert report["signals"]["face"]["outcomes"] == outcomes
        assert f"{web.url('/1')}: HTTP status 404" in done.out
        assert shell.fake.backfill.received == [sources[0].image_hash]
        web.put("/1", reply(429, Retry_After="9999"))
        done, report = await _backfill(shell, "--allow-private", "127.0.0.2", "--rate", "100")
        assert report["signals"]["face"]["outcomes"] == {"unreachable": 2}


async def test_private_urls_are_not_fetched_without_the_owners_word(shell: Shell) -> None:
    """They are named as such."""
    shell.fake.change_models()
    async with serve_web("127.0.0.2") as web:
        for source in shell.fake.backfill.sources.values():
            source.uri = web.url("/1")
        done, report = await _backfill(shell)
        assert web.connections == 0
    assert done.code == 3
    assert report["signals"]["face"]["outcomes"] == {"not fetched": 3}
    assert "leads to an address that is not public" in done.out


async def test_a_moved_folder_is_found_with_root(shell: Shell) -> None:
    """OLD=NEW maps where pictures were to where they are now; a malformed one is a usage error."""
    shell.fake.change_models()
    (shell.folder / "gallery").rename(shell.folder / "moved")
    assert (await _backfill(shell))[1]["signals"]["face"]["outcomes"] == {"gone": 3}
    root = f"{(shell.folder / 'gallery').resolve()}={shell.folder / 'moved'}"
    done, report = await _backfill(shell, "--root", root)
    assert done.code == 0, done.out + done.err
    assert report["signals"]["face"]["outcomes"] == {"described": 3}
    wrong = await shell.marquee("backfill", "--reembed", "--root", "gallery")
    assert (wrong.code, "'gallery' is not OLD=NEW" in wrong.err) == (2, True)


async def test_what_is_missed_or_refused_is_left(shell: Shell) -> None:
    """Exit code 3 and the server's words, also when the switch is made without them."""
    shell.fake.change_models(switch_coverage=0.3)
    shell.fake.backfill.unseen.add(_hash(shell, _CROWD))
    shell.fake.backfill.refused[_hash(shell, _PORTRAIT)] = "nobody attests that the performer is an adult"
    done, report = await _backfill(shell)
    assert done.code == 3
    face = report["signals"]["face"]
    assert (face["outcomes"], face["has_switched"]) == ({"described": 1, "missed": 2}, True)
    assert "not seen at its place any more" in done.out
    assert "nobody attests that the performer is an adult" in done.out


async def test_what_the_switch_leaves_behind_is_described_later(shell: Shell) -> None:
    """Exit code 3 and a warning while something cannot be found; the next run describes it."""
    shell.fake.change_models(switch_coverage=0.5)
    (shell.folder / _BEN).rename(shell.folder / "away.png")
    done, report = await _backfill(shell)
    assert done.code == 3
    assert "face has switched to the new models" in done.out
    assert "66.6% of 50%" in done.out
    assert "what still waits may not be found until it is described" in done.err
    assert "2 of 3 described by new 1, the others may not be found" in (await shell.marquee("status")).out
    (shell.folder / "away.png").rename(shell.folder / _BEN)
    done, report = await _backfill(shell)
    assert done.code == 0, done.out
    assert report["signals"]["face"] == {
        "outcomes": {"described": 1},
        "has_switched": True,
        "change": None,
    }


async def test_what_somebody_else_describes_meanwhile_is_done(shell: Shell) -> None:
    """Told apart from what this run described."""
    shell.fake.change_models(tattoos=1)
    shell.fake.backfill.described_by_others.add(_TATTOO)
    done, report = await _backfill(shell)
    assert done.code == 0, done.out
    assert report["signals"]["tattoo"]["outcomes"] == {"no longer waiting": 3}


@pytest.mark.parametrize("trouble", [Unavailable("gone"), Overloaded("full"), DeadlineExceeded("too slow")])
async def test_a_server_that_is_busy_or_restarts_costs_nothing(shell: Shell, trouble: MarqueeError) -> None:
    """A stream that breaks off after the first picture goes on with the second."""
    shell.fake.change_models()
    shell.fake.backfill.troubles.extend([None, trouble])
    shell.fake.backfill.list_troubles.append(Overloaded("full"))
    done, report = await _backfill(shell)
    assert done.code == 0, done.out + done.err
    assert not shell.fake.backfill.troubles
    assert sum(report["signals"]["face"]["outcomes"].values()) == 3


async def test_a_server_that_stays_busy_is_given_up(shell: Shell) -> None:
    """Exit code 1 and one line that says how to go on."""
    shell.fake.change_models()
    shell.fake.backfill.troubles.extend([Overloaded("full")] * 9)
    done, _ = await _backfill(shell)
    assert done.code == 1
    assert "0 of 3 pictures are described; the command goes on from there" in done.err
    assert "repeat the command to go on" in done.err.splitlines()[-1]


async def test_a_signal_that_is_away_for_a_moment_is_asked_again(shell: Shell) -> None:
    """What the other signal described at the first try stays counted as described."""
    shell.fake.change_models(tattoos=1)
    shell.fake.backfill.away = 2
    done, report = await _backfill(shell)
    assert done.code == 0, done.out + done.err
    assert report["signals"]["face"]["outcomes"] == {"described": 3}
    assert report["signals"]["tattoo"]["outcomes"] == {"described": 3}


async def test_a_signal_that_stays_away_is_named(shell: Shell) -> None:
    """Its observations are left, exit code 3; the other's are described."""
    shell.fake.change_models(tattoos=1)
    shell.fake.backfill.away = 9
    done, report = await _backfill(shell)
    assert done.code == 3
    assert report["signals"]["face"]["outcomes"] == {"not answered": 3}
    assert report["signals"]["tattoo"]["outcomes"] == {"described": 3}
    assert "face did not answer in time" in done.out


async def test_a_signal_that_cannot_be_listed_is_named(shell: Shell) -> None:
    """Exit code 3: something may be left."""
    shell.fake.change_models()
    shell.fake.backfill.unavailable.append(_TATTOO)
    done, report = await _backfill(shell)
    assert done.code == 3
    assert "tattoo could not be asked; repeat the command later" in done.err
    assert report["unavailable"] == ["tattoo"]


async def test_a_change_that_cannot_go_on_is_told(shell: Shell) -> None:
    """Everything is described, and the switch is not made: exit code 3 and the signal's words."""
    shell.fake.change_models()
    shell.fake.backfill.problem = "model new 1 cannot be run"
    done, report = await _backfill(shell)
    assert done.code == 3
    assert "face: model new 1 cannot be run" in done.err
    assert report["signals"]["face"]["change"] == {
        "observations": 3,
        "described": 3,
        "switch_coverage": 1.0,
        "problem": "model new 1 cannot be run",
    }


async def test_it_can_be_stopped_and_repeated(shell: Shell) -> None:
    """Ctrl-C in the middle: exit code 130, what is described stays, the next run does the rest."""
    shell.fake.change_models()
    fake = shell.fake.backfill
    fake.hold_after = 1
    process = await shell.start("backfill", "--reembed", "--server", shell.address)
    await asyncio.wait_for(fake.is_held.wait(), 60)
    process.send_signal(signal.SIGINT)
    stopped = await ended(process)
    assert stopped.code == 130
    assert "of 3 pictures are described; the command goes on from there" in stopped.err
    fake.hold_after = None
    done, report = await _backfill(shell)
    assert done.code == 0, done.out + done.err
    assert report["signals"]["face"]["outcomes"] == {"described": 2}
    assert sorted(fake.received) == sorted(_hash(shell, file) for file in (_CROWD, _PORTRAIT, _BEN))


async def test_a_performer_enrolled_meanwhile_does_not_disturb(shell: Shell) -> None:
    """A picture that was not listed is not sent."""
    shell.fake.change_models()
    shell.picture("gallery/Cleo/1.png", BLUE, size=70)
    await shell.marquee("enroll", shell.folder / "gallery", "--adults")
    done, report = await _backfill(shell)
    assert (done.code, report["signals"]["face"]["outcomes"]) == (0, {"described": 3})
