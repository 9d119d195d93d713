"""Full buffers lose bytes as a real board loses them: a host that overruns the emulator would lose lines on a rig."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.emulator import BoardSettings, Firmware


def test_a_burst_of_24_short_moves_overruns_at_line_14_before_the_planner_is_full(desk, number):
    host = desk()
    host.write("".join(number(n, f"G1 X{n / 10}") + "\n" for n in range(1, 25)))
    host.run(0.2)
    taken = [line.line_number for line in host.firmware.executed if line.line_number is not None]
    assert taken == list(range(1, 14))
    assert host.truth().counters.bytes_dropped > 0
    assert any(line.startswith("Error:") for line in host.lines())


def test_behind_a_blocking_command_3_lines_and_127_bytes_survive(desk):
    host = desk()
    host.ask("G4 P3000", 0.1)
    host.write("M118 a\nM118 b\nM118 c\n" + "M118 d23456\n" * 20)
    host.run(6.0)
    assert len([text for text in host.ran() if text in {"M118 a", "M118 b", "M118 c"}]) == 3
    assert host.ran().count("M118 d23456") == 127 // 12
    assert host.truth().counters.bytes_dropped == 20 * 12 - 127


def test_an_overrun_in_the_tail_is_silent_until_a_newline_comes(desk, number):
    host = desk()
    host.ask("G4 P1000", 0.1)
    host.write("M118 1\nM118 2\nM118 3\nM118 " + "x" * 80 + "\n" + "G90\n" * 9 + number(1, "G91 X11111111"))
    host.run(2.0)
    assert not any("Resend" in line for line in host.lines())
    host.said.clear()
    host.write("\n")
    host.run(0.1)
    assert [line.split(",")[0] for line in host.lines()] == ["Error:No Checksum with line number", "Resend: 1", "ok"]


def test_unnumbered_lines_merge_where_bytes_between_them_are_lost(desk):
    host = desk()
    host.ask("G4 P1000", 0.1)
    filler = "M118 1\nM118 2\nM118 3\n"
    merged = "M118 " + "y" * 88 + "\n" + ";" + "z" * 24 + "\nM118 k0"
    assert len(merged) == 127
    host.write(filler + merged + "\n")
    host.run(2.0)
    host.write("M400\n")
    host.run(0.5)
    assert host.ran()[-1] == "M118 k0M400"
    assert host.lines()[-2:] == ["k0M400", "ok"]


def test_after_an_error_the_flush_in_mid_line_lets_a_tail_run_unnumbered(desk, number):
    host = desk()
    host.write("N9 G90*1\n")
    host.run(0.0004)
    host.write(number(1, "G1 X100.25 Y100.25 F6000") + "\n" + number(2, "G1 X100.50 Y100.50 F6000") + "\n")
    host.run(0.5)
    unknown = [line for line in host.lines() if line.startswith("echo:Unknown command")]
    assert unknown
    assert host.truth().counters.unnumbered_lines_executed == 1
    assert host.truth().counters.bytes_flushed > 0


def test_a_full_queue_keeps_the_rest_in_the_ring(desk):
    host = desk()
    host.ask("G4 P500\n" + "M118 x\n" * 12, 2.0)
    assert host.lines().count("x") == 12


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(st.sampled_from(["G1 X5 F6000", "M114", "G4 P40", "N1 G1*3", "M400", "M119", "G92 X0"]), max_size=8),
    cuts=st.lists(st.floats(0.0, 2.0), max_size=12),
)
def test_it_does_not_matter_in_how_many_steps_time_is_advanced(lines, cuts):
    """A test that polls often must see the same board as one that polls seldom."""
    outputs = []
    for stops in ([2.0], sorted([*cuts, 2.0])):
        firmware = Firmware(BoardSettings(boot_s=0.0), seed=3)
        firmware.open_port(0.0)
        firmware.host_bytes("".join(line + "\n" for line in lines).encode(), 0.05)
        said = bytearray()
        for stop in stops:
            firmware.advance(stop)
            said += firmware.take_output()
        outputs.append((bytes(said), firmware.truth(2.0).steps))
    assert outputs[0] == outputs[1]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_whatever_break_the_firmware(noise):
    firmware = Firmware(BoardSettings(boot_s=0.0, emergency_parser=False))
    firmware.open_port(0.0)
    firmware.host_bytes(noise, 0.1)
    for step in itertools.count(1):
        firmware.advance(step * 0.1)
        firmware.take_output()
        if step == 20:
            break
    assert firmware.wire_backlog_bytes == 0


def test_bytes_on_the_wire_count_as_backlog_until_they_arrive(desk):
    host = desk()
    host.write(b"x" * 250)
    assert host.firmware.wire_backlog_bytes == 250
    host.run(0.005)
    assert host.firmware.wire_backlog_bytes == 125
    host.run(0.005)
    assert host.firmware.wire_backlog_bytes == 0


def test_answers_cross_the_wire_byte_by_byte(desk):
    host = desk()
    host.write("M118 " + "x" * 80 + "\n")
    host.firmware.advance(host.now_s + 86 * 40e-6 + 0.0055 + 20 * 40e-6)
    assert 15 < len(host.firmware.take_output()) < 25
