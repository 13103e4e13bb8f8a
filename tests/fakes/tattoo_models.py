"""A tattoo detector and embedders that need no training: dark is ink, and where it is dark is the design."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import helper

from tests.fakes.onnx_models import Shape, save

__all__ = ["LAYOUT_DIMENSION", "dark_detector", "layout_embedder"]

# Side of the grid on which the embedder describes a design.
_GRID = 8
LAYOUT_DIMENSION = _GRID * _GRID
"""Values of `layout_embedder`."""

# Pictures are normalised by mean 0.485 and deviation 0.229 in red: ink is below this, skin and padding above.
_INK = -1.0
_SHARPNESS = 12.0


def dark_detector(path: Path) -> Path:
    """`heatmap`: near 1 in cells that are mostly dark, near 0 elsewhere."""
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["grey"], axes=[1], keepdims=1),
        helper.make_node("AveragePool", ["grey"], ["cells"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Sub", ["ink", "cells"], ["darker"]),
        helper.make_node("Mul", ["darker", "sharpness"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["heatmap"]),
    ]
    values = {"ink": _INK, "sharpness": _SHARPNESS}
    return save(
        path,
        nodes,
        takes=["n", 3, 320, 320],
        gives={"heatmap": ["n", 1, 20, 20]},
        constants={name: np.array([value], np.float32) for name, value in values.items()},
    )


def layout_embedder(path: Path, *, size: int = 64) -> Path:
    """`layout`: how much brighter than the whole each of 8 x 8 squares is, in the green of an NHWC input."""
    square = [size // _GRID] * 2
    nodes = [
        helper.make_node("Transpose", ["input"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Slice", ["planes", "one", "two", "one"], ["green"]),
        helper.make_node("AveragePool", ["green"], ["squares"], kernel_shape=square, strides=square),
        helper.make_node("Flatten", ["squares"], ["flat"]),
        helper.make_node("ReduceMean", ["flat"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["flat", "mean"], ["layout"]),
    ]
    constants = {"one": np.array([1]), "two": np.array([2])}
    gives: dict[str, Shape] = {"layout": ["n", LAYOUT_DIMENSION]}
    return save(path, nodes, takes=["n", size, size, 3], gives=gives, constants=constants)
