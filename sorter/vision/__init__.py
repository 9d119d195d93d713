"""Where is the part, is there exactly one, and what does it look like: the way of a frame to a crop.

``locate`` and ``crop`` are what training, evaluation, capture and rig call, and nothing else stands between a frame
and the network.
"""

from sorter.vision.background import Background, Backgrounds, learn_background
from sorter.vision.camera_colours import CameraColours
from sorter.vision.colour import fuse_colours, part_colour
from sorter.vision.crop import crop
from sorter.vision.light import LightChange, light_change
from sorter.vision.locate import locate
from sorter.vision.marks import Marks, learn_marks
from sorter.vision.quality import quality

__all__ = [
    "Background",
    "Backgrounds",
    "CameraColours",
    "LightChange",
    "Marks",
    "crop",
    "fuse_colours",
    "learn_background",
    "learn_marks",
    "light_change",
    "locate",
    "part_colour",
    "quality",
]
