"""What the client's calls have in common: the caller's items as requests, and errors in Marquee's words."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import grpc

from chassis.status import error_from

__all__ = ["Source", "errors_translated"]

_Item = TypeVar("_Item")
_Request = TypeVar("_Request")


class Source(Generic[_Item, _Request]):
    """The caller's items as requests; gRPC would turn what they raise into a bare cancellation."""

    def __init__(
        self, items: Iterable[_Item] | AsyncIterable[_Item], to_request: Callable[[_Item], _Request]
    ) -> None:
        self._items = items
        self._to_request = to_request
        self._failure: Exception | None = None

    async def requests(self) -> AsyncIterator[_Request]:
        try:
            if isinstance(self._items, AsyncIterable):
                async for item in self._items:
                    yield self._to_request(item)
            else:
                for item in self._items:
                    yield self._to_request(item)
        except Exception as exc:
            self._failure = exc

    def raise_failure(self) -> None:
        """Raise what the items raised, if anything."""
        if self._failure is not None:
            raise self._failure


@contextmanager
def errors_translated() -> Iterator[None]:
    """Raises the error that the server meant."""
    try:
        yield
    except grpc.aio.AioRpcError as exc:
        raise error_from(exc) from exc
