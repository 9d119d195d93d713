"""A session and an emulated board joined without threads, in virtual time: thousands of sessions a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_bridge.emulator.faults import FaultPlan
from firmware_bridge.emulator.firmware import Firmware
from firmware_bridge.events import Accepted, Dropped, Event, NeedsReset, Note, Ready
from firmware_bridge.lines import Line
from firmware_bridge.session import Session

if TYPE_CHECKING:
    from firmware_bridge.emulator.settings import BoardSettings
    from firmware_bridge.limits import SessionLimits

_MOST_STEPS = 200_000


class VirtualLink:
    """What a link does, with a clock that jumps to whatever happens next."""

    def __init__(
        self,
        settings: BoardSettings | None = None,
        faults: dict[str, float] | None = None,
        seed: int = 0,
        limits: SessionLimits | None = None,
    ) -> None:
        self.now_s = 0.0
        self.firmware = Firmware(settings, FaultPlan(faults or {}), seed)
        self.firmware.open_port(0.0)
        self.session = Session(0.0, limits)
        self.events: list[Event] = []

    @property
    def accepted(self) -> list[str]:
        return [event.line.text for event in self.events if isinstance(event, Accepted)]

    @property
    def dropped(self) -> list[str]:
        return [event.line.text for event in self.events if isinstance(event, Dropped)]

    @property
    def notes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Note)]

    @property
    def is_ready(self) -> bool:
        return any(isinstance(event, Ready) for event in self.events)

    @property
    def executed(self) -> list[str]:
        """What the board ran by number, less the session's own lines."""
        numbered = (done.text for done in self.firmware.executed if done.line_number is not None)
        return [text for text in numbered if not text.startswith(("M118 q", "M110"))]

    @property
    def executed_by_number(self) -> list[tuple[int, str]]:
        """Number and text of everything that the board ran by number, in order, the session's own lines as well."""
        done = (each for each in self.firmware.executed if each.line_number is not None)
        return [(each.line_number or 0, each.text) for each in done if each.text[:4] != "M110"]

    @property
    def executed_unnumbered(self) -> list[str]:
        """What the board took for commands without a number: tails of lines and lines whose N was hit."""
        return [done.text for done in self.firmware.executed if done.line_number is None]

    def submit(self, *texts: str, is_repeatable: bool = False, motion_s: float = 0.0) -> list[Line]:
        lines = [Line(text, is_repeatable=is_repeatable, motion_s=motion_s) for text in texts]
        for line in lines:
            self.session.submit(line, self.now_s)
        return lines

    def step(self, limit_s: float = float("inf")) -> bool:
        """Let the next thing happen; False if nothing will by itself, or not before ``limit_s``."""
        if data := self.session.take_output():
            self.firmware.host_bytes(data, self.now_s)
        self.firmware.advance(self.now_s)
        if data := self.firmware.take_output():
            self.session.receive(data, self.now_s)
        events = self.session.take_events()
        self.events += events
        if any(isinstance(event, NeedsReset) for event in events):
            self.firmware.reset(self.now_s)
            self.session.was_reset(self.now_s)
        if events or self.session.error is not None:
            return self.session.error is None
        times = [
            time_s for time_s in (self.session.next_deadline_s, self.firmware.next_event_s()) if time_s is not None
        ]
        if not times or min(times) > limit_s:
            self.now_s = limit_s if times else self.now_s
            return False
        self.now_s = max(self.now_s, min(times))
        deadline_s = self.session.next_deadline_s
        if deadline_s is not None and self.now_s >= deadline_s:
            self.session.tick(self.now_s)
        return True

    def run(self) -> VirtualLink:
        """Until everything is accepted, or the session has failed."""
        for _ in range(_MOST_STEPS):
            if self.is_ready and self.session.is_idle:
                self.events += self.session.take_events()
                break
            if not self.step():
                break
        else:
            raise AssertionError(f"no end after {self.now_s} s; notes: {self.notes[-5:]}")
        self.events += self.session.take_events()
        return self

    def run_until(self, time_s: float) -> VirtualLink:
        """As far as ``time_s``."""
        for _ in range(_MOST_STEPS):
            if not self.step(time_s):
                return self
        raise AssertionError("no end")
