"""The plug is pulled on the host, again and again; twin, table, parts, board and ledger go on.

``Killing`` starts the real ``sorter run`` on the demo's rig, kills it (SIGKILL) at some moment, starts it again, and at
last lets it sort on and end in order. ``Killing.result`` holds all that is left against the truth.
"""

from __future__ import annotations

import enum
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sorter.app.demo import prepared
from sorter.app.demo_rig import RIG_FILE, TRUTH_FILE, TWIN_FILE, DemoOptions
from sorter.app.truth import read_truth
from sorter.app.twin_process import TwinProcess
from sorter.config import MotorChuteConfig, VibratoryFeederConfig, read_sorting_config
from sorter.ledger import LEDGER_FILE
from tests.twin.kill_host_process import Files, Host
from tests.twin.kill_ledger import copied, disagreements, has_tables, integrity, rows_of
from tests.twin.kill_stages import Words, opened_s, stage_of, wire_entries
from tests.twin.kill_truth import Accounting, account_for
from tests.twin.kill_wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sorter.app.truth import Truth
    from sorter.ledger import PartRow

_STARTS_WITHIN_S, _SORTS_WITHIN_S, _ENDS_WITHIN_S = 120.0, 60.0, 600.0


class Aim(enum.StrEnum):
    """When a kill comes."""

    ANYTIME = "at any moment"
    INTENDED = "after an intention"
    STRUCK = "after a strike of the arm"
    FED = "while parts are fed"
    WRITTEN = "in a commit"


_SHARES = {Aim.ANYTIME: 0.5, Aim.INTENDED: 0.15, Aim.STRUCK: 0.12, Aim.WRITTEN: 0.18, Aim.FED: 0.05}
_LATE_S = 0.08  # after what was aimed at, for half of the aimed kills
_MOST_COMMITS, _MOST_STRIKES = 16, 4
_CYCLES_S = 6.0  # of the host's time: how long a run may go on at most before a kill at any moment


@dataclass(frozen=True)
class Kill:
    """One kill.

    Args:
        number: of the program, from 1 on.
        aim: when it was to come.
        began_at, killed_at: of the program, by the clock on the wall.
        killed_s: when it was dead, by the host's monotonic clock.
        stage: what the program was doing.
        row: the part whose row was under way; None if none was.
    """

    number: int
    aim: Aim
    began_at: datetime
    killed_at: datetime
    killed_s: float
    stage: str
    row: int | None


@dataclass(frozen=True)
class Result:
    """What came of it all.

    Args:
        kills: in their order.
        rows, truth, accounting: what was written down, what really happened, and how they go together.
        fed_alone: ways over the table that began while no program had the board, as its feeder ran on.
        wire: what was sent.
        ended_alone: programs that ended before they could be killed, and what they said.
        problems: empty if all that is promised was kept.
        seconds: that it took.
    """

    kills: tuple[Kill, ...]
    rows: tuple[PartRow, ...]
    truth: Truth
    accounting: Accounting
    fed_alone: int
    wire: Wire
    ended_alone: tuple[str, ...]
    problems: tuple[str, ...]
    seconds: float


class Killing:
    """See the module. Use it as a context manager: twin and program are gone afterwards.

    Args:
        folder: for everything; empty.
        model: a shipped model's name, or a model's folder.
        seed: of the twin, and of all moments.
        speed: seconds of the rig in one of the host.
        parts: in the hopper.
    """

    def __init__(self, folder: Path, model: Path, *, seed: int, speed: float, parts: int) -> None:
        self._folder, self._model, self._speed = folder, model, speed
        self._options = DemoOptions(parts=parts, seed=seed, speed=speed)
        self._chance = random.Random(seed)
        self._closing = ExitStack()
        self._kills: list[Kill] = []
        self._programs = 0
        self._problems: list[str] = []
        self._ended_alone: list[str] = []
        self._connected_s: list[tuple[float, float]] = []  # from when to when a program had the board
        self._ready_s = 0.0  # from a program's start until it sorts, as it was the last time
        self._began_s = time.monotonic()

    def __enter__(self) -> Killing:
        with ExitStack() as closing:
            closing.enter_context(prepared(self._options, self._model, self._folder))
            self._config = read_sorting_config(self._folder / RIG_FILE)
            ledger = self._config.paths.state / LEDGER_FILE
            self._files = Files(self._folder / RIG_FILE, ledger, self._folder / TRUTH_FILE, self._folder / "programs")
            self._files.logs.mkdir()
            self._twin = closing.enter_context(TwinProcess(self._folder / TWIN_FILE, self._folder / "twin.log"))
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def words(self) -> Words:
        """The rig's own words on the wire."""
        config = self._config
        assert isinstance(config.chute, MotorChuteConfig)
        assert isinstance(config.feeder, VibratoryFeederConfig)
        arm = config.ejector
        return Words(config.turntable.letter, config.chute.letter, arm.servo, arm.push_deg, config.feeder.fan)

    # --- killing ------------------------------------------------------------------------------------------------

    def kill_one(self, aim: Aim | None = None) -> Kill | None:
        """Start the program, kill it; None if it ended by itself before."""
        if aim is None:
            aim = self._chance.choices(list(_SHARES), list(_SHARES.values()))[0]
        self._programs += 1
        began_at = datetime.now(UTC)
        with Host(self._files, self._programs, self._speed) as host:
            self._await(host, aim)
            has_ended = host.code is not None
            host.kill()
            killed_s, killed_at = time.monotonic(), datetime.now(UTC)
        self._note_connection(host, killed_s)
        self._twin.check()
        if has_ended:
            self._ended_alone.append(f"program {host.number} ended with {host.code}: {_end_of(host.said)}")
            return None
        kill = self._killed(host, aim, began_at, killed_at, killed_s)
        self._kills.append(kill)
        return kill

    def empty_bins(self) -> None:
        """Write down that half of the bins were emptied, with the command for it."""
        names = [each.id for each in self._config.bins][::2]
        command = [sys.executable, "-m", "sorter", "bins", "empty", *names, "--config", str(self._files.rig)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            self._problems.append(f"bins could not be emptied: {done.stderr}")

    def sort_to_an_end(self, parts: int) -> None:
        """Start the program once more and let it sort so many parts, and end as it should."""
        self._programs += 1
        with Host(self._files, self._programs, self._speed, parts) as host:
            host.wait_for(_ENDS_WITHIN_S)
            if host.code != 0:
                self._problems.append(f"the last program did not end in order ({host.code}): {_end_of(host.said)}")
        self._note_connection(host, time.monotonic())
        self._twin.check()

    def _note_connection(self, host: Host, end_s: float) -> None:
        begin_s = opened_s(self._files.wire(host.number))
        if begin_s is not None:
            self._connected_s.append((begin_s, end_s))

    def _await(self, host: Host, aim: Aim) -> None:
        """Wait for the moment."""
        if aim is Aim.ANYTIME and self._ready_s:
            host.wait_for(self._chance.uniform(0.0, self._ready_s + _CYCLES_S))
            return
        if aim is Aim.WRITTEN:
            self._reach(host, host.waits_for_commit(self._chance.randint(1, _MOST_COMMITS)))
            return
        self._reach(host, host.waits_for_state("running"), _STARTS_WITHIN_S)
        self._ready_s = time.monotonic() - host.started_s
        if aim is not Aim.ANYTIME:
            self._reach(host, host.waits_for_strike(self._chance.randint(aim is Aim.STRUCK, _MOST_STRIKES)))
        if aim is Aim.INTENDED:
            self._reach(host, host.waits_for_intention())
        elif aim is Aim.FED:
            self._reach(host, host.waits_for_line(f"M106 P{self.words.fan} S"))
        host.wait_for(self._chance.choice((0.0, self._chance.uniform(0.0, _LATE_S))))

    def _reach(self, host: Host, is_so: Callable[[], bool], most_s: float = _STARTS_WITHIN_S + _SORTS_WITHIN_S) -> None:
        if not host.wait_until(is_so, most_s):
            self._problems.append(f"program {host.number} did not get on within {most_s:g} s: {_end_of(host.said)}")

    def _killed(self, host: Host, aim: Aim, began_at: datetime, killed_at: datetime, killed_s: float) -> Kill:
        """What is left, looked at before anybody touches it."""
        number, rows = host.number, []
        if self._files.ledger.exists():
            with copied(self._files.ledger) as ledger:
                found = integrity(ledger)
                if found != "ok":
                    self._problems.append(f"after kill {number} the ledger is damaged: {found}")
                rows = rows_of(ledger) if has_tables(ledger) else []
        under_way = [row for row in rows if row.outcome is None and row.opened_at_s > host.started_s]
        if len(under_way) > 1:
            self._problems.append(f"after kill {number} {len(under_way)} rows are under way")
        row = under_way[0] if under_way else None
        stage = stage_of(host.said, wire_entries(self._files.wire(number)), row, self.words)
        return Kill(number, aim, began_at, killed_at, killed_s, stage, None if row is None else row.part)

    # --- afterwards ---------------------------------------------------------------------------------------------

    def result(self) -> Result:
        """Hold everything against the truth; while no program runs."""
        ledger, words, wire = self._files.ledger, self.words, Wire()
        for number in range(1, self._programs + 1):
            wire.look(f"program {number}", wire_entries(self._files.wire(number)), words)
        rows, truth = rows_of(ledger), read_truth(self._files.truth)
        killed_s = {kill.row: kill.killed_s for kill in self._kills if kill.row is not None}
        reject = self._config.sort.reject if self._config.sort is not None else ""
        accounting = account_for(truth.journeys, rows, killed_s, reject)
        problems = [*self._problems, *accounting.problems, *wire.problems]
        problems += [f"collision: {text}" for text in truth.collisions]
        problems += disagreements(ledger, [(kill.began_at, kill.killed_at) for kill in self._kills])
        if (found := integrity(ledger)) != "ok":
            problems.append(f"at the end the ledger is damaged: {found}")
        return Result(
            kills=tuple(self._kills),
            rows=tuple(rows),
            truth=truth,
            accounting=accounting,
            fed_alone=sum(not self._is_connected(journey.dropped_s) for journey in truth.journeys),
            wire=wire,
            ended_alone=tuple(self._ended_alone),
            problems=tuple(problems),
            seconds=time.monotonic() - self._began_s,
        )

    def _is_connected(self, time_s: float) -> bool:
        return any(begin_s <= time_s <= end_s for begin_s, end_s in self._connected_s)


def _end_of(said: str) -> str:
    return " / ".join(said.splitlines()[-4:])
