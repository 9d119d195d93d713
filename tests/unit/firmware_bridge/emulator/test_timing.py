"""When the emulator answers: a host that computes its timeouts from these times will not give up on a real board."""

import pytest

from firmware_bridge.emulator import BoardSettings

BUSY = "echo:busy: processing"
MOVE_S = 1.0  # of X10 F600 less the ramps; each move below is 10 mm at 10 mm/s


def moves(count):
    return [f"G1 X{10 * (n + 1)} F600" for n in range(count)]


def feed(host, lines):
    """Send line by line as a careful host does, waiting for each ok; stop when one does not come within 0.2 s."""
    for sent, line in enumerate(lines):
        if host.ask(line, 0.2) != ["ok"]:
            return sent
    return len(lines)


def test_15_moves_are_queued_at_once_and_then_one_for_each_that_ends(desk):
    host = desk()
    assert feed(host, [f"G1 X{10 * (n + 1)} F60" for n in range(20)]) == 15
    assert host.truth().planned_moves == 15
    host.run(5.0)
    assert BUSY in host.lines()
    host.run_until_said("ok", 20.0)
    assert host.truth().steps["X"] == pytest.approx(800, abs=2)


def test_m400_is_done_a_tenth_of_a_second_after_a_short_move_should_be(desk):
    host = desk()
    begun_s = host.now_s
    host.write("G1 X10 F6000\nM400\n")
    host.run_until_said("ok")
    done_s = host.run_until_said("ok") - begun_s
    nominal_s = 10 / 100 + 100 / 3000
    assert nominal_s + 0.1 <= done_s <= nominal_s + 0.13
    assert host.truth().steps["X"] == 800


def test_a_move_in_three_pieces_of_one_line_begins_at_once_and_takes_no_longer(desk):
    host = desk()
    begun_s = host.now_s
    host.write("".join(f"G1 X{place} F6000\n" for place in (3.33333, 6.66667, 10)) + "M400\n")
    for _ in range(3):
        host.run_until_said("ok")
    done_s = host.run_until_said("ok") - begun_s
    nominal_s = 10 / 100 + 100 / 3000
    assert nominal_s <= done_s <= nominal_s + 0.03
    assert host.truth().steps["X"] == 800


@pytest.mark.parametrize(
    ("setup", "expected_s"), [("M113 S2", [2, 4, 6]), ("M113 S1", [1, 2, 3, 4, 5, 6, 7]), ("M113 S0", [])]
)
def test_busy_comes_every_2_s_unless_m113_says_otherwise(desk, setup, expected_s):
    host = desk()
    host.ask(setup)
    begun_s = host.now_s
    host.ask("G4 P7000", 7.5)
    assert [time_s - begun_s for time_s in host.times(BUSY)] == pytest.approx(expected_s, abs=0.02)
    assert host.times("ok")[0] - begun_s == pytest.approx(7.0, abs=0.02)


def test_homing_says_busy_every_2_s(desk):
    host = desk(BoardSettings())
    begun_s = host.now_s
    host.ask("G28 Z", 30.0)
    busy_s = [time_s - begun_s for time_s in host.times(BUSY)]
    assert busy_s[:2] == pytest.approx([2, 4], abs=0.02)
    assert host.truth().axes["Z"].is_homed


def test_homing_without_a_switch_searches_one_and_a_half_lengths_and_kills(desk):
    host = desk()
    host.firmware.set_endstop("x_min", False, host.now_s)
    begun_s = host.now_s
    host.write("G28 X\n")
    killed_s = host.run_until_said("Error:Printer halted. kill() called!")
    assert killed_s - begun_s == pytest.approx(0.1 + 300 / 50, abs=0.05)
    assert host.truth().steps["X"] == -300 * 80


def test_g28_without_a_letter_homes_every_axis_and_kills_where_one_has_no_switch(desk):
    host = desk(BoardSettings(endstops=("x_min", "z_min")))
    assert "echo:Homing Failed" in host.ask("G28", 30.0)
    assert host.truth().axes["X"].is_homed
    assert not host.truth().axes["Z"].is_homed


def test_a_switch_that_is_pressed_by_hand_stops_the_search_at_that_instant(desk):
    host = desk(BoardSettings(endstops=("x_min",)))
    host.firmware.set_endstop("x_min", False, host.now_s)
    host.write("G28 X\n")
    host.run(1.1)
    host.firmware.set_endstop("x_min", True, host.now_s)
    stopped = host.truth().steps["X"]
    assert stopped == pytest.approx(-50 * 80, abs=300)
    host.run(0.05)
    assert host.truth().steps["X"] == stopped


def test_a_servo_is_given_its_300_ms(desk):
    host = desk()
    begun_s = host.now_s
    host.ask("M280 P0 S90", 1.0)
    assert host.times("ok")[0] - begun_s == pytest.approx(0.3, abs=0.01)


def test_outputs_act_when_they_are_read_and_not_behind_the_moves_before_them(desk):
    host = desk()
    host.ask("G1 X100 F600", 0.2)
    host.ask("M42 P4 S1\nM106 S255", 0.2)
    truth = host.truth()
    assert truth.is_moving
    assert (truth.pins, truth.fans) == ({4: 1}, (255,))


def test_m112_is_answered_within_5_ms_with_every_buffer_full_and_steps_go_on_for_700_ms(desk):
    host = desk()
    feed(host, [f"G1 X{20 * (n + 1)} F1200" for n in range(15)])
    host.write("G1 X400\n" * 3)
    host.run(0.1)
    host.write("M118 " + "x" * 60 + "\nM118 " + "x" * 60 + "\n")
    host.run(0.1)
    host.said.clear()
    asked_s, asked_steps = host.now_s, host.truth().steps["X"]
    host.write("\nM112\n")
    assert host.run_until_said("echo:M112 Shutdown") - asked_s <= 0.005
    host.run(0.65)
    assert host.truth().is_moving
    assert host.truth().axes["X"].is_enabled
    host.run(2.0)
    truth = host.truth()
    assert not truth.is_moving
    assert not truth.axes["X"].is_enabled
    assert truth.steps["X"] - asked_steps == pytest.approx(0.7 * 20 * 80, rel=0.05)


def test_without_the_emergency_parser_m112_waits_its_turn(desk):
    host = desk(BoardSettings(emergency_parser=False))
    begun_s = host.now_s
    host.write("G4 P3000\nM112\n")
    assert host.run_until_said("echo:M112 Shutdown") - begun_s == pytest.approx(3.0, abs=0.05)


def test_without_the_emergency_parser_more_moves_make_m112_wait_longer(desk):
    waits_s = []
    for count in (20, 26):
        host = desk(BoardSettings(emergency_parser=False, rx_ring_bytes=1024))
        host.write("".join(line + "\n" for line in moves(count)) + "M112\n")
        begun_s = host.now_s
        waits_s.append(host.run_until_said("echo:M112 Shutdown") - begun_s)
    assert waits_s[0] > 0.7
    assert waits_s[1] - waits_s[0] == pytest.approx(6 * MOVE_S, rel=0.1)


def test_m410_stops_within_24_steps_and_answers_1_to_1_5_s_later(desk):
    for seed in range(5):
        host = desk(seed=seed)
        host.ask("G1 X100 F6000\nG1 X0", 0.5)
        asked_s = host.now_s
        host.write("M410\n")
        host.run(0.0002)  # five bytes on the wire
        at = host.truth().steps["X"]
        stopped_s = host.run_until_said("ok") - asked_s
        assert 1.0 <= stopped_s <= 1.52
        stood = host.truth().steps["X"]
        assert 0 <= stood - at <= 24 + 1
        said = host.ask("M114")[0]
        assert said.endswith(f"Count X:{stood} Y:0 Z:0")
        assert float(said[2:].split()[0]) == pytest.approx(stood / 80, abs=0.01)


def test_lines_that_are_queued_behind_m410_run_afterwards(desk):
    host = desk()
    feed(host, [f"G1 X{20 * (n + 1)} F1200" for n in range(15)])
    host.write("G1 X500 F6000\nG1 X2 F6000\nM410\n")
    host.run(20.0)
    assert host.ran()[-3:] == ["G1 X500 F6000", "G1 X2 F6000", "M410"]
    assert host.truth().steps["X"] == 160


def test_m108_ends_m0_but_not_g4(desk):
    host = desk()
    assert host.ask("M0", 1.0) == []
    assert host.ask("M108", 0.1) == ["ok", "ok"]
    assert host.ask("G4 P3000\nM108", 1.0) == []


def test_m108_ends_m109(desk):
    host = desk()
    assert "ok" not in host.ask("M109 S200", 5.0)
    assert host.ask("M108", 0.5) == ["ok", "ok"]


def test_m84_waits_for_the_motion_and_does_not_forget_the_home(desk):
    host = desk()
    host.ask("G28 X", 10.0)
    begun_s = host.now_s
    host.write("G1 X10 F600\nM84\n")
    host.run_until_said("ok")
    assert host.run_until_said("ok") - begun_s >= 1.0
    axis = host.truth().axes["X"]
    assert axis.is_homed
    assert not axis.is_enabled


def test_m84_and_m17_go_by_axis(desk):
    host = desk()
    host.ask("M17")
    assert all(axis.is_enabled for axis in host.truth().axes.values())
    host.ask("M84 X E")
    assert [axis.is_enabled for axis in host.truth().axes.values()] == [False, True, True, False]
    host.ask("M17 X")
    assert host.truth().axes["X"].is_enabled


def test_idle_motors_are_released_after_120_s_without_a_word_unless_m84_s0(desk):
    host = desk()
    host.ask("G1 X10\nM400", 3.0)
    host.said.clear()
    host.run(110.0)
    assert host.truth().axes["X"].is_enabled
    host.run(12.0)
    assert not host.truth().axes["X"].is_enabled
    assert host.lines() == []
    host.ask("M84 S0\nG1 X20", 500.0)
    assert host.truth().axes["X"].is_enabled


def test_a_reset_in_motion_says_the_banner_and_sets_counter_and_position_to_0(desk, number):
    host = desk()
    for n in range(1, 4):
        host.ask(number(n, f"G1 X{n * 50} F600"), 0.2)
    stood = host.truth().steps["X"]
    assert stood > 0
    host.firmware.reset(host.now_s)
    assert host.ask("", 2.0)[0] == "start"
    assert host.truth().steps["X"] == stood
    assert host.ask("M114")[0] == "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0"
    assert host.ask(number(9, "G90"))[1] == "Resend: 1"
    assert [line.boot for line in host.firmware.executed] == [1, 1, 1, 2, 2][: len(host.firmware.executed)]


@pytest.mark.parametrize(("window", "expected_lines_per_s"), [(4, 181), (1, 149)])
def test_throughput_is_that_of_an_atmega2560(desk, number, window, expected_lines_per_s):
    """Short moves; the host turns an answer round in 0.2 ms, and has `window` lines and 120 bytes under way."""
    host = desk()
    lines = [number(n, f"G1 X{n / 10:.2f} F6000") + "\n" for n in range(1, 401)]
    begun_s, sent, acknowledged = host.now_s, 0, 0
    while acknowledged < len(lines):
        while (
            sent < len(lines) and sent - acknowledged < window and sum(map(len, lines[acknowledged : sent + 1])) <= 120
        ):
            host.write(lines[sent])
            sent += 1
        host.run_until_said("ok")
        host.run(0.0002)
        acknowledged = host.lines().count("ok")
    assert host.truth().counters.resends_asked == 0
    assert len(lines) / (host.now_s - begun_s) == pytest.approx(expected_lines_per_s, rel=0.05)
