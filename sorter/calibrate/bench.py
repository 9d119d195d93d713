"""The rig on the bench while it is calibrated: its file, its board, its camera, and whoever answers.

Board and camera are opened when a step first needs them. When a step has written into rig.toml, the board is let go of
and opened anew with what is written there, as steps, speeds and limits are sent to it at connect. Somebody else may
change rig.toml at any time: each try of a step begins with what it says then, and writes nothing if that has changed.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from firmware_bridge.errors import BoardError
from sorter.calibrate.arm import Arm
from sorter.calibrate.errors import FileChanged, TalkEnded
from sorter.calibrate.talk import confirm
from sorter.calibrate.view import TableView
from sorter.config import read_rig_config, set_values
from sorter.toml import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sorter.calibrate.record import Record
    from sorter.calibrate.talk import Talk
    from sorter.camera import Camera
    from sorter.config import RigConfig
    from sorter.rig import Machine
    from sorter.toml import KeyPath
    from sorter.types import Clock, Frame


class Hardware(Protocol):
    """Where board and camera come from."""

    def machine(self, config: RigConfig) -> Machine:
        """A rig's motion that is not connected yet."""

    def camera(self, config: RigConfig) -> Camera:
        """A camera that is not opened yet."""


class Bench:
    """See the module. One thread calls it; ``quick_stop`` and ``emergency_stop`` may be called from any.

    Args:
        path: the rig.toml.
        hardware: where board and camera come from.
        clock: where time comes from.
        talk: who answers.
        record: what was done.

    Raises:
        sorter.errors.ConfigError: the file cannot be used.
    """

    def __init__(self, path: Path, hardware: Hardware, clock: Clock, talk: Talk, record: Record) -> None:
        self.path = path
        self.config = read_rig_config(path)
        self.talk = talk
        self.record = record
        self.clock = clock
        self._hardware = hardware
        self._machine: Machine | None = None
        self._camera: Camera | None = None
        self._arm: Arm | None = None
        self.is_homing = False  # then the board hears nothing in time but an emergency stop
        self._is_stopped = threading.Event()
        self._letting_go = threading.Lock()

    # --- board and camera ---------------------------------------------------------------------------------------

    @property
    def machine(self) -> Machine:
        """The rig's motion, connected; anew if its link is over. Raises BoardError, and TalkEnded after a stop."""
        self.raise_if_stopped()
        if self._machine is not None and not self._machine.is_connected:
            self._release()
        if self._machine is None:
            self._machine = self._hardware.machine(self.config)
            self.raise_if_stopped()
            self._machine.connect()
            self.raise_if_stopped()  # a stop while it was connected may not have found anything to be stopped
        return self._machine

    @property
    def camera(self) -> Camera:
        """The camera, open. Raises CameraError."""
        if self._camera is None:
            camera = self._hardware.camera(self.config)
            try:
                camera.open(self.clock.monotonic_s() + self.config.camera.deadline_s)
            except BaseException:
                camera.close()
                raise
            self._camera = camera
        return self._camera

    def home(self, axis: str | None = None) -> None:
        """Home one axis, or all; the arm is parked first. Raises as ``Machine.home``."""
        machine = self.machine
        self.is_homing = True
        try:
            self.raise_if_stopped()  # a stop after this look sees that something is homing
            if axis is None:
                machine.home()
            else:
                machine.home_axis(axis)
        finally:
            self.is_homing = False

    def turn_by(self, axis: str, distance_deg: float) -> None:
        """Turn an axis by a distance, wait until it stands, and until a camera on a frame that shakes is still."""
        self.raise_if_stopped()
        self.machine.jog(axis, distance_deg)
        self.machine.stand()
        self.clock.sleep(self.config.look.shake_s)

    def turn_table_to(self, table_deg: float) -> None:
        """Turn the table to an angle; as ``turn_by``."""
        self.raise_if_stopped()
        self.machine.turn(table_deg=table_deg)
        self.machine.stand()
        self.clock.sleep(self.config.look.shake_s)

    def turn_chute_to(self, chute_deg: float) -> None:
        """Turn the chute to an angle, and wait until it stands there."""
        self.raise_if_stopped()
        self.machine.turn(chute_deg=chute_deg)
        self.machine.stand()

    @contextlib.contextmanager
    def arm(self) -> Iterator[Arm]:
        """The ejector's arm, to be moved by hand, so to speak; nothing else moves meanwhile.

        Afterwards, however it ends, the arm is taken back to where it is parked, as far as that is possible, and the
        board is opened anew: nobody believes any more that the arm is parked where it was.
        """
        self._arm = Arm(self.config, self.machine.board, self.clock, self.raise_if_stopped)
        try:
            yield self._arm
        finally:
            self._release()

    def frame(self) -> Frame:
        """A picture whose exposure began after this call, with the scale that rig.toml tells. Raises CameraError."""
        self.raise_if_stopped()
        frame = self.camera.capture(self.clock.monotonic_s() + self.config.camera.deadline_s)
        scale = self.config.camera.mm_per_px
        return frame if scale is None else replace(frame, mm_per_px=scale)  # the camera may be open since before

    def view(self, frame: Frame) -> TableView:
        """How the camera sees the table: as it was measured, else a guess."""
        height_px, width_px = frame.rgb.shape[:2]
        return self.record.view(width_px, height_px) or TableView.guessed(width_px, height_px)

    @contextlib.contextmanager
    def trying(self, config: RigConfig) -> Iterator[None]:
        """Drive the rig by another config for a while: the board is opened anew, and again afterwards."""
        kept = self.config
        self._release()
        self.config = config
        try:
            yield
        finally:
            self.config = kept
            self._release()

    # --- rig.toml -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a step with what rig.toml says now. Raises ConfigError if it cannot be used any more."""
        self.raise_if_stopped()
        config = read_rig_config(self.path)
        if config == self.config:
            return
        self.talk.say(f"{self.path} was changed meanwhile; from now on it is as it says.")
        if config.camera != self.config.camera:
            self._close_camera()
        self._release()
        self.config = config

    def write(self, values: Mapping[KeyPath, object]) -> bool:
        """Show what would change in rig.toml, ask, and write it; whether it was written.

        Raises:
            sorter.config.EditRefused: the file would not be fit for use; nothing was written.
            FileChanged: somebody else has changed it since the step began; nothing was written.
        """
        self._raise_if_changed()
        changes = [
            f"  {dotted(key)}: {_shown(_value_at(self.config, key))} -> {_shown(value)}"
            for key, value in values.items()
        ]
        self.talk.say("\n".join([f"In {self.path}:", *changes]))
        if not confirm(self.talk, "Write that?", yes="write it", no="leave the file as it is"):
            self.talk.say("Nothing was written.")
            return False
        self.raise_if_stopped()
        self._raise_if_changed()
        config = set_values(self.path, values)
        self._release()
        self.config = config
        self.talk.say("Written.")
        return True

    # --- the end ------------------------------------------------------------------------------------------------

    def quick_stop(self) -> None:
        """Stop all motion; what is under way ends with an error, and nothing begins any more. From any thread.

        A board that is homing or being connected hears nothing in time but an emergency stop, so that it is then.
        """
        self._is_stopped.set()
        with self._letting_go:  # or the step, which ends now, would close the port under it
            machine = self._machine
            if machine is None:
                return
            if self.is_homing or not machine.is_connected:  # the second: it is being connected
                machine.emergency_stop()
            else:
                machine.quick_stop()

    def emergency_stop(self) -> bool:
        """Stop everything now; whether M112 was written at once. From any thread; takes no lock."""
        self._is_stopped.set()
        machine = self._machine
        return machine.emergency_stop() if machine is not None else False

    def close(self) -> None:
        """Let go of board and camera; harmless if they are."""
        try:
            self._release()
        finally:
            self._close_camera()

    def let_go(self) -> None:
        """Let go of the board: the next one who needs it opens it anew."""
        self._release()

    def _release(self) -> None:
        with self._letting_go:
            machine, arm, self._arm = self._machine, self._arm, None
            if machine is None:
                return
            try:
                if arm is not None and machine.is_connected:
                    arm.take_back()
            except BoardError as error:
                self.talk.say(f"The arm could not be taken back: {error.message}")
            finally:
                machine.close()
                self._machine = None  # not before: it is to be stopped until then

    def _close_camera(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def _raise_if_changed(self) -> None:
        if read_rig_config(self.path) != self.config:
            raise FileChanged(self.path)

    def raise_if_stopped(self) -> None:
        """Raise TalkEnded after a stop."""
        if self._is_stopped.is_set():
            raise TalkEnded("stopped")


def _value_at(config: RigConfig, key: KeyPath) -> object:
    """What a key is now, its default if it is left out; None where nothing is."""
    value: object = config
    for step in key:
        if isinstance(step, int):
            value = value[step] if isinstance(value, tuple) and step < len(value) else None
        else:
            value = getattr(value, step, None)
    return value


def _shown(value: object) -> str:
    if value is None:
        return "left out"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
