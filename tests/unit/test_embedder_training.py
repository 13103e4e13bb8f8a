"""The training of the embedder: what belongs together, that it goes on, that its file says the same."""

from __future__ import annotations

from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from services.tattoo.committed import widened
from trainer.embedder.flat import FLAT_SIDE

torch = pytest.importorskip("torch", reason="PyTorch is only there where models are trained")

from trainer.embedder.losses import contrastive_loss  # noqa: E402  # they need PyTorch
from trainer.embedder.network import Embedder  # noqa: E402
from trainer.embedder.shipping import export_embedder  # noqa: E402
from trainer.embedder.training import EmbedderPlan, Material, between, train  # noqa: E402
from trainer.learning.progress import Checkpoint  # noqa: E402

_PLAN = EmbedderPlan(side=64, designs=4, steps=4, warm_up=1)
_FLATS = [
    np.random.default_rng(seed).integers(0, 256, (FLAT_SIDE, FLAT_SIDE, 4), np.uint8) for seed in range(5)
]
_MATERIAL = Material(_FLATS, [])


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def test_views_of_one_design_should_be_alike() -> None:
    """Least where pairs agree and others do not; a mixture of pairs costs more."""
    designs = torch.tensor([0, 0, 1, 1])
    together = torch.eye(4)[[0, 0, 1, 1]]
    apart = torch.eye(4)[[0, 1, 0, 1]]
    assert contrastive_loss(together, designs, temperature=0.1) < 1e-3
    assert contrastive_loss(apart, designs, temperature=0.1) > 5


def test_the_loss_is_that_of_the_paper() -> None:
    """Worked out for one pair and one other vector: -log(e^a / (e^a + e^b))."""
    vectors = torch.nn.functional.normalize(torch.randn(4, 8), dim=1)
    designs = torch.tensor([0, 0, 1, 1])
    logits = (vectors @ vectors.T / 0.2).double().numpy()
    expected = []
    for one, mate in ((0, 1), (1, 0), (2, 3), (3, 2)):
        others = [index for index in range(4) if index != one]
        expected.append(np.log(np.exp(logits[one, others]).sum()) - logits[one, mate])
    assert float(contrastive_loss(vectors, designs, temperature=0.2)) == pytest.approx(
        np.mean(expected), rel=1e-5
    )


def test_it_begins_as_the_embedder_before_it() -> None:
    """Pooled values as a unit vector, minus the mean, projected: with the committed projection."""
    with np.load(BytesIO((files("services.tattoo") / "weights" / "embedder.npz").read_bytes())) as stored:
        projection = {name: stored[name].astype(np.float32) for name in stored.files}
    embedder = Embedder(None, projection).eval()
    crops = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        vectors = embedder(crops).numpy()
        pooled = torch.nn.functional.normalize(embedder.backbone(crops).mean(dim=(2, 3)), dim=1).numpy()
    expected = (pooled - projection["mean"]) @ projection["projection"]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert vectors.shape == (2, 512)
    assert np.abs(vectors - expected).max() < 1e-5


def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    """Stopped after two steps and gone on with: the same weights; another plan is refused."""
    whole = train(
        _PLAN, _MATERIAL, state=None, projection=None, checkpoint=Checkpoint(tmp_path / "a.pt"), workers=0
    )
    checkpoint = Checkpoint(tmp_path / "b.pt")
    for until in (2, None):
        parts = train(
            _PLAN, _MATERIAL, state=None, projection=None, checkpoint=checkpoint, workers=0, until=until
        )
    for name, value in whole.state_dict().items():
        assert torch.allclose(value, parts.state_dict()[name], atol=1e-5), name
    with pytest.raises(ValueError, match="another plan"):
        train(EmbedderPlan(), _MATERIAL, state=None, projection=None, checkpoint=checkpoint, workers=0)


def test_between_start_and_end_lie_their_weights() -> None:
    """At 0 the one, at 1 the other, in the middle their mean."""
    start, end = Embedder(None, None), Embedder(None, None)
    for share in (0.0, 0.5, 1.0):
        weights = between(start, end, share).state_dict()
        for name, value in weights.items():
            expected = (1 - share) * start.state_dict()[name] + share * end.state_dict()[name]
            assert torch.allclose(value, expected, atol=1e-6), name


def test_the_committed_file_is_that_of_the_checkpoint(tmp_path: Path) -> None:
    """Unit vectors of any number of crops, nearly the same after half precision."""
    checkpoint, start = Checkpoint(tmp_path / "embedder.pt"), Embedder(None, None)
    with pytest.raises(FileNotFoundError, match="train first"):
        export_embedder(checkpoint, start, tmp_path, share=0.5)
    train(_PLAN, _MATERIAL, state=None, projection=None, checkpoint=checkpoint, workers=0)
    shipped = export_embedder(checkpoint, start, tmp_path, share=0.5)
    assert shipped.facts.least_onnx_cosine > 0.9999
    assert shipped.facts.least_half_cosine > 0.999
    data = (tmp_path / "trained_embedder.onnx").read_bytes()
    assert len(data) < 8_000_000
    session = onnxruntime.InferenceSession(widened(data).SerializeToString())
    [vectors] = session.run(None, {"input": np.random.default_rng(0).random((3, 3, 224, 224), np.float32)})
    assert vectors.shape == (3, 512)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
