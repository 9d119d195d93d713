"""``sorter camera``: take a picture, and see what a camera gives."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli.console import JsonOption, report, show_warning
from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from pydantic import ValidationError

    from sorter.camera import Camera
    from sorter.clock import RealClock
    from sorter.config import CameraConfig
    from sorter.types import Frame

app = typer.Typer(help="The camera: take a picture, see what it gives.", no_args_is_help=True)

_SUFFIXES = (".png", ".jpg", ".jpeg")
_RECORDED = {"folder": "FOLDER", "video": "FILE"}  # sources that play, and what --device names then

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
    if out.is_dir():
        raise typer.BadParameter(f"{out} is a folder; name a file in it", param_hint="OUT")
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
    """Write a picture, and only over another one if that is meant."""
    from sorter.whole import write_whole

    try:
        write_whole(out, data, may_replace=is_forced)
    except OSError as error:
        raise typer.BadParameter(f"{out} cannot be written: {error.strerror}", param_hint="OUT") from error


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
    from sorter.camera.locks import check_readable
    from sorter.camera.opening import LOCK_FILE
    from sorter.clock import RealClock

    settings, state = _settings(config, source, device)
    clock = RealClock()
    lock_file = None if state is None else state / LOCK_FILE
    if settle:
        if settings.source in _RECORDED:
            raise typer.BadParameter(f'nothing can settle with source = "{settings.source}"', param_hint="--settle")
        if lock_file is None:
            raise typer.BadParameter("needs --config, for that names the state folder", param_hint="--settle")
        check_readable(lock_file)
    with contextlib.closing(bare_camera(settings, clock, lock_file=lock_file, settles_anew=settle)) as camera:
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
        self._problems: dict[str, str] = {}  # of those that differ in numbers only, the last
        self._sizes_px: dict[tuple[int, int], None] = {}
        self._last: Frame | None = None
        self._noise: float | None = None
        self._count = 0
        self._seconds = 0.0

    def take(self, frames: int) -> None:
        """Take frames and look at each.

        Raises:
            NotAPicture: of all that was played nothing is a picture.
            CameraError: no frame came.
        """
        from sorter.camera.errors import BadFrame, NotAPicture, WrongSize

        refused: NotAPicture | None = None
        began_s = self._clock.monotonic_s()
        for _ in range(frames):
            try:
                frame = self._camera.capture(self._clock.monotonic_s() + self._settings.frame_timeout_s)
            except NotAPicture as problem:  # the next capture goes on behind it
                refused = refused or problem
                self._problems[problem.message] = problem.message
                continue
            self._take(frame)
            try:
                self._checks.check(frame, is_live=self._camera.is_live)
            except WrongSize as problem:
                self._problems[problem.message] = problem.message
            except BadFrame as problem:
                self._problems[type(problem).__name__] = problem.message
        self._seconds = self._clock.monotonic_s() - began_s
        if self._last is None and refused is not None:
            raise refused
        if not self._camera.is_live and len(self._sizes_px) > 1:
            sizes = ", ".join(f"{width}×{height}" for width, height in self._sizes_px)
            self._problems["sizes"] = f"the pictures are of different sizes: {sizes} px"

    def _take(self, frame: Frame) -> None:
        import numpy as np

        self._count += 1
        height, width = frame.rgb.shape[:2]
        self._sizes_px[width, height] = None
        if self._last is not None and self._last.rgb.shape == frame.rgb.shape:
            change = frame.rgb.astype(np.int16) - self._last.rgb.astype(np.int16)
            self._noise = float(np.median(np.abs(change))) / 0.6745 / 2**0.5  # of one frame, robust to what moves
        self._last = frame

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
    left_out: list[str] = []
    if source is not None:
        left_out = [] if rig is None else rig.camera.misfits(source)
        given = {name: value for name, value in given.items() if name not in left_out} | {"source": source}
    played = _RECORDED.get(given.get("source", ""))
    if device is not None:
        given |= {"path": Path(device).absolute()} if played else {"device": device}
    if played and "path" not in given:
        raise typer.BadParameter(f"does not say what is played: add --device {played}", param_hint="--source")
    try:
        settings = CameraConfig.model_validate(given)
    except ValidationError as error:
        raise typer.BadParameter(_problems(error), param_hint="--source, --device") from error
    if left_out:
        show_warning(f"with --source {source} these of {config} are left out: {', '.join(left_out)}")
    return settings, None if rig is None else rig.paths.state


def _problems(error: ValidationError) -> str:
    details = error.errors(include_url=False)
    texts = ((".".join(map(str, each["loc"])), each["msg"].removeprefix("Value error, ")) for each in details)
    return "; ".join(f"{key}: {text}" if key else text for key, text in texts)
