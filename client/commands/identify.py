"""`marquee identify`: who is in these pictures."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import RenderableType
from rich.markup import escape

from chassis.errors import (
    DeadlineExceeded,
    InvalidInput,
    MarqueeError,
    Overloaded,
    Refused,
    Unsupported,
)
from client.api import Marquee
from client.commands._running import err, out, run
from client.commands._session import (
    data_option,
    open_marquee,
    policy_option,
    server_option,
    signals_option,
)
from client.concurrency import started
from client.explaining import explanation
from client.picture_file import read_picture
from client.rendering import identification_document, identification_table
from client.saving import save_annotated, save_explained
from client.values import Hint, Identification, Policy, Signal

__all__ = ["identify"]

_IN_FLIGHT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What one call of the command asks for."""

    max_candidates: int
    policy: Policy
    signals: tuple[Signal, ...]
    scene_date: date | None
    hints: tuple[str | Hint, ...]
    natural: float | None
    save: Path | None
    as_json: bool
    explain: bool


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@server_option
@data_option
@policy_option
@signals_option
@click.option("--max-candidates", type=click.IntRange(1, 100), default=5, show_default=True)
@click.option(
    "--date",
    "scene_date",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    metavar="YYYY-MM-DD",
    help="Day the pictures were taken.",
)
@click.option(
    "--hint",
    "hints",
    multiple=True,
    metavar="ID[=FACTOR]",
    callback=lambda _context, _option, given: tuple(map(_hint, given)),
    help="A performer who is tagged: so many times as probable, 20 unless said. Repeat it for more.",
)
@click.option(
    "--natural",
    type=click.FloatRange(0, 1),
    default=None,
    metavar="0..1",
    help="Probability that the breasts of the person are natural; for pictures of one person.",
)
@click.option(
    "--save",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    metavar="DIR",
    help="Write each picture there, with boxes, names, scores and signals.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Show what each probability is made of; --save draws it, too. Implies --policy bayesian.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one entry for each file.")
def identify(
    files: tuple[Path, ...],
    server: str | None,
    data: Path,
    scene_date: datetime | None,
    policy: Policy,
    explain: bool,
    **options: Any,
) -> None:
    """Say who is in FILES, with the evidence.

    Exit code 0: every file was answered, whoever is in it; 3: some files were not, each with
    its reason.
    """
    asked = _Options(
        scene_date=scene_date.date() if scene_date else None,
        policy=_explainable(policy) if explain else policy,
        explain=explain,
        **options,
    )
    run(lambda: _identify(files, server, data, asked))


def _explainable(policy: Policy) -> Policy:
    """The policy that can be explained. Raises UsageError where another one is asked for."""
    if policy is Policy.WEIGHTED:
        raise click.UsageError(
            "--explain is for --policy bayesian: weighted scores are not made of contributions"
        )
    return Policy.BAYESIAN


async def _identify(files: tuple[Path, ...], server: str | None, data: Path, options: _Options) -> int:
    documents = []
    async with open_marquee(server, data) as marquee:
        calls = [partial(_ask, marquee, file, options) for file in files]
        async with started(calls, at_a_time=_IN_FLIGHT) as answers:
            for file, answer in zip(files, answers, strict=True):
                documents.append(await _show(file, await answer, options))
    if options.as_json:
        click.echo(json.dumps(documents, indent=2))
    return 3 if any("error" in document for document in documents) else 0


async def _ask(marquee: Marquee, file: Path, options: _Options) -> Identification | MarqueeError:
    """The answer, or the error that concerns this file only: it does not stop the others."""
    try:
        return await marquee.identify(
            file,
            max_candidates=options.max_candidates,
            signals=options.signals,
            policy=options.policy,
            scene_date=options.scene_date,
            hints=options.hints,
            natural_probability=options.natural,
        )
    except (InvalidInput, Refused, Overloaded, DeadlineExceeded) as exc:
        return exc
    except Unsupported as exc:
        raise Unsupported(f"--policy {options.policy.value}: {exc}") from exc


def _hint(text: str) -> str | Hint:
    performer_id, is_weighed, factor = text.partition("=")
    if not is_weighed:
        return performer_id
    try:
        hint = Hint(performer_id, float(factor))
    except ValueError as exc:
        raise click.BadParameter(f"{factor!r} is not a number") from exc
    if not hint.factor > 0:
        raise click.BadParameter(f"{factor} is not above 0")
    return hint


async def _show(file: Path, answer: Identification | MarqueeError, options: _Options) -> dict[str, Any]:
    """Print and save one answer, in the order of the files; gives its JSON entry."""
    if isinstance(answer, MarqueeError):
        if not options.as_json:
            err.print(f"[bold]{escape(str(file))}[/]: [red]{escape(str(answer))}[/]", soft_wrap=True)
        return {"file": str(file), "error": str(answer)}
    document = identification_document(str(file), answer)
    if not options.as_json:
        out.print(_told(str(file), answer, options))
    if options.save is not None:
        document["saved"] = str(await _save(file, answer, options.save))
        if options.explain:
            document["saved_explanation"] = str(await _save_explanation(file, answer, options.save))
    return document


def _told(title: str, seen: Identification, options: _Options) -> RenderableType:
    if options.explain:
        return explanation(title, seen, candidates=options.max_candidates)
    return identification_table(title, seen, candidates=options.max_candidates)


# Targets have the whole name: a.jpg and a.png are two pictures.


async def _save(file: Path, seen: Identification, directory: Path) -> Path:
    target = directory / f"{file.name}.marquee.jpg"
    await asyncio.to_thread(lambda: save_annotated(read_picture(file), seen, target))
    return target


async def _save_explanation(file: Path, seen: Identification, directory: Path) -> Path:
    target = directory / f"{file.name}.explain.png"
    await asyncio.to_thread(save_explained, seen, target, title=file.name)
    return target
