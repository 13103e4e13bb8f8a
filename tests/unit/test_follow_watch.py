"""Following ends at any moment, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any, cast

import pytest

from chassis.errors import Unavailable
from chassis.signal.follow_watch import FollowWatch


class _NoPool:
    """A database that is away."""

    def acquire(self, *, timeout: float) -> Any:
        raise Unavailable(f"not within {timeout} s")


def _watch(looked: list[int]) -> FollowWatch:
    async def look() -> None:
        looked.append(1)

    return FollowWatch(cast(Any, _NoPool()), "channel", tuple, also=[look, look])


@pytest.mark.parametrize("turns", range(8))
async def test_ending_before_a_look_has_begun_leaves_no_coroutine_unawaited(turns: int) -> None:
    """However far the round has come when the process ends."""
    looked: list[int] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        watch = _watch(looked)
        watch._hint.set()  # so that the first round begins at once
        async with watch.watching():
            for _ in range(turns):
                await asyncio.sleep(0)
        gc.collect()
    assert not [str(one.message) for one in caught]
    assert len(looked) in (0, 2)
    assert turns < 4 or looked
