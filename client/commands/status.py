"""`marquee status`: how the gateway and every signal are."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from chassis.errors import Unavailable
from client.api import Marquee
from client.commands._running import out, run
from client.commands._session import data_option, server_option
from client.rendering import calibration_text, not_searchable_text, share_text
from client.supervisor.data_folder import DataFolder
from client.system import ModelChange, ModelState, ModelUse, ServiceState, SystemStatus
from client.values import Signal

__all__ = ["status", "change_text", "index_troubles"]

# A service looks every second.
_LATE_SECONDS = 10.0


@click.command()
@server_option
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(server: str | None, data: Path, as_json: bool) -> None:
    """Say how the gateway and every signal are: ready or why not, models, counts, memory.

    Exit code 0: everybody is ready; 3: somebody is not; 1: nothing runs.
    """
    run(lambda: _status(server, data, as_json=as_json))


async def _status(server: str | None, data: Path, *, as_json: bool) -> int:
    running = DataFolder(data).running()
    address = server or (running.gateway if running else None)
    if address is None:
        raise Unavailable(
            f"nothing runs on the data folder {data}: start it with `marquee up`, or name a --server"
        )
    async with Marquee.connect(address) as marquee:
        seen = await marquee.status()
    if as_json:
        click.echo(json.dumps({"address": address, **asdict(seen)}, indent=2))
    else:
        _show(address, seen)
    return 0 if seen.is_complete else 3


def _show(address: str, seen: SystemStatus) -> None:
    out.print(f"gateway at [bold]{address}[/], version {seen.gateway.version}", highlight=False)
    table = Table("service", "state", "performers", "observations", "models", "memory", "up")
    for column in (2, 3, 5, 6):
        table.columns[column].justify = "right"
    table.add_row("gateway", *_cells(seen.gateway))
    for signal, state in seen.signals.items():
        table.add_row(signal.value, *_cells(state))
    out.print(table)
    if seen.do_not_identify is not None:
        listed = seen.do_not_identify
        out.print(f"not to be identified: {listed.external_ids} external ids, {listed.images} pictures")
    for signal, state in seen.signals.items():
        if state.model_change is not None:
            out.print(change_text(signal, state, state.model_change), highlight=False, soft_wrap=True)
        if state.calibration is not None:
            text = escape(calibration_text(state.calibration))
            out.print(f"{signal.value}: {text}", highlight=False, soft_wrap=True)
        for model in state.models:
            for trouble in index_troubles(model):
                out.print(f"{signal.value}: [yellow]{escape(trouble)}[/]", highlight=False, soft_wrap=True)
        for one in state.not_searchable:
            out.print(
                f"{signal.value}: {escape(not_searchable_text(signal, one))}", highlight=False, soft_wrap=True
            )


def index_troubles(model: ModelState) -> list[str]:
    """What an owner should know of a model's index, in words; nothing when all is well."""
    index, name = model.index, _model_text(model)
    if index is None:
        return []
    troubles = [f"{name}: {index.problem}"] if index.problem else []
    if index.rebuilding:
        troubles.append(
            f"{name}: everything is read anew ({index.rebuilding}); what was known serves meanwhile"
        )
    if index.seconds_behind > _LATE_SECONDS:
        troubles.append(f"{name}: the database was last looked at {index.seconds_behind:.0f} s ago")
    if index.recall is not None and index.recall.is_low:
        near, same = index.recall.at_10, index.recall.same_performer
        troubles.append(f"{name}: the index finds {near:.1%} of what is near, {same:.1%} of performers")
    return troubles


def change_text(signal: Signal, state: ServiceState, change: ModelChange) -> str:
    """How far a change of models is, and what keeps it from going on, in one line of markup."""
    use = ModelUse.PREPARING if state.is_preparing else ModelUse.SERVING
    models = ", ".join(_model_text(each) for each in state.models if each.use is use) or "the new models"
    text = f"{signal.value}: {change.described} of {change.observations} described by {models}, "
    if state.is_preparing:
        text += f"switches at {share_text(change.switch_coverage)}"
    else:
        text += "the others may not be found"
    if change.problem:
        return f"{escape(text)}; [yellow]{escape(change.problem)}[/]"
    return escape(text) + ("; `marquee backfill --reembed` describes the rest" if change.pending else "")


def _cells(state: ServiceState) -> tuple[str, ...]:
    mood = "[green]ready[/]" if state.is_ready else f"[red]{escape(state.reason or 'not ready')}[/]"
    if not state.is_reachable:
        return (mood, "", "", "", "", "")
    models = "\n".join(_model_text(model) + _use_text(model.use) for model in state.models)
    memory = f"{state.resident_bytes / 2**20:.0f} MB"
    return (mood, str(state.performers), str(state.observations), models, memory, _age(state.uptime_seconds))


def _model_text(model: ModelState) -> str:
    return f"{model.name} {model.version}"


def _use_text(use: ModelUse) -> str:
    return "" if use is ModelUse.UNSPECIFIED else f" ({use.value})"


def _age(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
