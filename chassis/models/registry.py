"""Finds the built-in models of all installed parts."""

from collections.abc import Iterable
from importlib.metadata import entry_points

from chassis.errors import ModelError
from chassis.models.spec import ModelSpec

__all__ = ["GROUP", "discover_specs"]

GROUP = "marquee.models"
"""Entry points of this group name a tuple of ModelSpec."""


def discover_specs() -> tuple[ModelSpec, ...]:
    """Return the specs of every installed part, sorted by role, then name.

    Raises ModelError when two parts describe one name differently.
    """
    specs: Iterable[ModelSpec] = (spec for point in entry_points(group=GROUP) for spec in point.load())
    by_name: dict[str, ModelSpec] = {}
    for spec in specs:
        if by_name.setdefault(spec.name, spec) != spec:
            raise ModelError(f"two parts describe the model {spec.name} differently")
    return tuple(sorted(by_name.values(), key=lambda spec: (spec.role, spec.name)))
