"""How a command runs: on an event loop, stopped by signals, its errors told in one line."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import click
from rich.console import Console

from chassis.errors import MarqueeError

__all__ = ["run", "confirm", "out", "err"]

out = Console()
"""What was asked for."""
err = Console(stderr=True)
"""Progress and remarks."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(main: Callable[[], Coroutine[Any, Any, int]], *, stopped_code: int | None = None) -> None:
    """Run `main` and exit with the code it returns.

    SIGINT or SIGTERM cancels it, so that it cleans up, and the exit code is 130 or 143, or `stopped_code`;
    a second one ends the process at once (its children die with it). A MarqueeError is one line on stderr and
    exit code 1.
    """
    try:
        code = asyncio.run(_interruptible(main, stopped_code))
    except MarqueeError as exc:
        raise click.ClickException(str(exc)) from exc
    raise click.exceptions.Exit(code)


def confirm(question: str) -> bool:
    """Ask on the terminal, inside a running command; Ctrl-C at the question aborts the command."""
    # Our handler only wakes the event loop, which stands still while somebody types.
    asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
    return click.confirm(question)


async def _interruptible(main: Callable[[], Coroutine[Any, Any, int]], stopped_code: int | None) -> int:
    task = asyncio.ensure_future(main())
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        if received:
            os._exit(128 + number)
        received.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not received:
            raise
        return 128 + received[0] if stopped_code is None else stopped_code
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
