"""`marquee up`: everything on this machine until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import click
from rich.markup import escape

from client.commands._running import out, run
from client.commands._session import data_option
from client.supervisor.stack import Stack, StackOptions, running_stack

__all__ = ["up"]


@click.command()
@data_option
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Port of the gateway.")
@click.option("--ephemeral-ports", is_flag=True, help="Any free ports instead of those of the settings.")
@click.option(
    "--start-timeout",
    type=click.FloatRange(min=1),
    default=120.0,
    show_default=True,
    help="Seconds a service has to become ready.",
)
@click.option(
    "--triton",
    "with_triton",
    is_flag=True,
    help="Run the models in a Triton server of its own, a stand-in for NVIDIA's container (docs/triton.md).",
)
def up(data: Path, port: int | None, ephemeral_ports: bool, start_timeout: float, with_triton: bool) -> None:
    """Run database, services and gateway until Ctrl-C.

    Other commands on the same data folder find and use it. A service that crashes is started again; logs are
    in the data folder. SIGHUP makes the services read again which models they are to use.
    """
    options = StackOptions(
        ephemeral_ports=ephemeral_ports,
        gateway_port=port or 0,
        is_published=True,
        start_timeout=start_timeout,
        with_triton=with_triton,
        report=_tell,
    )
    run(lambda: _up(data, options), stopped_code=0)


async def _up(data: Path, options: StackOptions) -> int:
    async with running_stack(data, options) as stack:
        _forward_reloads(stack)
        out.print(
            f"[bold green]Marquee is ready[/] at [bold]{stack.address}[/]; "
            f"data and logs in {escape(str(stack.folder.root))}; Ctrl-C stops it",
            soft_wrap=True,
            highlight=False,
        )
        await asyncio.Event().wait()
    return 0


def _forward_reloads(stack: Stack) -> None:
    """From now on SIGHUP makes every service read its settings again; a lost terminal still ends `up`."""
    has_terminal = sys.stdout.isatty()

    def on_hangup() -> None:
        if has_terminal and not sys.stdout.isatty():
            os.kill(os.getpid(), signal.SIGTERM)
            return
        _tell("services read their settings again")
        for process in stack.processes.values():
            process.reload()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, on_hangup)


def _tell(line: str) -> None:
    out.print(f"[dim]{escape(line)}[/]", soft_wrap=True, highlight=False)
