"""``sorter camera``: take a picture, and see what a camera gives."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli.console import JsonOption, report
from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sorter.camera import Camera
    from sorter.clock import RealClock
    from sorter.config import CameraConfig
    from sorter.types import Frame

app = typer.Typer(help="The camera: take a picture, see what it gives.", no_args_is_help=True)

_SUFFIXES = (".png", ".jpg", ".jpeg")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The rig's rig.toml; without it the defaults, and nothing is kept.")
]
SourceOption = Annotated[
    str | None, typer.Option("--source", help="picamera2, usb, folder or video; instead of what rig.toml says.")
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="A camera's number or device; for folder and video, what is played.")
]


@app.command()
def snap(
    out: Annotated[Path, typer.Argument(help="The picture to write: .png or .jpg.")],
    *,
    config: ConfigOption = None,
    source: SourceOption = None,
    device: DeviceOption = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a picture that is there.")] = False,
    json: JsonOption = False,
) -> None:
    """Take one picture that passed the checks, and write it."""
    if out.suffix.lower() not in _SUFFIXES:
        raise typer.BadParameter(f"{out} must end in {', '.join(_SUFFIXES)}", param_hint="OUT")
    if out.exists() and not force:
        raise typer.BadParameter(f"{out} is there already; --force writes over it", param_hint="OUT")
    if not os.access(out.absolute().parent, os.W_OK):
        raise typer.BadParameter(f"nothing can be written into {out.absolute().parent}", param_hint="OUT")
    from sorter.camera import open_camera
    from sorter.camera.pictures import encoded
    from sorter.clock import RealClock

    settings, state = _settings(config, source, device)
    clock = RealClock()
    with contextlib.closing(open_camera(settings, clock, state=state)) as camera:
        frame = camera.capture(clock.monotonic_s() + settings.deadline_s)
        notes = camera.health().notes
        name = camera.name
    _write(out, encoded(frame.rgb, out.suffix.lower()), is_forced=force)
    height, width = frame.rgb.shape[:2]
    data = {"file": str(out), "camera": name, **_frame_data(frame), "notes": list(notes)}
    report(data, "\n".join([f"{out}: {width}×{height} px from {name}", *(f"note: {each}" for each in notes)]))


def _write(out: Path, data: bytes, *, is_forced: bool) -> None:
    """Write a file whole, and only over another one if that is meant."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if is_forced:
            temporary.replace(out)
        else:
            _link(temporary, out)
    except OSError as error:
        raise typer.BadParameter(f"{out} cannot be written: {error.strerror}", param_hint="OUT") from error
    finally:
        temporary.unlink(missing_ok=True)


def _link(temporary: Path, out: Path) -> None:
    try:
        os.link(temporary, out)  # which fails if the file has come to be there meanwhile
    except FileExistsError:
        raise
    except OSError:  # a file system without links, such as a memory stick's
        if out.exists():
            raise
        temporary.replace(out)


@app.command()
def check(
    *,
    config: ConfigOption = None,
    source: SourceOption = None,
    device: DeviceOption = None,
    frames: Annotated[int, typer.Option("--frames", min=2, max=1000, help="How many to take.")] = 10,
    settle: Annotated[
        bool, typer.Option("--settle", help="Let light and focus settle anew, and keep that in the state folder.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Take frames, unsupervised, and say what the camera gives; exit code 5 if something is wrong with them."""
    from sorter.camera import bare_camera
    from sorter.camera.opening import LOCK_FILE
    from sorter.clock import RealClock

    settings, state = _settings(config, source, device)
    clock = RealClock()
    lock_file = None if state is None else state / LOCK_FILE
    if settle and lock_file is None:
        raise typer.BadParameter("needs --config, for that names the state folder", param_hint="--settle")
    if settle and lock_file is not None:
        lock_file.unlink(missing_ok=True)
    with contextlib.closing(bare_camera(settings, clock, lock_file=lock_file)) as camera:
        camera.open(clock.monotonic_s() + settings.deadline_s)
        findings = _Findings(camera, settings, clock)
        findings.take(frames)
        data = findings.as_dict()
    report(data, _text(data))
    if data["problems"]:
        raise typer.Exit(ExitCode.FINDINGS)


class _Findings:
    """What a number of frames say about a camera."""

    def __init__(self, camera: Camera, settings: CameraConfig, clock: RealClock) -> None:
        from sorter.camera.checks import FrameChecks

        size_px = (settings.width_px, settings.height_px) if camera.is_live else None
        self._checks = FrameChecks(size_px=size_px, frozen_after=settings.frozen_after)
        self._camera, self._settings, self._clock = camera, settings, clock
        self._problems: dict[str, str] = {}  # by kind, the last of each
        self._last: Frame | None = None
        self._noise: float | None = None
        self._count = 0
        self._seconds = 0.0

    def take(self, frames: int) -> None:
        """Take frames and look at each."""
        import numpy as np

        from sorter.camera.errors import BadFrame

        began_s = self._clock.monotonic_s()
        for _ in range(frames):
            frame = self._camera.capture(self._clock.monotonic_s() + self._settings.frame_timeout_s)
            self._count += 1
            try:
                self._checks.check(frame, is_live=self._camera.is_live)
            except BadFrame as problem:
                self._problems[type(problem).__name__] = problem.message
            if self._last is not None and self._last.rgb.shape == frame.rgb.shape:
                change = frame.rgb.astype(np.int16) - self._last.rgb.astype(np.int16)
                self._noise = float(np.median(np.abs(change))) / 0.6745 / 2**0.5  # of one frame, robust to what moves
            self._last = frame
        self._seconds = self._clock.monotonic_s() - began_s

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        assert self._last is not None
        health = self._camera.health()
        return {
            "camera": self._camera.name,
            "is_live": self._camera.is_live,
            "frames": self._count,
            "captures_per_s": round(self._count / self._seconds, 3) if self._seconds else None,
            **_frame_data(self._last),
            "noise": None if self._noise is None else round(self._noise, 3),
            "sensor_temperature_c": health.sensor_temperature_c,
            "problems": list(self._problems.values()),
            "notes": list(health.notes),
        }


def _frame_data(frame: Frame) -> dict[str, Any]:
    height, width = frame.rgb.shape[:2]
    return {
        "width_px": width,
        "height_px": height,
        "mean_rgb": [round(float(each), 1) for each in frame.rgb.mean(axis=(0, 1))],
        "exposure_s": frame.exposure_s,
        "analogue_gain": frame.analogue_gain,
    }


def _text(data: dict[str, Any]) -> str:
    def shown(value: float | None, unit: str) -> str:
        return "the camera does not tell" if value is None else f"{value:.4g} {unit}".rstrip()

    exposure_ms = None if data["exposure_s"] is None else data["exposure_s"] * 1000.0
    text = [
        f"camera:       {data['camera']}",
        f"size:         {data['width_px']}×{data['height_px']} px",
        f"rate:         {shown(data['captures_per_s'], 'captures per second')} ({data['frames']} taken)",
        f"brightness:   R {data['mean_rgb'][0]:g}, G {data['mean_rgb'][1]:g}, B {data['mean_rgb'][2]:g} (of 255)",
        f"noise:        {shown(data['noise'], 'of 255')}",
        f"exposure:     {shown(exposure_ms, 'ms')}",
        f"gain:         {shown(data['analogue_gain'], '')}",
    ]
    if data["sensor_temperature_c"] is not None:
        text.append(f"temperature:  {data['sensor_temperature_c']:g} °C")
    text += [f"note:         {each}" for each in data["notes"]]
    text += [f"problem:      {each}" for each in data["problems"]] or ["problems:     none"]
    return "\n".join(text)


def _settings(config: Path | None, source: str | None, device: str | None) -> tuple[CameraConfig, Path | None]:
    """``[camera]`` as the options change it, and the state folder, if there is a rig.toml."""
    from pydantic import ValidationError

    from sorter.config import CameraConfig, read_rig_config

    rig = None if config is None else read_rig_config(config)
    given = {} if rig is None else rig.camera.model_dump(exclude_unset=True)
    changes: dict[str, Any] = {}
    if source is not None:
        changes["source"] = source
    is_file = changes.get("source", given.get("source")) in ("folder", "video")
    if source is not None and not is_file:
        given.pop("path", None)
    if device is not None:
        changes["path" if is_file else "device"] = Path(device).absolute() if is_file else device
    try:
        settings = CameraConfig.model_validate({**given, **changes})
    except ValidationError as error:
        text = "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
        raise typer.BadParameter(text, param_hint="--source, --device") from error
    return settings, None if rig is None else rig.paths.state
