"""What comes out of a known picture, number by number: a change of alignment or normalisation shows here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from chassis.models import ModelStore
from chassis.parts import open_inference
from chassis.work import WorkPool
from services.face.config import FaceConfig
from services.face.embedding import Embedder
from services.face.ensemble import Ensemble
from services.face.library import FaceLibrary
from services.face.observe import Observer
from services.face.serving import model_files, new_observer
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS, EmbedderRow
from tests.fakes.face_service import both_embedders
from tests.fakes.pictures import encode
from tests.fakes.portrait import portrait

pytestmark = both_embedders

# First values of the unit vectors of the drawn portrait of 250 pixels.
_GOLDEN = {
    "mobilefacenet": [-0.0111, 0.0165, 0.012, -0.0007, -0.0271, 0.1317, -0.0744, -0.0391],
    "dlib_resnet": [-0.1054, 0.1095, 0.0605, -0.0406, -0.068, 0.0316, -0.0826, -0.0502],
}
_LANDMARKS = [(101.4, 106.3), (148.0, 106.3), (123.3, 134.5), (106.9, 156.3), (143.0, 156.1)]
_ROWS = [BUILT_IN_ROWS[name] for name in DEFAULT_EMBEDDERS]


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def observer() -> AsyncIterator[Observer]:
    """The service's observe path with the built-in models."""
    config, ensemble = FaceConfig(), Ensemble(tuple(_ROWS))
    async with (
        WorkPool(1, 64) as work,
        open_inference(config.inference, model_files(config, ensemble, ModelStore())) as inference,
    ):
        embedders = [Embedder(row, inference, work) for row in ensemble.rows]
        yield new_observer(config, inference, embedders, FaceLibrary(ensemble), work)


@pytest.mark.parametrize("row", _ROWS, ids=DEFAULT_EMBEDDERS)
async def test_the_vector_of_a_known_face(observer: Observer, row: EmbedderRow) -> None:
    """Detection, mesh, alignment, normalisation and mirror averaging together give these numbers."""
    [face] = (await observer.observe(encode(portrait(250)), max_candidates=0)).faces
    vector = face.template.vectors[row.key]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert vector[:8] == pytest.approx(_GOLDEN[row.name], abs=5e-4)


async def test_the_landmarks_of_a_known_face(observer: Observer) -> None:
    """Eyes, nose and mouth of the drawn face, within half a pixel."""
    [face] = (await observer.observe(encode(portrait(250)), max_candidates=0)).faces
    assert [(point.x, point.y) for point in face.landmarks] == [
        pytest.approx(expected, abs=0.5) for expected in _LANDMARKS
    ]


@pytest.mark.parametrize("row", _ROWS, ids=DEFAULT_EMBEDDERS)
async def test_size_hardly_changes_the_vector(observer: Observer, row: EmbedderRow) -> None:
    """The same face at another scale is described alike: nothing depends on the picture's size."""
    small, large = [
        (await observer.observe(encode(portrait(side)), max_candidates=0)).faces[0] for side in (200, 900)
    ]
    assert float(small.template.vectors[row.key] @ large.template.vectors[row.key]) > 0.9
