"""A lock that is handed over in the order it was asked for."""

from collections import deque
from threading import Lock

__all__ = ["FairLock"]


class FairLock:
    """A mutual exclusion lock, first come first served.

    `threading.Lock` is usually won by the thread that has just released it, so a search would wait until the
    last portion of a long add is in; here it waits for one portion.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._is_held = False
        self._queue: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return
            turn = Lock()
            turn.acquire()
            self._queue.append(turn)
        turn.acquire()  # released by the thread that hands over

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._queue:
                self._queue.popleft().release()  # still held, by the next in line
            else:
                self._is_held = False
