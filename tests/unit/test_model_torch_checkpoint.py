"""Reading PyTorch checkpoints without PyTorch, and without running what they carry."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import ModelError
from chassis.models.torch_checkpoint import read_checkpoint
from tests.fakes.torch_writer import (
    StoredTensor,
    call,
    contiguous,
    legacy_checkpoint,
    state_pickle,
    zip_checkpoint,
)

_WEIGHTS = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
_TENSORS = {
    "layer.weight": contiguous("0", _WEIGHTS, is_parameter=True),
    "layer.half": contiguous("1", np.array([0.5, -2], np.float16)),
    "layer.count": contiguous("2", np.array(7, np.int64)),
    "layer.turned": StoredTensor("0", _WEIGHTS.ravel(), (3, 2), (1, 3), offset=6),
}


@pytest.mark.parametrize("write", [legacy_checkpoint, zip_checkpoint])
def test_both_formats(write: Callable[[dict[str, StoredTensor]], bytes]) -> None:
    """Values, dtypes and shapes come back; a scalar has no dimensions; views share a buffer with strides."""
    read = read_checkpoint(write(_TENSORS))
    assert list(read) == list(_TENSORS)
    np.testing.assert_array_equal(read["layer.weight"], _WEIGHTS)
    assert read["layer.half"].dtype == np.float16
    assert read["layer.half"].tolist() == [0.5, -2]
    assert read["layer.count"].shape == ()
    assert read["layer.count"] == 7
    assert read["layer.turned"].tolist() == [[6, 9], [7, 10], [8, 11]]


def test_arrays_can_be_changed() -> None:
    """Each tensor is an array of its own, not a view of the file or of another tensor."""
    read = read_checkpoint(zip_checkpoint(_TENSORS))
    read["layer.weight"][:] = 0
    assert read["layer.turned"].max() == 11


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    """A pickle that calls anything else is refused by name before the call."""
    marker = tmp_path / "ran"
    for module, name in (("os", "system"), ("builtins", "exec"), ("torch", "load"), ("numpy", "load")):
        command = pickle.dumps(f"touch {marker}", 2)[2:-1]
        state = state_pickle({}, extra=pickle.dumps("key", 2)[2:-1] + call(module, name, command))
        with pytest.raises(ModelError, match=f"it refers to {module}.{name}"):
            read_checkpoint(legacy_checkpoint({}, state=state))
    assert not marker.exists()


def test_other_contents() -> None:
    """A checkpoint must be one dict of tensors."""
    for state in ([1, 2], {"epoch": 3}, "text"):
        with pytest.raises(ModelError, match="not a checkpoint of plain tensors"):
            read_checkpoint(legacy_checkpoint({}, state=pickle.dumps(state, 2)))


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_cut_off(length: int) -> None:
    """A file that ends early is refused wherever it ends."""
    for whole in (legacy_checkpoint(_TENSORS), zip_checkpoint(_TENSORS)):
        with pytest.raises(ModelError, match="not a checkpoint"):
            read_checkpoint(whole[:length])


def test_tensor_beyond_its_storage() -> None:
    """Strides and offsets that leave the buffer are refused, not read from other memory."""
    for shape, strides, offset in (((3, 2), (4, 1), 0), ((2,), (1,), 8), ((2,), (-1,), 0)):
        tensor = StoredTensor("0", np.zeros(9, np.float32), shape, strides, offset)
        with pytest.raises(ModelError, match="beyond its storage"):
            read_checkpoint(zip_checkpoint({"weight": tensor}))


def test_big_endian_machine() -> None:
    """A file of a big-endian machine is refused instead of being read in the wrong order."""
    with pytest.raises(ModelError, match="little-endian"):
        read_checkpoint(legacy_checkpoint(_TENSORS, little=False))
