"""An emulated board behind a real pseudo-terminal: to a host it is a serial port that happens to have no cable.

One thread moves bytes between the pty and the firmware, and time from the monotonic clock into it, `speed` times as
fast. Every open of the port resets the board, as DTR does on a RAMPS. What the firmware says is stamped in its own
time, so a late wake-up of the thread delays an answer but never adds up.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
import time
from typing import TYPE_CHECKING, Self

from firmware_bridge.emulator.bridge import Bridge
from firmware_bridge.emulator.firmware import Firmware
from firmware_bridge.emulator.port import Port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from firmware_bridge.emulator.bridge import Trace
    from firmware_bridge.emulator.faults import FaultPlan
    from firmware_bridge.emulator.settings import BoardSettings
    from firmware_bridge.emulator.surroundings import Inside, Surroundings
    from firmware_bridge.emulator.truth import Executed, Truth

_LOOK_FOR_HOST_S = 0.01
_LONGEST_SLEEP_S = 3600.0
_STOP_S = 5.0
_POLL_TRUTH_S = 0.002
_DRAIN_BYTES = 4096


class EmulatedBoard:
    """A board on a pty. Use it as a context manager, or call `start` and `stop`.

    `speed` is how many seconds the board lives in a second of the clock. `trace` is called by the thread with all that
    crosses the pty. `surroundings` follow the board, one call at a time, in whatever thread brings it up to date.
    `on_fault` is called in the same way, with the name of each fault of the menu that happens. All methods may be
    called from any thread, but not by surroundings, trace or `on_fault`; `inside` is for these.

    `is_link_lasting`: the link is as one of udev's by id or by socket, and leads to the board also after it came back
    as another device (`renamed`). Else the board is then found under another link: `board1` for `board`.

    `keeps_executed`: `executed` tells of every line, which takes memory for as long as the board lives.

    Raises:
        ValueError: `speed` is not above 0.
        FileExistsError: a real file stands where `link` should be (on entering).
        RuntimeError: the thread could not be stopped within 5 s, or it had failed (on leaving).

    """

    def __init__(
        self,
        settings: BoardSettings | None = None,
        faults: FaultPlan | None = None,
        seed: int = 0,
        speed: float = 1.0,
        link: Path | None = None,
        *,
        trace: Trace | None = None,
        surroundings: Surroundings | None = None,
        on_fault: Callable[[str], None] | None = None,
        is_link_lasting: bool = False,
        keeps_executed: bool = True,
    ) -> None:
        if not 0.0 < speed < float("inf"):
            raise ValueError(f"the speed must be above 0, not {speed}")
        self._firmware = Firmware(settings, faults, seed, surroundings, on_fault)
        if not keeps_executed:
            self._firmware.forget_executed()
        self._port = Port()
        self._bridge = Bridge(self._firmware, self._port, link, trace, is_link_lasting=is_link_lasting)
        self._link = link
        self._speed = speed
        self._lock = threading.Lock()
        self._began_s = 0.0
        self._is_stopping = False
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._wake_read = self._wake_write = -1

    def start(self) -> None:
        """Open the pty and begin to serve it."""
        if self._thread is not None or self._is_stopping:
            raise RuntimeError("an emulated board is started once")
        self._port.open(self._link)
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._began_s = time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="emulated-board", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, close the pty and remove the link. RuntimeError: the thread failed, or does not end."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._is_stopping = True
        self._wake()
        thread.join(_STOP_S)
        if thread.is_alive():
            raise RuntimeError(f"the emulated board's thread did not stop within {_STOP_S:.0f} s")
        self._port.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        if self._failure is not None:
            raise RuntimeError("the emulated board's thread has failed") from self._failure

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def path(self) -> Path:
        """What a host opens: the link, or the pty itself. While the board is unplugged, what it was called."""
        with self._lock:
            return self._port.path

    @property
    def failure(self) -> BaseException | None:
        """Why the thread has ended before it was told to; None while it serves."""
        return self._failure

    @property
    def inside(self) -> Inside:
        """What surroundings may do to the board while it is theirs: in a call of theirs, or within `held`."""
        return self._firmware

    def host_s(self, board_s: float) -> float:
        """Return when, by the monotonic clock, the board's own clock shows `board_s`."""
        return self._began_s + board_s / self._speed

    @contextlib.contextmanager
    def held(self) -> Iterator[float]:
        """Bring the board and its surroundings up to this instant and hold them there; yields the board's time."""
        with self._changing():
            self._firmware.advance(self._now_s())
            yield self._firmware.now_s

    def truth(self) -> Truth:
        """Return what is true at this instant."""
        with self._lock:
            return self._firmware.truth(self._now_s())

    def executed(self) -> list[Executed]:
        """Return a copy of the lines executed so far."""
        with self._lock:
            self._firmware.advance(self._now_s())
            return list(self._firmware.executed)

    def clear_executed(self) -> None:
        """Forget which lines were executed."""
        with self._lock:
            self._firmware.clear_executed()

    def set_endstop(self, name: str, triggered: bool | None) -> None:
        """Hold a switch pressed or released; None lets it follow its axis again. ValueError: no such switch."""
        with self._changing():
            self._firmware.set_endstop(name, triggered, self._now_s())

    def set_input_pin(self, pin: int, level: bool) -> None:
        """Set the level at an input pin, for M226."""
        with self._changing():
            self._firmware.set_input_pin(pin, level, self._now_s())

    def reset(self) -> None:
        """Press the reset button."""
        with self._changing():
            self._firmware.reset(self._now_s())

    def inject(self, fault: str, times: int = 1) -> None:
        """Let the next `times` opportunities of a fault happen. UnknownFaultError: no such fault."""
        with self._changing():
            self._firmware.inject(fault, times)

    def unplug(self) -> None:
        """Pull the USB cable: a host reads nothing any more and cannot write, and the link is gone."""
        with self._changing():
            self._bridge.unplug(self._now_s())

    def plug_in(self, name: Path | None = None) -> None:
        """Plug the cable in again: a new pty, under the same link or under the link `name`."""
        with self._changing():
            self._bridge.plug_in(self._now_s(), name)

    @property
    def is_plugged_in(self) -> bool:
        """Whether there is a port: the cable is in, and the board has not dropped off for a moment."""
        with self._lock:
            return self._port.master is not None

    def stop_reading(self, is_stopped: bool) -> None:
        """Take no more bytes from the host, so that its writes block; or take them again."""
        with self._changing():
            self._bridge.stop_reading(is_stopped=is_stopped)

    def take_port(self, is_taken: bool) -> None:
        """Hold the port as another program would (TIOCEXCL and a lock), or give it back."""
        with self._changing():
            self._bridge.take_port(is_taken=is_taken)

    def wait_until(self, predicate: Callable[[Truth], bool], timeout_s: float) -> Truth:
        """Return the first truth that `predicate` accepts, looking every 2 ms.

        Raises:
            TimeoutError: there was none within `timeout_s` seconds of the clock.

        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            truth = self.truth()
            if predicate(truth):
                return truth
            if time.monotonic() >= deadline_s:
                raise TimeoutError(f"what was waited for was not true within {timeout_s} s; at last: {truth}")
            time.sleep(_POLL_TRUTH_S)

    def _now_s(self) -> float:
        return (time.monotonic() - self._began_s) * self._speed

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            yield
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"\0")

    def _serve(self) -> None:
        try:
            while not self._is_stopping:
                self._serve_once()
        except BaseException as error:  # noqa: BLE001 - kept for stop(), which raises it in the caller's thread
            self._failure = error

    def _serve_once(self) -> None:
        with self._lock:
            coming = self._bridge.step(self._now_s())
            master = self._port.master
            now_s = self._now_s()
        timeout_s = _LOOK_FOR_HOST_S if coming.is_looking else _LONGEST_SLEEP_S
        if coming.at_s is not None:
            timeout_s = min(timeout_s, max(0.0, (coming.at_s - now_s) / self._speed))
        reads = [self._wake_read] + ([master] if coming.reads and master is not None else [])
        writes = [master] if coming.writes and master is not None else []
        while True:
            try:
                ready, writable, _ = select.select(reads, writes, [], timeout_s)
            except OSError as error:
                if error.errno != errno.EBADF:
                    raise
                return  # another thread has unplugged the port meanwhile: look anew
            is_due = coming.at_s is not None and self._now_s() >= coming.at_s
            with self._lock:
                if ready or writable or is_due or not coming.is_looking or self._bridge.has_host_changed():
                    break
        if self._wake_read in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, _DRAIN_BYTES)
        if master in ready:
            with self._lock:
                if self._port.master == master:
                    self._bridge.read_host(self._now_s())
