"""Page tokens: where the page before ended. Opaque to clients, checked when they come back."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from chassis.errors import InvalidInput
from chassis.protos import parse_uuid

__all__ = ["Position", "START", "encode", "decode"]


@dataclass(frozen=True, slots=True)
class Position:
    """The last performer of a page: case-folded name and id."""

    sort_name: str
    performer_id: str


# No name is empty, so everybody comes after this.
START = Position("", "00000000-0000-0000-0000-000000000000")


def encode(position: Position) -> str:
    """The token of a position."""
    text = json.dumps([position.sort_name, position.performer_id])
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode(token: str) -> Position:
    """The position of a token;

    the start for an empty one. Raises InvalidInput for a token that is not ours.
    """
    if not token:
        return START
    try:
        sort_name, performer_id = json.loads(base64.urlsafe_b64decode(token.encode()))
        if not isinstance(sort_name, str) or "\0" in sort_name:
            raise InvalidInput("page_token: not a token of this server")
        return Position(sort_name, parse_uuid(performer_id))
    except (binascii.Error, ValueError, TypeError, AttributeError, InvalidInput) as exc:
        raise InvalidInput("page_token: not a token of this server") from exc
