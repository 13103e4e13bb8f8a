"""Built-in models: where they come from, how they become ONNX files, and where those files are kept.

Nothing here knows what a model is used for: each signal lists its models as `ModelSpec` rows, found through
the entry point group "marquee.models".
"""

from chassis.models.packages import PackageFile, PinnedPackage
from chassis.models.registry import discover_specs
from chassis.models.spec import InputSpec, ModelSpec, OutputSpec
from chassis.models.store import BuildResult, ModelStore, default_root, kept_name

__all__ = [
    "PinnedPackage",
    "PackageFile",
    "ModelSpec",
    "InputSpec",
    "OutputSpec",
    "ModelStore",
    "BuildResult",
    "default_root",
    "kept_name",
    "discover_specs",
]
