"""Structured logs: console for people, JSON for machines, a request id on every line of a request."""

from __future__ import annotations

import logging
import sys
import uuid
from collections.abc import MutableMapping
from typing import Any

import structlog

from chassis.config import LogSection

__all__ = ["configure_logging", "new_request_id", "REQUEST_ID_KEY"]

# Metadata key that carries the request id from hop to hop.
REQUEST_ID_KEY = "x-request-id"


def configure_logging(settings: LogSection, *, process: str) -> None:
    """Set up structlog for this process; logs go to stderr. Bytes are never written, whoever logs them."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_bytes,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)


def new_request_id() -> str:
    """A fresh id for a request that came without one."""
    return uuid.uuid4().hex


def _without_bytes(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Images and embeddings are bytes: say how many, never which."""
    for key, value in event.items():
        if isinstance(value, bytes | bytearray | memoryview):
            event[key] = f"<{len(value)} bytes>"
    return event
