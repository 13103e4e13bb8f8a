"""Whether models run, and do what the code expects of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from chassis.errors import MarqueeError
from chassis.inference import Inference

__all__ = ["ModelsReady"]


class ModelsReady:
    """Asks whether models run, and tries them out when they are there at first, or again.

    try_out: runs them once and raises ModelError when they do not give what they should.
    """

    def __init__(
        self, inference: Inference, models: Collection[str], try_out: Callable[[], Awaitable[None]]
    ) -> None:
        self._inference = inference
        self._models = tuple(models)
        self._try_out = try_out
        self._is_tried = False

    def __repr__(self) -> str:
        return f"<ModelsReady {', '.join(self._models)}, {'tried' if self._is_tried else 'not tried'}>"

    async def __call__(self) -> None:
        """Return when they can be used. Raises ModelError and Unavailable."""
        try:
            await self._inference.ready(self._models)
            if not self._is_tried:
                await self._try_out()
        except MarqueeError:
            self._is_tried = False
            raise
        self._is_tried = True
