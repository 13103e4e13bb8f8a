"""Finds PReLU written out as five operators and puts one in their place.

Old converters write PReLU as relu(x) + c * (x - |x|). For x < 0 that is 2c * x, so its slope is 2c: one pass
over memory instead of five.
"""

from collections.abc import Iterator
from dataclasses import replace

from chassis.models.tflite.file import Operator, Tensor, TfliteFile

__all__ = ["fuse_prelu"]


def fuse_prelu(file: TfliteFile) -> TfliteFile:
    """Return the same graph with every written-out PReLU as a PRELU; what nobody needs now stays, unused."""
    makers = {output: operator for operator in file.operators for output in operator.outputs}
    tensors = list(file.tensors)
    operators = []
    for operator in file.operators:
        match = next(_matches(operator, makers, tensors), None)
        if match is None:
            operators.append(operator)
            continue
        x, scale = match
        value = tensors[scale].value
        assert value is not None, "a match has a constant scale"
        tensors.append(Tensor(tensors[scale].name + "/slope", tensors[scale].shape, value * 2))
        operators.append(replace(operator, name="PRELU", inputs=(x, len(tensors) - 1)))
    return replace(file, tensors=tuple(tensors), operators=tuple(operators))


def _matches(add: Operator, makers: dict[int, Operator], tensors: list[Tensor]) -> Iterator[tuple[int, int]]:
    """Yield (x, c), tensor numbers, where `add` is relu(x) + c * (x - |x|)."""
    if add.name != "ADD":
        return
    for relu, product in (add.inputs, add.inputs[::-1]):
        x = _input_of(relu, "RELU", makers)
        if x is None or product not in makers or makers[product].name != "MUL":
            continue
        for scale, difference in (makers[product].inputs, makers[product].inputs[::-1]):
            if tensors[scale].value is not None and _is_twice_negative_part(difference, x, makers):
                yield x, scale


def _is_twice_negative_part(difference: int, x: int, makers: dict[int, Operator]) -> bool:
    maker = makers.get(difference)
    if maker is None or maker.name != "SUB" or maker.inputs[0] != x:
        return False
    return _input_of(maker.inputs[1], "ABS", makers) == x


def _input_of(tensor: int, name: str, makers: dict[int, Operator]) -> int | None:
    maker = makers.get(tensor)
    return maker.inputs[0] if maker is not None and maker.name == name else None
