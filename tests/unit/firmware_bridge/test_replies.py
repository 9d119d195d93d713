"""An acknowledgement that the board gave is found, and none is made up."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware_bridge.replies import (
    Busy,
    Complaint,
    Halted,
    LineReader,
    Ok,
    Reply,
    Report,
    Resend,
    Started,
    Wait,
    parse,
)

OK = Ok()


def oks(line: bytes) -> list[Reply]:
    return [reply for reply in parse(line) if isinstance(reply, Ok)]


@given(st.one_of(st.binary(), st.text(st.sampled_from('ok NPBT:0123.-Resend*"echoErr/!\0 ')).map(str.encode)))
@example(b"")
@example(b"   ")
@example(b"ok N" + b"9" * 5000 + b" P1 B1")
@example(b"Resend: " + b"9" * 5000)
@example(b"Resend: -")
@example(b"Error:x Last Line: " + b"9" * 5000)
@example(b"\xff\xfe\x00")
def test_no_noise_on_the_line_ends_the_program(line: bytes) -> None:
    replies = parse(line)
    assert replies
    assert sum(isinstance(reply, Ok) for reply in replies) <= line.count(b"ok")


TABLE: list[tuple[str, list[Reply]]] = [
    ("start", [Started()]),
    ("PowerUp", [Report("PowerUp")]),
    ("Marlin 2.0.9.7", [Report("Marlin 2.0.9.7")]),
    ("echo: Last Updated 2023-01-25 | Author: (none)", [Report("echo: Last Updated 2023-01-25 | Author: (none)")]),
    ("FIRMWARE_NAME:Marlin 2.0.9.7 (ok) UUID:ok ok", [Report("FIRMWARE_NAME:Marlin 2.0.9.7 (ok) UUID:ok ok")]),
    ("Cap:SERIAL_XON_XOFF:0", [Report("Cap:SERIAL_XON_XOFF:0")]),
    (
        "X:10.00 Y:0.00 Z:0.00 E:0.00 Count X:800 Y:0 Z:0",
        [Report("X:10.00 Y:0.00 Z:0.00 E:0.00 Count X:800 Y:0 Z:0")],
    ),
    ("ok T:25.00 /0.00 @:0", [Report("T:25.00 /0.00 @:0"), OK]),
    ("ok B:25.00 /0.00 @:0 B@:0", [Report("B:25.00 /0.00 @:0 B@:0"), OK]),
    ("ok", [OK]),
    ("ok ", [OK]),
    (
        "Error:checksum mismatch, Last Line: 2",
        [Complaint("checksum mismatch, Last Line: 2", 2)],
    ),
    (
        "Error:Line Number is not Last Line Number+1, Last Line: 3",
        [Complaint("Line Number is not Last Line Number+1, Last Line: 3", 3)],
    ),
    (
        "Error:No Checksum with line number, Last Line: 5",
        [Complaint("No Checksum with line number, Last Line: 5", 5)],
    ),
    (
        "Error:No Checksum with line number, Last Line: -1",
        [Complaint("No Checksum with line number, Last Line: -1", -1)],
    ),
    ("Resend: 3", [Resend(3)]),
    ("Resend:3", [Resend(3)]),
    ("rs 3", [Resend(3)]),
    ('echo:Unknown command: "G99"', [Report('echo:Unknown command: "G99"')]),
    ('echo:Unknown command: ""', [Report('echo:Unknown command: ""')]),
    ("echo:busy: processing", [Busy("processing")]),
    ("echo:busy: paused for user", [Busy("paused for user")]),
    ("echo:busy: paused for input", [Busy("paused for input")]),
    ("echo:Homing Failed", [Report("echo:Homing Failed")]),
    ("Error:Printer halted. kill() called!", [Halted("Printer halted. kill() called!")]),
    ("echo:M112 Shutdown", [Halted("echo:M112 Shutdown")]),
    ("!! Printer halted", [Halted("!! Printer halted")]),
    ("Reporting endstop status", [Report("Reporting endstop status")]),
    ("x_min: open", [Report("x_min: open")]),
    ("x_min: TRIGGERED", [Report("x_min: TRIGGERED")]),
    ("echo: Servo 0: 90", [Report("echo: Servo 0: 90")]),
    ("Error:Servo 1 out of range", [Complaint("Servo 1 out of range")]),
    ("Error:Protected Pin", [Complaint("Protected Pin")]),
    ("ok N1 P14 B0", [Ok(1, 14, 0)]),
    ("ok P15 B3", [Ok(None, 15, 3)]),
    ("  M211 S1 ; ON", [Report("M211 S1 ; ON")]),
    (
        "  Min:  X0.00 Y0.00 Z0.00   Max:  X200.00 Y200.00 Z200.00",
        [Report("Min:  X0.00 Y0.00 Z0.00   Max:  X200.00 Y200.00 Z200.00")],
    ),
    ("echo: too long extrusion prevented", [Report("echo: too long extrusion prevented")]),
    ("//action:pause", [Report("//action:pause")]),
    ("wait", [Wait()]),
    ("q1001", [Report("q1001")]),
]


@pytest.mark.parametrize(("line", "replies"), TABLE, ids=[line for line, _ in TABLE])
def test_what_marlin_says_is_taken_as_it_is_meant(line: str, replies: list[Reply]) -> None:
    assert parse(line.encode()) == replies


@pytest.mark.parametrize(
    ("line", "count"),
    [
        (b"okok", 2),
        (b"ok ok", 2),
        (b"okokok", 3),
        (b"T:25.0 /0.0 @:0ok", 1),
        (b"T:25.0 /0.0ok", 1),
        (b"T:25.0 /0.0 @:0 ok", 1),
        (b"N25 T:25.0ok", 1),
        (b"X:10.00 Y:0.00 Z:0.00 E:0.00 Count X:800 Y:0 Z:0ok", 1),
        (b"X:-1.00ok", 1),
        (b"ok T:25.0 /0.0 @:0ok", 2),
        (b"ok N1 P14 B0ok N2 P13 B0", 2),
        (b"okok N2 P13 B0", 2),
        (b"okecho:busy: processing", 1),
        (b"okError:checksum mismatch, Last Line: 2", 1),
        (b'ok echo:Unknown command: "ok"', 1),
        (b"Resend: 3ok", 1),
        (b"Resend: 3 ok", 1),
        (b"\xffok", 1),
        (b"\x00 ok", 1),
        (b"ok\xff", 1),
    ],
)
def test_an_ok_that_lost_its_line_end_still_frees_its_line(line: bytes, count: int) -> None:
    assert len(oks(line)) == count


def test_the_numbers_of_a_glued_ok_are_its_own() -> None:
    assert parse(b"ok N1 P14 B0ok N2 P13 B1") == [Ok(1, 14, 0), Ok(2, 13, 1)]
    assert parse(b"okok N2 P13 B1") == [OK, Ok(2, 13, 1)]
    assert parse(b"okecho:busy: processing") == [OK, Busy("processing")]
    assert parse(b"okError:checksum mismatch, Last Line: 2") == [OK, Complaint("checksum mismatch, Last Line: 2", 2)]


NO_OKS = """
look|look out|tokens|token 5|oks|ok_|ok3|ok.gco 1234|book ok|look ok|all is ok|part 3 ok|T:ok|T:ok /0.0|T:25.0 X:ok|ok:
"ok"|'ok'|k|o|o3|OK|Ok|_ok|-ok|/ok|x_min: openok|echo:ok|echo: ok|echo:T:25.0ok|\xffecho:ok|\xff echo: T:25.0 ok
noise echo: ok|echo:busy: ok|echo:busy: processingok|Error:ok|Error:T:25.0 ok|echo:Error: ok|Cap:ok|FIRMWARE_NAME:ok
// ok|!! ok
"""


@pytest.mark.parametrize("line", [text.encode("latin-1") for text in NO_OKS.strip().replace("\n", "|").split("|")])
def test_no_line_is_called_accepted_because_of_a_word(line: bytes) -> None:
    assert oks(line) == []


@given(
    st.sampled_from(["echo:", "Error:", "//", "!!", "FIRMWARE_NAME:", "Cap:"]),
    st.text(st.sampled_from("ok T:25.0 @\xff")),
)
def test_free_text_never_acknowledges(prefix: str, text: str) -> None:
    assert oks((prefix + text).encode("latin-1")) == []


@given(st.from_regex(re.compile(r"[A-Za-z]*[A-Za-z]ok[A-Za-z]*|[A-Za-z]*ok[A-Za-z]+"), fullmatch=True))
def test_no_word_acknowledges_but_repeated_oks(word: str) -> None:
    assert bool(oks(word.encode())) == bool(re.fullmatch("(ok)+", word))


@pytest.mark.parametrize(
    ("line", "resend"),
    [
        (b"Resend: 3", Resend(3)),
        (b"\xff\x00Resend: 3", Resend(3)),
        (b"okResend: 3", Resend(3)),
        (b"Resend: 3 \xff", Resend(3)),
        (b"Resend: -1", Resend(-1)),
        (b"Error:checksum mismatch, Last Line: 2Resend: 3", Resend(3)),
        (b"echo:busy: processingResend: 3", Resend(3)),
        (b"\xffrs 3", Resend(3)),
        (b"Resend: ", Resend(None)),
        (b"Resend:", Resend(None)),
        (b"Resend: x", Resend(None)),
        (b"Resend: 1\xff02", Resend(None)),
        (b"Resend: 10x", Resend(None)),
        (b"Resend: 1-2", Resend(None)),
        (b"Resend: --1", Resend(None)),
        (b"Resend: 99999999999", Resend(None)),
    ],
)
def test_a_wish_for_repetition_is_heard_and_a_spoilt_number_not_believed(line: bytes, resend: Resend) -> None:
    assert [reply for reply in parse(line) if isinstance(reply, Resend)] == [resend]


@pytest.mark.parametrize(
    "line",
    [b"servers 3", b"cars 3", b"Resent: 3", b'echo:Unknown command: "rs 3"', b'echo:Unknown command: "Resend: 3"'],
)
def test_nothing_is_repeated_because_of_a_word(line: bytes) -> None:
    assert not [reply for reply in parse(line) if isinstance(reply, Resend)]


@pytest.mark.parametrize(
    "line", [b"start", b"\xffstart", b"\x00\xfe\x00start", b"T:25.0start", b" start ", b"\x00start\r"]
)
def test_a_reset_is_noticed_behind_the_noise_of_a_reset(line: bytes) -> None:
    assert parse(line) == [Started()]


NO_STARTS = (
    "Restart|restart|echo: start|echo:start|Error:cannot start|//action:start|// start|M118 start|started|start now"
)


@pytest.mark.parametrize("line", [text.encode() for text in (NO_STARTS + '|kickstart|"start').split("|")])
def test_a_job_is_not_stopped_by_the_word_start(line: bytes) -> None:
    assert Started() not in parse(line)


@pytest.mark.parametrize(
    "line",
    [
        b"Error:Printer halted. kill() called!",
        b"echo:Homing FailedError:Printer halted. kill() called!",
        b"okError:Printer halted. kill() called!",
        b"\xffError:Printer halted. kill() called!",
        b"Err\xffr:Printer halted. kill() called!",
        b"echo:M112 Shutdown",
    ],
)
def test_a_halted_board_is_known_as_halted(line: bytes) -> None:
    assert isinstance(parse(line)[-1], Halted)


@pytest.mark.parametrize(
    "line",
    [b'echo:Unknown command: "M112 Shutdown"', b'echo:Unknown command: "kill() called"', b"the Printer halted at 5"],
)
def test_a_board_that_only_quotes_is_not_called_halted(line: bytes) -> None:
    assert not any(isinstance(reply, Halted) for reply in parse(line))


def test_noise_is_told_from_text() -> None:
    assert parse(b"X:1.0") == [Report("X:1.0", is_text=True)]
    assert parse(b"X:\xff1.0") == [Report("X:\ufffd1.0", is_text=False)]
    assert parse(b"X:\x001.0") == [Report("X:\x001.0", is_text=False)]
    assert parse(b"ok\xff") == [OK, Report("\ufffd", is_text=False)]


# --- lines -----------------------------------------------------------------------------------------------------------

STREAMS = st.lists(
    st.one_of(st.binary(max_size=30), st.sampled_from([b"ok\n", b"\n", b"\r\n", b"\r", b"x" * 1024, b"ok" * 700])),
    max_size=12,
).map(b"".join)


@given(STREAMS, st.data())
def test_how_the_kernel_cuts_the_bytes_changes_no_line(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    whole = LineReader().feed(stream)
    reader, pieces = LineReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        pieces += reader.feed(stream[start:end])
    assert pieces == whole
    assert all(line and len(line) <= 1024 and b"\n" not in line and b"\r" not in line for line in whole)


def test_an_ok_in_two_pieces_is_one_ok() -> None:
    reader = LineReader()
    assert reader.feed(b"o") == []
    assert reader.feed(b"k") == []
    assert reader.feed(b"\r") == [b"ok"]
    assert reader.feed(b"\nok\n\n") == [b"ok"]


def test_an_endless_line_fills_no_memory_and_its_tail_is_no_ok() -> None:
    reader = LineReader()
    for _ in range(300):
        assert reader.feed(b"x" * 1024) == []
    lines = reader.feed(b"ok\nok\n")
    assert lines == [b"x" * 1024, b"ok"]
    assert [len(oks(line)) for line in lines] == [0, 1]
    one_gulp = LineReader().feed(b"x" * 1024 + b"ok\n" + b"y" * 5000 + b"\nok\n")
    assert one_gulp == [b"x" * 1024, b"y" * 1024, b"ok"]


def test_what_was_heard_before_a_reset_does_not_begin_the_first_line_after_it() -> None:
    reader = LineReader()
    reader.feed(b"x" * 2000)
    reader.clear()
    assert reader.feed(b"start\n") == [b"start"]
