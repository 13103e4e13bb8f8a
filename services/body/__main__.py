"""The body process: `python -m services.body`."""

from __future__ import annotations

from chassis.config import load_config
from chassis.logging import configure_logging
from chassis.process import run
from services.body.config import BodyConfig
from services.body.serving import open_body


async def main() -> None:
    """Settings, parts, serve until stopped."""
    config = load_config(BodyConfig)
    configure_logging(config.log, process="body")
    async with open_body(config) as server:
        await server.run_until_stopped()


if __name__ == "__main__":
    run(main)
