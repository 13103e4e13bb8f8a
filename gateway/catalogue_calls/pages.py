"""How many a page of any list may have."""

from __future__ import annotations

from chassis.errors import InvalidInput

__all__ = ["USUAL_PAGE", "page_size"]

USUAL_PAGE = 100
_MOST_ON_A_PAGE = 1000


def page_size(size: int) -> int:
    """Raises InvalidInput for too many."""
    if size > _MOST_ON_A_PAGE:
        raise InvalidInput(f"page_size: more than {_MOST_ON_A_PAGE}")
    return size
