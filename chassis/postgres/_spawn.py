"""Starting a program of PostgreSQL as its user, bound to the life of this process."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from chassis.postgres._account import Account

__all__ = ["spawn", "stop"]

_LAUNCHER = Path(__file__).with_name("_launch.py")
_QUIT_PATIENCE = 5.0


async def spawn(
    command: Sequence[str],
    *,
    account: Account,
    directory: Path,
    death_signal: signal.Signals,
    output: IO[bytes],
) -> asyncio.subprocess.Process:
    """Start `command` as `account` in `directory`; the kernel sends `death_signal` when our thread is gone.

    The kernel watches the *thread* that forks, so this must run on the event loop's own thread (asyncio forks
    there) and never in an executor. A session of its own keeps a terminal's Ctrl-C from stopping the database
    before those who use it.
    """
    launch = [sys.executable, "-I", "-S", "-B", str(_LAUNCHER), str(os.getpid()), str(int(death_signal))]
    return await asyncio.create_subprocess_exec(
        *launch,
        *(str(account.uid), str(account.gid), str(directory)),
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        env=_environment(directory),
    )


async def stop(process: asyncio.subprocess.Process, *, patience: float) -> None:
    """Stop a server: fast shutdown first, an immediate one after `patience` seconds, SIGKILL at last."""
    steps = ((signal.SIGINT, patience), (signal.SIGQUIT, _QUIT_PATIENCE), (signal.SIGKILL, _QUIT_PATIENCE))
    for number, seconds in steps:
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(number)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)


def _environment(directory: Path) -> dict[str, str]:
    # Nothing of ours: PGDATA, PGOPTIONS, LD_LIBRARY_PATH or a locale would change how the server behaves.
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(directory), "LC_ALL": "C", "TZ": "UTC"}
