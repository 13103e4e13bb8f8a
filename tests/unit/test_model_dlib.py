"""Reading dlib's file format."""

import numpy as np
import pytest
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.models.dlib import build_dlib_resnet, read_layers

_CONVOLUTION = [32, 7, 7, 2, 2, 0, 0]


def _integer(value: int) -> bytes:
    data = abs(value).to_bytes(max((abs(value).bit_length() + 7) // 8, 1), "little")
    return bytes([len(data) | (0x80 if value < 0 else 0)]) + data


def _integers(*values: int) -> bytes:
    return b"".join(map(_integer, values))


def _tensor(values: NDArray[np.float32], *, version: int = 2) -> bytes:
    return _integers(version, values.size, 1, 1, 1) + values.astype("<f4").tobytes()


def _tag(name: str) -> bytes:
    return _integer(len(name)) + name.encode()


def test_layers_in_order() -> None:
    """Convolutions, affine layers and the last one come with weights and numbers; the rest is skipped."""
    weights = np.arange(6, dtype=np.float32)
    data = b"\x01\x05other" + _tag("con_4") + _tensor(weights) + _integers(2, 1, 1, 2, 2, 0, -300)
    data += (
        b"\x00" * 9
        + _tag("affine_")
        + _tensor(weights[:4])
        + _tag("fc_2")
        + _integers(3, 2)
        + _tensor(weights)
    )
    convolution, affine, last = read_layers(data)
    assert (convolution.kind, convolution.numbers) == ("con", (2, 1, 1, 2, 2, 0, -300))
    assert convolution.weights.tolist() == [0, 1, 2, 3, 4, 5]
    assert (affine.kind, affine.weights.size, affine.numbers) == ("affine", 4, ())
    assert (last.kind, last.numbers) == ("fc", (3, 2))


def test_bytes_that_only_look_like_a_tag() -> None:
    """A tag counts only behind its own length: weights may contain the same bytes."""
    data = b"\x01\x09con_4" + b"con_4" + _tag("affine_") + _tensor(np.ones(2, np.float32))
    assert [layer.kind for layer in read_layers(data)] == ["affine"]


def test_not_a_dlib_file() -> None:
    """Bytes without a layer are refused."""
    with pytest.raises(ModelError, match="not a network"):
        read_layers(b"PK\x03\x04")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_tensor(np.ones(4, np.float32))[:-1], "cut off"),
        (_tensor(np.ones(4, np.float32), version=3), "unknown version"),
    ],
)
def test_damaged_tensor(data: bytes, message: str) -> None:
    """A tensor that ends early, or is stored in another way, is refused."""
    with pytest.raises(ModelError, match=message):
        read_layers(_tag("affine_") + data)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (_tag("affine_") + _tensor(np.ones(2, np.float32)), "affine layer where con is expected"),
        (_tag("con_4") + _tensor(np.ones(5, np.float32)) + _integers(*_CONVOLUTION), "no layer where affine"),
        (
            _tag("con_4") + _tensor(np.ones(5, np.float32)) + _integers(*_CONVOLUTION)
            + _tag("affine_") + _tensor(np.ones(64, np.float32)),
            "unexpected number of weights",
        ),
        (
            _tag("con_4") + _tensor(np.ones(32 * 3 * 49 + 32, np.float32)) + _integers(*_CONVOLUTION)
            + _tag("affine_") + _tensor(np.ones(64, np.float32)),
            "no layer where con",
        ),
    ],
    ids=["order", "missing affine", "size", "too few"],
)  # fmt: skip
def test_other_networks(layers: bytes, message: str) -> None:
    """A file with other layers than the face network is refused, and the error says where it differs."""
    with pytest.raises(ModelError, match=message):
        build_dlib_resnet(layers)
