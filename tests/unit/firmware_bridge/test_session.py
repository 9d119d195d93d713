"""The session alone, in virtual time: what is sent, what is believed, and when it gives up."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_bridge.emulator.settings import BoardSettings, Flavour
from firmware_bridge.errors import BoardHalted, BoardReset, BoardSilent, LinkClosed, LinkLost
from firmware_bridge.events import Accepted, Dropped, NeedsReset, Note, Phase, Ready
from firmware_bridge.limits import SessionLimits
from firmware_bridge.lines import Line
from firmware_bridge.session import Session
from tests.virtual import VirtualLink

PATIENT = SessionLimits(max_silences=60, max_attempts=60, max_resends=60, handshake_s=300.0)
NUMBERED = re.compile(rb"N(\d+) ([^*]+)\*\d+\n")


class Bench:
    """A session whose board is played by the test, line by line."""

    def __init__(self, limits: SessionLimits | None = None) -> None:
        self.now_s = 0.0
        self.session = Session(0.0, limits)
        self.events: list[object] = []

    def says(self, *lines: str) -> Bench:
        self.session.receive("".join(line + "\n" for line in lines).encode("ascii"), self.now_s)
        self.events += self.session.take_events()
        return self

    def passes(self, seconds: float) -> Bench:
        """Time passes, deadline by deadline."""
        until_s = self.now_s + seconds
        while (deadline_s := self.session.next_deadline_s) is not None and deadline_s <= until_s:
            self.now_s = max(self.now_s, deadline_s)
            self.session.tick(self.now_s)
        self.now_s = until_s
        self.events += self.session.take_events()
        return self

    def sent(self) -> list[tuple[int, str]]:
        """Numbered lines that were written since the last call."""
        return [(int(number), text.decode()) for number, text in NUMBERED.findall(self.session.take_output())]

    def get_ready(self) -> Bench:
        self.says("start", "Marlin 2.0.9.7").passes(0.5)
        assert self.sent() == [(1000, "M110 N1000")]
        self.says("ok").passes(0.1)
        assert self.sent() == [(1001, "M118 q1001")]
        self.says("q1001", "ok")
        assert isinstance(self.events.pop(), Ready)
        return self

    def submit(self, *texts: str, is_repeatable: bool = False, motion_s: float = 0.0) -> list[Line]:
        lines = [Line(text, is_repeatable=is_repeatable, motion_s=motion_s) for text in texts]
        for line in lines:
            self.session.submit(line, self.now_s)
        return lines

    def accepted(self) -> list[str]:
        return [event.line.text for event in self.events if isinstance(event, Accepted)]

    def dropped(self) -> list[str]:
        return [event.line.text for event in self.events if isinstance(event, Dropped)]


@pytest.fixture
def bench() -> Bench:
    return Bench().get_ready()


def test_line_numbers_start_high_so_that_a_board_that_lost_count_gives_itself_away() -> None:
    with pytest.raises(ValueError, match="1000 or higher"):
        Session(0.0, first_number=1)


def test_a_line_is_accepted_when_the_board_says_ok(bench: Bench) -> None:
    [line] = bench.submit("G28 X")
    assert bench.sent() == [(1002, "G28 X")]
    bench.says("echo:busy: processing", "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0", "ok")
    assert bench.accepted() == ["G28 X"]
    assert line.reports == ["X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0"]
    assert bench.session.is_idle


def test_what_must_not_run_twice_travels_alone(bench: Bench) -> None:
    bench.submit("G1 X1", "G1 X2", is_repeatable=True)
    bench.submit("G28 X")
    bench.submit("G1 X3", is_repeatable=True)
    assert [text for _, text in bench.sent()] == ["G1 X1", "G1 X2"]
    bench.says("ok")
    assert bench.sent() == []
    bench.says("ok")
    assert [text for _, text in bench.sent()] == ["G28 X"]
    bench.says("ok")
    assert [text for _, text in bench.sent()] == ["G1 X3"]


def test_the_window_never_exceeds_lines_or_bytes_of_the_board(bench: Bench) -> None:
    bench.submit(*[f"G1 X{number}" for number in range(20)], is_repeatable=True)
    assert len(bench.sent()) == 4
    bench = Bench().get_ready()
    bench.submit(*["G1 X123.45678 Y123.45678 Z1 F1234.5"] * 20, is_repeatable=True)
    output = bench.session.take_output()
    assert 1 < output.count(b"\n") < 4
    assert len(output) <= 120


def test_a_lost_ok_is_asked_for_and_the_line_is_not_repeated(bench: Bench) -> None:
    bench.submit("G28 X")
    bench.sent()
    bench.passes(3.1)
    assert bench.sent() == [(1003, "M118 q1003")]
    assert bench.accepted() == []
    bench.says("q1003", "ok")
    assert bench.accepted() == ["G28 X"]
    assert bench.sent() == []


def test_a_garbled_ok_is_asked_for_at_once(bench: Bench) -> None:
    bench.submit("M106 S1")
    bench.sent()
    bench.says("k").passes(0.1)
    assert bench.accepted() == []
    bench.passes(3.0)
    assert bench.sent()[0][1].startswith("M118")


def test_one_ok_too_many_is_not_taken_for_the_end_of_the_motion(bench: Bench) -> None:
    bench.submit("M400")
    bench.sent()
    bench.says("Error:checksum mismatch, Last Line: 1001", "Resend: 1002", "ok").passes(0.05)
    assert bench.sent() == [(1002, "M400")]
    bench.says("ok").passes(0.05)  # a late one, of whatever line
    assert bench.accepted() == [], "only the answer to a question proves that M400 is done"
    assert bench.sent() == [(1003, "M118 q1003")]
    bench.says("ok")  # that of M400, and no proof either
    assert bench.accepted() == []
    bench.says("q1003", "ok")
    assert bench.accepted() == ["M400"]


def test_the_echo_of_a_question_that_ran_without_its_number_proves_nothing(bench: Bench) -> None:
    bench.submit("M400")
    bench.sent()
    bench.passes(3.1)
    assert bench.sent() == [(1003, "M118 q1003")]
    bench.says('echo:Unknown command: "O1003 M118 q1003"', "ok")
    assert bench.accepted() == []


def test_a_resend_is_answered_with_the_same_number_and_text(bench: Bench) -> None:
    bench.submit("G92 X1")
    bench.sent()
    bench.says("Error:checksum mismatch, Last Line: 1001", "Resend: 1002", "ok").passes(0.05)
    assert bench.sent() == [(1002, "G92 X1")]


def test_the_same_request_heard_three_times_is_answered_once(bench: Bench) -> None:
    bench.submit("G92 X1")
    bench.sent()
    bench.says("Resend: 1002", "ok", "Resend: 1002", "ok", "Resend: 1002", "ok").passes(0.05)
    assert bench.sent() == [(1002, "G92 X1")]


def test_a_line_that_is_asked_for_for_ever_ends_the_link_with_both_numbers(bench: Bench) -> None:
    bench.submit("G92 X1")
    for _ in range(9):
        bench.says("Resend: 1002", "ok").passes(0.05)
    assert isinstance(bench.session.error, LinkLost)
    assert "line 1002" in str(bench.session.error)
    assert "the last line sent was 1002" in str(bench.session.error)
    assert bench.dropped() == ["G92 X1"]


@pytest.mark.parametrize("number", ["999", "1500", "900000000000000", "-3", "x"])
def test_a_number_that_the_board_cannot_mean_repeats_nothing(bench: Bench, number: str) -> None:
    bench.submit("G92 X1")
    bench.sent()
    bench.says("ok")
    bench.says(f"Resend: {number}", "ok").passes(0.05)
    assert [text for _, text in bench.sent()] == ["M118 q1003"]
    bench.says("q1003", "ok")
    assert bench.session.error is None
    assert bench.accepted() == ["G92 X1"]


@pytest.mark.parametrize(
    "lines", [["start"], ["Error:Line Number is not Last Line Number+1, Last Line: 0", "Resend: 1", "ok"]]
)
def test_after_a_reset_nothing_is_repeated(bench: Bench, lines: list[str]) -> None:
    bench.submit("G1 X1", "G28 X")
    bench.sent()
    bench.says(*lines).passes(60.0)
    assert isinstance(bench.session.error, BoardReset)
    assert bench.sent() == []
    assert bench.dropped() == ["G1 X1", "G28 X"]
    with pytest.raises(BoardReset):
        bench.session.submit(Line("G1 X2"), bench.now_s)


def test_a_halted_board_is_told_apart_from_a_silent_one(bench: Bench) -> None:
    bench.submit("G28 X")
    bench.says("echo:Homing Failed", "Error:Printer halted. kill() called!")
    assert isinstance(bench.session.error, BoardHalted)


def test_silence_ends_the_link_in_bounded_time(bench: Bench) -> None:
    bench.submit("G4 P1")
    bench.passes(20.0)
    assert isinstance(bench.session.error, BoardSilent)
    assert "1002 (G4 P1)" in str(bench.session.error)
    assert bench.dropped() == ["G4 P1"]


def test_the_wait_is_as_long_as_the_motion_that_is_queued_ahead(bench: Bench) -> None:
    bench.submit("G1 X1000", motion_s=500.0)
    bench.says("ok")
    bench.submit("G92 X0")
    bench.sent()
    bench.passes(502.0)
    assert bench.sent() == []
    bench.passes(2.0)
    assert bench.sent()[0][1].startswith("M118"), "half a second past motion and margin, it asks"


def test_estimates_of_a_long_job_do_not_add_up_to_a_wait_of_hours(bench: Bench) -> None:
    for number in range(1000):
        bench.submit(f"G1 X{number}", motion_s=1.0)
        bench.says("ok")
    assert bench.session.motion_until_s == pytest.approx(bench.now_s + 20.0)
    bench.submit("M400")
    bench.says("ok")
    assert bench.session.motion_until_s == bench.now_s


def test_busy_is_a_sign_of_life(bench: Bench) -> None:
    bench.submit("G28 X")
    bench.sent()
    for _ in range(100):
        bench.passes(2.0).says("echo:busy: processing")
    assert bench.sent() == []
    assert bench.session.error is None
    bench.says("ok")
    assert bench.accepted() == ["G28 X"]


def test_the_operator_is_told_what_a_busy_board_waits_for(bench: Bench) -> None:
    bench.submit("M0")
    bench.says("echo:busy: paused for user")
    assert any(isinstance(event, Note) and "paused for user" in event.text for event in bench.events)


def test_a_disturbed_line_narrows_the_window_and_says_so_and_widens_it_later() -> None:
    bench = Bench(SessionLimits(clean_lines=10)).get_ready()
    bench.submit(*["G1 X1"] * 4, is_repeatable=True)
    bench.says("Resend: 1002", "ok")
    assert bench.session.window_lines == 2
    assert any(isinstance(event, Note) and "2 lines in flight" in event.text for event in bench.events)
    link = VirtualLink(limits=SessionLimits(clean_lines=10))
    link.run()
    link.session._set_window(1, "the test wants it narrow")
    link.submit(*["M107"] * 40, is_repeatable=True)
    assert link.run().session.window_lines == 4


def test_advanced_ok_says_how_many_lines_fit(bench: Bench) -> None:
    bench.submit("G1 X1", is_repeatable=True)
    bench.says("ok N1002 P15 B1")
    assert bench.session.window_lines == 2


@pytest.mark.parametrize("number", [1001, 1004, 1007])
def test_an_ok_that_names_another_line_acknowledges_nothing(bench: Bench, number: int) -> None:
    bench.submit("G1 X1", "G1 X2", "G1 X3", is_repeatable=True)
    bench.sent()
    bench.says(f"ok N{number} P15 B3")
    assert bench.accepted() == []
    bench.says("ok N1002 P15 B3", "ok N1003 P15 B3", "ok N1004 P15 B3").passes(0.1)
    assert bench.sent() == [(1005, "M118 q1005")]
    bench.says("q1005", "ok N1005 P15 B3")
    assert bench.accepted() == ["G1 X1", "G1 X2", "G1 X3"]


@pytest.mark.parametrize(
    "spoilt",
    [
        ["Errgr:Line Number is not Last Line Number+1, Last Line: 1001", "Rese~d: 1002"],
        ["Errgr:checksum mismatch, Last Line: 1001"],
        ["Resefd: 1002"],
        ['ecjo:Unknown command: "002 M400"'],
    ],
)
def test_a_complaint_that_noise_has_spoilt_still_casts_doubt_on_the_ok(bench: Bench, spoilt: list[str]) -> None:
    bench.submit("M400")
    bench.sent()
    bench.says(*spoilt, "ok").passes(0.1)
    assert bench.accepted() == [], "the table may still be turning"


@pytest.mark.parametrize("babble", [["start"], [" T:20"], ["ok", "Error:checksum mismatch, Last Line: 0", "Resend: 1"]])
def test_a_board_that_never_gets_ready_is_given_up_in_bounded_time(babble: list[str]) -> None:
    bench = Bench().says("start")
    for _ in range(400):
        bench.passes(0.1).says(*babble)
    assert isinstance(bench.session.error, BoardSilent)
    assert "not ready in time" in str(bench.session.error)


def test_a_board_that_says_ok_to_everything_and_does_nothing_is_given_up(bench: Bench) -> None:
    bench.submit("M400")
    bench.says("k")
    for _ in range(2000):
        bench.passes(0.05).says("ok")
    assert isinstance(bench.session.error, LinkLost)
    assert bench.accepted() == []


def test_a_babbling_board_cannot_fill_the_memory(bench: Bench) -> None:
    [line] = bench.submit("G28 X")
    for _ in range(2000):
        bench.passes(1.0).says("echo:busy: processing", "T:20.0 /0.0")
    assert len(line.reports) <= 500


def test_a_quick_stop_goes_past_the_queue_and_nothing_from_before_is_ever_repeated(bench: Bench) -> None:
    bench.submit("G1 X50", "G1 X60", "G1 X70")
    bench.sent()
    stop = Line("M410")
    bench.session.submit_quick_stop(stop, bench.now_s)
    bench.events += bench.session.take_events()
    assert bench.sent() == [(1003, "M410")]
    assert bench.dropped() == ["M410", "G1 X60", "G1 X70"], "the first was sent; should it be asked for, it is M410"
    bench.says("Error:checksum mismatch, Last Line: 1001", "Resend: 1002", "ok").passes(0.05)
    assert bench.sent() == [(1002, "M410")], "the board never got the move, and it must not get it now"
    bench.says("ok").passes(0.05)
    assert bench.sent() == [(1003, "M410")]


def test_a_board_that_does_not_say_start_is_reset_once_and_then_asked(bench: Bench) -> None:
    bench = Bench()
    bench.passes(5.1)
    assert isinstance(bench.events[-1], NeedsReset)
    bench.session.was_reset(bench.now_s)
    bench.passes(5.1)
    assert bench.sent() == [(1000, "M110 N1000")]
    bench.says("ok").passes(0.1)
    bench.sent()
    bench.says("q1001", "ok")
    assert Ready(was_announced=False) in bench.events


def test_a_device_that_never_answers_ends_in_an_error() -> None:
    bench = Bench()
    bench.passes(5.1)
    bench.session.was_reset(bench.now_s)
    bench.passes(60.0)
    assert isinstance(bench.session.error, BoardSilent)
    assert bench.session.next_deadline_s is None


def test_a_disturbed_m110_is_said_again() -> None:
    bench = Bench().says("start").passes(0.5)
    assert bench.sent() == [(1000, "M110 N1000")]
    bench.says("Error:checksum mismatch, Last Line: 0", "Resend: 1", "ok").passes(0.1)
    assert bench.sent() == [(1000, "M110 N1000")]
    assert bench.session.phase is Phase.NUMBERING


def test_a_babbling_board_cannot_keep_the_session_from_giving_up() -> None:
    bench = Bench().get_ready()
    bench.submit("G28 X")
    for _ in range(5000):
        bench.passes(0.01).says("xx")
    assert isinstance(bench.session.error, LinkLost)


def test_closing_drops_what_was_queued(bench: Bench) -> None:
    bench.submit("G1 X1", "G1 X2")
    bench.session.fail(LinkClosed("closed"))
    bench.events += bench.session.take_events()
    assert bench.dropped() == ["G1 X1", "G1 X2"]
    assert bench.session.take_output() == b""


@given(st.lists(st.tuples(st.binary(max_size=40), st.floats(0, 3)), max_size=30))
def test_no_bytes_from_a_board_can_crash_the_session_or_make_it_babble(chunks: list[tuple[bytes, float]]) -> None:
    bench = Bench().get_ready()
    bench.submit("G28 X", "G1 X1")
    for data, seconds in chunks:
        bench.session.receive(data, bench.now_s)
        bench.passes(seconds)
        assert len(bench.session.take_output()) < 2000
    if bench.session.error is None:
        assert bench.session.next_deadline_s is not None or bench.session.is_idle


# --- exactly once, in order -------------------------------------------------------------------------------------

COMMANDS = st.one_of(
    st.integers(0, 200).map(lambda x: f"G1 X{x} F6000"),
    st.integers(0, 200).map(lambda x: f"G92 Y{x}"),
    st.integers(0, 255).map(lambda level: f"M106 S{level}"),
    st.integers(0, 180).map(lambda angle: f"M280 P0 S{angle}"),
    st.sampled_from(["M400", "M114", "G4 P30", "M107", "M92 X8.889", "M119"]),
)
BOARDS = st.builds(
    BoardSettings,
    flavour=st.sampled_from(list(Flavour)),
    advanced_ok=st.booleans(),
    boot_s=st.just(0.1),
)
NOISE = {
    "silence": {},
    "lines lost": {"line-loss": 0.2},
    "replies lost": {"reply-loss": 0.2},
    "both lost": {"line-loss": 0.2, "reply-loss": 0.2},
    "a flipped bit in lines": {"line-flip": 0.3},
    "a flipped bit in replies": {"reply-flip": 0.2},
    "acknowledgements lost, glued, too many": {
        "ok-lost": 0.1,
        "ok-garbled": 0.1,
        "ok-glued": 0.2,
        "line-flip": 0.1,
        "resend-without-ok": 0.2,
        "resend-extra-ok": 0.2,
    },
    "resends disturbed": {"line-flip": 0.2, "resend-lost-again": 0.2, "resend-number-garbled": 0.2},
    "resends late": {"line-flip": 0.1, "resend-late-and-repeated": 0.5},
    "delays": {"delay": 0.5},
    "one byte at a time": {"one-byte-at-a-time": 1.0},
    "bytes lost": {"byte-loss": 0.003, "reply-byte-loss": 0.003},
}


# What eight bits cannot catch: two lost bytes that are the same, such as two spaces, leave a valid checksum.
MOST_COLLISIONS = {"bytes lost": 1}


def assert_each_ran_once_and_in_order(link: VirtualLink, lines: list[Line], noise: str) -> None:
    numbers = [number for number, _ in link.executed_by_number]
    assert numbers == sorted(set(numbers)), "no number runs twice or out of order"
    ran = dict(link.executed_by_number)
    assert set(ran) >= {line.number for line in lines}
    damaged = [line.text for line in lines if ran[line.number] != line.text]
    assert len(damaged) <= MOST_COLLISIONS.get(noise, 0), damaged
    assert link.accepted == [line.text for line in lines]


@pytest.mark.parametrize("noise", NOISE)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(COMMANDS, min_size=1, max_size=12), board=BOARDS, seed=st.integers(0, 2**32))
def test_every_command_runs_exactly_once_and_in_order(
    noise: str, texts: list[str], board: BoardSettings, seed: int
) -> None:
    link = VirtualLink(board, NOISE[noise], seed, PATIENT)
    lines = link.submit(*texts, motion_s=2.0)
    link.run()
    if link.session.error is None:
        assert_each_ran_once_and_in_order(link, lines, noise)
    else:
        # One bit makes M112 of M110, and Marlin's emergency parser asks for no checksum. Nothing else ends a link.
        assert isinstance(link.session.error, BoardHalted)
        assert "flipped bit in lines" in noise or "line-flip" in NOISE[noise]
        assert link.executed == texts[: len(link.executed)]
        assert link.accepted == texts[: len(link.accepted)]
        assert len(link.accepted) <= len(link.executed)
        assert link.accepted + link.dropped == texts


@pytest.mark.parametrize("noise", ["lines lost", "a flipped bit in lines", "bytes lost", "delays"])
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(places=st.lists(st.integers(0, 200), min_size=1, max_size=25), board=BOARDS, seed=st.integers(0, 2**32))
def test_with_the_window_open_only_harmless_repetitions_happen(
    noise: str, places: list[int], board: BoardSettings, seed: int
) -> None:
    texts = [f"G1 X{place} F6000" for place in places]
    link = VirtualLink(board, NOISE[noise], seed, PATIENT)
    lines = link.submit(*texts, is_repeatable=True, motion_s=2.0)
    link.run()
    assert link.session.error is None or isinstance(link.session.error, BoardHalted)  # M110, one bit off, is M112
    if link.session.error is None:
        assert_each_ran_once_and_in_order(link, lines, noise)
    # The tail of a line may have run without its number: a whole move of this stream, or nothing that Marlin knows.
    for text in link.executed_unnumbered:
        assert text in texts or not re.match(r"[GMT]\d", text) or text.startswith("M118 q"), text
