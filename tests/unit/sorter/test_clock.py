"""Nobody may wait for ever, or not at all, because of the clock that was handed in."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.clock import ManualClock, RealClock

DURATIONS = st.lists(st.floats(0, 1e6), max_size=20)


@given(DURATIONS)
def test_a_manual_clock_that_moves_on_sleep_shows_the_sum_of_all_sleeps(durations: list[float]) -> None:
    clock = ManualClock(5.0)
    for duration_s in durations:
        clock.sleep(duration_s)
    assert clock.monotonic_s() == pytest.approx(5.0 + sum(durations))


def test_waiting_on_a_manual_clock_ends_by_event_or_by_time() -> None:
    clock, event = ManualClock(), threading.Event()
    assert not clock.wait(event, 3.0)
    assert clock.monotonic_s() == 3.0
    event.set()
    assert clock.wait(event, 3.0)
    assert clock.monotonic_s() == 3.0, "an event that is set costs no time"


def test_a_thread_sleeps_until_the_clock_is_advanced_far_enough() -> None:
    clock, woken = ManualClock(moves_on_sleep=False), threading.Event()

    def sleeper() -> None:
        clock.sleep(10.0)
        woken.set()

    thread = threading.Thread(target=sleeper)
    thread.start()
    clock.advance(9.0)
    assert not woken.wait(0.02)
    while not woken.is_set():
        clock.advance(1.0)
    thread.join(5.0)
    assert not thread.is_alive()


def test_a_waiting_thread_is_woken_by_its_event_while_the_clock_stands_still() -> None:
    clock, event, results = ManualClock(moves_on_sleep=False), threading.Event(), []
    thread = threading.Thread(target=lambda: results.append(clock.wait(event, 1e9)))
    thread.start()
    event.set()
    thread.join(5.0)
    assert results == [True]


def test_a_waiting_thread_gives_up_when_the_clock_has_passed_its_time() -> None:
    clock, results = ManualClock(moves_on_sleep=False), []
    thread = threading.Thread(target=lambda: results.append(clock.wait(threading.Event(), 1.0)))
    thread.start()
    while thread.is_alive():
        clock.advance(1.0)
        thread.join(0.01)
    assert results == [False]


def test_a_fast_clock_runs_its_factor_faster_than_life() -> None:
    life, fast = RealClock(), RealClock(speed=1000.0)
    life_s, fast_s = life.monotonic_s(), fast.monotonic_s()
    fast.sleep(20.0)
    assert fast.monotonic_s() - fast_s >= 20.0
    assert (fast.monotonic_s() - fast_s) > 500 * (life.monotonic_s() - life_s)
    assert not fast.wait(threading.Event(), 1.0)


@pytest.mark.parametrize("clock", [RealClock(), ManualClock(), ManualClock(moves_on_sleep=False)])
@pytest.mark.parametrize("duration_s", [-1.0, float("nan"), float("inf")])
def test_no_clock_sleeps_backwards(clock: RealClock | ManualClock, duration_s: float) -> None:
    before_s = clock.monotonic_s()
    with pytest.raises(ValueError, match="0 s or more"):
        clock.sleep(duration_s)
    with pytest.raises(ValueError, match="0 s or more"):
        clock.wait(threading.Event(), duration_s)
    assert clock.monotonic_s() - before_s < 1.0


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_a_clock_has_a_positive_speed(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        RealClock(speed=speed)
