"""The parts of a body, numbered as in the contract. Left and right are the person's own."""

from enum import IntEnum

__all__ = ["Region"]


class Region(IntEnum):
    """`marquee.common.v1.BodyRegion` without the values that are no place on a body."""

    LEFT_UPPER_ARM = 3
    RIGHT_UPPER_ARM = 4
    LEFT_FOREARM = 5
    RIGHT_FOREARM = 6
    LEFT_HAND_OR_WRIST = 7
    RIGHT_HAND_OR_WRIST = 8
    LEFT_SHOULDER = 9
    RIGHT_SHOULDER = 10
    LEFT_THIGH = 11
    RIGHT_THIGH = 12
    LEFT_LOWER_LEG = 13
    RIGHT_LOWER_LEG = 14
    LEFT_FOOT_OR_ANKLE = 15
    RIGHT_FOOT_OR_ANKLE = 16
    LEFT_HIP = 17
    RIGHT_HIP = 18
    LEFT_BUTTOCK = 19
    RIGHT_BUTTOCK = 20
    UPPER_BACK = 21
    LOWER_BACK = 22
    CHEST = 23
    RIBS_OR_SIDE = 24
    ABDOMEN = 25
    NECK = 26
    HEAD = 27
