"""The stand-in's sensor: a scene of one colour under noise, an automatic exposure that takes a while, a lens."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

RED, GREEN, BLUE = 180, 120, 60  # what the scene looks like once the light has settled
_EFFECT_FRAMES = 2
CONTROLS = {  # name: (least, most, default)
    "AeEnable": (False, True, True),
    "AwbEnable": (False, True, True),
    "ExposureTime": (1, 66666, 4000),
    "AnalogueGain": (1.0, 16.0, 1.0),
    "ColourGains": (0.0, 32.0, (1.0, 1.0)),
    "FrameDurationLimits": (5000, 1000000, (33333, 33333)),
    "AfMode": (0, 2, 0),
    "LensPosition": (0.0, 15.0, 1.0),
    "NoiseReductionMode": (0, 4, 0),
}
_TYPES = {
    "AeEnable": bool,
    "AwbEnable": bool,
    "ExposureTime": int,
    "AnalogueGain": float,
    "ColourGains": tuple,
    "FrameDurationLimits": tuple,
    "LensPosition": float,
}


def checked_control(name: str, value: Any) -> None:
    """Refuse what libcamera's bindings cannot cast."""
    if name in _TYPES and not isinstance(value, _TYPES[name]):
        raise RuntimeError(f"Unable to cast {value!r} for {name}")


class Sensor:
    def __init__(self, faults: dict[str, float]) -> None:
        self._faults = faults
        self._noise = np.random.default_rng(seed=None if "frozen" not in faults else 1)
        self._frozen: dict[str, np.ndarray] = {}
        self._pending: list[tuple[int, dict[str, Any]]] = []
        self._frames = 0
        self._controls = {name: default for name, (_, _, default) in CONTROLS.items()}
        self._light = {"ExposureTime": 1000.0, "AnalogueGain": 1.0, "ColourGains": (1.0, 1.0), "LensPosition": 1.0}
        self._fixed: set[str] = set()

    @property
    def frame_s(self) -> float:
        return float(self._controls["FrameDurationLimits"][0]) / 1e6

    def set_later(self, controls: dict[str, Any]) -> None:
        """Take controls on; they take effect some frames later, but before the first frame at once."""
        if "ignores_controls" in self._faults:
            controls = {name: value for name, value in controls.items() if name == "FrameDurationLimits"}
        due = self._frames + (_EFFECT_FRAMES if self._frames else 0)
        self._pending.append((due, controls))
        if not self._frames:
            self._apply()

    def focus(self) -> None:
        self._light["LensPosition"] = 7.5

    def _apply(self) -> None:
        due = [controls for frame, controls in self._pending if frame <= self._frames]
        self._pending = [(frame, controls) for frame, controls in self._pending if frame > self._frames]
        for controls in due:
            self._controls.update(controls)
            for name in self._light.keys() & controls.keys():
                self._light[name] = controls[name]
                self._fixed.add(name)
            for switch, names in (("AeEnable", {"ExposureTime", "AnalogueGain"}), ("AwbEnable", {"ColourGains"})):
                if controls.get(switch) is True:
                    self._fixed -= names
                elif controls.get(switch) is False:
                    self._fixed |= names

    def expose(self) -> dict[str, Any]:
        """One frame; returns its metadata."""
        self._frames += 1
        self._apply()
        light = self._light
        if "ExposureTime" not in self._fixed:
            target = 4000.0 * (1.0 + 0.5 * (self._frames % 2)) if "never_settles" in self._faults else 4000.0
            light["ExposureTime"] += 0.5 * (target - light["ExposureTime"])
        if "AnalogueGain" not in self._fixed:
            light["AnalogueGain"] += 0.5 * (2.0 - light["AnalogueGain"])
        if "ColourGains" not in self._fixed:
            red, blue = light["ColourGains"]
            light["ColourGains"] = (red + 0.5 * (1.8 - red), blue + 0.5 * (1.4 - blue))
        metadata = {
            "ExposureTime": int(light["ExposureTime"]),
            "AnalogueGain": float(light["AnalogueGain"]),
            "SensorTimestamp": time.monotonic_ns() - (500_000_000 if "stale" in self._faults else 0),
            "SensorTemperature": 41.5,
            "FrameDuration": int(self.frame_s * 1e6),
            "ScalerCrop": (0, 0, 4608, 2592),
        }
        if "mono" not in self._faults:
            metadata["ColourGains"] = light["ColourGains"]
        if "fixed_focus" not in self._faults:
            metadata["LensPosition"] = light["LensPosition"]
        return metadata

    def buffer(self, config: dict[str, Any]) -> np.ndarray:
        """A stream's buffer: rows of ``stride`` bytes, padded with what must not be seen."""
        (width, height), stride, pixel_format = config["size"], config["stride"], config["format"]
        if "frozen" in self._faults and pixel_format in self._frozen:
            return self._frozen[pixel_format].copy()
        if pixel_format == "YUV420":
            buffer = np.full((height * 3 // 2, stride), 255, np.uint8)
            buffer[:height, :width] = 126  # this and the two below are the scene's colour in BT.601
            chroma = buffer[height:].reshape(height, stride // 2)
            chroma[: height // 2, : width // 2] = 91
            chroma[height // 2 :, : width // 2] = 166
        else:
            pixel = {"BGR888": (RED, GREEN, BLUE), "RGB888": (BLUE, GREEN, RED)}[pixel_format]
            picture = np.array(pixel) * ("black" not in self._faults) + self._noise.integers(-4, 5, (height, width, 3))
            buffer = np.full((height, stride), 255, np.uint8)
            buffer[:, : width * 3] = picture.clip(0, 255).reshape(height, -1)
        self._frozen[pixel_format] = buffer
        return buffer.reshape(-1)
