"""The models of a repository under several names, each with another way of batching."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from chassis.models import ModelSpec, ModelStore
from chassis.models.repository import CONFIG, MODEL, config_of

__all__ = ["PLAIN", "SHIPPED", "DELAYS", "variant_name", "write_variants"]

PLAIN = "no batching"
SHIPPED = "dynamic batching"
DELAYS = {"delay 0.5 ms": 500, "delay 2 ms": 2000}
"""Dynamic batching that waits so many microseconds for more requests."""


def variant_name(model: str, variant: str) -> str:
    """What the server calls the variant; the shipped one keeps its name."""
    return model if variant == SHIPPED else f"{model}_{variant.replace(' ', '_').replace('.', '_')}"


def write_variants(repository: Path, store: ModelStore, spec: ModelSpec) -> None:
    """Put every variant of a model into a repository. The shipped one is the committed configuration."""
    for variant in (SHIPPED, PLAIN, *DELAYS):
        folder = repository / variant_name(spec.name, variant)
        version = folder / spec.version
        version.mkdir(parents=True)
        (version / MODEL).write_bytes(store.path(spec.name, version=spec.version).read_bytes())
        (folder / CONFIG).write_text(_config(spec, variant), encoding="utf-8")


def _config(spec: ModelSpec, variant: str) -> str:
    config = text_format.Parse(config_of(spec), ModelConfig())
    config.name = variant_name(spec.name, variant)
    if variant == PLAIN:
        config.ClearField("dynamic_batching")
    elif variant in DELAYS:
        config.dynamic_batching.max_queue_delay_microseconds = DELAYS[variant]
    return text_format.MessageToString(config)
