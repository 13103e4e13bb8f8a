"""What is kept of views of designs is found again only for the same drawings and the same views."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.embedder.describing import _key


def _saved(folder: Path, drawings: NDArray[np.uint8], name: str = "flats.npy") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / name, drawings)
    return folder / name


@pytest.fixture
def drawings() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (120, 8, 8, 3), np.uint8)


def test_the_key_is_the_same_for_the_same(tmp_path: Path, drawings: NDArray[np.uint8]) -> None:
    """Wherever the file is, and whenever it was written."""
    one, same = _saved(tmp_path / "a", drawings), _saved(tmp_path / "b", drawings.copy())
    assert _key(one, b"weights", 7, 4) == _key(same, b"weights", 7, 4)


def test_the_key_changes_with_all_that_the_views_depend_on(
    tmp_path: Path, drawings: NDArray[np.uint8]
) -> None:
    """Seed, views, backbone, the file's name, how many drawings there are, and what is in any one of them."""
    first = _saved(tmp_path, drawings)
    keys = {_key(first, b"weights", *of) for of in ((7, 4), (8, 4), (7, 5))}
    keys.add(_key(first, b"others", 7, 4))
    keys.add(_key(_saved(tmp_path, drawings, "others.npy"), b"weights", 7, 4))
    keys.add(_key(_saved(tmp_path / "fewer", drawings[:-1]), b"weights", 7, 4))
    for changed in (0, 1, 119):
        other = drawings.copy()
        other[changed, 0, 0, 0] ^= 255
        keys.add(_key(_saved(tmp_path / f"changed{changed}", other), b"weights", 7, 4))
    assert len(keys) == 9
