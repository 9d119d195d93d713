"""Stands in for picamera2: the same calls, the same refusals, frames that really take their time.

Written after picamera2's source (raspberrypi/picamera2, picamera2.py, request.py, controls.py): ``BGR888`` yields
arrays in the order R, G, B; rows of a buffer are padded, and ``make_array`` takes the padding off for RGB and leaves it
for YUV420; one completed request is held back and handed out at once; ``flush=True`` passes by what began to be exposed
before; who keeps requests starves the camera; a control that the camera does not have, a stream that was not configured
and a request that was released already raise.

``STAND_IN`` in the environment lists faults, separated by commas; with ``STAND_IN_ONCE`` naming a file that does not
exist yet, they befall only the first process, which creates it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from libcamera import controls as libcamera_controls

from picamera2.sensor import CONTROLS, Sensor, checked_control

_YUV = {"YUV420", "YVU420"}
_BYTES_PER_PIXEL = {"BGR888": 3, "RGB888": 3, "XBGR8888": 4, "XRGB8888": 4}
_ROW_ALIGNMENT = 64


def _faults() -> dict[str, float]:
    once = os.environ.get("STAND_IN_ONCE")
    if once:
        try:
            Path(once).touch(exist_ok=False)
        except FileExistsError:
            return {}
    listed = filter(None, os.environ.get("STAND_IN", "").split(","))
    return {name: float(value or 0) for name, _, value in (each.partition(":") for each in listed)}


FAULTS = _faults()
if "import_error" in FAULTS:
    raise ImportError("numpy.core.multiarray failed to import")


if any(Path(each, "picamera2_worker.py").exists() for each in sys.path):
    raise ImportError("the worker's own folder hides modules of the system")


class CompletedRequest:
    def __init__(self, picam2: Picamera2, buffers: dict[str, np.ndarray], metadata: dict[str, Any]) -> None:
        self._picam2 = picam2
        self._buffers: dict[str, np.ndarray] | None = buffers
        self._metadata = metadata
        self.ref_count = 1

    def get_metadata(self) -> dict[str, Any]:
        assert self._buffers is not None, "released"
        return dict(self._metadata)

    def make_array(self, name: str) -> np.ndarray:
        assert self._buffers is not None, "released"
        if name not in self._buffers:
            raise RuntimeError(f"Stream {name!r} is not defined")
        config = self._picam2.camera_config[name]
        (width, height), stride = config["size"], config["stride"]
        if config["format"] in _YUV:
            return self._buffers[name].copy().reshape((height * 3 // 2, stride))
        row = width * _BYTES_PER_PIXEL[config["format"]]
        rows = np.asarray(self._buffers[name].reshape((height, stride))[:, :row], order="C")
        return rows.reshape((height, width, -1)).copy()

    def release(self) -> None:
        with self._picam2.lock:
            self.ref_count -= 1
            if self.ref_count < 0:
                raise RuntimeError("CompletedRequest: lock now has negative ref_count")
            self._buffers = None
            self._picam2.free_buffers += 1


class Picamera2:
    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        if "no_camera" in FAULTS:
            return []
        return [{"Model": "imx708", "Location": 2, "Rotation": 180, "Id": "/base/soc/i2c0mux/imx708@1a", "Num": 0}]

    def __init__(self, camera_num: int = 0, verbose_console: Any = None, tuning: Any = None, allocator: Any = None):
        print("[0:00:01] INFO Camera: this goes to stdout")
        print("[0:00:01] INFO Camera: this goes to stderr", file=sys.stderr)
        self.global_camera_info()[camera_num]
        if "busy" in FAULTS:
            print("ERROR Camera: Pipeline handler in use by another process", file=sys.stderr)
            raise RuntimeError("Camera __init__ sequence did not complete.")
        time.sleep(FAULTS.get("slow_start", 0.0))
        self.lock = threading.RLock()
        self.camera_config: dict[str, Any] | None = None
        self.free_buffers = 0
        self._arrived = threading.Condition(self.lock)
        self._completed: list[CompletedRequest] = []
        self._sensor = Sensor(FAULTS)
        self._handed_out = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        absent = {name for fault, names in _ABSENT.items() if fault in FAULTS for name in names}
        return {name: limits for name, limits in CONTROLS.items() if name not in absent}

    def create_video_configuration(
        self,
        main: dict[str, Any] = {},  # noqa: B006
        lores: dict[str, Any] | None = None,
        raw: dict[str, Any] = {},  # noqa: B006
        transform: Any = None,
        colour_space: Any = None,
        buffer_count: int = 6,
        controls: dict[str, Any] = {},  # noqa: B006
        display: str = "main",
        encode: str = "main",
        queue: bool = True,
        sensor: dict[str, Any] = {},  # noqa: B006
        use_case: str = "video",
    ) -> dict[str, Any]:
        main = self._stream({"format": "XBGR8888", "size": (1280, 720), "preserve_ar": True}, main)
        if lores is not None:
            lores = self._stream({"format": "YUV420", "size": main["size"], "preserve_ar": False}, lores)
        return {
            "use_case": use_case,
            "buffer_count": buffer_count,
            "queue": queue,
            "main": main,
            "lores": lores,
            "controls": {"FrameDurationLimits": (33333, 33333), **controls},
        }

    @staticmethod
    def _stream(stream: dict[str, Any], updates: dict[str, Any]) -> dict[str, Any]:
        valid = ("format", "size", "stride", "preserve_ar")
        for key, value in updates.items():
            if key not in valid:
                raise ValueError(f"Bad key {key!r}: valid stream configuration keys are {valid}")
            stream[key] = value
        width, height = stream["size"]
        stream["size"] = (width - width % 2, height - height % 2)
        return stream

    def configure(self, camera_config: dict[str, Any] | None = None) -> None:
        assert camera_config is not None
        if self._thread is not None:
            raise RuntimeError("Camera must be stopped before configuring")
        main, lores = camera_config["main"], camera_config["lores"]
        for name, stream in (("main", main), ("lores", lores)):
            if stream is None:
                continue
            if not isinstance(stream["size"], tuple) or len(stream["size"]) != 2:
                raise RuntimeError("size in " + name + " stream should be (width, height)")
            if stream["format"] not in (*_BYTES_PER_PIXEL, *_YUV):
                raise RuntimeError("Bad format " + stream["format"] + " in stream " + name)
        if lores is not None:
            if lores["size"][0] > main["size"][0] or lores["size"][1] > main["size"][1]:
                raise RuntimeError("lores stream dimensions may not exceed main stream")
            if lores["format"] not in _YUV:  # as on every Pi before the 5
                raise RuntimeError("lores stream must be YUV")
        if "wrong_size" in FAULTS:  # libcamera calls that Adjusted, and picamera2 goes on
            main["size"] = (main["size"][0] - 2, main["size"][1])
        for stream in filter(None, (main, lores)):
            row = stream["size"][0] * _BYTES_PER_PIXEL.get(stream["format"], 1)
            stream["stride"] = -(-row // _ROW_ALIGNMENT) * _ROW_ALIGNMENT
        self.camera_config = camera_config
        self.set_controls(camera_config["controls"])

    def camera_configuration(self) -> dict[str, Any] | None:
        return self.camera_config

    def set_controls(self, controls: dict[str, Any]) -> None:
        for name, value in controls.items():
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
            checked_control(name, value)
        with self.lock:
            self._sensor.set_later(dict(controls))

    def start(self, config: Any = None, show_preview: bool = False) -> None:
        if self.camera_config is None:
            raise RuntimeError("Camera has not been configured")
        self.free_buffers = self.camera_config["buffer_count"]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None

    def close(self) -> None:
        while "hang_close" in FAULTS:
            time.sleep(1.0)
        self.stop()

    def autofocus_cycle(self, wait: Any = None, signal_function: Any = None) -> bool:
        self.set_controls({"AfMode": libcamera_controls.AfModeEnum.Auto})
        self.capture_metadata(wait=wait)
        if "no_focus" in FAULTS:
            return False
        with self.lock:
            self._sensor.focus()
        return True

    def capture_metadata(self, wait: Any = None, signal_function: Any = None) -> dict[str, Any]:
        request = self._next(None, wait)
        metadata = request.get_metadata()
        request.release()
        return metadata

    def capture_request(self, wait: Any = None, signal_function: Any = None, flush: Any = None) -> CompletedRequest:
        self._handed_out += 1
        if "die_after" in FAULTS and self._handed_out > FAULTS["die_after"]:
            print("FATAL: the sensor went up in smoke", file=sys.stderr)
            os._exit(3)
        if "hold_after" in FAULTS and self._handed_out > FAULTS["hold_after"]:
            ctypes.PyDLL(None).sleep(60)  # as a C++ binding that hangs without releasing the interpreter's lock
        while "hang_after" in FAULTS and self._handed_out > FAULTS["hang_after"]:
            time.sleep(1.0)
        return self._next(time.monotonic_ns() if flush is True and "stale" not in FAULTS else None, wait)

    def _next(self, timestamp_ns: int | None, wait: Any) -> CompletedRequest:
        timeout_s = wait if isinstance(wait, float) else None
        with self._arrived:
            while True:
                while self._completed:
                    request = self._completed.pop(0)
                    metadata = request.get_metadata()
                    began_ns = metadata["SensorTimestamp"] - 1000 * metadata["ExposureTime"]
                    if timestamp_ns is None or began_ns >= timestamp_ns:
                        return request
                    request.release()
                if not self._arrived.wait(timeout_s):
                    raise TimeoutError

    def _run(self) -> None:
        assert self.camera_config is not None
        kept = 1 if self.camera_config["queue"] and self.camera_config["buffer_count"] > 1 else 0
        while not self._stop.wait(self._sensor.frame_s):
            with self._arrived:
                if self.free_buffers == 0:
                    continue
                self.free_buffers -= 1
                metadata = self._sensor.expose()
                buffers = {
                    name: self._sensor.buffer(self.camera_config[name])
                    for name in ("main", "lores")
                    if self.camera_config[name] is not None
                }
                self._completed.append(CompletedRequest(self, buffers, metadata))
                self._arrived.notify_all()
            with self._arrived:
                while len(self._completed) > kept:
                    self._completed.pop(0).release()


_ABSENT = {
    "fixed_focus": ("AfMode", "LensPosition"),
    "mono": ("AwbEnable", "ColourGains"),
}
