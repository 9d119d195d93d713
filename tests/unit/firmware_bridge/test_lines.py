"""No line is lost, counted twice or renumbered between the caller and the board."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firmware_bridge.gcode import framed
from firmware_bridge.lines import Line, SentLines

FIRST = 1000
KEPT = 4


class Sending(RuleBasedStateMachine):
    """Whatever a board may ask for, against a list of every line there ever was."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = SentLines(FIRST, kept=KEPT)
        self.every: list[Line] = []
        self.told: list[Line] = []
        self.proved = FIRST  # the highest number that was ever told

    @rule(text=st.sampled_from(["G1 X1", "M114", "G1 X-2.5 F600"]))
    def add(self, text: str) -> None:
        line = Line(text)
        self.lines.add(line)
        self.every.append(line)
        assert line.number == FIRST + len(self.every) == self.lines.last
        assert line.data == framed(line.number, text)

    @precondition(lambda self: self.lines.sent < self.lines.last)
    @rule()
    def send(self) -> None:
        before = self.lines.sent
        line = self.lines.next_to_send()
        assert line is self.every[before - FIRST]
        assert self.lines.newest is line

    @precondition(lambda self: self.lines.sent == self.lines.last)
    @rule()
    def nothing_to_send(self) -> None:
        with pytest.raises(KeyError):
            self.lines.next_to_send()

    @precondition(lambda self: self.lines.in_flight)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        before = self.lines.acknowledged
        number = data.draw(st.integers(FIRST, self.lines.sent))
        self.lines.acknowledge(number)
        assert self.lines.acknowledged == max(before, number)

    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        known = [number for number in range(FIRST - 2, self.lines.last + 3) if self.lines.knows(number)]
        assert self.lines.last + 1 in known
        assert known == list(range(known[0], self.lines.last + 2))
        number = data.draw(st.sampled_from(known))
        self.lines.go_back_to(number)
        assert self.lines.in_flight == 0
        assert self.lines.sent == number - 1
        if number <= self.lines.last:
            assert self.lines.next_to_send() is self.every[number - 1 - FIRST]

    @rule()
    def tell(self) -> None:
        start, end = self.lines.told, self.lines.acknowledged
        lines = self.lines.tell()
        assert lines == self.every[start - FIRST : end - FIRST]
        self.told += [line for line in lines if line.number > self.proved]
        self.proved = max(self.proved, end)
        assert self.lines.told == end

    @precondition(lambda self: self.lines.in_flight)
    @rule()
    def exchange(self) -> None:
        """As a quick stop does: another command under the same number."""
        line = self.lines.oldest
        line.text = "M410"
        line.data = framed(line.number, line.text)

    @invariant()
    def stages_are_in_order(self) -> None:
        lines = self.lines
        assert FIRST <= lines.told <= lines.acknowledged <= lines.sent <= lines.last

    @invariant()
    def bytes_are_those_of_the_lines_in_flight(self) -> None:
        lines = self.lines
        flying = self.every[lines.acknowledged - FIRST : lines.sent - FIRST]
        assert lines.in_flight == len(flying)
        assert lines.bytes_in_flight == sum(len(line.data) for line in flying)
        if flying:
            assert lines.oldest is flying[0]
            assert lines.newest is flying[-1]

    @invariant()
    def nothing_that_may_be_asked_for_is_forgotten(self) -> None:
        kept = [line.number for line in self.lines]
        assert kept == sorted(kept)
        assert set(range(max(FIRST, self.proved - KEPT) + 1, self.lines.last + 1)) == set(kept)

    @invariant()
    def each_line_is_told_once_and_in_order(self) -> None:
        assert [line.number for line in self.told] == list(range(FIRST + 1, self.proved + 1))


TestSending = Sending.TestCase
TestSending.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_a_long_job_does_not_fill_the_memory() -> None:
    lines = SentLines(FIRST, kept=KEPT)
    for _ in range(1000):
        lines.add(Line("G1 X1"))
        lines.acknowledge(lines.next_to_send().number)
        lines.tell()
    assert len(list(lines)) == KEPT
    assert lines.bytes_in_flight == 0


def test_the_board_is_believed_only_about_lines_that_it_can_mean() -> None:
    lines = SentLines(FIRST, kept=KEPT)
    assert lines.knows(FIRST + 1)
    assert not lines.knows(FIRST)
    assert not lines.knows(1)
    assert not lines.knows(-1)


def test_an_acknowledgement_that_comes_twice_takes_nothing_back() -> None:
    lines = SentLines(FIRST, kept=KEPT)
    for _ in range(2):
        lines.add(Line("M105"))
        lines.next_to_send()
    lines.acknowledge(FIRST + 2)
    lines.acknowledge(FIRST + 1)
    assert lines.acknowledged == FIRST + 2
    assert lines.in_flight == 0


def test_two_lines_with_the_same_text_are_two_lines() -> None:
    assert Line("M105") != Line("M105")
    assert Line("M105").reports is not Line("M105").reports
