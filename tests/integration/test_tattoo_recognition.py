"""The built-in tattoo networks inside their service: drawn tattoos are found and recognised."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import ModelError
from chassis.images import RGBImage, cv2, decode
from chassis.models import ModelStore
from services.tattoo.config import TattooSection
from services.tattoo.table import DETECTOR, EMBEDDER
from tests.fakes.drawings import turned
from tests.fakes.drawn_tattoos import draw_photographs
from tests.fakes.postgres import database, postgres_server
from tests.fakes.tattoo_service import TattooSystem, migrate_tattoo, open_tattoo_system, seen
from trainer.drawings.calibration import is_for_calibration

__all__ = ["database", "postgres_server"]

_DESIGNS = 24
_DATA = Path("../shared/data/bivtatt")
_PHOTOGRAPHS = 30
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


@pytest.mark.skipif(not _DATA.is_dir(), reason="no photographs in ../shared/data")
async def test_a_spoilt_photograph_leads_to_its_bearer_when_more_are_looked_over(
    database: str, section: TattooSection
) -> None:
    """Turned, far too dark and out of focus: with one comparison each, more find the owner."""
    await migrate_tattoo(database)
    plain = TattooSection(port=0, verify_candidates=1, screen_candidates=0)
    async with open_tattoo_system(database, plain) as system:
        bearers = await _photographed(system)
        nearest = await _agreeing(system, bearers)
    async with open_tattoo_system(database, plain.model_copy(update={"screen_candidates": 400})) as system:
        screened = await _agreeing(system, bearers)
    assert screened["own"] > nearest["own"] > 0
    assert screened["another"] == nearest["another"] == 0


async def _photographed(system: TattooSystem) -> dict[str, RGBImage]:
    """Performers by photograph, of which the largest tattoo that is found is enrolled."""
    photographs = sorted((_DATA / "images").glob("*_1.*"))
    reported = [one for one in photographs if not is_for_calibration(_subject(one))]
    bearers = {}
    for path in reported[:_PHOTOGRAPHS]:
        picture = decode(path.read_bytes())
        found = (await system.observe(picture, max_candidates=0)).tattoos
        if found:
            bearers[await system.performer()] = picture
            await system.enroll(list(bearers)[-1], seen(found[0], image=path.stem))
    return bearers


def _subject(path: Path) -> str:
    return path.stem.partition("_")[0]


async def _agreeing(system: TattooSystem, bearers: dict[str, RGBImage]) -> Counter[str]:
    """With whom key points of a spoilt copy agree: with the tattoo's bearer, or with another one."""
    counted: Counter[str] = Counter()
    for performer, picture in bearers.items():
        dark = turned((255 * (picture / 255) ** 2.5).astype("uint8"))
        spoilt = np.asarray(cv2.GaussianBlur(dark, (0, 0), 1.5), np.uint8)
        for tattoo in (await system.observe(spoilt)).tattoos[:1]:
            found = [one.performer_id for one in tattoo.candidates if one.agreeing_points]
            counted.update("own" if one == performer else "another" for one in found)
    return counted
