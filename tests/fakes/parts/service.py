"""A service that has only a health service, behaves as FAKE_<NAME> says and notes when it starts and stops.

FAKE_<NAME>: unset: ready at once; `complains`: says what is missing and exits; `crashes`: exits with a stack;
`never ready`: answers NOT_SERVING for ever; `deaf`: ignores SIGTERM; `reloads`: notes each SIGHUP.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from chassis.config import DatabaseSection, Section, ServerSection, load_config
from chassis.errors import ModelError, Unavailable
from chassis.health import Readiness
from chassis.metrics import open_metrics
from chassis.process import run
from chassis.server import open_server

__all__ = ["main"]

_HEALTH_NAMES = {"face": "marquee.face.v1.FaceService", "gateway": "marquee.gateway.v1.IdentificationService"}


class _Config(Section):
    database: DatabaseSection = DatabaseSection()
    face: ServerSection = ServerSection()
    gateway: ServerSection = ServerSection()


def main(name: str) -> None:
    """Run as the service `name` until told to stop."""
    run(lambda: _main(name, os.environ.get(f"FAKE_{name.upper()}", "")))


async def _main(name: str, mode: str) -> None:
    if mode == "complains":
        raise ModelError("model face_detector is not built: run `marquee models build`")
    if mode == "crashes":
        raise RuntimeError("a mistake of ours")
    environ = {key: text for key, text in os.environ.items() if not key.endswith("_ADDRESS")}
    config = load_config(_Config, environ=environ)
    config.database.resolve_dsn()
    section: ServerSection = getattr(config, name)
    readiness = Readiness({"mode": _never} if mode == "never ready" else {})
    services = [(_HEALTH_NAMES[name], lambda server: None)]
    async with (
        open_metrics(section),
        open_server(section, services=services, readiness=readiness) as server,
    ):
        _note(f"{name} started")
        if mode == "deaf":
            await _ignore_signals()
        if mode == "reloads":
            await _reload_until_stopped(name)
        else:
            await server.run_until_stopped()
    _note(f"{name} stopped")


async def _never() -> None:
    raise Unavailable("never")


async def _ignore_signals() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    await asyncio.Event().wait()


async def _reload_until_stopped(name: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _note, f"{name} reloads")
    _note(f"{name} listens")
    await stop.wait()


def _note(line: str) -> None:
    print(line, file=sys.stderr)
    if journal := os.environ.get("FAKE_JOURNAL"):
        with Path(journal).open("a") as file:
            file.write(line + "\n")
