"""Which enrolled images are probes, what they are never compared with, and with whom they are."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.calibration.performers import Performers
from gateway.calibration.probes import (
    MOST_OF_A_PERFORMER,
    MOST_OTHERS,
    Probe,
    choose_paired,
    choose_probes,
    others_of,
)

_DAYS = st.sampled_from(["", "2020-01-01", "2020-01-02", "2020-01-03"])
_GALLERIES = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.dictionaries(st.integers(0, 9).map(str), _DAYS, min_size=1, max_size=7),
    max_size=8,
)
_SEEDS = st.integers(0, 2**64 - 1)


@given(_GALLERIES, _SEEDS, st.integers(1, 40))
def test_a_probe_is_never_compared_with_its_own_shoot(
    images: dict[str, dict[str, str]], seed: int, most: int
) -> None:
    """Something else is left to compare it with; and at most four are of one performer."""
    probes = choose_probes(images, most=most, seed=seed)
    assert len(probes) <= most
    assert len(set(probes)) == len(probes)
    assert max(Counter(one.performer_id for one in probes).values(), default=0) <= MOST_OF_A_PERFORMER
    for probe in probes:
        own = images[probe.performer_id]
        day, rest = own[probe.image_hash], own.keys() - set(probe.except_images)
        assert probe.image_hash in probe.except_images
        assert rest
        assert all(not day or own[one] != day for one in rest)
        assert probe.is_undated is (not day or any(not own[one] for one in rest))


@given(_GALLERIES, _SEEDS)
def test_everybody_with_two_shoots_has_a_probe(images: dict[str, dict[str, str]], seed: int) -> None:
    """And nobody else; an image without a day is a shoot of its own."""
    probes = choose_probes(images, most=1000, seed=seed)
    shoots = {
        who: len({day or f"image {image}" for image, day in own.items()}) for who, own in images.items()
    }
    assert {one.performer_id for one in probes} == {who for who, count in shoots.items() if count > 1}
    assert probes == choose_probes(dict(reversed(images.items())), most=1000, seed=seed)


def test_everybody_has_a_first_one_before_anybody_has_a_second_one() -> None:
    """Where there are more than are wanted."""
    images = {who: {f"{who}{day}": f"2020-01-0{day}" for day in range(1, 6)} for who in "abcdef"}
    counts = Counter(one.performer_id for one in choose_probes(images, most=8, seed=1))
    assert sorted(counts.values()) == [1, 1, 1, 1, 2, 2]
    assert choose_probes(images, most=8, seed=1) != choose_probes(images, most=8, seed=2)


@given(_GALLERIES, _GALLERIES, _SEEDS)
def test_a_paired_image_has_both_and_both_elsewhere(
    face: dict[str, dict[str, str]], tattoo: dict[str, dict[str, str]], seed: int
) -> None:
    """So that each signal alone can compare it; a day that one signal knows holds for the other."""
    for probe in choose_paired(face, tattoo, most=100, seed=seed):
        out = set(probe.except_images)
        for images in (face, tattoo):
            own = images[probe.performer_id]
            assert probe.image_hash in own
            assert own.keys() - out
        days = {
            image: face[probe.performer_id].get(image) or tattoo[probe.performer_id].get(image)
            for image in (*face[probe.performer_id], *tattoo[probe.performer_id])
        }
        day = days[probe.image_hash]
        assert all(image in out for image, other in days.items() if day and other == day)


@given(st.integers(1, 400), _SEEDS)
def test_others_are_drawn_without_the_performer(count: int, seed: int) -> None:
    """Two hundred, or all; the same again for the same seed."""
    everybody = Performers.of(f"performer {number}" for number in range(count))
    probe = Probe(everybody.ids[0], "image", ("image",), is_undated=False)
    others = others_of(probe, everybody, seed=seed)
    assert len(others) == len(set(others.tolist())) == min(MOST_OTHERS, count - 1)
    assert 0 not in others
    assert others.tolist() == others_of(probe, everybody, seed=seed).tolist()
