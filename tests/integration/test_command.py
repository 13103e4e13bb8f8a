"""The `marquee` command as a process, against a gateway in memory."""

import json
import math
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import DeadlineExceeded, MarqueeError, Overloaded
from chassis.images import decode, image_hash
from client.plotting import WIDTH
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import identification_pb2
from tests.fakes.command_shell import BLUE, RED, Shell
from tests.fakes.gateway_server import BLACK, WHITE, Color, fake_gateway

_PINK: Color = (210, 30, 30)


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    async with fake_gateway() as (fake, address):
        yield Shell(address, tmp_path, fake)


async def test_enroll_needs_the_owners_word(shell: Shell) -> None:
    """Without birth dates, a terminal or --adults, pictures are rejected and the table says why."""
    done = await shell.marquee("enroll", shell.gallery())
    assert done.code == 3
    assert "attest with --adults" in done.err
    assert "nothing says that the performer is an adult" in done.out
    assert "0 enrolled, 0 already enrolled, 3 rejected" in done.out


async def test_enroll_offers_ambiguous_pictures_again(shell: Shell) -> None:
    """A crowd that comes before the portrait is enrolled at the end of its folder."""
    done = await shell.marquee("enroll", shell.gallery(), "--adults")
    assert done.code == 0, done.out
    assert "3 enrolled, 0 already enrolled, 0 rejected" in done.out
    assert "Ann Lee" in done.out


async def test_enroll_is_repeatable(shell: Shell) -> None:
    """The second run finds everything enrolled and creates nobody twice."""
    gallery = shell.gallery()
    await shell.marquee("enroll", gallery, "--adults")
    shell.picture("gallery/Ben/2.png", BLUE, size=65)
    done = await shell.marquee("enroll", gallery, "--adults")
    assert done.code == 0
    assert "1 enrolled, 3 already enrolled, 0 rejected" in done.out
    assert len(shell.fake.enrolled) == 2


async def test_enroll_reports_every_picture(shell: Shell) -> None:
    """Rejections are in the table and, with the others, in the JSON; files that are no pictures are named."""
    gallery = shell.gallery()
    shell.picture("gallery/Ben/2_nobody.png", BLACK)
    (gallery / "Ben" / "3_broken.jpg").write_bytes(b"no picture")
    (gallery / "Ben" / "clip.mp4").write_bytes(b"a film")
    report = shell.folder / "report.json"
    done = await shell.marquee("enroll", gallery, "--adults", "--json", report)
    assert done.code == 3
    assert "Ben/2_nobody.png" in done.out
    assert "nobody is visible" in done.out
    assert "clip.mp4" in done.err
    outcomes = {Path(each["file"]).name: each["outcome"] for each in json.loads(report.read_text())}
    assert outcomes == {
        "1_crowd.png": "enrolled",
        "2_portrait.png": "enrolled",
        "1.png": "enrolled",
        "2_nobody.png": "rejected",
        "3_broken.jpg": "rejected",
    }


async def test_enroll_rejects_an_oversized_file_and_goes_on(shell: Shell) -> None:
    """A file of 41 MB is a rejection with its size; everything else is enrolled."""
    gallery = shell.gallery()
    shell.oversized("gallery/Ben/0_huge.jpg")
    done = await shell.marquee("enroll", gallery, "--adults", "--json", shell.folder / "report.json")
    assert done.code == 3, done.err
    assert "3 enrolled, 0 already enrolled, 1 rejected" in done.out
    reasons = [each["reason"] for each in json.loads((shell.folder / "report.json").read_text())]
    assert sum("is 41 MB; at most 32 MB are accepted" in reason for reason in reasons) == 1
    [failed] = shell.fake.recorded
    assert (failed.uri.endswith("/gallery/Ben/0_huge.jpg"), failed.failure) == (True, "unreadable")


@pytest.mark.parametrize("trouble", [Overloaded("full"), DeadlineExceeded("too slow")])
async def test_enroll_tries_again_when_the_server_is_busy(shell: Shell, trouble: MarqueeError) -> None:
    """A stream that ends because the server has too much to do costs no picture."""
    shell.fake.troubles.append(trouble)
    done = await shell.marquee("enroll", shell.gallery(), "--adults")
    assert done.code == 0, done.err
    assert not shell.fake.troubles
    assert "3 enrolled, 0 already enrolled, 0 rejected" in done.out


async def test_enroll_gives_up_on_a_server_that_stays_busy(shell: Shell) -> None:
    """One line that says how to go on, exit code 1."""
    shell.fake.troubles.extend([Overloaded("full")] * 6)
    done = await shell.marquee("enroll", shell.gallery(), "--adults")
    assert done.code == 1
    assert "repeat the command to go on" in done.err.splitlines()[-1]


async def test_enroll_says_which_signal_is_missing(shell: Shell) -> None:
    """Pictures count as enrolled, not as known before, and the signal that did not answer is named."""
    shell.fake.is_body_away = True
    done = await shell.marquee("enroll", shell.gallery(), "--adults")
    assert done.code == 0
    assert "3 enrolled, 0 already enrolled, 0 rejected" in done.out
    assert "body did not answer for 3 pictures" in done.err


async def test_enroll_takes_portraits_at_their_word(shell: Shell) -> None:
    """With --largest-face a crowd alone is enrolled; without, it is not."""
    shell.picture("gallery/Ann/crowd.png", WHITE)
    assert (await shell.marquee("enroll", shell.folder / "gallery", "--adults")).code == 3
    assert (await shell.marquee("enroll", shell.folder / "gallery", "--adults", "--largest-face")).code == 0


async def test_enroll_refuses_the_under_aged_and_goes_on(shell: Shell) -> None:
    """A performer.json with a birth date under 18 years ago rejects that folder; the others are enrolled."""
    gallery = shell.gallery()
    (gallery / "Ben" / "performer.json").write_text('{"birth_date": "2020-01-01"}')
    done = await shell.marquee("enroll", gallery, "--adults")
    assert done.code == 3
    assert "the performer is under 18" in done.out
    assert "2 enrolled, 0 already enrolled, 1 rejected" in done.out


async def _json(shell: Shell, *arguments: str | Path) -> Any:
    done = await shell.marquee(*arguments)
    assert done.code in (0, 3), done.err
    return json.loads(done.out)


async def test_identify_prints_a_table(shell: Shell) -> None:
    """Status, name, score, evidence, and which signal was missing."""
    await shell.marquee("enroll", shell.gallery(), "--adults")
    done = await shell.marquee("identify", shell.picture("probe.png", _PINK))
    assert done.code == 0
    for words in ("identified", "Ann Lee", "face 0.77", "body unavailable"):
        assert words in done.out


async def test_identify_as_json(shell: Shell) -> None:
    """One entry a file, people with candidates and evidence; a broken file is an entry with its error."""
    await shell.marquee("enroll", shell.gallery(), "--adults")
    broken = shell.folder / "broken.jpg"
    broken.write_bytes(b"no picture")
    first, second = await _json(shell, "identify", shell.picture("probe.png", _PINK), broken, "--json")
    person = first["people"][0]
    assert person["status"] == "identified"
    assert person["signals"] == ["face"]
    assert person["candidates"][0]["name"] == "Ann Lee"
    assert person["candidates"][0]["external_ids"] == [{"authority": "folder", "id": "Ann_Lee"}]
    assert person["candidates"][0]["evidence"][0]["signal"] == "face"
    assert [report["state"] for report in first["reports"]] == ["ok", "unavailable"]
    assert "error" in second


async def test_identify_goes_on_after_an_oversized_file(shell: Shell) -> None:
    """A file of 41 MB is an entry with its error and is not sent; the one after it is answered."""
    files = (shell.oversized("huge.jpg"), shell.picture("probe.png", RED))
    first, second = await _json(shell, "identify", *files, "--json")
    assert "is 41 MB; at most 32 MB are accepted" in first["error"]
    assert len(second["people"]) == 1
    assert len(shell.fake.requests) == 1


@pytest.mark.parametrize("trouble", [Overloaded("no room now"), DeadlineExceeded("no time left")])
async def test_identify_goes_on_after_a_busy_server(shell: Shell, trouble: MarqueeError) -> None:
    """What one file met is its error; the other file is answered."""
    shell.fake.troubles.append(trouble)
    files = (shell.picture("a.png", RED), shell.picture("b.png", BLUE))
    entries = await _json(shell, "identify", *files, "--json")
    assert sorted("error" in entry for entry in entries) == [False, True]
    assert next(entry["error"] for entry in entries if "error" in entry) == str(trouble)


async def test_identify_saves_annotated_pictures(shell: Shell) -> None:
    """A picture for each file, larger than the small original."""
    probe = shell.picture("probe.png", _PINK)
    done = await shell.marquee("identify", probe, "--save", shell.folder / "out")
    assert done.code == 0, done.err
    saved = decode((shell.folder / "out" / "probe.png.marquee.jpg").read_bytes())
    assert saved.shape[1] > 64


async def test_identify_passes_its_options_on(shell: Shell) -> None:
    """Signals, policy, date and number of candidates reach the server as given."""
    probe = shell.picture("probe.png", RED)
    options = (
        "--signals",
        "face,body",
        "--policy",
        "weighted",
        "--max-candidates",
        "7",
        "--date",
        "2020-05-01",
        "--hint",
        "somebody",
        "--hint",
        "another=2.5",
        "--natural",
        "0.25",
    )
    assert (await shell.marquee("identify", probe, *options)).code == 0
    request = shell.fake.requests[-1]
    assert list(request.hinted_performer_ids) == ["somebody"]
    assert [(one.performer_id, one.kind, one.factor) for one in request.hints] == [("another", 1, 2.5)]
    assert request.scene.natural_probability == 0.25
    assert list(request.signals) == [1, 3]
    assert (request.policy, request.max_candidates, request.scene_date) == (1, 7, "2020-05-01")


@pytest.mark.parametrize(("option", "value"), [("--hint", "a=b"), ("--hint", "a=0"), ("--natural", "1.5")])
async def test_identify_refuses_what_is_no_number(shell: Shell, option: str, value: str) -> None:
    """Before anything is asked: exit code 2."""
    done = await shell.marquee("identify", shell.picture("probe.png", RED), option, value)
    assert done.code == 2
    assert option in done.err
    assert shell.fake.requests == []


async def test_identify_names_a_policy_that_the_server_cannot_do(shell: Shell) -> None:
    """One line, exit code 1, no stack."""
    done = await shell.marquee("identify", shell.picture("probe.png", RED), "--policy", "bayesian")
    assert done.code == 1
    assert done.err.splitlines()[-1] == "Error: --policy bayesian: policy BAYESIAN comes in a later version"


def _believed() -> identification_pb2.IdentifyResponse:
    """Ann by her face."""
    terms = [
        identification_pb2.Contribution(
            kind=identification_pb2.CONTRIBUTION_KIND_PRIOR,
            log_ratio=math.log(1 / 600),
            summary="one of 1,400",
        ),
        identification_pb2.Contribution(
            kind=identification_pb2.CONTRIBUTION_KIND_FACE,
            log_ratio=math.log(9000),
            summary="face, quality 0.91",
        ),
    ]
    ann = identification_pb2.RankedCandidate(
        performer_id="a", name="Ann Lee", score=15 / 16, probability=15 / 16, contributions=terms
    )
    person = identification_pb2.Person(
        box=common_pb2.Box(x=10, y=10, width=20, height=20),
        status=identification_pb2.PERSON_STATUS_IDENTIFIED,
        candidates=[ann],
        unknown_probability=1 / 16,
        margin=14 / 16,
    )
    return identification_pb2.IdentifyResponse(
        image_width=64,
        image_height=64,
        people=[person],
        policy=identification_pb2.FUSION_POLICY_BAYESIAN,
        scene_years=[identification_pb2.SceneYear(year=2018, probability=1.0)],
    )


async def test_identify_explains(shell: Shell) -> None:
    """Policy bayesian by itself; odds by kind, words, the row of nobody enrolled, and when it was made."""
    shell.fake.believed = _believed()
    done = await shell.marquee("identify", shell.picture("probe.png", RED), "--explain")
    assert done.code == 0, done.err
    for words in ("1 : 600", "9,000 : 1", "15 : 1", "93.8%", "nobody enrolled", "face, quality 0.91"):
        assert words in done.out
    assert "made in 2018, 100%" in done.out
    assert shell.fake.requests[-1].policy == identification_pb2.FUSION_POLICY_BAYESIAN


async def test_identify_draws_the_explanation(shell: Shell) -> None:
    """Beside the annotated picture; the JSON names both and has the contributions."""
    shell.fake.believed = _believed()
    out = shell.folder / "out"
    asked = ("identify", shell.picture("probe.png", RED), "--explain", "--save", out, "--json")
    [entry] = await _json(shell, *asked)
    assert entry["saved"] == str(out / "probe.png.marquee.jpg")
    assert entry["saved_explanation"] == str(out / "probe.png.explain.png")
    assert decode((out / "probe.png.explain.png").read_bytes()).shape[1] == WIDTH
    kinds = [each["kind"] for each in entry["people"][0]["candidates"][0]["contributions"]]
    assert kinds == ["prior", "face"]
    assert sorted(each.name for each in out.iterdir()) == ["probe.png.explain.png", "probe.png.marquee.jpg"]


async def test_identify_cannot_explain_weighted(shell: Shell) -> None:
    """A wrong use of the command; the server is not asked."""
    asked = ("identify", shell.picture("probe.png", RED), "--explain", "--policy", "weighted")
    done = await shell.marquee(*asked)
    assert done.code == 2
    assert "--explain is for --policy bayesian" in done.err
    assert not shell.fake.requests


async def test_identify_names_an_explanation_that_cannot_be_written(shell: Shell) -> None:
    """One line, exit code 1, and nothing half written."""
    shell.fake.believed = _believed()
    out = shell.folder / "out"
    (out / "probe.png.explain.png").mkdir(parents=True)
    done = await shell.marquee("identify", shell.picture("probe.png", RED), "--explain", "--save", out)
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith(f"Error: {out / 'probe.png.explain.png'} cannot be written (")


async def test_status_says_who_is_missing(shell: Shell) -> None:
    """Exit code 3 when somebody is not ready, and the reason."""
    done = await shell.marquee("status")
    assert done.code == 3
    assert "nobody answers" in done.out
    seen = await _json(shell, "status", "--json")
    assert seen["signals"]["body"]["is_reachable"] is False


async def test_status_without_anything_running(shell: Shell) -> None:
    """Exit code 1 and what to do."""
    done = await shell.marquee("status", with_server=False)
    assert done.code == 1
    assert "start it with `marquee up`" in done.err


async def test_status_tells_how_far_a_change_of_models_is(shell: Shell) -> None:
    """Each model's use, what is described of all, the share of the switch; the same as JSON."""
    await shell.marquee("enroll", shell.gallery(), "--adults")
    shell.fake.change_models(switch_coverage=0.95)
    shell.fake.backfill.waiting[common_pb2.SIGNAL_FACE].popitem()
    done = await shell.marquee("status")
    assert "old 1 (serving)" in done.out
    assert "new 1 (preparing)" in done.out
    assert "face: 1 of 3 described by new 1, switches at 95%; `marquee backfill --reembed`" in done.out
    face = (await _json(shell, "status", "--json"))["signals"]["face"]
    assert face["model_change"] == {
        "observations": 3,
        "described": 1,
        "switch_coverage": 0.95,
        "problem": "",
    }
    assert [model["use"] for model in face["models"]] == ["serving", "preparing"]


async def test_status_tells_what_keeps_a_change_from_going_on(shell: Shell) -> None:
    """In the signal's words."""
    await shell.marquee("enroll", shell.gallery(), "--adults")
    shell.fake.change_models()
    shell.fake.backfill.problem = "model new 1 cannot be run"
    assert "switches at 100%; model new 1 cannot be run" in (await shell.marquee("status")).out


async def test_coverage_counts_and_lists(shell: Shell) -> None:
    """Totals for people; every performer with --performers; the same as JSON."""
    await shell.marquee("enroll", shell.gallery(), "--adults")
    done = await shell.marquee("coverage", "--performers")
    assert "2 performers" in done.out
    assert "Ann Lee" in done.out
    assert "body did not answer" in done.err
    seen = await _json(shell, "coverage", "--performers", "--json")
    assert [each["observations"] for each in seen["page"]] == [{"face": 2}, {"face": 1}]


async def test_forget_asks_and_deletes(shell: Shell) -> None:
    """No answer keeps the performer; yes deletes; afterwards there is no such performer."""
    await shell.marquee("enroll", shell.gallery(), "--adults")
    assert (await shell.marquee("forget", "folder:Ben", stdin=b"n\n")).code == 1
    assert len(shell.fake.enrolled) == 2
    done = await shell.marquee("forget", "folder:Ben", stdin=b"y\n")
    assert done.code == 0
    assert "forgot Ben; observations deleted: 1 face" in done.out
    assert "body did not confirm" in done.err
    again = await shell.marquee("forget", "folder:Ben", "--yes")
    assert (again.code, "no such performer" in again.err) == (1, True)


async def test_who_is_forgotten_by_mistake_may_return(shell: Shell) -> None:
    """Only when it is said so."""
    await shell.marquee("enroll", shell.gallery(), "--adults")
    await shell.marquee("forget", "folder:Ben", "--yes")
    await shell.marquee("forget", "folder:Ann_Lee", "--yes", "--may-return")
    assert [request.may_return for request in shell.fake.forgotten] == [False, True]


async def test_allow_takes_an_id_and_pictures_off_the_list(shell: Shell) -> None:
    """Pictures are named by their bytes, those in folders below as well; an id of the server's is refused."""
    gallery = shell.gallery()
    done = await shell.marquee("allow", "folder:Ann_Lee", gallery, gallery / "Ben" / "1.png")
    assert done.code == 0
    assert "taken off the list: 1 external ids, 4 pictures of 4" in done.out
    ids, images = shell.fake.allowed
    assert [(one.authority, one.id) for one in ids.external_ids] == [("folder", "Ann_Lee")]
    assert image_hash((gallery / "Ann_Lee" / "2_portrait.png").read_bytes()) in images.image_hashes
    wrong = await shell.marquee("allow", str(uuid.uuid4()))
    assert (wrong.code, "no authority:id" in wrong.err) == (1, True)


async def test_a_wrong_reference_is_explained(shell: Shell) -> None:
    """What is neither an id nor an external id is not sent."""
    done = await shell.marquee("forget", "Ben", "--yes")
    assert done.code == 1
    assert "neither a performer's id nor authority:id" in done.err


async def test_an_unknown_signal_is_a_usage_error(shell: Shell) -> None:
    """Exit code 2 and the signals there are."""
    done = await shell.marquee("identify", shell.picture("probe.png", RED), "--signals", "voice")
    assert done.code == 2
    assert "'voice' is none of face, tattoo, body" in done.err


async def test_help_lists_every_command(shell: Shell) -> None:
    """Each command has its line, so each can be imported."""
    done = await shell.marquee("--help", with_server=False)
    for name in ("demo", "up", "enroll", "backfill", "identify", "evaluate", "status", "coverage", "allow"):
        assert f"\n  {name} " in done.out
    for name in ("forget", "models", "migrate"):
        assert f"\n  {name} " in done.out
