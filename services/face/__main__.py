"""The face process: `python -m services.face`."""

from __future__ import annotations

from chassis.config import load_config
from chassis.logging import configure_logging
from chassis.process import run
from services.face.config import FaceConfig
from services.face.serving import open_face


async def main() -> None:
    """Settings, parts, serve until stopped."""
    config = load_config(FaceConfig)
    configure_logging(config.log, process="face")
    async with open_face(config) as server:
        await server.run_until_stopped()


if __name__ == "__main__":
    run(main)
