"""The whole system for the time of a block: database, migrations, services, gateway."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from chassis.config import ProcessConfig, load_config
from chassis.errors import ConfigError
from chassis.models import ModelStore
from chassis.postgres.embedded import EmbeddedPostgres
from chassis.postgres.migrations import migrate
from client.supervisor.data_folder import DataFolder, RunningStack
from client.supervisor.parts import (
    GATEWAY,
    Part,
    StackSettings,
    discover_parts,
    free_ports,
    load_settings,
    schema_sources,
)
from client.supervisor.process import ServiceProcess
from client.supervisor.readiness import wait_until_ready
from client.supervisor.restart import keep_running

__all__ = ["Stack", "StackOptions", "running_stack", "open_database", "throw_away_folder", "reachable"]

Report = Callable[[str], None]
"""Called with one line for people at each step."""


def _say_nothing(line: str) -> None:
    del line


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """How to run a stack."""

    ephemeral_ports: bool = True
    """Any free ports of the loopback, and no metrics; else the ports of the settings (50050 to 50053, metrics
    on 9090 to 9093)."""
    gateway_port: int = 0
    """The gateway's port whatever else; 0 leaves it to the rest."""
    always_embedded: bool = False
    """Never use the configured database: for throw-away data."""
    is_published: bool = False
    """Whether other commands on the same data folder may find and use this stack."""
    start_timeout: float = 120.0
    """Seconds each service has to become ready."""
    stop_patience: float = 15.0
    """Seconds a service has to drain before it is killed."""
    parts: Sequence[Part] | None = None
    """What to run; by default everything that is installed."""
    with_triton: bool = False
    """Whether models run in a Triton server of the stack's own: the stand-in for NVIDIA's container."""
    environment: Mapping[str, str] | None = None
    """Further MARQUEE_<SECTION>_<FIELD> for the services."""
    report: Report = _say_nothing


@dataclass(frozen=True, slots=True)
class Stack:
    """A running system."""

    folder: DataFolder
    address: str
    """The gateway's host:port."""
    processes: Mapping[str, ServiceProcess]
    """By name, the gateway last."""
    database: EmbeddedPostgres | None
    """None when a database is configured."""
    triton: ServiceProcess | None = None
    """A Triton of the stack's own."""


@asynccontextmanager
async def running_stack(data: Path, options: StackOptions | None = None) -> AsyncIterator[Stack]:
    """Run everything on the data folder `data` for the time of the block; everything is ready inside it.

    Raises AlreadyRunning when another process holds the folder, ConfigError for wrong settings, StoreError
    when the database cannot be used, Unavailable or DeadlineExceeded, with what it said itself, when a
    service does not get ready (missing models included). Nothing is left running in any case.
    """
    options = options or StackOptions()
    parts = options.parts or discover_parts()
    settings = load_settings(parts)
    folder = DataFolder(data)
    async with folder.held(), AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(folder, settings, options))
        await _migrate(database, settings, parts, options.report)
        triton = await stack.enter_async_context(_triton(folder, settings, options))
        processes = _describe(parts, _listens(settings, options), folder, database, options, triton)
        await _start(processes, stack, options)
        await stack.enter_async_context(_watched(processes, options))
        running = Stack(folder, processes[GATEWAY].address, processes, database, triton)
        if options.is_published:
            stack.enter_context(folder.published(_note(running)))
        yield running


@asynccontextmanager
async def open_database(
    folder: DataFolder, settings: StackSettings, options: StackOptions
) -> AsyncIterator[EmbeddedPostgres | None]:
    """An embedded PostgreSQL in the folder, or None when the settings name a database."""
    configured = settings.process.database
    if (configured.dsn or configured.dsn_file) and not options.always_embedded:
        yield None
        return
    options.report("starting the embedded database")
    async with EmbeddedPostgres(folder.database) as database:
        folder.write_dsn(database.dsn)
        try:
            yield database
        finally:
            folder.dsn_file.unlink(missing_ok=True)


@asynccontextmanager
async def _triton(
    folder: DataFolder, settings: StackSettings, options: StackOptions
) -> AsyncIterator[ServiceProcess | None]:
    """A Triton of the stack's own, None when there is to be none. Raises ConfigError for two."""
    if not options.with_triton:
        yield None
        return
    if settings.process.inference.triton_url:
        raise ConfigError("inference.triton_url: names a Triton already; start without --triton, or unset it")
    # Only who asks for it waits for its libraries.
    from client.triton_stand_in.running import open_stand_in
    from client.triton_stand_in.server import TritonPorts

    async with open_stand_in(
        folder.triton_models,
        ModelStore(settings.process.models.directory),
        log=folder.log_file("triton"),
        ports=TritonPorts.ephemeral() if options.ephemeral_ports else TritonPorts(),
        ready_timeout=options.start_timeout,
        report=options.report,
    ) as triton:
        yield triton


@contextmanager
def throw_away_folder() -> Iterator[Path]:
    """A data folder that is deleted at the end."""
    with TemporaryDirectory(prefix="marquee-") as name:
        if os.geteuid() == 0:
            os.chmod(name, 0o755)  # PostgreSQL runs as another user, who must be able to enter
        yield Path(name)


async def _migrate(
    database: EmbeddedPostgres | None, settings: StackSettings, parts: Sequence[Part], report: Report
) -> None:
    dsn = database.dsn if database else settings.process.database.resolve_dsn()
    for applied in await migrate(dsn, schema_sources(parts)):
        report(f"applied {applied.label}")


def _listens(settings: StackSettings, options: StackOptions) -> dict[str, tuple[str, int]]:
    listens = settings.listens
    if options.ephemeral_ports:
        ports = free_ports(len(listens))
        listens = {name: ("127.0.0.1", port) for name, port in zip(listens, ports, strict=True)}
    if options.gateway_port:
        listens = {**listens, GATEWAY: (listens[GATEWAY][0], options.gateway_port)}
    return listens


def _describe(
    parts: Sequence[Part],
    listens: Mapping[str, tuple[str, int]],
    folder: DataFolder,
    database: EmbeddedPostgres | None,
    options: StackOptions,
    triton: ServiceProcess | None,
) -> dict[str, ServiceProcess]:
    environment = {**os.environ, **_no_metrics(listens, options), **(options.environment or {})}
    if database is not None:
        # A file rather than a variable: it wins over whatever database the settings name.
        environment["MARQUEE_DATABASE_DSN_FILE"] = str(folder.dsn_file)
    if load_config(ProcessConfig, environ=environment).index.directory is None:
        environment["MARQUEE_INDEX_DIRECTORY"] = str(folder.indexes)
    if triton is not None:
        environment["MARQUEE_INFERENCE_TRITON_URL"] = triton.address
    for name, (host, port) in listens.items():
        environment[f"MARQUEE_{name.upper()}_HOST"] = host
        environment[f"MARQUEE_{name.upper()}_PORT"] = str(port)
    addresses = {name: reachable(host, port) for name, (host, port) in listens.items()}
    for name, address in addresses.items():
        if name != GATEWAY:
            environment[f"MARQUEE_GATEWAY_{name.upper()}_ADDRESS"] = address
    return {
        part.name: ServiceProcess(
            part, address=addresses[part.name], environment=environment, log=folder.log_file(part.name)
        )
        for part in parts
    }


def _no_metrics(names: Iterable[str], options: StackOptions) -> dict[str, str]:
    """A throw-away stack does not ask for the ports that another one on this machine has."""
    return {f"MARQUEE_{name.upper()}_METRICS_PORT": "off" for name in names if options.ephemeral_ports}


def reachable(host: str, port: int) -> str:
    """Where to call a server that listens on `host`, which may be all interfaces."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}.get(host, host)
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


async def _start(
    processes: Mapping[str, ServiceProcess], stack: AsyncExitStack, options: StackOptions
) -> None:
    """Start the signals side by side, then the gateway; each group stops before the one before it."""
    signals = [process for process in processes.values() if not process.part.is_gateway]
    for group in (signals, [processes[GATEWAY]]):
        stack.push_async_callback(_stop, group, options.stop_patience)
        for process in group:
            options.report(f"starting {process.part.name}")
            await process.start()
        await _all_ready(group, options)


async def _all_ready(group: Sequence[ServiceProcess], options: StackOptions) -> None:
    """Wait for all; the first that fails fails the start, without waiting for the others."""
    tasks = [
        asyncio.create_task(wait_until_ready(process, timeout=options.start_timeout)) for process in group
    ]
    try:
        for ready in asyncio.as_completed(tasks):
            await ready
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _stop(group: Sequence[ServiceProcess], patience: float) -> None:
    await asyncio.gather(*(process.stop(patience=patience) for process in group))


@asynccontextmanager
async def _watched(processes: Mapping[str, ServiceProcess], options: StackOptions) -> AsyncIterator[None]:
    tasks = [
        asyncio.create_task(keep_running(process, ready_timeout=options.start_timeout, report=options.report))
        for process in processes.values()
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        # A restart that is under way ends its child before the stack stops the others.
        await asyncio.gather(*tasks, return_exceptions=True)


def _note(running: Stack) -> RunningStack:
    addresses = {name: process.address for name, process in running.processes.items()}
    return RunningStack(pid=os.getpid(), gateway=running.address, services=addresses)
