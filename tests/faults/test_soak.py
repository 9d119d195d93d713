"""Long and rough: thousands of commands over a noisy line, and a host that is killed in the middle."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.boards import Connected

    Connect = Callable[..., AbstractContextManager[Connected]]

NOISE = {"line-flip": 0.02, "line-loss": 0.01, "reply-loss": 0.01, "ok-garbled": 0.01, "ok-glued": 0.05, "delay": 0.05}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fifteen_hundred_commands_over_a_noisy_line_run_exactly_once_each(connect: Connect) -> None:
    draw = random.Random(7)
    with connect(NOISE) as (emulated, board, _):
        board.set_position("turntable", 0.0)
        emulated.clear_executed()
        wanted: list[str] = []
        place, ends = 0, []
        for _ in range(1500):
            match draw.randrange(4):
                case 0:
                    place = (place + draw.randrange(10, 350)) % 360
                    board.move({"turntable": float(place)})
                    ends.append(f"G1 X{place} ")
                case 1:
                    board.wait()
                    wanted += ["M400", "M114"]
                case 2:
                    level = draw.randrange(1, 256)
                    board.fan(0, level)
                    wanted.append(f"M106 P0 S{level}")
                case _:
                    board.output(4, level := draw.randrange(256))
                    wanted.append(f"M42 P4 S{level}")
        board.wait()
        numbered = [done.text for done in emulated.executed() if done.line_number is not None]
        mine = [text for text in numbered if text.startswith(("M106", "M42"))]
        assert mine == [text for text in wanted if text.startswith(("M106", "M42"))]
        # From standstill a move goes out in three pieces, of which the last ends where it should.
        turned = [text for text in numbered if text.startswith("G1 ")]
        pieces = iter(turned)
        assert all(any(text.startswith(end) for text in pieces) for end in ends), "every move was made, in order"
        assert len(ends) <= len(turned) <= 3 * len(ends)
        numbers = [done.line_number for done in emulated.executed() if done.line_number is not None]
        assert len(numbers) == len(set(numbers)), "no line was run twice"
        assert emulated.truth().steps["X"] == place * 80, "no step is lost or made twice"
        assert board.link.counters.resend_requests > 10


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_resets_and_unplugging_at_random_moments_never_replay_anything(connect: Connect) -> None:
    draw = random.Random(11)
    with connect() as (emulated, board, _):
        for _ in range(25):
            board.set_position("turntable", 0.0)
            sent = 0
            emulated.clear_executed()
            hurt = draw.choice([emulated.reset, emulated.unplug])
            moment = draw.randrange(1, 30)
            with contextlib.suppress(LinkError):
                for turn in range(1, 1000):
                    if turn == moment:
                        hurt()
                    board.move({"turntable": turn * 7.0})
                    sent += 1
            assert board.error is not None
            ran = [done.text for done in emulated.executed() if done.text.startswith("G1")]
            assert len(ran) == len(set(ran)), "no move ran twice"
            assert sent <= len(ran) + 1
            if hurt == emulated.unplug:
                emulated.plug_in()
            board.reconnect(20.0, pause_s=0.05)
            assert not board.is_homed("turntable")
            assert len([done for done in emulated.executed() if done.text.startswith("G1")]) == len(ran)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_killed_host_leaves_a_port_that_the_next_one_can_use(connect: Connect, tmp_path: Path) -> None:
    job = tmp_path / "job.gcode"
    job.write_text("".join(f"G1 X{turn % 100} F6000\n" for turn in range(5000)), encoding="ascii")
    with connect() as (emulated, board, _):
        board.close()
        for _ in range(5):
            command = [sys.executable, "-m", "sorter", "board", "stream", str(job), "--port", str(emulated.path)]
            host = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            emulated.clear_executed()
            emulated.wait_until(lambda truth: truth.counters.lines_executed > 60, 20.0)
            os.kill(host.pid, signal.SIGKILL)
            host.wait()
            time.sleep(0.3)  # what the board had in its buffers
            count = len(emulated.executed())
            time.sleep(0.3)
            assert len(emulated.executed()) == count
            board.reconnect(20.0, pause_s=0.05)
            assert not board.is_homed("turntable")
            board.set_position("turntable", 0.0)
            board.move({"turntable": 5.0})
            board.wait()
            board.close()
