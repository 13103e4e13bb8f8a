"""Page tokens: which signal's list is read, and where. Opaque to clients, checked when they come back."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from chassis.errors import InvalidInput
from gateway.observations import Signal

__all__ = ["Position", "START", "encode", "decode", "not_ours"]


@dataclass(frozen=True, slots=True)
class Position:
    """A page of a signal's list.

    `token`: the signal's own. `last`: performer id and image hash of the image listed last, whose
    observations may go on here; two empty texts at the start.
    """

    signal: Signal
    token: str = ""
    last: tuple[str, str] = ("", "")


START = Position(Signal.FACE)


def encode(position: Position) -> str:
    """The token of a position."""
    text = json.dumps([position.signal.label, position.token, *position.last])
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode(token: str) -> Position:
    """The position of a token; the start for an empty one. Raises InvalidInput for one that is not ours."""
    if not token:
        return START
    try:
        fields = json.loads(base64.urlsafe_b64decode(token.encode()))
        if not isinstance(fields, list) or not all(isinstance(one, str) for one in fields):
            raise not_ours()
        "".join(fields).encode()  # refuses half characters, which no message can carry
        label, inner, performer_id, image_hash = fields
        return Position(_LABELS[label], inner, (performer_id, image_hash))
    except (binascii.Error, ValueError, KeyError, RecursionError) as exc:
        raise not_ours() from exc


def not_ours() -> InvalidInput:
    """The error for a token that this server did not give."""
    return InvalidInput("page_token: not a token of this server")


_LABELS = {signal.label: signal for signal in Signal if signal is not Signal.BODY}
