"""Finding people with the real models, in pictures drawn here and, where there are some, in photographs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.images import RGBImage, cv2, decode
from chassis.inference import Batch, Inference, ModelFile, Outputs
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.work import WorkPool
from services.body.kinds import RatioKind
from services.body.people import PeopleFinder, Person
from services.body.pose import Pose
from services.body.quality import view_quality
from services.body.ratios import measure
from services.body.region_names import Region
from services.body.regions import regions_in_view
from services.body.skeleton import KeyPoint
from services.body.view import view_of
from tests.fakes.figure import scene
from tests.fakes.pictures import gradient

_FACES = Path(__file__).parents[2] / ".." / "shared" / "data" / "lfw" / "distractors"
_LOWER = {
    RatioKind.SHOULDER_HIP,
    RatioKind.LEG_TORSO,
    RatioKind.SHOULDER_TORSO,
    RatioKind.ARM_TORSO,
    RatioKind.THIGH_LOWER_LEG,
}

# What MediaPipe 0.10.14 (static image, full model) says of the same picture: key point, x and y in pixels,
# and its place in space, metres.
_MEDIAPIPE = (
    (KeyPoint.NOSE, 198.6, 111.0, -0.006, -0.665, -0.272),
    (KeyPoint.LEFT_EAR, 217.8, 112.4, 0.060, -0.690, -0.148),
    (KeyPoint.LEFT_SHOULDER, 240.3, 170.2, 0.162, -0.494, -0.081),
    (KeyPoint.RIGHT_SHOULDER, 161.1, 168.4, -0.168, -0.487, -0.078),
    (KeyPoint.LEFT_ELBOW, 252.9, 228.1, 0.201, -0.263, -0.045),
    (KeyPoint.RIGHT_WRIST, 136.3, 280.2, -0.250, -0.024, -0.122),
    (KeyPoint.LEFT_HIP, 222.1, 292.6, 0.114, 0.006, -0.005),
    (KeyPoint.RIGHT_HIP, 178.6, 291.1, -0.114, -0.006, 0.006),
    (KeyPoint.LEFT_KNEE, 217.1, 387.3, 0.060, 0.419, 0.025),
    (KeyPoint.RIGHT_ANKLE, 185.8, 470.0, -0.037, 0.746, 0.196),
    (KeyPoint.LEFT_FOOT_INDEX, 228.6, 494.2, 0.110, 0.861, 0.050),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def inference() -> AsyncIterator[Inference]:
    """Both networks."""
    store = ModelStore()
    paths = {name: store.path(name) for name in ("pose_detector", "pose_landmarks")}
    async with OnnxInference.open(paths) as inference:
        yield inference


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def finder(inference: Inference) -> AsyncIterator[PeopleFinder]:
    """With its usual settings."""
    async with WorkPool(1, 64) as pool:
        yield PeopleFinder(inference, pool)


def _figure(**changes: float) -> RGBImage:
    return scene(400, 560, (80, 40, 1.0), **changes)


async def _only(finder: PeopleFinder, picture: RGBImage) -> Pose:
    [person] = await finder.find(np.ascontiguousarray(picture))
    assert person.pose is not None
    return person.pose


def _ratios(pose: Pose) -> dict[RatioKind, float]:
    return {kind: value for kind, (value, _) in measure(pose).ratios().items()}


def _turned(picture: RGBImage, degrees: float) -> RGBImage:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(
        cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


async def test_key_points_agree_with_the_original_runtime(finder: PeopleFinder) -> None:
    """To 1% of the person's height in the picture, and to 5 cm in space."""
    pose = await _only(finder, _figure())
    for key, x, y, *space in _MEDIAPIPE:
        assert pose.point(key) == pytest.approx([x, y], abs=4)
        assert pose.world[key] == pytest.approx(space, abs=0.05)
    assert pose.presence > 0.99


async def test_the_mirrored_picture_has_the_mirrored_pose(finder: PeopleFinder) -> None:
    """The left hand of the mirrored person is where the right one was."""
    pose, mirror = await _only(finder, _figure()), await _only(finder, _figure()[:, ::-1])
    for left, right in (
        (KeyPoint.LEFT_WRIST, KeyPoint.RIGHT_WRIST),
        (KeyPoint.LEFT_SHOULDER, KeyPoint.RIGHT_SHOULDER),
        (KeyPoint.LEFT_ANKLE, KeyPoint.RIGHT_ANKLE),
    ):
        x, y = pose.point(right)
        assert mirror.point(left) == pytest.approx([400 - x, y], abs=6)


@pytest.mark.parametrize("degrees", [-60, 30, 90, 180])
async def test_who_lies_is_measured_alike(finder: PeopleFinder, degrees: float) -> None:
    """A picture turned shows the same proportions, front and sides."""
    upright = scene(700, 700, (230, 110, 1.0))
    straight, turned = await _only(finder, upright), await _only(finder, _turned(upright, degrees))
    before, after = _ratios(straight), _ratios(turned)
    assert before.keys() == after.keys()
    for kind, value in before.items():
        assert after[kind] == pytest.approx(value, rel=0.08)
    assert view_of(turned).front > 0.9


@pytest.mark.parametrize("factor", [0.5, 2.0, 4.0])
async def test_the_size_of_the_picture_does_not_matter(finder: PeopleFinder, factor: float) -> None:
    """Half, twice and four times as many pixels: the same place and the same proportions."""
    picture = _figure()
    scaled = np.asarray(
        cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )
    small, large = await _only(finder, picture), await _only(finder, scaled)
    assert large.points / factor == pytest.approx(small.points, abs=6)
    before, after = _ratios(small), _ratios(large)
    for kind, value in before.items():
        assert after[kind] == pytest.approx(value, rel=0.08)


async def test_longer_legs_are_measured_longer(finder: PeopleFinder) -> None:
    """A person drawn with longer legs has a larger leg/torso ratio, and other ratios much as before."""
    before = _ratios(await _only(finder, scene(400, 640, (80, 40, 1.0))))
    after = _ratios(await _only(finder, scene(400, 640, (80, 40, 1.0), legs=1.2)))
    assert after[RatioKind.LEG_TORSO] > 1.08 * before[RatioKind.LEG_TORSO]
    assert after[RatioKind.ARM_TORSO] == pytest.approx(before[RatioKind.ARM_TORSO], rel=0.08)


@pytest.mark.parametrize("height", [230, 260, 290], ids=["head and shoulders", "chest", "waist"])
async def test_what_a_crop_cuts_off_is_neither_measured_nor_in_view(
    finder: PeopleFinder, height: int
) -> None:
    """The network puts hips and legs somewhere all the same; nothing is made of them."""
    pose = await _only(finder, _figure()[:height])
    assert not set(_ratios(pose)) & _LOWER
    regions = {view.region for view in regions_in_view(pose)}
    assert Region.HEAD in regions
    assert not regions & {Region.LEFT_THIGH, Region.RIGHT_THIGH, Region.LEFT_LOWER_LEG, Region.LEFT_HIP}
    assert view_quality(pose, view_of(pose)) < 0.5


async def test_a_whole_person_is_a_good_view(finder: PeopleFinder) -> None:
    """Better than any part of them."""
    whole, half = await _only(finder, _figure()), await _only(finder, _figure()[:330])
    assert view_quality(whole, view_of(whole)) > 0.85
    assert view_quality(half, view_of(half)) < view_quality(whole, view_of(whole))


async def test_a_crowd_is_found_and_bounded(inference: Inference) -> None:
    """Six people: six boxes; key points for the four largest, whatever else."""
    people = tuple((20 + 210.0 * row, 60 - 8.0 * row, 0.85 + 0.03 * row) for row in range(6))
    async with WorkPool(1, 64) as pool:
        found = await PeopleFinder(inference, pool, max_people=4).find(scene(1300, 560, *people))
    assert len(found) == 6
    assert sum(person.pose is not None for person in found) == 4
    assert all(person.box.width > 0 and person.box.height > 0 for person in found)
    areas = [person.box.area for person in found]
    assert areas == sorted(areas, reverse=True)


async def test_a_crop_without_a_person_is_dropped(inference: Inference) -> None:
    """What the landmark network does not believe in is nobody, however sure the detector was."""
    async with WorkPool(1, 64) as pool:
        for presence, count in ((0.9, 1), (0.1, 0)):
            doubting = _Doubting(inference, presence)
            assert len(await PeopleFinder(doubting, pool).find(_figure())) == count


async def test_one_person_detected_twice_is_one(inference: Inference) -> None:
    """Two detections whose skeletons coincide are the same person."""
    async with WorkPool(1, 64) as pool:
        found = await PeopleFinder(_Doubling(inference), pool).find(_figure())
    assert len(found) == 1


async def test_a_network_without_our_outputs_is_a_model_error(inference: Inference) -> None:
    """An owner's file that is something else is named, not a crash."""
    async with WorkPool(1, 64) as pool:
        with pytest.raises(ModelError, match="heatmap"):
            await PeopleFinder(_Lacking(inference), pool).find(_figure())


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (2, 3000), (320, 240)])
async def test_odd_pictures_are_no_error(finder: PeopleFinder, size: tuple[int, int]) -> None:
    """A pixel, a line, a gradient: nobody."""
    assert await finder.find(gradient(*size)) == []


@pytest.mark.skipif(not _FACES.is_dir(), reason="needs ../shared/data/lfw")
async def test_photographs_of_faces_say_nothing_about_legs(finder: PeopleFinder) -> None:
    """Of 40 head-and-shoulder photographs none measures hips or legs, or shows a region below the waist."""
    pictures = [decode(next(folder.iterdir()).read_bytes()) for folder in sorted(_FACES.iterdir())[:400:10]]
    found: list[Person] = []
    for picture in pictures:
        found += await finder.find(picture)
    poses = [person.pose for person in found if person.pose is not None]
    assert len(poses) >= 36
    for pose in poses:
        assert not set(_ratios(pose)) & _LOWER
        regions = {view.region for view in regions_in_view(pose)}
        assert not any(region.name.endswith(("HIP", "THIGH", "LEG", "BUTTOCK")) for region in regions)
        assert view_quality(pose, view_of(pose)) < 0.5


class _Changed:
    """The real networks, with something changed."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    async def infer(self, model: str, batch: Batch) -> Outputs:
        outputs = dict(await self._inference.infer(model, batch))
        return self._change(model, outputs)

    async def ready(self, models: Collection[str] | None = None) -> None:
        await self._inference.ready(models)

    async def add(self, key: str, file: ModelFile) -> None:
        await self._inference.add(key, file)

    async def remove(self, key: str) -> None:
        await self._inference.remove(key)

    def _change(self, model: str, outputs: dict[str, NDArray[np.float32]]) -> Outputs:
        raise NotImplementedError


class _Doubting(_Changed):
    """Gives every crop the same presence."""

    def __init__(self, inference: Inference, presence: float) -> None:
        super().__init__(inference)
        self._presence = presence

    def _change(self, model: str, outputs: dict[str, NDArray[np.float32]]) -> Outputs:
        if "presence" in outputs:
            outputs["presence"] = np.full_like(outputs["presence"], self._presence)
        return outputs


class _Doubling(_Changed):
    """Gives the surest detection again, with a face box elsewhere."""

    def _change(self, model: str, outputs: dict[str, NDArray[np.float32]]) -> Outputs:
        if "logits" in outputs:
            logits, regressors = outputs["logits"].copy(), outputs["regressors"].copy()
            best = int(logits[0].argmax())
            # Two anchors of one cell have the same centre.
            twin = best ^ 1
            logits[0, twin] = logits[0, best]
            regressors[0, twin] = regressors[0, best]
            regressors[0, twin, 0] += 60
            outputs |= {"logits": logits, "regressors": regressors}
        return outputs


class _Lacking(_Changed):
    """Has no heat maps."""

    def _change(self, model: str, outputs: dict[str, NDArray[np.float32]]) -> Outputs:
        outputs.pop("heatmap", None)
        return outputs
