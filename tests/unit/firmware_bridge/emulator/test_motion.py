"""Motion is Marlin's, with its traps: float32 coordinates, moves of under 6 steps, clamps, and one planner for all."""

import pytest

from firmware_bridge.emulator import AxisSettings, BoardSettings

ROTARY = AxisSettings(8.889, 1000.0, 3000.0, length_units=200.0, home_switch_at_steps=0)
TURNTABLE = BoardSettings(y=ROTARY, boot_s=0.0)


def test_speeds_and_steps_take_effect_at_once_and_f21600_is_360_degrees_a_second(desk):
    host = desk(TURNTABLE)
    host.ask("M92 Y10\nM203 Y400\nM201 Y4000\nM204 P4000 T4000\nM211 S0")
    begun_s = host.now_s
    host.write("G1 Y3600 F21600\nM400\n")
    host.run_until_said("ok")
    done_s = host.run_until_said("ok") - begun_s
    assert done_s == pytest.approx(0.1 + 3600 / 360 + 360 / 4000, abs=0.02)
    assert host.truth().steps["Y"] == 36000


def test_max_speed_of_an_axis_bounds_the_move(desk):
    host = desk()
    host.ask("M203 X10")
    host.write("G1 X20 F6000\nM400\n")
    begun_s = host.now_s
    host.run_until_said("ok")
    assert host.run_until_said("ok") - begun_s == pytest.approx(2.1, abs=0.02)


def test_f_is_along_the_combined_path_and_both_axes_end_together(desk):
    host = desk()
    begun_s = host.now_s
    host.write("G1 X30 Y40 F600\n")
    host.run(0.1 + 2.5)
    steps = host.truth().steps
    assert steps["Y"] == pytest.approx(steps["X"] * 4 / 3, abs=1)
    host.write("M400\n")
    assert host.run_until_said("ok") - begun_s == pytest.approx(5.1, abs=0.02)
    assert (host.truth().steps["X"], host.truth().steps["Y"]) == (2400, 3200)


def test_moves_run_one_after_the_other(desk):
    host = desk()
    host.ask("G1 X10 F600\nG1 Y10 F600", 0.6)
    steps = host.truth().steps
    assert steps["X"] > 0
    assert steps["Y"] == 0


def test_travel_acceleration_holds_for_moves_without_e(desk):
    host = desk()
    host.ask("M204 P100 T3000")
    host.write("G1 X10 F6000\nM400\n")
    begun_s = host.now_s
    host.run_until_said("ok")
    assert host.run_until_said("ok") - begun_s < 0.3


def test_m220_slows_everything(desk):
    host = desk()
    host.ask("M220 S50")
    host.write("G1 X10 F600\nM400\n")
    begun_s = host.now_s
    host.run_until_said("ok")
    assert host.run_until_said("ok") - begun_s == pytest.approx(2.1, abs=0.05)


def test_soft_endstops_clamp_a_homed_axis_in_silence(desk):
    host = desk(TURNTABLE)
    host.ask("G28 Y", 5.0)
    assert host.ask("G1 Y360 F21600", 3.0) == ["ok"]
    assert host.ask("M114")[0].split()[1] == "Y:200.00"


def test_soft_endstops_leave_an_unhomed_axis_alone(desk):
    host = desk(TURNTABLE)
    host.ask("G1 Y360 F21600", 3.0)
    assert host.ask("M114")[0].split()[1] == "Y:360.00"


def test_g92_with_soft_endstops_turns_backwards_by_760_degrees(desk):
    host = desk(TURNTABLE)
    host.ask("G28 Y", 5.0)
    host.ask("M211 S0\nG1 Y960 F21600\nM400\nG92 Y0\nM211 S1", 5.0)
    before = host.truth().steps["Y"]
    host.ask("G1 Y250\nM400", 5.0)
    assert host.truth().steps["Y"] - before == pytest.approx(-760 * 8.889, abs=2)


def test_at_a_million_degrees_relative_moves_go_wrong_and_absolute_ones_after_g92_do_not(desk):
    host = desk(TURNTABLE)
    host.ask("M211 S0\nM203 Y100000\nM201 Y1000000\nM204 T1000000\nG1 Y1000000 F6000000\nM400", 30.0)

    def steps_of(lines):
        before = host.truth().steps["Y"]
        for line in lines:
            host.ask(line, 0.2)
        return host.truth().steps["Y"] - before

    assert steps_of(["G91", *["G1 Y1.1"] * 100]) == pytest.approx(1000, abs=1)
    assert steps_of(["G92 Y0", *["G1 Y1.1"] * 100]) == pytest.approx(1000, abs=1)
    assert steps_of(["G90", "G92 Y0", *[f"G1 Y{1.1 * n:.1f}" for n in range(1, 101)]]) == pytest.approx(978, abs=1)


def test_on_e_g92_really_resets_and_a_long_extrusion_is_prevented_but_reported_as_done(desk):
    host = desk()
    host.ask("G1 E150 F1500\nM400\nG92 E0\nG1 E100\nM400", 20.0)
    assert host.truth().steps["E"] == 250 * 500
    assert host.ask("G1 E400", 1.0) == ["echo: too long extrusion prevented", "ok"]
    assert host.ask("M114")[0].split()[3] == "E:400.00"
    assert host.truth().steps["E"] == 250 * 500


def test_a_move_of_less_than_6_steps_waits_until_others_add_up(desk):
    host = desk(TURNTABLE)
    host.ask("M211 S0\nG1 Y0.5 F6000\nM400")
    assert host.truth().steps["Y"] == 0
    assert host.ask("M114")[0].split()[1] == "Y:0.50"
    for n in range(2, 101):
        host.ask(f"G1 Y{n / 2}", 0.02)
    host.ask("M400")
    assert host.truth().steps["Y"] == 444


def test_wrapping_y_by_g92_over_200_moves_is_off_by_a_few_steps_only(desk):
    host = desk(TURNTABLE)
    host.ask("M211 S0\nM203 Y100000\nM201 Y1000000\nM204 T1000000")
    for _ in range(200):
        host.ask("G1 Y123.4 F600000\nM400\nG92 Y0", 0.3)
    assert host.truth().steps["Y"] == pytest.approx(200 * 123.4 * 8.889, abs=8)


def test_inches_relative_moves_and_the_modal_feedrate(desk):
    host = desk()
    host.ask("G20\nG1 X1 F60\nG21\nG91\nG1 X10\nG1 X-5\nM400", 5.0)
    assert host.truth().steps["X"] == round(30.4 * 80)


def test_a_straight_run_of_short_moves_is_not_much_slower_than_one_long_move(desk, number):
    host = desk()
    host.ask("G91\nM201 X100\nM204 T100")
    begun_s = host.now_s
    for _ in range(40):
        host.write("G1 X1 F1200\n")
        host.run_until_said("ok")
    host.write("M400\n")
    host.run_until_said("ok")
    assert host.now_s - begun_s == pytest.approx(0.1 + 40 / 20 + 20 / 100, abs=0.1)


def test_a_reversal_stops_in_between(desk):
    host = desk()
    host.ask("M201 X100\nM204 T100")
    host.write("G1 X10 F1200\nG1 X0\nM400\n")
    begun_s = host.now_s
    for _ in range(3):
        last_s = host.run_until_said("ok")
    assert last_s - begun_s == pytest.approx(0.1 + 2 * (10 / 20 + 20 / 100), abs=0.1)


def test_an_axis_never_steps_back_within_a_move(desk):
    host = desk()
    host.ask("G1 X20 F3000", 0.0)
    seen = []
    for _ in range(200):
        host.run(0.004)
        seen.append(host.truth().steps["X"])
    assert seen == sorted(seen)
    assert seen[-1] == 1600


def test_homing_puts_the_raw_coordinate_and_the_count_at_0_whatever_was_before(desk):
    host = desk()
    host.ask("G1 X50 F6000\nG92 X7\nG28 X", 10.0)
    assert host.ask("M114")[0] == "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0"
    assert host.truth().steps["X"] == -800
    assert host.truth().endstops["x_min"]
