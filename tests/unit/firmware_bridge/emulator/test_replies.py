"""The emulator says what Marlin 2.0.9.7 says, to the letter; a host tested on it meets no surprise on a real board."""

import pytest

from firmware_bridge.emulator import BoardSettings, Flavour

BAD_NUMBER = "Error:Line Number is not Last Line Number+1, Last Line: "


def test_opening_the_port_resets_the_board_and_brings_27_lines_and_no_ok(desk):
    host = desk(boots=False)
    host.firmware.open_port(0.0)
    host.run(2.0)
    lines = host.lines()
    assert lines[:3] == ["start", "PowerUp", "Marlin 2.0.9.7"]
    assert lines[3].startswith("echo: Last Updated")
    assert len(lines) == 27
    assert "ok" not in lines
    assert host.said[0][0] >= 1.0
    assert host.truth().resets == 1


def test_m115_says_who_the_board_is_and_what_it_can(desk):
    lines = desk().ask("M115")
    assert lines[0].startswith("FIRMWARE_NAME:Marlin 2.0.9.7 (")
    assert "UUID:" in lines[0]
    assert len([line for line in lines if line.startswith("Cap:")]) == 35
    assert "Cap:EMERGENCY_PARSER:1" in lines
    assert lines[-1] == "ok"
    assert len(lines) == 37


def test_m115_admits_that_there_is_no_emergency_parser(desk):
    assert "Cap:EMERGENCY_PARSER:0" in desk(BoardSettings(emergency_parser=False)).ask("M115")


def test_m114_says_the_planned_end_and_the_counts(desk):
    host = desk()
    host.ask("G1 X10\nM400", 3.0)
    assert host.ask("M114") == ["X:10.00 Y:0.00 Z:0.00 E:0.00 Count X:800 Y:0 Z:0", "ok"]


def test_m114_is_ahead_of_the_axis_while_it_moves_and_m114_d_waits(desk):
    host = desk()
    host.ask("G1 X10 F600")
    planned, _ = host.ask("M114", 0.1)
    assert planned.startswith("X:10.00")
    assert not planned.endswith("Count X:800 Y:0 Z:0")
    assert host.ask("M114 D", 2.0) == ["X:10.00 Y:0.00 Z:0.00 E:0.00 Count X:800 Y:0 Z:0", "ok"]


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ("M105", ["ok T:25.00 /0.00 @:0"]),
        ("G1 X5*1", ["ok"]),
        ("G1 X5*93", ["ok"]),
        ("N0 M110 N0*125", ["ok"]),
        ("M110 N100", ["ok"]),
        ("N-1 M110 N-1*125", ["ok"]),
        ("G99", ['echo:Unknown command: "G99"', "ok"]),
        ("", []),
        (";comment", []),
        ("   ", ['echo:Unknown command: ""', "ok"]),
        ("N1 G90 ; hi*44", ["Error:No Checksum with line number, Last Line: 0", "Resend: 1", "ok"]),
        ("g1 x5", ['echo:Unknown command: "g1 x5"', "ok"]),
        ("X5", ['echo:Unknown command: "X5"', "ok"]),
        ("n7 G1", ['echo:Unknown command: "n7 G1"', "ok"]),
        ("0 F6000", ['echo:Unknown command: "0 F6000"', "ok"]),
        ("\xef\xbb\xbfG28 X", ['echo:Unknown command: "\xef\xbb\xbfG28 X"', "ok"]),
        ("M119", ["Reporting endstop status", "x_min: open", "y_min: open", "z_min: open", "ok"]),
        ("M280 P0", ["echo: Servo 0: 0", "ok"]),
        ("M280 P1 S5", ["Error:Servo 1 out of range", "ok"]),
        ("M42 P2 S1", ["Error:Protected Pin", "ok"]),
        ("M211", ["  M211 S1 ; ON", "  Min:  X0.00 Y0.00 Z0.00   Max:  X200.00 Y200.00 Z200.00", "ok"]),
        ("G92 X7", ["X:7.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0", "ok"]),
        ("M118 hello there", ["hello there", "ok"]),
        ("M999", ["Resend: 1", "ok", "ok"]),
        ("M113", ["echo:M113 S2", "ok"]),
        ("T1", ["echo:T1 Invalid extruder", "ok"]),
    ],
)
def test_each_line_is_answered_in_marlins_words(desk, sent, answer):
    assert desk().ask(sent) == answer


def test_a_numbered_line_with_its_checksum_is_acknowledged(desk, number):
    host = desk()
    assert host.ask(number(1, "G90")) == ["ok"]
    assert host.truth().last_line_number == 1
    assert host.firmware.executed[-1].line_number == 1


def test_a_bad_checksum_is_refused_and_asked_for_again(desk, number):
    host = desk()
    host.ask(number(1, "G90") + "\n" + number(2, "G90"))
    assert host.ask("N3 G91*1") == ["Error:checksum mismatch, Last Line: 2", "Resend: 3", "ok"]
    assert "G91" not in host.ran()
    assert host.truth().counters.checksum_errors == 1


@pytest.mark.parametrize("sent", [5, 2, 3, 1])
def test_2_0_9_refuses_a_skipped_and_a_repeated_number_alike(desk, number, sent):
    host = desk()
    for n in (1, 2, 3):
        host.ask(number(n, "G90"))
    assert host.ask(number(sent, "G91")) == [f"{BAD_NUMBER}3", "Resend: 4", "ok"]


@pytest.mark.parametrize(
    ("sent", "answer"), [(3, []), (2, []), (1, [f"{BAD_NUMBER}3", "Resend: 4", "ok"]), (4, ["ok"])]
)
def test_bugfix_2_1_swallows_the_last_two_numbers_without_a_word(desk, number, sent, answer):
    host = desk(BoardSettings(flavour=Flavour.BUGFIX_2_1))
    for n in (1, 2, 3):
        host.ask(number(n, "G90"))
    assert host.ask(number(sent, "G91")) == answer
    assert ("G91" in host.ran()) == (answer == ["ok"])


def test_a_number_without_a_checksum_is_refused(desk, number):
    host = desk()
    host.ask(number(1, "G90"))
    expected = ["Error:No Checksum with line number, Last Line: 1", "Resend: 2", "ok"]
    assert host.ask("N2 G91") == expected


@pytest.mark.parametrize(("sent", "then"), [("M110 N100", 101), ("N0 M110 N0*125", 1), ("N-1 M110 N-1*125", 0)])
def test_m110_sets_the_number_that_comes_next(desk, number, sent, then):
    host = desk()
    host.ask(sent)
    assert host.ask(number(then, "G90")) == ["ok"]


def test_a_long_line_is_cut_in_silence_and_a_numbered_one_loses_its_checksum(desk, number):
    host = desk()
    assert host.ask("M118 " + "x" * 200) == ["x" * 90, "ok"]
    refused = ["Error:No Checksum with line number, Last Line: 0", "Resend: 1", "ok"]
    assert host.ask(number(1, "G1 X1 " + "F600 " * 30)) == refused


def test_non_ascii_is_echoed_raw_and_does_no_harm(desk):
    host = desk()
    assert host.ask("G1 X1\xb0 F600") == ["ok"]
    host.ask("M400")
    assert host.truth().steps["X"] == 80
    host.firmware.host_bytes(b"M118 \xff\xfe\n", host.now_s)
    host.firmware.advance(host.now_s + 1.0)
    assert host.firmware.take_output() == b"\xff\xfe\nok\n"


def test_a_nul_cuts_the_command_so_that_m114_becomes_m1_and_waits_for_m108(desk):
    host = desk()
    assert host.ask(b"M1\x0014\n", 4.5) == ["echo:busy: paused for user"] * 2
    assert host.ask("M108") == ["ok", "ok"]


@pytest.mark.parametrize("words", ["Xabc", "Xnan", "F0", "F-100"])
def test_a_word_that_is_no_number_is_ignored(desk, words):
    host = desk()
    assert host.ask(f"G1 {words}") == ["ok"]
    assert host.ask("M114")[0].startswith("X:0.00")


@pytest.mark.parametrize("words", ["X1,5", "X1e1", "X1", "X 1", "X1.0"])
def test_a_number_has_no_comma_and_no_exponent(desk, words):
    host = desk()
    host.ask(f"G1 {words}")
    assert host.ask("M114")[0].startswith("X:1.00")


def test_homing_says_where_it_is_and_failing_kills(desk):
    host = desk()
    assert host.ask("G28 X", 20.0) == ["X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0", "ok"]
    host.firmware.set_endstop("y_min", False, host.now_s)
    lines = host.ask("G28 Y", 20.0)
    assert [line for line in lines if "busy" not in line] == [
        "echo:Homing Failed",
        "Error:Printer halted. kill() called!",
    ]
    assert host.ask("M114") == []


def test_m119_tells_a_pressed_switch(desk):
    host = desk()
    host.firmware.set_endstop("y_min", True, host.now_s)
    assert host.ask("M119")[1:4] == ["x_min: open", "y_min: TRIGGERED", "z_min: open"]


@pytest.mark.parametrize(("angle", "pulse_us"), [(0, 546), (90, 1474), (180, 2402)])
def test_a_servo_gets_its_pulse_and_says_its_angle(desk, angle, pulse_us):
    host = desk()
    assert host.ask(f"M280 P0 S{angle}") == ["ok"]
    servo = host.truth().servos[0]
    assert (servo.commanded_deg, servo.pulse_us) == (angle, pulse_us)
    assert host.ask("M280 P0") == [f"echo: Servo 0: {angle}", "ok"]


def test_m112_says_its_last_words_and_then_only_a_reset_helps(desk):
    host = desk()
    assert host.ask("M112") == ["echo:M112 Shutdown", "Error:Printer halted. kill() called!"]
    assert host.ask("M999\nM114\nG28", 5.0) == []
    assert host.truth().is_halted
    host.firmware.reset(host.now_s)
    assert host.ask("", 2.0)[0] == "start"
    assert host.ask("M105") == ["ok T:25.00 /0.00 @:0"]


def test_m999_sets_the_counter_back_to_0(desk, number):
    host = desk()
    host.ask(number(1, "G90"))
    assert host.ask("M999") == ["Resend: 1", "ok", "ok"]
    assert host.ask(number(1, "G90")) == ["ok"]


def test_advanced_ok_tells_number_and_free_slots(desk, number):
    host = desk(BoardSettings(advanced_ok=True))
    assert host.ask("G90") == ["ok P15 B3"]
    assert host.ask(number(1, "G1 X50 F60")) == ["ok N1 P14 B3"]
    burst = "".join(number(n, f"G1 X6{n}") + "\n" for n in range(2, 7))
    assert host.ask(burst)[:2] == ["ok N2 P13 B0", "ok N3 P12 B0"]


def test_m154_reports_the_planned_end_each_second(desk):
    host = desk()
    host.ask("M154 S1", 0.0)
    host.run(3.5)
    assert host.lines() == ["ok", *["X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0"] * 3]
    assert host.ask("M154 S0", 3.0)[-1] == "ok"


@pytest.mark.parametrize(
    ("sent", "is_deadly"),
    [
        ("M112", True),
        ("M1120", True),
        ("M112 now", True),
        ("N77 M112*1", True),
        (" M112", True),
        ("m112", False),
        ("; M112", False),
        ("G1 X1 M112", False),
    ],
)
def test_the_emergency_parser_kills_on_what_marlins_kills_on(desk, sent, is_deadly):
    host = desk()
    host.ask(sent)
    assert host.truth().is_halted == is_deadly


def test_m226_is_busy_until_the_pin_matches(desk):
    host = desk()
    assert host.ask("M226 P4 S1", 5.0) == ["echo:busy: processing"] * 2
    host.firmware.set_input_pin(4, True, host.now_s)
    host.said.clear()
    host.run(0.1)
    assert host.lines() == ["ok"]


def test_outputs_survive_a_kill_and_a_quick_stop_but_not_a_reset(desk):
    host = desk()
    host.ask("M42 P4 S255\nM106 S200\nM280 P0 S90", 1.0)
    host.ask("M410", 3.0)
    host.ask("M112", 2.0)
    truth = host.truth()
    assert (truth.pins, truth.fans, truth.servos[0].commanded_deg) == ({4: 255}, (200,), 90.0)
    host.firmware.reset(host.now_s)
    truth = host.truth()
    assert (truth.pins, truth.fans, truth.servos[0].commanded_deg) == ({}, (0,), None)
    assert truth.servos[0].shaft_deg == 90.0
