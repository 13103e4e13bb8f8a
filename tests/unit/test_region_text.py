"""From a source's words to body regions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.common.v1 import common_pb2
from services.tattoo.region_names import region_name
from services.tattoo.region_text import regions_of, says_clear
from services.tattoo.region_words import SIDED, WORDS

_REGIONS = {
    region_name(value)
    for value in common_pb2.BodyRegion.values()
    if value != common_pb2.BODY_REGION_UNSPECIFIED
}


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("left forearm", "left_forearm"),
        ("Left Forearm.", "left_forearm"),
        ("L. forearm", "left_forearm"),
        ("rt calf", "right_lower_leg"),
        ("lower back (tramp stamp)", "lower_back"),
        ("both wrists", "left_hand_or_wrist right_hand_or_wrist"),
        ("wrists", "left_hand_or_wrist right_hand_or_wrist"),
        ("sternum", "chest"),
        ("right thigh/hip", "right_thigh right_hip"),
        ("left shoulder and hip", "left_shoulder left_hip"),
        ("left forearm, right thigh", "left_forearm right_thigh"),
        ("behind left ear", "head"),
        ("full sleeve on right arm", "right_upper_arm right_forearm"),
        ("left half sleeve", "left_upper_arm"),
        ("left leg sleeve", "left_thigh left_lower_leg"),
        ("left and right forearm", "left_forearm right_forearm"),
        ("wrist (left)", "left_hand_or_wrist"),
        ("left arm (forearm)", "left_forearm"),
        ("upper left arm", "left_upper_arm"),
        ("lower right leg", "right_lower_leg"),
        ("upper right back", "upper_back"),
        ("left shoulder blade", "upper_back"),
        ("between shoulder blades", "upper_back"),
        ("full back piece", "upper_back lower_back"),
        ("small of her back", "lower_back"),
        ("back of neck", "neck"),
        ("left side of neck", "neck"),
        ("back of left thigh", "left_thigh"),
        ("left side", "ribs_or_side"),
        ("right side of torso", "ribs_or_side"),
        ("Left rib cage, under breast", "ribs_or_side chest"),
        ("left hip to ribs", "left_hip ribs_or_side"),
        ("left butt cheek", "left_buttock"),
        ("left ring finger", "left_hand_or_wrist"),
        ("top of feet", "left_foot_or_ankle right_foot_or_ankle"),
        ("pubic area", "other"),
        ("inner lower lip", "head"),
        ("Left bicep; right inner forearm", "left_upper_arm right_forearm"),
        ("left forearm, no tattoos on legs", "left_forearm"),
    ],
)
def test_the_words_of_a_place_mean_regions(text: str, regions: str) -> None:
    assert regions_of(text) == set(regions.split())


@pytest.mark.parametrize(
    "text", ["L. inner arm", "thigh", "back", "fingers", "cheek", "a rose", "body", "yes, many"]
)
def test_what_is_not_sure_is_unknown(text: str) -> None:
    """Several regions are possible, or the side is not said."""
    assert regions_of(text) == {"unknown"}


@pytest.mark.parametrize(
    "text", ["", "  ", "N/A", "unknown", "None", "no tattoos", "no tattoos on arms", "left wrist (removed)"]
)
def test_what_is_not_there_is_no_tattoo(text: str) -> None:
    """Nothing follows, not even that there is one somewhere."""
    assert regions_of(text) == set()


def test_the_description_is_read_only_without_a_location() -> None:
    assert regions_of("", "a rose on her left shoulder") == {"left_shoulder"}
    assert regions_of("neck", "a rose on her left shoulder") == {"neck"}


@pytest.mark.parametrize(
    "text", ["None", "none.", "No tattoos", "no visible tattoos", "untattooed", "No ink"]
)
def test_the_whole_body_is_clear_where_the_words_say_so(text: str) -> None:
    assert says_clear(text)


@pytest.mark.parametrize(
    ("location", "description"),
    [("", ""), ("no tattoos on arms", ""), ("none", "left forearm"), ("left arm", "none"), ("N/A", "")],
)
def test_a_part_or_nothing_said_is_not_the_whole_body(location: str, description: str) -> None:
    assert not says_clear(location, description)


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("viewer's left forearm", "unknown"),
        ("stage left thigh", "unknown"),
        ("left side of the photo: forearm", "unknown"),
        ("right calf (as seen)", "unknown"),
        ("mirrored, left wrist", "unknown"),
        # A side does not matter there.
        ("viewers right ribs", "ribs_or_side"),
        # A tattoo of a camera, and words that say what is so anyway.
        ("camera on left forearm", "left_forearm"),
        ("anatomical left forearm", "left_forearm"),
        ("her own left thigh", "left_thigh"),
    ],
)
def test_left_and_right_are_the_bodys_own(text: str, regions: str) -> None:
    """A side of the picture is no side of the body: what it names is unknown."""
    assert regions_of(text) == {regions}


@given(st.text(max_size=80))
def test_any_text_means_regions_of_the_contract(text: str) -> None:
    """Whatever it is: no error, and nothing that the database would not take."""
    assert regions_of(text) <= _REGIONS
    says_clear(text)


def test_every_word_means_regions_of_the_contract() -> None:
    for regions in WORDS.values():
        for region in regions:
            names = {f"left_{region}", f"right_{region}"} if region in SIDED else {region}
            assert names <= _REGIONS


@pytest.mark.parametrize("side", ["left", "right"])
def test_every_word_with_a_side_is_understood(side: str) -> None:
    """A side and a word: the word's regions on that side."""
    for word, regions in WORDS.items():
        expected = {f"{side}_{region}" if region in SIDED else region for region in regions}
        assert regions_of(f"{side} {word}") == expected, word
