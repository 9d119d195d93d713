"""The tree of errors that a camera can cause. Each says what happened and where, and what to do next.

    CameraError
    ├── CameraMissing (FileNotFoundError)   nothing is attached there, or it may not be opened
    ├── CameraRefused (ValueError)          it is there and does not do what it is asked for
    ├── CameraTimeout (TimeoutError)        it did not answer by the deadline
    ├── CameraVanished (ConnectionError)    it was there and is gone, or gives nothing any more
    ├── CameraClosed (RuntimeError)         the program closed it, or never opened it
    ├── WorkerFailed (ChildProcessError)    picamera2's process did not start, or died
    ├── BadFrame (ValueError)               a frame came that is not to be believed
    │   ├── WrongSize
    │   ├── BlankFrame                      black, or one value all over
    │   ├── FrozenFrame                     the same one again, to the last bit
    │   └── StaleFrame                      exposed before it was asked for
    ├── NotAPicture (ValueError)            a file or folder that is played as a camera and holds no picture
    ├── PicturesEnded                       all of them were played
    ├── LockFileRefused (OSError)           the file of what cameras were locked to cannot be read
    └── CameraLost (ConnectionError)        restarting it did not help; the operator has to look

A camera that raised one of these is not used up: close it, open it, and go on (``supervised`` does).
"""

from __future__ import annotations

from sorter.errors import SorterError


class CameraError(SorterError):
    """Something about the camera that an operator can act on."""

    default_remedy = "Check the camera, its cable and [camera] in rig.toml; `sorter camera check` shows what it gives."

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy or self.default_remedy)


class CameraMissing(CameraError, FileNotFoundError):  # noqa: N818  (the names below say what happened)
    """No camera is attached there, or it may not be opened."""

    default_remedy = "Plug the camera in, or name another one in [camera] of rig.toml."


class CameraRefused(CameraError, ValueError):  # noqa: N818
    """The camera is there and does not do what it is asked for."""

    default_remedy = "Change [camera] in rig.toml to what the camera can do."


class CameraTimeout(CameraError, TimeoutError):  # noqa: N818
    """The camera did not answer by the deadline."""

    default_remedy = "Check the camera's cable and supply; unplug it and plug it in again if it stays silent."


class CameraVanished(CameraError, ConnectionError):  # noqa: N818
    """The camera was there and is gone."""

    default_remedy = "Plug the camera in again; nothing else is to be done."


class CameraClosed(CameraError, RuntimeError):  # noqa: N818
    """The program closed the camera, or never opened it."""

    default_remedy = "Open the camera first."


class WorkerFailed(CameraError, ChildProcessError):  # noqa: N818
    """The process that drives picamera2 did not start, or died."""


class BadFrame(CameraError, ValueError):  # noqa: N818
    """A frame came that is not to be believed."""


class WrongSize(BadFrame):
    """The frame is not of the size that was asked for."""


class BlankFrame(BadFrame):
    """The frame shows nothing."""

    default_remedy = "Check the light, the lens cap and the camera's cable."


class FrozenFrame(BadFrame):
    """The camera gives the same frame again."""

    default_remedy = (
        "Check the camera's cable; if this camera really gives frames without any noise, raise frozen_after in "
        "[camera] of rig.toml."
    )


class StaleFrame(BadFrame):
    """The frame was exposed before it was asked for."""


class NotAPicture(CameraError, ValueError):  # noqa: N818
    """A file or folder that is to be played as a camera holds no picture."""

    default_remedy = "Take it out of the folder, or name another one."


class PicturesEnded(CameraError):  # noqa: N818
    """All pictures were played, and they are not to be played again."""

    default_remedy = "Set loop = true in [camera] of rig.toml to play them over and over."


class LockFileRefused(CameraError, OSError):  # noqa: N818
    """The file that exposure, gains, white balance and focus are kept in cannot be read."""

    default_remedy = "Give it back to this user, or move it away; without it the camera settles anew."


class CameraLost(CameraError, ConnectionError):  # noqa: N818
    """Restarting the camera did not help."""
