"""The `marquee` command."""

from __future__ import annotations

import importlib
from typing import Any

import click

from chassis.errors import MarqueeError

__all__ = ["main"]

# Loaded when used: `marquee status` need not wait for OpenCV, nor `marquee up` for the model converters.
_COMMANDS = {
    "demo": "client.commands.demo:demo",
    "up": "client.commands.up:up",
    "enroll": "client.commands.enroll:enroll",
    "backfill": "client.commands.backfill:backfill",
    "identify": "client.commands.identify:identify",
    "evaluate": "client.commands.evaluate:evaluate",
    "calibrate": "client.commands.calibrate:calibrate",
    "status": "client.commands.status:status",
    "tattoos": "client.commands.tattoos:tattoos",
    "coverage": "client.commands.coverage:coverage",
    "quarantine": "client.commands.quarantine:quarantine",
    "forget": "client.commands.forget:forget",
    "allow": "client.commands.allow:allow",
    "export": "client.commands.export:export",
    "import": "client.commands.import_:import_",
    "backup": "client.commands.backup:backup",
    "restore": "client.commands.backup:restore",
    "models": "client.models_command:models",
    "migrate": "client.commands.migrate:migrate",
}


class _LazyGroup(click.Group):
    """Imports a command when it is asked for; an error Marquee knows is one line and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MarqueeError as exc:
            raise click.ClickException(str(exc)) from exc


@click.group(
    cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="marquee")
def main() -> None:
    """Identify the performers in your pictures by face, tattoo and body evidence.

    Only adults, and only people whom you enrolled. Everything runs on this machine unless --server names
    another. Without a running `marquee up` a command starts what it needs and stops it again.
    """
