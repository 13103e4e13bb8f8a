"""Every TFLite operator the built-in models use, against its definition written out in numpy."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import tflite
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.models.spec import OutputSpec
from chassis.models.tflite import convert_tflite
from chassis.models.tflite.sparse import SparseLevel, Sparsity
from tests.fakes.tflite_writer import Options, TfliteWriter

Floats = NDArray[np.float32]

SAME, VALID = tflite.Padding.SAME, tflite.Padding.VALID
NO_ACTIVATION, RELU, RELU6, TANH = (
    getattr(tflite.ActivationFunctionType, name) for name in ("NONE", "RELU", "RELU6", "TANH")
)


def _random(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _convert(file: bytes, *shapes: tuple[int, ...]) -> onnx.ModelProto:
    outputs = {i: OutputSpec(name=f"output_{i}", shape=shape, meaning="") for i, shape in enumerate(shapes)}
    return convert_tflite(file, name="test", outputs=outputs)


def _run(model: onnx.ModelProto, image: Floats) -> list[Floats]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values: list[Floats] = session.run(None, {"input": image})
    return values


def _one_operator(
    name: str,
    shape: tuple[int, ...],
    result: tuple[int, ...],
    constants: list[NDArray[Any]],
    options: Options | None,
) -> onnx.ModelProto:
    """A file of batch 1 that is one operator on its input, with constants as further inputs."""
    writer = TfliteWriter()
    source = writer.tensor(1, *shape)
    operands = [source, *(writer.constant(value) for value in constants)]
    output = writer.operator(name, operands, writer.tensor(1, *result), options)
    return _convert(writer.finish([source], [output]), result)


def _conv_options(
    table: str, *, padding: int, stride: int, dilation: int = 1, activation: int = 0
) -> Options:
    fields = {"Padding": padding, "StrideH": stride, "StrideW": stride, "FusedActivationFunction": activation}
    fields |= {"DilationHFactor": dilation, "DilationWFactor": dilation}
    return Options(table, fields | ({"DepthMultiplier": 1} if table.startswith("Depthwise") else {}))


def _same_padded(image: Floats, kernel: int, stride: int, fill: float) -> Floats:
    """Pad rows and columns as TensorFlow defines SAME: ceil(size / stride) results, an odd pad last."""
    ends = [(0, 0)]
    for size in image.shape[1:3]:
        total = max((int(np.ceil(size / stride)) - 1) * stride + kernel - size, 0)
        ends.append((total // 2, total - total // 2))
    return np.pad(image, [*ends, (0, 0)], constant_values=fill)


def _windows(image: Floats, kernel: int, stride: int, dilation: int = 1) -> Floats:
    """(N, rows, columns, kernel, kernel, C) of an image (N, H, W, C)."""
    extent = (kernel - 1) * dilation + 1
    rows = range(0, image.shape[1] - extent + 1, stride)
    columns = range(0, image.shape[2] - extent + 1, stride)
    return np.array(
        [
            [[one[y : y + extent : dilation, x : x + extent : dilation] for x in columns] for y in rows]
            for one in image
        ]
    )


@pytest.mark.parametrize("size", [6, 7])
def test_conv_2d_same(size: int) -> None:
    """SAME with stride 2 pads an even size at the end only; weights are output, height, width, input."""
    weights, bias, image = _random(4, 3, 3, 2, seed=1), _random(4, seed=2), _random(3, size, size, 2)
    options = _conv_options("Conv2DOptions", padding=SAME, stride=2, activation=RELU)
    side = -(-size // 2)
    model = _one_operator("CONV_2D", (size, size, 2), (side, side, 4), [weights, bias], options)
    windows = _windows(_same_padded(image, 3, 2, 0), 3, 2)
    expected = np.maximum(np.einsum("nyxhwc,ohwc->nyxo", windows, weights) + bias, 0)
    np.testing.assert_allclose(_run(model, image)[0], expected, rtol=1e-4, atol=1e-5)


def test_depthwise_conv_2d_valid_dilated() -> None:
    """Each channel has its own filter; dilation spreads its taps; RELU6 ends at 6."""
    weights, bias, image = _random(1, 3, 3, 5, seed=1) * 3, _random(5, seed=2), _random(2, 8, 8, 5)
    options = _conv_options("DepthwiseConv2DOptions", padding=VALID, stride=1, dilation=2, activation=RELU6)
    model = _one_operator("DEPTHWISE_CONV_2D", (8, 8, 5), (4, 4, 5), [weights, bias], options)
    expected = np.einsum("nyxhwc,hwc->nyxc", _windows(image, 3, 1, dilation=2), weights[0]) + bias
    assert expected.max() > 6
    np.testing.assert_allclose(_run(model, image)[0], np.clip(expected, 0, 6), rtol=1e-4, atol=1e-5)


def test_sparse_half_float_weights() -> None:
    """DENSIFY, then DEQUANTIZE of half floats, gives the weights of a convolution without a bias."""
    writer = TfliteWriter()
    source = writer.tensor(1, 2, 2, 3)
    csr = SparseLevel(0, np.array([0, 1, 3]), np.array([2, 0, 1]))
    sparsity = Sparsity((0, 1, 2, 3), (), (SparseLevel(2), SparseLevel(1), SparseLevel(1), csr))
    stored = writer.sparse((2, 1, 1, 3), np.array([5, 6, 7], np.float16), sparsity)
    dense = writer.operator("DENSIFY", [stored], writer.tensor(2, 1, 1, 3))
    weights = writer.operator("DEQUANTIZE", [dense], writer.tensor(2, 1, 1, 3))
    options = _conv_options("Conv2DOptions", padding=SAME, stride=1)
    result = writer.operator("CONV_2D", [source, weights, -1], writer.tensor(1, 2, 2, 2), options)
    image = _random(1, 2, 2, 3)
    expected = np.stack([5 * image[..., 2], 6 * image[..., 0] + 7 * image[..., 1]], axis=-1)
    model = _convert(writer.finish([source], [result]), (2, 2, 2))
    np.testing.assert_allclose(_run(model, image)[0], expected, rtol=1e-5)


def test_pad_becomes_part_of_a_convolution() -> None:
    """PAD of rows and columns before a VALID convolution costs no operator of its own."""
    writer = TfliteWriter()
    source, weights, image = writer.tensor(1, 4, 4, 1), _random(1, 3, 3, 1, seed=1), _random(2, 4, 4, 1)
    ends = writer.constant(np.array([[0, 0], [0, 1], [1, 0], [0, 0]], np.int32))
    padded = writer.operator("PAD", [source, ends], writer.tensor(1, 5, 5, 1))
    options = _conv_options("Conv2DOptions", padding=VALID, stride=1)
    result = writer.operator(
        "CONV_2D", [padded, writer.constant(weights)], writer.tensor(1, 3, 3, 1), options
    )
    model = _convert(writer.finish([source], [result]), (3, 3, 1))
    assert "Pad" not in {node.op_type for node in model.graph.node}
    windows = _windows(np.pad(image, [(0, 0), (0, 1), (1, 0), (0, 0)]), 3, 1)
    expected = np.einsum("nyxhwc,ohwc->nyxo", windows, weights)
    np.testing.assert_allclose(_run(model, image)[0], expected, rtol=1e-4, atol=1e-5)


def test_pad_of_channels() -> None:
    """PAD may add channels, as shortcuts of the face mesh do."""
    ends = np.array([[0, 0], [0, 0], [0, 0], [1, 2]], np.int32)
    model = _one_operator("PAD", (2, 2, 3), (2, 2, 6), [ends], None)
    image = _random(2, 2, 2, 3)
    np.testing.assert_array_equal(_run(model, image)[0], np.pad(image, [(0, 0), (0, 0), (0, 0), (1, 2)]))


def test_max_pool_same_of_negative_values() -> None:
    """What SAME adds around an image never wins, however negative the image is."""
    fields = {"Padding": SAME, "StrideH": 2, "StrideW": 2, "FilterHeight": 3, "FilterWidth": 3}
    model = _one_operator("MAX_POOL_2D", (5, 5, 2), (3, 3, 2), [], Options("Pool2DOptions", fields))
    image = _random(2, 5, 5, 2) - 100
    expected = _windows(_same_padded(image, 3, 2, -np.inf), 3, 2).max(axis=(3, 4))
    np.testing.assert_array_equal(_run(model, image)[0], expected)


def test_prelu() -> None:
    """A slope for each channel, above 1 and below 0 too, scales negative values only."""
    slopes, image = np.array([[[0.25, 3, -2]]], np.float32), _random(2, 4, 4, 3)
    model = _one_operator("PRELU", (4, 4, 3), (4, 4, 3), [slopes], None)
    np.testing.assert_allclose(
        _run(model, image)[0], np.where(image > 0, image, image * slopes), rtol=1e-5, atol=1e-6
    )


def test_prelu_with_a_slope_for_each_pixel() -> None:
    """Slopes that differ between pixels are kept as they are."""
    slopes, image = _random(4, 4, 3, seed=1), _random(2, 4, 4, 3)
    model = _one_operator("PRELU", (4, 4, 3), (4, 4, 3), [slopes], None)
    np.testing.assert_allclose(_run(model, image)[0], np.where(image > 0, image, image * slopes), rtol=1e-6)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_prelu_written_out(is_reversed: bool) -> None:
    """relu(x) + c (x - |x|) becomes a PReLU of slope 2c, in either order of the operands."""
    writer, shape = TfliteWriter(), (1, 3, 3, 2)
    source, scale = writer.tensor(*shape), writer.constant(np.array([0.1, -0.4], np.float32))
    positive = writer.operator("RELU", [source], writer.tensor(*shape))
    size = writer.operator("ABS", [source], writer.tensor(*shape))
    twice_negative = writer.operator("SUB", [source, size], writer.tensor(*shape))
    factors, terms = [scale, twice_negative], [positive]
    terms += [writer.operator("MUL", factors[::-1] if is_reversed else factors, writer.tensor(*shape))]
    result = writer.operator("ADD", terms[::-1] if is_reversed else terms, writer.tensor(*shape))
    model = _convert(writer.finish([source], [result]), shape[1:])
    assert "Abs" not in {node.op_type for node in model.graph.node}
    image = _random(2, *shape[1:])
    expected = np.where(image > 0, image, image * np.array([0.2, -0.8], np.float32))
    np.testing.assert_allclose(_run(model, image)[0], expected, rtol=1e-5, atol=1e-6)


def test_what_only_resembles_a_prelu() -> None:
    """relu(x) + c (x - |y|) with another y stays as it is written."""
    writer, shape = TfliteWriter(), (1, 2, 2, 1)
    source, scale = writer.tensor(*shape), writer.constant(np.array([0.5], np.float32))
    other = writer.operator(
        "MUL", [source, writer.constant(np.array([3], np.float32))], writer.tensor(*shape)
    )
    positive = writer.operator("RELU", [source], writer.tensor(*shape))
    size = writer.operator("ABS", [other], writer.tensor(*shape))
    difference = writer.operator("SUB", [source, size], writer.tensor(*shape))
    product = writer.operator("MUL", [scale, difference], writer.tensor(*shape))
    result = writer.operator("ADD", [positive, product], writer.tensor(*shape))
    image = _random(1, *shape[1:])
    expected = np.maximum(image, 0) + 0.5 * (image - abs(3 * image))
    model = _convert(writer.finish([source], [result]), shape[1:])
    np.testing.assert_allclose(_run(model, image)[0], expected, rtol=1e-5, atol=1e-6)


def _resized_row(row: Floats, size: int, positions: Floats) -> Floats:
    return np.interp(np.clip(positions, 0, len(row) - 1), np.arange(len(row)), row).astype(np.float32)[:size]


@pytest.mark.parametrize(
    ("fields", "positions"),
    [
        ({"HalfPixelCenters": 1}, (np.arange(8) + 0.5) / 2 - 0.5),
        ({"AlignCorners": 1}, np.linspace(0, 3, 8)),
        ({}, np.arange(8) / 2),
    ],
    ids=["half pixel centres", "aligned corners", "neither"],
)
def test_resize_bilinear(fields: dict[str, int], positions: NDArray[np.float64]) -> None:
    """Each of the three conventions samples where it says; beyond the border the last pixel is repeated."""
    size = np.array([1, 8], np.int32)
    model = _one_operator(
        "RESIZE_BILINEAR", (1, 4, 1), (1, 8, 1), [size], Options("ResizeBilinearOptions", fields)
    )
    image = _random(2, 1, 4, 1)
    expected = [_resized_row(row, 8, positions.astype(np.float32)) for row in image[:, 0, :, 0]]
    np.testing.assert_allclose(_run(model, image)[0][:, 0, :, 0], expected, rtol=1e-4, atol=1e-5)


def test_depth_to_space() -> None:
    """Channels go to a 2 x 2 block of pixels: block row, block column, then what stays a channel."""
    options = Options("DepthToSpaceOptions", {"BlockSize": 2})
    model = _one_operator("DEPTH_TO_SPACE", (2, 3, 12), (4, 6, 3), [], options)
    image = _random(2, 2, 3, 12)
    expected = image.reshape(2, 2, 3, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 4, 6, 3)
    np.testing.assert_array_equal(_run(model, image)[0], expected)


def test_reshape_and_concatenation_keep_the_order_of_the_file() -> None:
    """Values leave in NHWC order, whatever the order inside; an axis may count from the end."""
    writer = TfliteWriter()
    source = writer.tensor(1, 2, 2, 3)
    options = Options("ConcatenationOptions", {"Axis": -1})
    doubled = writer.operator("CONCATENATION", [source, source], writer.tensor(1, 2, 2, 6), options)
    target = writer.constant(np.array([1, 4, 6], np.int32))
    rows = writer.operator("RESHAPE", [doubled, target], writer.tensor(1, 4, 6))
    options = Options("ConcatenationOptions", {"Axis": 1})
    result = writer.operator("CONCATENATION", [rows, rows], writer.tensor(1, 8, 6), options)
    image = _random(3, 2, 2, 3)
    flat = np.concatenate([image, image], axis=-1).reshape(3, 4, 6)
    model = _convert(writer.finish([source], [result]), (8, 6))
    np.testing.assert_array_equal(_run(model, image)[0], np.concatenate([flat, flat], axis=1))


def test_reshape_to_an_image() -> None:
    """A reshape that makes an image of other sides keeps the order of the file."""
    target = np.array([1, 4, 1, 3], np.int32)
    model = _one_operator("RESHAPE", (2, 2, 3), (4, 1, 3), [target], None)
    image = _random(2, 2, 2, 3)
    np.testing.assert_array_equal(_run(model, image)[0], image.reshape(2, 4, 1, 3))


def test_elementwise_with_a_constant_for_each_channel() -> None:
    """A constant of one dimension goes with the channels, the last dimension of the file."""
    constant, image = np.array([1, 2, 3], np.float32), _random(2, 3, 3, 3)
    for name, function in {"ADD": np.add, "SUB": np.subtract, "MUL": np.multiply}.items():
        model = _one_operator(name, (3, 3, 3), (3, 3, 3), [constant], None)
        np.testing.assert_allclose(_run(model, image)[0], function(image, constant), rtol=1e-6)


def test_logistic_relu_and_abs() -> None:
    """The functions of one value."""
    image = _random(2, 2, 2, 2)
    expected = {"LOGISTIC": 1 / (1 + np.exp(-image)), "RELU": np.maximum(image, 0), "ABS": abs(image)}
    for name, values in expected.items():
        model = _one_operator(name, (2, 2, 2), (2, 2, 2), [], None)
        np.testing.assert_allclose(_run(model, image)[0], values, rtol=1e-5)


def test_hard_wired_batch_becomes_dynamic() -> None:
    """A file for exactly two images takes one, or five, and each row depends on its own image only."""
    writer = TfliteWriter()
    source = writer.tensor(2, 2, 2, 3)
    target = writer.constant(np.array([2, 12], np.int32))
    result = writer.operator("RESHAPE", [source, target], writer.tensor(2, 12))
    model = _convert(writer.finish([source], [result]), (12,))
    for batch in (1, 5):
        image = _random(batch, 2, 2, 3)
        np.testing.assert_array_equal(_run(model, image)[0], image.reshape(batch, 12))


def test_outputs_are_chosen_and_shaped() -> None:
    """An output not asked for goes with all its operators; another may be given a shape of the same size."""
    writer = TfliteWriter()
    source = writer.tensor(1, 1, 1, 6)
    kept = writer.operator("ABS", [source], writer.tensor(1, 1, 1, 6))
    dropped = writer.operator("LOGISTIC", [source], writer.tensor(1, 1, 1, 6))
    model = _convert(writer.finish([source], [kept, dropped]), (2, 3))
    assert [output.name for output in model.graph.output] == ["output_0"]
    assert "Sigmoid" not in {node.op_type for node in model.graph.node}
    image = _random(2, 1, 1, 6)
    np.testing.assert_array_equal(_run(model, image)[0], abs(image).reshape(2, 2, 3))


@pytest.mark.parametrize(
    ("name", "constant", "options", "message"),
    [
        ("SOFTMAX", np.ones(2, np.float32), None, "operator SOFTMAX is not supported"),
        (
            "ADD",
            np.ones(2, np.float32),
            Options("AddOptions", {"FusedActivationFunction": TANH}),
            "activation",
        ),
        ("ADD", np.ones((3, 1, 1, 2), np.float32), None, "with a batch"),
        ("ADD", np.ones(2, np.complex64), None, "dtype"),
        ("PAD", np.array([[1, 0], [0, 0], [0, 0], [0, 0]], np.int32), None, "PAD of the batch"),
    ],
)
def test_forms_that_are_not_supported(
    name: str, constant: NDArray[Any], options: Options | None, message: str
) -> None:
    """An operator that would be converted wrongly is refused, and the error says which."""
    with pytest.raises(ModelError, match=message):
        _one_operator(name, (2, 2, 2), (2, 2, 2), [constant], options)


def test_reshape_across_the_batch() -> None:
    """A RESHAPE that mixes images of a batch has no dynamic form and is refused."""
    writer = TfliteWriter()
    source = writer.tensor(2, 2, 2, 3)
    result = writer.operator(
        "RESHAPE", [source, writer.constant(np.zeros(2, np.int32))], writer.tensor(1, 24)
    )
    with pytest.raises(ModelError, match="across the batch"):
        _convert(writer.finish([source], [result]), (24,))


def test_weights_that_are_computed() -> None:
    """A convolution needs constant weights, half floats or sparse as they may be stored."""
    writer = TfliteWriter()
    source = writer.tensor(1, 2, 2, 2)
    other = writer.operator("ABS", [source], writer.tensor(1, 2, 2, 2))
    options = _conv_options("Conv2DOptions", padding=SAME, stride=1)
    result = writer.operator("CONV_2D", [source, other], writer.tensor(1, 2, 2, 1), options)
    with pytest.raises(ModelError, match="tensor_1 is computed"):
        _convert(writer.finish([source], [result]), (2, 2, 1))


def test_quantised_weights() -> None:
    """Eight-bit weights need a scale that is not read here: refused rather than read wrongly."""
    writer = TfliteWriter()
    source = writer.tensor(1, 2, 2, 2)
    writer.operator(
        "DEQUANTIZE", [writer.constant(np.ones((1, 1, 1, 2), np.int8))], writer.tensor(1, 1, 1, 2)
    )
    with pytest.raises(ModelError, match="DEQUANTIZE of int8"):
        _convert(writer.finish([source], [source]), (2, 2, 2))


def test_not_a_tflite_file() -> None:
    """Other bytes, and files of several graphs, are refused."""
    with pytest.raises(ModelError, match=r"not a \.tflite file"):
        _convert(b"PK\x03\x04 something else", (1,))
    writer = TfliteWriter()
    source = writer.tensor(1, 1, 1, 1)
    with pytest.raises(ModelError, match="2 subgraphs"):
        _convert(writer.finish([source], [source], subgraphs=2), (1,))
