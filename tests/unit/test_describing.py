"""Models that are being prepared describe beside those that serve, and cost a call nothing."""

from __future__ import annotations

import asyncio

import pytest

from chassis.deadline import Deadline, deadline_scope
from chassis.errors import DeadlineExceeded, MarqueeError, ModelError, Overloaded
from chassis.signal.describing import described, is_passing


async def _value(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def _failure(error: Exception) -> int:
    await asyncio.sleep(0)
    raise error


async def _never() -> int:
    await asyncio.Event().wait()
    return 0


async def test_both_describe_at_the_same_time() -> None:
    """Each result in its place; one waits for the other here, which only works side by side."""
    met = asyncio.Barrier(2)

    async def together(value: int) -> int:
        await met.wait()
        return value

    assert await described([together(1)], [together(2)]) == ([1], [2])
    assert await described([_value(1), _value(2)], []) == ([1, 2], [])


async def test_a_model_that_fails_is_left_out() -> None:
    """Its error stands in its place; one that nobody planned is told as a failure of the model."""
    wrong, busy = ModelError("wrong"), Overloaded("busy")
    further = [_failure(wrong), _value(3), _failure(busy), _failure(RuntimeError("a bug"))]
    results, others = await described([_value(1)], further)
    assert results == [1]
    assert others[:3] == [wrong, 3, busy]
    assert isinstance(others[3], ModelError)
    assert "bug" not in str(others[3])


async def test_what_serves_must_succeed() -> None:
    """Its error is the call's, and nothing goes on behind its back."""
    waiting = asyncio.ensure_future(_never())

    async def wait() -> int:
        return await waiting

    with pytest.raises(ModelError, match="wrong"):
        await described([_failure(ModelError("wrong"))], [wait()])
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_model_that_does_not_answer_makes_no_call_late() -> None:
    """It has half of what is left; where that was hardly any time, it is no worse for it."""
    with deadline_scope(Deadline.after(0.1)):
        results, [late] = await described([_value(1)], [_never()])
    assert results == [1]
    assert isinstance(late, DeadlineExceeded)
    with deadline_scope(Deadline.after(2.2)):
        _, [late] = await described([_value(1)], [_never()])
    assert isinstance(late, ModelError)


@pytest.mark.parametrize(
    ("error", "expected"),
    [(Overloaded("busy"), True), (DeadlineExceeded("late"), True), (ModelError("wrong"), False)],
)
def test_being_busy_is_no_failure_of_the_model(error: MarqueeError, expected: bool) -> None:
    """What passes by itself says nothing about the model."""
    assert is_passing(error) is expected
