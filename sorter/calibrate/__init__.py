"""A rig's first evening: what no file can know of it is found out, with its camera and whoever stands beside it.

What is worked out stands in pure modules (``view``, ``mark``, ``gearing``, ``brick``, ``sliding``, ``bin_angles``,
``score``), the steps that ask, turn and look in ``step_...``. Who answers is behind ``Talk``.
"""

from sorter.calibrate.bench import Bench, Hardware
from sorter.calibrate.errors import CalibrationError, NotMeasured, RecordRefused, StepImpossible, TalkEnded
from sorter.calibrate.record import Record
from sorter.calibrate.steps import STEPS, Came, run_steps, undone
from sorter.calibrate.talk import Talk

__all__ = [
    "STEPS",
    "Bench",
    "CalibrationError",
    "Came",
    "Hardware",
    "NotMeasured",
    "Record",
    "RecordRefused",
    "StepImpossible",
    "Talk",
    "TalkEnded",
    "run_steps",
    "undone",
]
