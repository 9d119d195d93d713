"""Enumerations of libcamera's controls."""

from enum import IntEnum


class AfModeEnum(IntEnum):
    Manual = 0
    Auto = 1
    Continuous = 2
