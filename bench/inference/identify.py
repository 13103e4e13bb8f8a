"""Identify, all signals, on two whole systems: models in the services, and models in Triton."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

from bench.enrolling import portrait_images
from bench.inference.timing import Call, Figures, time_in_turn
from bench.latency.pictures import TimedPicture
from client.api import Marquee
from client.supervisor.stack import StackOptions, running_stack, throw_away_folder

__all__ = ["time_identify", "IN_PROCESS", "TRITON"]

IN_PROCESS, TRITON = "in process", "Triton"


async def time_identify(
    kinds: dict[str, Sequence[TimedPicture]],
    gallery: Sequence[TimedPicture],
    *,
    concurrencies: Sequence[int],
    rounds: int,
    seconds: float,
) -> dict[str, dict[int, dict[str, Figures]]]:
    """By kind of picture and concurrency, the figures of both systems; both have the gallery enrolled."""
    async with AsyncExitStack() as stack:
        systems = {}
        for name in (IN_PROCESS, TRITON):
            folder = stack.enter_context(throw_away_folder())
            options = StackOptions(always_embedded=True, with_triton=name == TRITON)
            running = await stack.enter_async_context(running_stack(folder, options))
            systems[name] = await stack.enter_async_context(Marquee.connect(running.address, timeout=120.0))
            images = await portrait_images(systems[name], gallery)
            async for _reply in systems[name].enroll(images):
                pass
        return {
            kind: {
                concurrency: await time_in_turn(
                    {name: _identifying(marquee, pictures) for name, marquee in systems.items()},
                    concurrency=concurrency,
                    rounds=rounds,
                    seconds=seconds,
                )
                for concurrency in concurrencies
            }
            for kind, pictures in kinds.items()
        }


def _identifying(marquee: Marquee, pictures: Sequence[TimedPicture]) -> Call:
    async def call(number: int) -> object:
        return await marquee.identify(pictures[number % len(pictures)].data)

    return call
