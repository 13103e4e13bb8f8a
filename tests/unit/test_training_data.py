"""Sets of pictures as the trainings read them, and the windows that the detector learns from."""

import json
from pathlib import Path

import numpy as np
import pytest

from services.tattoo.boxes import BOX_SIDE
from tests.fakes.training_sets import write_set
from trainer.detector.lessons import draw_lesson
from trainer.detector.things import THINGS, cuttings
from trainer.learning.camera import worn
from trainer.learning.truth import load_pixels, read_pictures


def test_a_split_of_several_sets_is_read(tmp_path: Path) -> None:
    """Only tattoos of which something is seen, with their corners."""
    one, other = write_set(tmp_path / "a", 6), write_set(tmp_path / "b", 3)
    write_set(tmp_path / "a", 2, split="validation")
    pictures = read_pictures([one, other], split="train")
    assert len(pictures) == 9
    assert [len(picture.tattoos) for picture in pictures[:3]] == [1, 1, 0]
    left, top, right, bottom = pictures[0].tattoos[0].box
    pixels = load_pixels(pictures[0])
    assert pixels.shape == (320, 240, 3)
    assert pixels[int((top + bottom) / 2), int((left + right) / 2)].tolist() == [30, 30, 40]
    assert [picture.has_overlay for picture in pictures[:6]] == [True, False, False, False, False, True]
    assert len(read_pictures([one], split="validation")) == 2


@pytest.mark.parametrize(("field", "value"), [("visible_fraction", 0.1), ("contrast", 0.05), ("pixels", 12)])
def test_what_nobody_can_see_need_not_be_found(tmp_path: Path, field: str, value: float) -> None:
    """Nearly hidden, too faint, too small."""
    folder = write_set(tmp_path, 1)
    line = json.loads((folder / "train.jsonl").read_text())
    assert read_pictures([folder], split="train")[0].tattoos[0].is_plain
    line["tattoos"][0][field] = value
    (folder / "train.jsonl").write_text(json.dumps(line))
    assert not read_pictures([folder], split="train")[0].tattoos[0].is_plain


def test_a_set_that_is_not_there_or_broken_is_told(tmp_path: Path) -> None:
    """With the file and the line."""
    with pytest.raises(ValueError, match="has no truth of pictures"):
        read_pictures([tmp_path], split="train")
    folder = write_set(tmp_path, 2)
    with (folder / "train.jsonl").open("a") as file:
        file.write('{"picture": "x"}\n')
    with pytest.raises(ValueError, match=r"train\.jsonl, line 3"):
        read_pictures([folder], split="train")
    (folder / "pictures" / "train-0000.png").write_bytes(b"no picture")
    picture = next(iter(_first_of(folder)))
    with pytest.raises(ValueError, match="is no picture"):
        load_pixels(picture)


def _first_of(folder: Path) -> list:  # type: ignore[type-arg]  # of pictures, of which one is needed
    text = (folder / "train.jsonl").read_text().splitlines()
    (folder / "train.jsonl").write_text("\n".join(text[:2]))
    return read_pictures([folder], split="train")


def test_boxes_of_a_window_lie_on_the_ink(tmp_path: Path) -> None:
    """Turned, mirrored, scaled and cut: nearly every whole box is dark in its middle and skin in its corner.

    Not all: where four windows meet, or in deep shadow, both are alike.
    """
    pictures = [one for one in read_pictures([write_set(tmp_path, 12)], split="train") if one.tattoos]
    checked = []
    for seed in range(150):
        lesson = draw_lesson(np.random.default_rng(seed), pictures, 256)
        assert lesson.pixels.shape == (256, 256, 3)
        for box in [*lesson.boxes, *lesson.ignored]:
            assert (box >= 0).all()
            assert (box <= 256).all()
        for left, top, right, bottom in lesson.boxes.astype(int):
            inside = min(left, top, 255 - right, 255 - bottom) > 2
            if inside and min(right - left, bottom - top) > 20:
                grey = lesson.pixels.mean(axis=2)
                middle = grey[(top + bottom) // 2 - 2 : (top + bottom) // 2 + 3, (left + right) // 2]
                corner = grey[top + 1, left + 1]
                checked.append(middle.mean() < corner - 10)
    assert len(checked) > 60
    assert np.mean(checked) > 0.9


def test_windows_show_the_served_scale_and_others(tmp_path: Path) -> None:
    """A disc of known size appears around the size it has in 640 pixels, and far larger and smaller."""
    pictures = [one for one in read_pictures([write_set(tmp_path, 12)], split="train") if one.tattoos]
    sizes = [
        (box[2:] - box[:2]).max()
        for seed in range(200)
        for box in draw_lesson(np.random.default_rng(seed), pictures, 352).boxes
    ]
    served = np.median([one.tattoos[0].box[2] - one.tattoos[0].box[0] for one in pictures]) * BOX_SIDE / 320
    assert np.min(sizes) < 0.4 * served
    assert 0.4 * served < np.median(sizes) < 1.3 * served
    assert np.max(sizes) > 1.5 * served


def test_the_same_seed_gives_the_same_window(tmp_path: Path) -> None:
    """A training that was interrupted sees what it would have seen."""
    pictures = read_pictures([write_set(tmp_path, 6)], split="train")
    one, other = (draw_lesson(np.random.default_rng([1, 7]), pictures, 128) for _ in range(2))
    assert (one.pixels == other.pixels).all()
    assert (one.boxes == other.boxes).all()


def test_a_camera_changes_light_and_sharpness_and_no_shape() -> None:
    """At strength 0 nothing; else values change and stay bytes."""
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    assert (worn(np.random.default_rng(1), picture, strength=0.0) == picture).all()
    different = [worn(np.random.default_rng(seed), picture) for seed in range(8)]
    assert all(one.shape == picture.shape and one.dtype == np.uint8 for one in different)
    assert all((one != picture).any() for one in different)


def test_some_windows_are_filled_by_a_tattoo(tmp_path: Path) -> None:
    """As photographs of a tattoo are, though in the pictures it takes a third of the width at most."""
    pictures = [one for one in read_pictures([write_set(tmp_path, 12)], split="train") if one.tattoos]
    sides = [
        float((box[2:] - box[:2]).max())
        for seed in range(60)
        for box in draw_lesson(np.random.default_rng(seed), pictures, 640).boxes
    ]
    assert max(sides) > 0.6 * 640


def test_cuttings_of_things_come_again_and_are_large_enough() -> None:
    """Twelve of each photograph, the same ones from the same seed, a small photograph enlarged threefold."""
    photograph = np.random.default_rng(0).integers(0, 256, (150, 120, 3), np.uint8)
    first, second = (cuttings(np.random.default_rng(1), photograph) for _ in range(2))
    assert len(first) == 12
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert len({one.shape for one in first}) > 6
    assert all(64 * 3 <= max(one.shape[:2]) <= 450 for one in first)


def test_no_photograph_of_a_thing_is_one_of_a_person() -> None:
    """Packages have photographs of people, too; those are not among them."""
    names = {file.path.rsplit("/", 1)[1] for file in THINGS}
    assert len(names) == 18
    assert not names & {"astronaut.png", "camera.png"}
