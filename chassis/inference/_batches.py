"""What a batch must be for a model, wherever it runs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chassis.errors import ModelError
from chassis.inference import Batch

__all__ = ["check_batch"]


def check_batch(model: str, shape: Sequence[int | str | None], batch: Batch) -> None:
    """Raises ModelError unless the batch has the shape, of one input, and the type that the model takes.

    shape: without the batch axis; whatever is no number stands for any size.
    """
    fits = batch.ndim == len(shape) + 1 and all(
        not isinstance(expected, int) or size == expected
        for size, expected in zip(batch.shape[1:], shape, strict=True)
    )
    if not fits or len(batch) == 0 or batch.dtype != np.float32:
        takes = "x".join(["n", *(str(size) for size in shape)])
        got = "x".join(str(size) for size in batch.shape)
        raise ModelError(f"model {model!r} takes float32 {takes}, got {batch.dtype} {got}")
