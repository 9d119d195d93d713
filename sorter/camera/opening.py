"""From ``[camera]`` of rig.toml to a camera. What a source needs is imported only if that source is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.camera.checks import FrameChecks
from sorter.camera.errors import CameraError
from sorter.camera.locks import Lock
from sorter.camera.supervised import SupervisedCamera, Supervision

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sorter.camera.protocol import Camera
    from sorter.config import CameraConfig
    from sorter.types import Clock

LOCK_FILE = "camera.json"  # in the rig's state folder


def bare_camera(
    config: CameraConfig, clock: Clock, *, lock_file: Path | None = None, settles_anew: bool = False
) -> Camera:
    """The camera that the config names, not opened and not supervised.

    Args:
        config: ``[camera]``.
        clock: whose seconds deadlines and frames carry.
        lock_file: where exposure, gains, white balance and focus are kept over restarts; None settles at each start.
        settles_anew: pass by what is kept there, until the new lock is kept in its place.
    """
    match config.source:
        case "folder" | "video":
            from sorter.camera.replay import ReplayCamera  # noqa: PLC0415

            assert config.path is not None  # CameraConfig sees to it
            return ReplayCamera(
                config.path,
                clock,
                loop=config.loop,
                frames_per_s=config.frames_per_s,
                preview_width_px=config.preview_width_px,
            )
        case "socket":
            from sorter.camera.socket_camera import SocketCamera  # noqa: PLC0415

            assert config.path is not None  # CameraConfig sees to it
            return SocketCamera(config.path, clock, preview_width_px=config.preview_width_px)
        case "usb":
            from sorter.camera.usb import UsbCamera  # noqa: PLC0415
            from sorter.camera.usb_grabber import UsbSettings  # noqa: PLC0415

            return UsbCamera(
                config.device,
                clock,
                UsbSettings(config.width_px, config.height_px, config.frames_per_s, _lock(config)),
                lock_file=lock_file,
                settles_anew=settles_anew,
                preview_width_px=config.preview_width_px,
            )
        case "picamera2":
            from sorter.camera.picamera2_camera import Picamera2Camera, Picamera2Settings  # noqa: PLC0415

            return Picamera2Camera(
                int(config.device),
                clock,
                Picamera2Settings(
                    config.width_px,
                    config.height_px,
                    config.frames_per_s,
                    preview_width_px=config.preview_width_px,
                    lock=_lock(config),
                ),
                lock_file=lock_file,
                settles_anew=settles_anew,
                python=config.python,
            )


def make_camera(
    config: CameraConfig,
    clock: Clock,
    *,
    state: Path | None = None,
    on_incident: Callable[[str, str], None] | None = None,
) -> SupervisedCamera:
    """The camera that the config names, supervised, not opened.

    Args:
        config: ``[camera]``.
        clock: whose seconds deadlines and frames carry.
        state: the rig's state folder, where the locked settings are kept; None settles at each start.
        on_incident: see ``SupervisedCamera``.
    """
    camera = bare_camera(config, clock, lock_file=None if state is None else state / LOCK_FILE)
    has_size = camera.is_live and config.source != "socket"  # whoever gives the frames there decides on it
    size_px = (config.width_px, config.height_px) if has_size else None
    return SupervisedCamera(
        camera,
        clock,
        checks=FrameChecks(size_px=size_px, frozen_after=config.frozen_after),
        supervision=Supervision(frame_timeout_s=config.frame_timeout_s),
        mm_per_px=config.mm_per_px,
        on_incident=on_incident,
    )


def open_camera(
    config: CameraConfig,
    clock: Clock,
    *,
    state: Path | None = None,
    on_incident: Callable[[str, str], None] | None = None,
) -> SupervisedCamera:
    """As ``make_camera``, and opened, within the config's ``deadline_s``.

    Raises:
        CameraError: it could not be opened; nothing is left of it.
    """
    camera = make_camera(config, clock, state=state, on_incident=on_incident)
    try:
        camera.open(clock.monotonic_s() + config.deadline_s)
    except CameraError:
        camera.close()
        raise
    return camera


def _lock(config: CameraConfig) -> Lock:
    return Lock(
        exposure_ms=config.exposure_ms,
        gain=config.gain,
        colour_gains=config.colour_gains,
        white_balance_k=config.white_balance_k,
        focus=config.focus,
    )
