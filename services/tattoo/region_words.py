"""The words that people use for places on a body, and the regions they mean.

A region that has two sides is without its side here, such as `forearm`. Words that may mean several regions
mean UNKNOWN: a wrong region would later speak against the right performer.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["OTHER", "PAIRS", "SIDED", "UNKNOWN", "WORDS"]

UNKNOWN = "unknown"
OTHER = "other"

SIDED = frozenset(
    {
        "upper_arm",
        "forearm",
        "hand_or_wrist",
        "shoulder",
        "thigh",
        "lower_leg",
        "foot_or_ankle",
        "hip",
        "buttock",
    }
)
"""Regions of which there is a left and a right one."""

_MEANINGS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("upper_arm",), "upper arm, upper arms, bicep, biceps, tricep, triceps, half sleeve, quarter sleeve"),
    (("forearm",), "forearm, forearms, fore arm, lower arm, lower arms"),
    (
        ("upper_arm", "forearm"),
        "sleeve, sleeves, full sleeve, full sleeves, full arm, whole arm, entire arm, arm sleeve, "
        "arm sleeves, full arm sleeve",
    ),
    (
        ("hand_or_wrist",),
        "wrist, wrists, hand, hands, finger, fingers, thumb, thumbs, pinky, knuckle, knuckles, palm, palms",
    ),
    (("shoulder",), "shoulder, shoulders, deltoid, deltoids"),
    (("thigh",), "thigh, thighs, upper leg, upper legs, quad, quads"),
    (("lower_leg",), "lower leg, lower legs, calf, calve, calves, shin, shins"),
    (("thigh", "lower_leg"), "leg sleeve, leg sleeves, full leg sleeve, full leg, whole leg, entire leg"),
    (("foot_or_ankle",), "foot, feet, ankle, ankles, toe, toes, heel, heels, instep"),
    (("hip",), "hip, hips, hipbone, hip bone, hipbones, hip bones"),
    (
        ("buttock",),
        "buttock, buttocks, butt, butt cheek, butt cheeks, ass, ass cheek, ass cheeks, bum, glute, glutes",
    ),
    (
        ("upper_back",),
        "upper back, shoulder blade, shoulder blades, shoulderblade, shoulderblades, scapula",
    ),
    (
        ("lower_back",),
        "lower back, small of back, small of the back, small of her back, small of his back, tramp stamp, "
        "lumbar, tailbone, tail bone",
    ),
    (
        ("upper_back", "lower_back"),
        "full back, whole back, entire back, full back piece, back piece, backpiece, full spine, "
        "whole spine, entire spine, along spine, along the spine, down spine, down the spine",
    ),
    (
        ("chest",),
        "chest, sternum, breast, breasts, boob, boobs, underboob, under boob, underbreast, cleavage, "
        "collarbone, collarbones, collar bone, collar bones, clavicle, clavicles, pec, pecs, pectoral, "
        "nipple, nipples",
    ),
    (
        ("ribs_or_side",),
        "rib, ribs, ribcage, rib cage, side, sides, flank, flanks, side of torso, side of the torso, "
        "side of body, side of the body, torso side",
    ),
    (("abdomen",), "abdomen, stomach, belly, belly button, navel, tummy, midriff, abs, lower abdomen"),
    (("neck",), "neck, nape, throat"),
    (
        ("head",),
        "head, face, ear, ears, earlobe, forehead, eyebrow, eyebrows, eyelid, eyelids, lip, lips, temple, "
        "scalp, skull, chin, jaw, jawline, nose, tongue, gums",
    ),
    (
        (OTHER,),
        "elbow, elbows, knee, knees, armpit, armpits, groin, crotch, pubic, pubis, pubic area, pubic mound, "
        "pubic region, pelvis, pelvic, pelvic area, pelvic region, bikini line, bikini area, vagina, vulva, "
        "labia, penis",
    ),
    (
        (UNKNOWN,),
        "arm, arms, leg, legs, limb, limbs, back, spine, mid back, middle back, torso, waist, body, "
        "full body, whole body, trunk, cheek, cheeks, everywhere, all over",
    ),
)

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {word: regions for regions, words in _MEANINGS for word in words.split(", ")}
)
"""Each word or phrase, in lower case, and its regions without sides."""

PAIRS = frozenset(
    word
    for word in WORDS
    if word in ("feet", "calves") or (word.endswith("s") and word.removesuffix("s") in WORDS)
) - {"biceps", "triceps", "fingers", "knuckles", "toes", "thumbs"}
"""Plurals that mean both sides. Fingers are more often several of one hand."""
