"""Pictures that are enrolled though nobody here has ever seen their bytes: an import knows only their URL."""

from __future__ import annotations

import hashlib

from chassis.geometry import Box

__all__ = ["NOWHERE", "unseen_hash"]

NOWHERE = Box(0, 0, 1, 1)
"""The box of something whose place in its picture nobody knows."""


def unseen_hash(uri: str) -> str:
    """What stands for the hash of such a picture: SHA-256 of `url:` and its URL, lower-case hexadecimal."""
    return hashlib.sha256(f"url:{uri}".encode()).hexdigest()
