"""What a built-in model is: where it comes from, what it takes and gives, and how its ONNX file is made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from chassis.models.packages import PackageFile

if TYPE_CHECKING:
    # Only named here: a process that just reads models is spared the library.
    import onnx

__all__ = ["ModelSpec", "InputSpec", "OutputSpec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """The one input, named `input`: float32, batch first and dynamic."""

    shape: tuple[int | str, ...]
    """Without the batch, in the order of `layout`; a string is a dynamic dimension."""
    layout: Literal["NCHW", "NHWC"]
    color: Literal["RGB", "BGR"]
    normalisation: str
    """A formula over pixel values x in 0..255, such as "x / 127.5 - 1"."""

    def __str__(self) -> str:
        return f"{' x '.join(map(str, self.shape))} {self.color} {self.layout}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSpec:
    """One output: float32, batch first."""

    name: str
    shape: tuple[int | str, ...]
    """Without the batch; a string is a dynamic dimension."""
    meaning: str

    def __str__(self) -> str:
        return f"{self.name} {' x '.join(map(str, self.shape))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One row of a signal's list of built-in models."""

    name: str
    """Unique among all signals; the file is `<name>.onnx`."""
    version: str
    """Raised whenever the built file changes; vectors of different versions are never compared."""
    role: str
    """What it is used for, such as "face.detector"."""
    source: PackageFile
    """One file of a public package."""
    licence: str
    provenance: str
    """Who trained it on what, as far as the package says."""
    input: InputSpec
    outputs: tuple[OutputSpec, ...]
    build: "Callable[[bytes], onnx.ModelProto]"
    """Turns the bytes of the source file into a model."""
    optional: bool = False
    """Whether the system works without it, when its package cannot be fetched here."""
    without: str = ""
    """What the owner loses without an optional model; shown when it is skipped."""
