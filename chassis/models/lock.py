"""One build at a time in a folder of models, across processes."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

__all__ = ["BuildLock"]


class BuildLock:
    """Holds `<folder>/.lock` while entered; the system releases it when its process dies."""

    def __init__(self, folder: Path, *, on_wait: Callable[[], None]) -> None:
        self._path = folder / ".lock"
        self._on_wait = on_wait
        self._descriptor = -1

    def __enter__(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._on_wait()
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
