"""Cameras: one promise (``Camera``), and what keeps it: picamera2, USB, pictures from a file, and the supervision.

``open_camera`` makes what ``[camera]`` of rig.toml names. Importing this is light; what a source needs is imported when
a camera of it is made.
"""

from sorter.camera.opening import bare_camera, make_camera, open_camera
from sorter.camera.protocol import Camera, CameraHealth
from sorter.camera.supervised import SupervisedCamera, Supervision

__all__ = [
    "Camera",
    "CameraHealth",
    "SupervisedCamera",
    "Supervision",
    "bare_camera",
    "make_camera",
    "open_camera",
]
