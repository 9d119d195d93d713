"""Exposure, gain, white balance and focus as they were locked, kept in a file so that a restart changes no picture.

A network learns the light along with the parts. So a camera settles once, is locked to what it found, and is set to
the same numbers whenever it starts again, until someone deletes the file or asks it to settle anew. What rig.toml
names goes before what the file says. The file holds one lock for each camera, by its name.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from sorter.camera.errors import LockFileRefused

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = 2


@dataclass(frozen=True)
class Lock:
    """What a camera is held to; None is not known, or not to be held.

    Args:
        exposure_ms: how long a frame is exposed.
        gain: picamera2: of the sensor (1 is none); USB: the driver's own steps.
        colour_gains: of red and blue over green; picamera2 only.
        white_balance_k: colour temperature; USB only.
        focus: picamera2: in dioptres (1/m, 0 is far); USB: the driver's own steps.
    """

    exposure_ms: float | None = None
    gain: float | None = None
    colour_gains: tuple[float, float] | None = None
    white_balance_k: float | None = None
    focus: float | None = None

    def or_else(self, other: Lock) -> Lock:
        """This lock, and ``other`` where this one does not say."""
        mine = {field.name: getattr(self, field.name) for field in fields(self)}
        return Lock(**{name: getattr(other, name) if value is None else value for name, value in mine.items()})


class LockFile:
    """A camera's lock in the file that the locks are kept in.

    Args:
        path: of the file; None keeps nothing.
        camera: which camera it is of; another one's lock is neither used nor changed.
        settles_anew: pass by the lock that is there until a new one is kept in its place.
    """

    def __init__(self, path: Path | None, camera: str, *, settles_anew: bool = False) -> None:
        self._path = path
        self._camera = camera
        self._settles_anew = settles_anew

    def read(self) -> tuple[Lock, str | None]:
        """The lock, empty if there is none that can be used; and a note why it is not used, if there is a file."""
        if self._path is None or self._settles_anew:
            return Lock(), None
        try:
            kept = _kept(self._path)
            if self._camera in kept:
                return _lock(kept[self._camera]), None
        except OSError as error:
            return Lock(), f"{self._path} cannot be read ({error}); the camera's settings were settled anew"
        except (ValueError, KeyError, TypeError) as error:
            return Lock(), f"{self._path} holds no camera settings ({error!r}); they were settled anew"
        others = ", ".join(kept)
        return Lock(), f"{self._path} is of another camera ({others}); this one's settled anew" if others else None

    def keep(self, lock: Lock) -> str | None:
        """Write ``lock`` into the file beside those of other cameras, whole; returns a note if that cannot be done."""
        if self._path is None:
            return None
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            try:
                kept = _kept(self._path)
            except (ValueError, KeyError, TypeError):
                kept = {}  # damaged: it holds nothing that could be lost
            data = {"format": _FORMAT, "cameras": {**kept, self._camera: asdict(lock)}}
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                file.write(json.dumps(data, indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            why = error.strerror or error
            return f"the camera's settings cannot be kept in {self._path} ({why}): they settle anew at each start"
        self._settles_anew = False
        return None


def check_readable(path: Path) -> None:
    """See that a lock can be kept in ``path`` without losing those of other cameras.

    Raises:
        LockFileRefused: it is there and cannot be read.
    """
    try:
        path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise LockFileRefused(f"{path} cannot be read: {error.strerror or error}") from error


def controls_of(lock: Lock) -> dict[str, Any]:
    """A lock in libcamera's names and units: µs, gains, dioptres."""
    values = {
        "ExposureTime": None if lock.exposure_ms is None else round(lock.exposure_ms * 1000.0),
        "AnalogueGain": lock.gain,
        "ColourGains": lock.colour_gains,
        "LensPosition": lock.focus,
    }
    return {name: value for name, value in values.items() if value is not None}


def lock_of(controls: dict[str, Any]) -> Lock:
    """A lock of libcamera's names and units."""
    exposure_us, gains = controls.get("ExposureTime"), controls.get("ColourGains")
    return Lock(
        exposure_ms=None if exposure_us is None else exposure_us / 1000.0,
        gain=controls.get("AnalogueGain"),
        colour_gains=None if gains is None else (gains[0], gains[1]),
        focus=controls.get("LensPosition"),
    )


def _kept(path: Path) -> dict[str, Any]:
    """What the file holds by camera, not checked yet. Raises OSError, ValueError, KeyError, TypeError."""
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if whole["format"] != _FORMAT:
        raise ValueError(f"format {whole['format']} is not known")
    cameras = whole["cameras"]
    if not isinstance(cameras, dict):
        raise TypeError(f"{cameras!r} are no cameras")
    return cameras


def _lock(data: Any) -> Lock:
    if not isinstance(data, dict) or set(data) - {field.name for field in fields(Lock)}:
        raise ValueError(f"{data!r} are no settings")
    gains = data.get("colour_gains")
    if gains is not None:
        red, blue = gains
        gains = (_number(red), _number(blue))
    single = {name: None if value is None else _number(value) for name, value in data.items() if name != "colour_gains"}
    return Lock(**single, colour_gains=gains)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{value!r} is no number of 0 or more")
    return float(value)
