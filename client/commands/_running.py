"""How a command runs: on an event loop, stopped by signals, its errors told in one line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from chassis.config import LogSection
from chassis.errors import ConfigError
from chassis.logging import configure_logging

__all__ = ["run", "confirm", "write_json", "out", "err"]

out = Console()
"""What was asked for."""
err = Console(stderr=True)
"""Progress and remarks."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def write_json(path: Path, document: object) -> None:
    """Write a report. Raises ConfigError when it cannot be written."""
    try:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written ({exc.strerror})") from exc


def run(main: Callable[[], Coroutine[Any, Any, int]], *, stopped_code: int | None = None) -> None:
    """Run `main` and exit with the code it returns.

    SIGINT or SIGTERM cancels it, so that it cleans up, and the exit code is 130 or 143, or `stopped_code`;
    a second one ends the process at once (its children die with it). Errors are the caller's to tell.
    """
    # The database's supervisor logs in this process; stdout is for what was asked.
    configure_logging(LogSection(level="warning"), process="marquee")
    raise click.exceptions.Exit(asyncio.run(_interruptible(main, stopped_code)))


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
        err.print("[dim]stopped[/]")
        return 128 + received[0] if stopped_code is None else stopped_code
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
