"""Drives picamera2 in a process of its own, under the system's Python; ``picamera2_camera`` runs it as a script.

Commands come in on stdin, answers go out on stdout: a JSON object a line, each answer with the ``id`` of its command.
Pictures go into memory shared by an inherited descriptor. It ends when stdin ends, and is killed with its parent.
It hangs when picamera2 hangs: deadlines are the parent's. Imports nothing of ``sorter``: the system's Python lacks it.
"""

from __future__ import annotations

import ctypes
import json
import math
import mmap
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections import deque
from typing import Any

PR_SET_PDEATHSIG = 1
CALM_FRAMES, CALM = 10, 0.995  # the least of so many frames is at least this share of the most: it has settled
TAKES_EFFECT_FRAMES = 15  # a control does after a few
LIGHT = ("ExposureTime", "AnalogueGain", "ColourGains")
TOLD = (*LIGHT, "LensPosition", "SensorTimestamp", "SensorTemperature")


class Refusal(Exception):  # noqa: N818  (a word of the protocol)
    """A command that cannot be done: the kind, which the parent knows, and a text."""


class Worker:
    """One camera, and the memory that its pictures are put into."""

    def __init__(self, memory: mmap.mmap) -> None:
        self.memory = memory
        self.camera: Any = None
        self.main_bytes = 0

    def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do one command; returns the answer."""
        camera = self.camera
        match command.pop("do"):
            case "start":
                return self.start(**command)
            case "capture":
                return self.picture("main", camera.capture_request(flush=True))
            case "preview":
                return self.picture("lores", camera.capture_request())
            case "lock":
                camera.set_controls(self.supported(AeEnable=True, AwbEnable=True, **command["known"]))
                return self.lock(**command)
            case "settings":
                return {"metadata": plain(camera.capture_metadata()), "controls": sorted(camera.camera_controls)}
            case "stop":
                if camera is not None:
                    camera.close()
                return {}
            case unknown:
                raise Refusal("command", f"no such command: {unknown}")

    def start(
        self, *, number: int, size: list[int], preview: list[int], frame_us: int, lock: dict[str, Any], settle_s: float
    ) -> dict[str, Any]:
        """Open the camera, run it in one video configuration, lock it."""
        try:
            from picamera2 import Picamera2  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
        except Exception as error:  # binary packages that do not fit raise other things than ImportError, too
            raise Refusal("import", repr(error)) from error
        cameras = Picamera2.global_camera_info()
        if number >= len(cameras):
            raise Refusal("missing", f"libcamera finds {len(cameras)} cameras, and number {number} is wanted")
        self.camera = camera = Picamera2(number)
        configuration = camera.create_video_configuration(
            main={"size": tuple(size), "format": "BGR888"},  # which yields arrays in the order R, G, B
            lores={"size": tuple(preview), "format": "YUV420"},  # the only one that every Raspberry Pi can
            controls=self.supported(FrameDurationLimits=(frame_us, frame_us), **lock),
            buffer_count=4,
        )
        camera.configure(configuration)
        main, lores = camera.camera_configuration()["main"], camera.camera_configuration()["lores"]
        if list(main["size"]) != size or main["format"] != "BGR888":
            raise Refusal("size", f"the camera gives {main['size']} {main['format']} where {size} BGR888 is set")
        self.main_bytes = size[0] * size[1] * 3
        camera.start()
        return {"model": str(cameras[number]["Model"]), "preview": lores["size"], **self.lock(lock, settle_s)}

    def picture(self, stream: str, request: Any) -> dict[str, Any]:
        """Put a request's picture into the shared memory; the request goes back to the camera."""
        try:
            array, metadata = request.make_array(stream), request.get_metadata()
        finally:
            request.release()
        offset = 0 if stream == "main" else self.main_bytes
        if offset + array.nbytes > len(self.memory):
            raise Refusal("size", f"a picture of shape {array.shape} is larger than agreed on")
        self.memory[offset : offset + array.nbytes] = array.tobytes()
        return {"shape": array.shape, "offset": offset, "metadata": plain(metadata)}

    def lock(self, known: dict[str, Any], settle_s: float) -> dict[str, Any]:
        """Let what is not known settle, then hold everything; answers what is held."""
        camera, notes, is_settled = self.camera, [], True
        names = [name for name in (*LIGHT, "LensPosition") if name in camera.camera_controls]
        if "LensPosition" in names and "LensPosition" not in known:
            try:
                is_settled = bool(camera.autofocus_cycle(wait=settle_s))
            except TimeoutError:
                is_settled = False
            if not is_settled:
                notes.append("found no focus: put something with edges on the table, or set focus in rig.toml")
        if set(names) & set(LIGHT) - set(known) and not self.settle(settle_s):
            is_settled = False
            notes.append(f"its light did not settle within {settle_s:g} s")
        found = {**camera.capture_metadata(), **known}
        held = {name: found[name] for name in names if name in found}
        camera.set_controls(self.supported(AeEnable=False, AwbEnable=False, **held))
        notes += [f"has no {name} to set" for name in known if name not in names]
        return {"lock": held, "is_settled": is_settled, "notes": notes + self.differences(held)}

    def settle(self, limit_s: float) -> bool:
        """Wait until exposure and white balance stay; whether they did."""
        until_s = time.monotonic() + limit_s
        seen: deque[tuple[float, ...]] = deque(maxlen=CALM_FRAMES)
        while len(seen) < CALM_FRAMES or any(min(row) < CALM * max(row) for row in zip(*seen, strict=True)):
            if time.monotonic() > until_s:
                return False
            light = self.camera.capture_metadata()
            seen.append((light["ExposureTime"] * light["AnalogueGain"], *light.get("ColourGains", ())))
        return True

    def differences(self, held: dict[str, Any]) -> list[str]:
        """What the camera does otherwise, once settings had time to take effect (a few frames)."""
        wrong = list(held)
        for _ in range(TAKES_EFFECT_FRAMES):
            metadata = self.camera.capture_metadata()
            wrong = [name for name in wrong if not is_near(metadata.get(name, math.nan), held[name])]
            if not wrong:
                break
        return [f"does not take {name} = {held[name]}" for name in wrong]

    def supported(self, **wanted: Any) -> dict[str, Any]:
        """What is wanted, as libcamera takes it, without what this camera does not have: picamera2 raises at that."""
        if "LensPosition" in wanted:
            from libcamera import controls  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

            wanted = {"AfMode": controls.AfModeEnum.Manual, **wanted}
        available = {name: value for name, value in wanted.items() if name in self.camera.camera_controls}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in available.items()}


def is_near(value: Any, wanted: Any) -> bool:
    """Whether numbers, or lists of them, agree as closely as a sensor's steps allow."""
    one, other = (each if isinstance(each, list | tuple) else (each,) for each in (value, wanted))
    return all(math.isclose(*pair, rel_tol=0.03, abs_tol=0.02) for pair in zip(one, other, strict=False))


def plain(metadata: dict[str, Any]) -> dict[str, Any]:
    """What of a frame's metadata the parent uses, and how far CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC (ns)."""
    ahead_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return {**{name: metadata[name] for name in TOLD if name in metadata}, "boottime_ahead_ns": ahead_ns}


def read_commands(commands: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Hand on what comes in; the end of stdin ends the process, whatever hangs in it."""
    for line in sys.stdin:
        commands.put(json.loads(line))
    os._exit(0)


def main() -> None:
    """Answer commands: ``picamera2_worker.py PARENT_PID MEMORY_DESCRIPTOR MEMORY_BYTES``."""
    parent, descriptor, size = map(int, sys.argv[1:])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what anyone else prints must not get among the answers
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(0)  # it died before that
    worker = Worker(mmap.mmap(descriptor, size))
    commands: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=read_commands, args=(commands,), daemon=True).start()
    while True:
        command = commands.get()
        number, is_last = command.pop("id"), command["do"] == "stop"
        try:
            answer = worker.do(command)
        except Exception as error:  # noqa: BLE001  (the parent tells it)
            traceback.print_exc()
            refused = error if isinstance(error, Refusal) else Refusal("failed", repr(error))
            answer = dict(zip(("error", "text"), refused.args, strict=True))
        print(json.dumps({**answer, "id": number}), file=answers, flush=True)
        if is_last:
            os._exit(0)  # taking libcamera down with the interpreter may crash


if __name__ == "__main__":
    main()
