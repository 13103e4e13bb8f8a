"""Options that commands share, and how a command gets to a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import click

from client.api import Marquee
from client.commands._running import err
from client.supervisor.data_folder import DataFolder, default_data_folder
from client.supervisor.stack import StackOptions, running_stack
from client.values import Policy, Signal

__all__ = [
    "data_option",
    "server_option",
    "policy_option",
    "signals_option",
    "open_marquee",
    "starting",
]

# Models run on the CPU of whoever serves; a loaded machine needs its time for a large picture.
_TIMEOUT_SECONDS = 120.0

_SIGNALS = tuple(one.value for one in (Signal.FACE, Signal.TATTOO, Signal.BODY))

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_data_folder,
    show_default="$MARQUEE_DATA, else the user's data folder",
    help="Folder of the database and the logs.",
)
server_option = click.option(
    "--server", metavar="HOST:PORT", default=None, help="A gateway that runs already, here or elsewhere."
)
policy_option = click.option(
    "--policy",
    type=click.Choice([policy.value for policy in Policy]),
    default=Policy.DEFAULT.value,
    show_default=True,
    callback=lambda _context, _parameter, value: Policy(value),
    help="How evidence becomes one score.",
)


def _parse_signals(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[Signal, ...]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    for name in names:
        if name not in _SIGNALS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(_SIGNALS)}")
    return tuple(dict.fromkeys(Signal(name) for name in names))


signals_option = click.option(
    "--signals",
    default="",
    metavar="NAME[,NAME]",
    show_default="all",
    callback=_parse_signals,
    help=f"Signals to use: {', '.join(_SIGNALS)}.",
)


@asynccontextmanager
async def open_marquee(server: str | None, data: Path) -> AsyncIterator[Marquee]:
    """A client of the named server, of the running `marquee up`, or of a stack of this command's own."""
    running = DataFolder(data).running()
    address = server or (running.gateway if running else None)
    if address is not None:
        async with Marquee.connect(address, timeout=_TIMEOUT_SECONDS) as marquee:
            yield marquee
    else:
        async with starting(data, StackOptions()) as marquee:
            yield marquee


@asynccontextmanager
async def starting(data: Path, options: StackOptions) -> AsyncIterator[Marquee]:
    """A client of a stack that lives as long as the block; says on stderr that it starts."""
    async with AsyncExitStack() as stack:
        with err.status("starting Marquee for this command ..."):
            running = await stack.enter_async_context(running_stack(data, options))
        yield await stack.enter_async_context(Marquee.connect(running.address, timeout=_TIMEOUT_SECONDS))
