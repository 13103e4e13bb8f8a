"""The built-in tattoo networks inside their service: drawn tattoos are found and recognised."""

from __future__ import annotations

import pytest

from chassis.errors import ModelError
from chassis.images import RGBImage
from chassis.models import ModelStore
from services.tattoo.config import TattooSection
from services.tattoo.table import DETECTOR, EMBEDDER
from tests.fakes.drawn_tattoos import draw_photographs
from tests.fakes.postgres import database, postgres_server
from tests.fakes.tattoo_service import TattooSystem, migrate_tattoo, open_tattoo_system, seen

__all__ = ["database", "postgres_server"]

_DESIGNS = 24
# Lower than the detector's own: what is tested here is that the parts fit together.
_THRESHOLD = 0.5


@pytest.fixture
def section() -> TattooSection:
    """The built-in networks."""
    for name in (DETECTOR, EMBEDDER):
        try:
            ModelStore().path(name)
        except ModelError as exc:
            pytest.skip(str(exc))
    return TattooSection(port=0, detection_threshold=_THRESHOLD)


async def _enrolled(system: TattooSystem) -> dict[str, RGBImage]:
    """By performer, another picture of a tattoo that was found in both and enrolled from the first."""
    probes = {}
    for seed in range(_DESIGNS):
        gallery, probe = draw_photographs(seed, 2)
        found = (await system.observe(gallery, max_candidates=0)).tattoos
        if found and (await system.observe(probe, max_candidates=0)).tattoos:
            performer = await system.performer()
            outcomes = await system.enroll(performer, seen(found[0], image=str(seed)))
            if outcomes[0].is_accepted:
                probes[performer] = probe
    return probes


async def test_a_drawn_tattoo_leads_to_its_bearer(database: str, section: TattooSection) -> None:
    """Enrolled from one picture, first in the list for another: nearly always, among all of them."""
    await migrate_tattoo(database)
    async with open_tattoo_system(database, section) as system:
        probes = await _enrolled(system)
        assert len(probes) >= _DESIGNS // 4
        right = 0
        for performer, probe in probes.items():
            [tattoo, *_] = (await system.observe(probe)).tattoos
            assert len(tattoo.template.embeddings[0].vector) == 4 * 512
            right += tattoo.candidates[0].performer_id == performer
        assert right >= 0.8 * len(probes)
