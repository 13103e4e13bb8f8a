"""The shared memory between tritonserver and its stubs: ours by its name, so that none stays behind."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

__all__ = ["region_prefix", "drop_regions", "drop_leftovers"]

_FOLDER = Path("/dev/shm")
_NAME = re.compile(r"marquee-triton-(\d+)-")


def region_prefix(port: int) -> str:
    """What the names of one server's regions begin with: who started it, and the server's port."""
    return f"marquee-triton-{os.getpid()}-{port}-"


def drop_regions(prefix: str) -> None:
    """Delete the regions of a server that has ended."""
    for region in _FOLDER.glob(f"{prefix}*"):
        region.unlink(missing_ok=True)


def drop_leftovers() -> None:
    """Delete the regions whose starter is gone: it was killed, and its server with it."""
    for region in _FOLDER.glob("marquee-triton-*"):
        named = _NAME.match(region.name)
        if named and not Path("/proc", named.group(1)).exists():
            with suppress(OSError):  # gone by now, or another user's
                region.unlink()
