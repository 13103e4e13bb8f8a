"""How a process starts and fails to start."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from chassis.errors import MarqueeError

__all__ = ["run", "EXIT_CANNOT_START"]

# The owner's settings or surroundings must change before another start can succeed.
EXIT_CANNOT_START = 2


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `main` to its end; an error Marquee knows becomes one line on stderr and exit code 2."""
    try:
        asyncio.run(main())
    except MarqueeError as exc:
        print(f"marquee: {exc}", file=sys.stderr)
        sys.exit(EXIT_CANNOT_START)
    except KeyboardInterrupt:
        sys.exit(130)
