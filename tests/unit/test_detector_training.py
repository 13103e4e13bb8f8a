"""The training of the detector of boxes: what learns from what, that it goes on, what its file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import trainer.detector
from services.tattoo.box_layouts import PLACES, read_candidates
from services.tattoo.box_network import build_box_network
from tests.fakes.training_sets import write_set
from trainer.learning.truth import read_pictures

torch = pytest.importorskip("torch", reason="PyTorch is only there where models are trained")

from trainer.detector.assigning import assign, paired_iou  # noqa: E402  # they need PyTorch
from trainer.detector.kept import read_head, write_head  # noqa: E402
from trainer.detector.losses import detection_loss  # noqa: E402
from trainer.detector.network import STRIDES, Detector, Head, places  # noqa: E402
from trainer.detector.shipping import export_detector  # noqa: E402
from trainer.detector.training import DetectorPlan, load_trained, train  # noqa: E402
from trainer.detector.windows import PART, Windows, make_windows  # noqa: E402
from trainer.learning.mobilenet import EXPANDED, checkpoint_of  # noqa: E402
from trainer.learning.progress import Checkpoint, MeanWeights, learning_rate  # noqa: E402

_SIDE = 64
_MIDDLES = torch.cat([places(_SIDE // stride, _SIDE // stride, stride) for stride in STRIDES])
_NONE = torch.zeros((0, 4))
_PLAN = DetectorPlan(pixels=20_000, steps=4, warm_up=1)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def guesses() -> tuple[Any, Any]:
    """Scores of 0.1 and boxes of 16 pixels about each place."""
    return torch.full((len(_MIDDLES),), 0.1), torch.cat([_MIDDLES - 8, _MIDDLES + 8], dim=1)


def test_places_inside_a_tattoo_learn_it() -> None:
    """The ones that agree best, by their agreement; all others learn nothing there."""
    truth = torch.tensor([[16.0, 16, 40, 40]])
    scores, boxes = guesses()
    found = assign(scores, boxes, _MIDDLES, truth, _NONE)
    learning = found.target > 0
    assert 1 <= learning.sum() <= 10
    middles = _MIDDLES[learning]
    assert ((middles >= 16) & (middles <= 40)).all()
    assert (found.box[learning] == truth).all()
    overlaps = paired_iou(truth, boxes)[0]
    assert overlaps[found.target.argmax()] == overlaps[learning].max()
    assert found.counts.all()


def test_a_tattoo_between_the_places_has_one_too() -> None:
    """Smaller than a cell, with no middle inside."""
    truth = torch.tensor([[8.5, 8.5, 11.0, 11.0]])
    found = assign(*guesses(), _MIDDLES, truth, _NONE)
    assert (found.target > 0).sum() >= 1


def test_two_tattoos_share_no_place() -> None:
    """Each place learns the one that its box overlaps more."""
    truth = torch.tensor([[0.0, 0, 40, 40], [24.0, 24, 64, 64]])
    found = assign(*guesses(), _MIDDLES, truth, _NONE)
    learned = {tuple(box.tolist()) for box in found.box[found.target > 0]}
    assert learned == {tuple(box.tolist()) for box in truth}


def test_what_is_passed_over_teaches_nothing() -> None:
    """Neither that there is a tattoo nor that there is none."""
    passed = torch.tensor([[0.0, 0, 32, 32]])
    found = assign(*guesses(), _MIDDLES, _NONE, passed)
    inside = (_MIDDLES <= 32).all(dim=1)
    assert (found.counts[inside] == 0).all()
    assert (found.counts[~inside] == 1).all()
    logits = torch.zeros(1, len(_MIDDLES))
    boxes = guesses()[1][None]
    with_it = detection_loss(logits, boxes, _MIDDLES, [_NONE], [passed])[0]
    without = detection_loss(logits, boxes, _MIDDLES, [_NONE], [_NONE])[0]
    assert with_it < without


def test_a_right_answer_costs_less_than_a_wrong_one() -> None:
    """Both parts of the loss know the way."""
    truth = torch.tensor([[16.0, 16, 40, 40]])
    boxes = truth[None].repeat(1, len(_MIDDLES), 1)
    sure = torch.where(((_MIDDLES > 16) & (_MIDDLES < 40)).all(dim=1), 4.0, -6.0)[None]
    scores, distance = detection_loss(sure, boxes, _MIDDLES, [truth], [_NONE])
    assert distance < 1e-3
    assert scores < detection_loss(-sure, boxes, _MIDDLES, [truth], [_NONE])[0]
    assert detection_loss(sure, boxes + 12, _MIDDLES, [truth], [_NONE])[1] > 0.3


def test_the_network_gives_a_box_and_a_score_a_place() -> None:
    """Places go by stride, row by row; an untrained one finds nothing."""
    detector = Detector().eval()
    with torch.no_grad():
        logits, boxes = detector(torch.rand(2, 3, _SIDE, _SIDE))
    assert logits.shape == (2, len(_MIDDLES))
    assert boxes.shape == (2, len(_MIDDLES), 4)
    middles = (boxes[0, :, :2] + boxes[0, :, 2:]) / 2
    assert (middles - _MIDDLES).abs().max() < 32
    assert logits.sigmoid().max() < 0.1


def test_loss_falls_on_what_is_seen_again_and_again() -> None:
    """The gradient reaches neck and head, and not the backbone."""
    detector, truth = Detector().train(), torch.tensor([[16.0, 16, 40, 40]])
    pictures = torch.rand(2, 3, _SIDE, _SIDE)
    pictures[:, :, 16:40, 16:40] = 0
    optimizer = torch.optim.AdamW(detector.head.parameters(), lr=2e-3)
    losses = []
    for _ in range(40):
        logits, boxes = detector(pictures)
        loss = sum(detection_loss(logits, boxes, _MIDDLES, [truth] * 2, [_NONE] * 2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:3])
    assert all(one.grad is not None for one in detector.head.parameters())
    assert not any(one.requires_grad for one in detector.backbone.parameters())


def small_windows(folder: Path) -> Windows:
    """Of 64 and of 96 pixels, by a backbone with drawn weights."""
    pictures = read_pictures([write_set(folder / "set", 6)], split="train")
    for side in (64, 96):
        make_windows(folder / "windows", pictures, state=None, side=side, count=PART, seed=1, workers=0)
    return Windows([folder / "windows"])


def test_windows_are_kept_as_the_backbone_sees_them(tmp_path: Path) -> None:
    """One byte an activation, the truth beside them; what is there is not made again."""
    windows = small_windows(tmp_path)
    assert len(windows) == 2 * PART
    batch = windows.draw(np.random.default_rng(0), 20_000)
    assert batch.side in (64, 96)
    assert len(batch.boxes) == len(batch.ignored) == 20_000 // batch.side**2
    shapes = [
        (batch.side // stride, batch.side // stride, width)
        for stride, width in zip(STRIDES, EXPANDED, strict=True)
    ]
    assert [level.shape[1:] for level in batch.levels] == shapes
    part = tmp_path / "windows" / "64" / "0000"
    before = (part / "0.npy").stat().st_mtime_ns
    small_windows(tmp_path)
    assert (part / "0.npy").stat().st_mtime_ns == before
    pictures = read_pictures([tmp_path / "set"], split="train")
    with pytest.raises(ValueError, match="other windows"):
        make_windows(tmp_path / "windows", pictures, state=None, side=64, count=PART, seed=2, workers=0)
    with pytest.raises(ValueError, match="no windows"):
        Windows([tmp_path / "windows", tmp_path])


def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    """Stopped after two steps and gone on with: the same weights."""
    windows = small_windows(tmp_path)
    whole = train(_PLAN, windows, checkpoint=Checkpoint(tmp_path / "a.pt"), workers=0)
    for until in (2, None):
        checkpoint = Checkpoint(tmp_path / "b.pt")
        parts = train(_PLAN, windows, checkpoint=checkpoint, workers=0, until=until)
    different = [
        name
        for name, value in whole.state_dict().items()
        if not torch.allclose(value, parts.state_dict()[name], atol=1e-5)
    ]
    assert not different


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path) -> None:
    """Rather than mixing two trainings."""
    windows, checkpoint = small_windows(tmp_path), Checkpoint(tmp_path / "a.pt")
    train(_PLAN, windows, checkpoint=checkpoint, workers=0, until=1)
    with pytest.raises(ValueError, match="another plan"):
        train(DetectorPlan(pixels=10_000), windows, checkpoint=checkpoint, workers=0)


def test_the_committed_file_is_that_of_the_head(tmp_path: Path) -> None:
    """Its facts have the measured differences; what runs is built of what is stored."""
    windows = small_windows(tmp_path)
    with pytest.raises(FileNotFoundError, match="train first"):
        load_trained(Checkpoint(tmp_path / "detector.pt"))
    train(_PLAN, windows, checkpoint=Checkpoint(tmp_path / "detector.pt"), workers=0)
    head, backbone = load_trained(Checkpoint(tmp_path / "detector.pt")), checkpoint_of(tmp_path / "packages")
    shipped = export_detector(head, backbone, tmp_path)
    assert 100_000 < shipped.facts.weights < 400_000
    assert shipped.facts.onnx_difference < 1e-2
    assert shipped.facts.half_difference < 1e-2
    with np.load(tmp_path / "boxes.npz") as stored:
        layers = {name: stored[name].astype(np.float32) for name in stored.files}
    assert build_box_network(backbone, layers).SerializeToString() == shipped.served
    pictures = np.random.default_rng(0).random((1, 3, 640, 640), np.float32)
    [boxes] = onnxruntime.InferenceSession(shipped.served).run(None, {"input": pictures})
    assert len(read_candidates("m", {"boxes": boxes}).scores) == PLACES
    write_head(head, tmp_path / "head.npz")
    start = read_head(tmp_path / "head.npz")
    assert train(_PLAN, windows, checkpoint=Checkpoint(tmp_path / "b.pt"), start=start, workers=0, until=1)


def test_the_committed_head_is_read_and_written(tmp_path: Path) -> None:
    """Written and read again it gives the same within half precision; other weights are refused."""
    head = read_head(Path(trainer.detector.__file__).with_name("head.npz"))
    write_head(head, tmp_path / "again.npz")
    again = read_head(tmp_path / "again.npz")
    shapes = zip(EXPANDED, STRIDES, strict=True)
    expansions = [torch.rand(1, width, 64 // stride, 64 // stride) * 6 for width, stride in shapes]
    with torch.no_grad():
        first, second = head(expansions)[0], again(expansions)[0]
        untrained = Head().eval()(expansions)[0]
    assert torch.allclose(first, second, atol=1e-3)
    assert not torch.allclose(first, untrained, atol=1.0)
    np.savez(tmp_path / "other.npz", scores=np.zeros(3))
    with pytest.raises(ValueError, match="other weights"):
        read_head(tmp_path / "other.npz")


def test_the_rate_rises_and_falls() -> None:
    """A warm-up, then half a cosine to a fiftieth."""
    rates = [learning_rate(step, 100, peak=1.0, warm_up=10) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert np.argmax(rates) in (9, 10)
    assert rates[-1] < 0.03
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_mean_weights_follow() -> None:
    """Between the old weights and the new ones."""
    network = torch.nn.Linear(2, 2)
    mean = MeanWeights(network, keep=0.9)
    before = network.weight.detach().clone()
    with torch.no_grad():
        network.weight += 1
    mean.update(network)
    assert ((mean.network.weight > before) & (mean.network.weight <= before + 1)).all()
