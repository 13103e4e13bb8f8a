"""The tattoo process: `python -m services.tattoo`."""

from __future__ import annotations

from chassis.config import load_config
from chassis.logging import configure_logging
from chassis.process import run
from services.tattoo.config import TattooConfig
from services.tattoo.serving import open_tattoo


async def main() -> None:
    """Settings, parts, serve until stopped."""
    config = load_config(TattooConfig)
    configure_logging(config.log, process="tattoo")
    async with open_tattoo(config) as server:
        await server.run_until_stopped()


if __name__ == "__main__":
    run(main)
