"""The gateway process: `python -m gateway`."""

from __future__ import annotations

from chassis.config import load_config
from chassis.logging import configure_logging
from chassis.process import run
from gateway.config import GatewayConfig
from gateway.serving import open_gateway


async def main() -> None:
    """Settings, parts, serve until stopped."""
    config = load_config(GatewayConfig)
    configure_logging(config.log, process="gateway")
    async with open_gateway(config) as server:
        await server.run_until_stopped()


if __name__ == "__main__":
    run(main)
