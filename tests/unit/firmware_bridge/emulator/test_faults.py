"""Each fault on the menu does what it promises, and none happens that was not asked for."""

import pytest

from firmware_bridge.emulator import MENU, BoardSettings, FaultPlan, UnknownFaultError
from firmware_bridge.emulator.faults import PORT_FAULTS, menu_table

FAST = BoardSettings(boot_s=0.0)


def session(host, number):
    """A little of everything; returns what was said."""
    host.ask(number(1, "G90") + "\n" + number(2, "M105"), 0.2)
    said = host.lines()
    said += host.ask(number(3, "G1 X5 F600"), 0.05)
    said += host.ask(number(4, "G92 Y0"), 2.0)
    said += host.ask("N5 G91*1", 1.0)
    said += host.ask(number(5, "G28 X"), 5.0)
    said += host.ask("M410", 2.0)
    return said, host.truth()


def test_every_row_from_1_to_25_is_on_the_menu():
    assert {fault.row for fault in MENU.values()} == set(range(26))


@pytest.mark.parametrize("name", sorted(set(MENU) - PORT_FAULTS))
def test_at_rate_0_a_fault_never_happens(desk, number, name):
    clean = session(desk(FAST), number)
    assert session(desk(FAST, {name: 0.0}, seed=5), number) == clean


@pytest.mark.parametrize("name", sorted(set(MENU) - PORT_FAULTS))
def test_a_seed_gives_the_same_faults_again(desk, number, name):
    first, again = (session(desk(FAST, {name: 0.3}, seed=11), number) for _ in range(2))
    assert first == again


def test_ok_lost(desk):
    assert desk(FAST, {"ok-lost": 1.0}).ask("G90") == []


def test_ok_garbled(desk):
    host = desk(FAST, {"ok-garbled": 1.0})
    answers = {host.ask("G90")[0] for _ in range(30)}
    assert {"k", "o3"} <= answers
    assert "ok" not in answers


def test_ok_instant_is_there_before_time_has_passed(desk):
    host = desk(FAST, {"ok-instant": 1.0})
    begun_s = host.now_s
    host.write("G90\n")
    assert (host.lines(), host.now_s) == (["ok"], begun_s)


def test_ok_glued_to_a_fragment_of_a_report_or_to_the_next_ok(desk):
    host = desk(FAST, {"ok-glued": 1.0})
    assert host.ask("G90") == ["N25 T:25.00 /0.00 @:0ok"]
    assert any("okok" in line or "okN25" in line for line in host.ask("G90\nG90\nG90"))


def test_resend_without_ok(desk):
    assert desk(FAST, {"resend-without-ok": 1.0}).ask("N1 G90*1")[1:] == ["Resend: 1"]


def test_resend_extra_ok(desk):
    assert desk(FAST, {"resend-extra-ok": 1.0}).ask("N1 G90*1")[1:] == ["Resend: 1", "ok", "ok"]


def test_resend_lost_again(desk, number):
    host = desk(FAST)
    host.firmware.inject("resend-lost-again")
    host.ask("N1 G90*1")
    assert host.ask(number(1, "G90")) == []
    assert host.ask(number(1, "G90")) == ["ok"]


def test_resend_forever_until_a_reset(desk, number):
    host = desk(FAST)
    host.firmware.inject("resend-forever")
    for _ in range(5):
        assert host.ask(number(1, "G90")) == ["Error:checksum mismatch, Last Line: 0", "Resend: 1", "ok"]
    assert host.ran() == []
    host.firmware.reset(host.now_s)
    host.run(1.0)
    assert host.ask(number(1, "G90")) == ["ok"]


def test_resend_number_garbled(desk):
    _, resend, _ = desk(FAST, {"resend-number-garbled": 1.0}).ask("N1 G90*1")
    assert int(resend.split()[1]) > 1000


def test_resend_late_and_repeated(desk):
    host = desk(FAST, {"resend-late-and-repeated": 1.0})
    begun_s = host.now_s
    assert host.ask("N1 G90*1", 1.0)[1:] == ["Resend: 1", "ok"] * 3
    assert host.times("Resend: 1")[0] - begun_s > 0.25


@pytest.mark.parametrize("name", ["rx-drop", "byte-loss"])
def test_bytes_to_the_board_are_lost(desk, number, name):
    host = desk(FAST, {name: 0.05}, seed=2)
    for _ in range(20):
        host.ask(number(1, "G91"))
    assert host.truth().counters.checksum_errors + host.truth().counters.number_errors > 0
    assert (host.truth().counters.bytes_dropped > 0) == (name == "rx-drop")


@pytest.mark.parametrize("name", ["byte-flip", "line-flip"])
def test_bits_to_the_board_are_flipped_and_the_checksum_notices(desk, number, name):
    host = desk(FAST)
    host.firmware.inject(name)
    answer = host.ask(number(1, "G91"))
    assert host.ran() != ["G91"] or host.firmware.executed[0].line_number is None
    assert answer != ["ok"]


def test_line_loss_loses_the_whole_line_and_no_other(desk):
    host = desk(FAST)
    host.firmware.inject("line-loss")
    assert host.ask("G91") == []
    assert host.ask("G90") == ["ok"]
    assert host.ran() == ["G90"]


def test_slow_moves_take_four_times_as_long(desk):
    times_s = []
    for rate in (0.0, 1.0):
        host = desk(FAST, {"slow-moves": rate})
        begun_s = host.now_s
        host.write("G1 X10 F600\nM400\n")
        host.run_until_said("ok")
        times_s.append(host.run_until_said("ok") - begun_s - 0.1)
    assert times_s[1] == pytest.approx(4 * times_s[0], rel=0.05)


def test_homing_slow_is_busy_for_30_s_more(desk):
    host = desk(FAST, {"homing-slow": 1.0})
    host.write("G28 X\n")
    host.run(30.0)
    assert host.lines() == ["echo:busy: processing"] * 14
    host.run_until_said("ok")


def test_busy_block_is_busy_for_15_s(desk):
    assert desk(FAST, {"busy-block": 1.0}).ask("G90", 16.0) == [*["echo:busy: processing"] * 7, "ok"]


def test_ok_behind_moves_holds_a_quick_command_back(desk):
    host = desk(FAST, {"ok-behind-moves": 1.0})
    begun_s = host.now_s
    host.write("G1 X10 F600\nG92 Y0\n")
    host.run_until_said("ok")
    assert host.run_until_said("ok") - begun_s > 1.0


def test_no_start_answers_without_having_said_start(desk):
    host = desk(FAST, {"no-start": 1.0}, boots=False)
    host.firmware.open_port(0.0)
    host.run(3.0)
    assert host.lines() == []
    assert host.ask("G90") == ["ok"]


def test_boot_slow_says_start_after_8_s(desk):
    host = desk(BoardSettings(), {"boot-slow": 1.0}, boots=False)
    host.firmware.open_port(0.0)
    assert host.run_until_said("start") == pytest.approx(8.0, abs=0.01)


def test_reset_in_midstream_says_the_banner_and_forgets_the_line(desk, number):
    host = desk(FAST)
    host.ask(number(1, "G90"))
    host.firmware.inject("reset-in-midstream")
    assert host.ask(number(2, "G90"))[0] == "start"
    assert (host.truth().resets, host.truth().last_line_number) == (2, 0)


def test_stale_lines_run_after_the_start(desk, number):
    for rate, ran in ((0.0, []), (1.0, ["G91"])):
        host = desk(BoardSettings(), {"stale-lines": rate}, boots=False)
        host.firmware.open_port(0.0)
        host.run(0.1)
        host.write(number(1, "G91") + "\n")
        host.run(2.0)
        assert host.ran() == ran


def test_stale_lines_that_a_killed_board_did_not_hear_run_after_its_reset(desk):
    host = desk(FAST, {"stale-lines": 1.0})
    host.ask("M112", 2.0)
    host.ask("G91")
    host.firmware.reset(host.now_s)
    host.run(1.0)
    assert host.ran() == ["G91"]


def test_no_emergency_parser_lets_m112_wait(desk):
    host = desk(FAST, {"no-emergency-parser": 1.0})
    host.ask("G4 P3000\nM112", 1.0)
    assert not host.truth().is_halted
    host.run(3.0)
    assert host.truth().is_halted


def test_position_lost_on_quick_stop(desk):
    host = desk(FAST, {"position-lost-on-quick-stop": 1.0})
    host.ask("G1 X100 F6000", 0.5)
    host.ask("M410", 2.0)
    count = int(host.ask("M114")[0].split("Count X:")[1].split()[0])
    assert 1 <= abs(host.truth().steps["X"] - count) <= 24


def test_halt_says_so_and_is_mute(desk):
    host = desk(FAST)
    host.firmware.inject("halt")
    assert host.ask("G90")[-1] == "Error:Printer halted. kill() called!"
    assert host.ask("M105") == []
    assert host.truth().is_halted


def test_silent_trip_stops_without_a_word(desk):
    host = desk(FAST)
    host.ask("G1 X100 F600", 1.0)
    host.firmware.inject("silent-trip")
    assert host.ask("G90") == []
    truth = host.truth()
    assert truth.is_tripped
    assert not truth.is_halted
    assert not truth.is_moving
    assert not truth.axes["X"].is_enabled


def test_reply_loss(desk):
    assert desk(FAST, {"reply-loss": 1.0}).ask("M119") == []


def test_reply_flip_changes_one_bit_of_each_line(desk):
    clean = desk(FAST).ask("M119")
    noisy = desk(FAST, {"reply-flip": 1.0}).ask("M119")
    assert all(a != b for a, b in zip(clean, noisy, strict=False))


@pytest.mark.parametrize("name", ["reply-byte-loss", "reply-byte-flip"])
def test_bytes_to_the_host_are_damaged(desk, name):
    assert desk(FAST, {name: 0.2}).ask("M119") != desk(FAST).ask("M119")


def test_one_byte_at_a_time_takes_a_millisecond_for_each(desk):
    host = desk(FAST, {"one-byte-at-a-time": 1.0})
    host.run(5.0)
    begun_s = host.now_s
    host.write("M118 12345678\n")
    assert host.run_until_said("ok") - begun_s == pytest.approx(0.006 + 0.012, abs=0.001)


def test_delay_comes_late_but_in_order(desk):
    host = desk(FAST, {"delay": 1.0})
    host.run(1.0)
    begun_s = host.now_s
    assert host.ask("M119", 2.0) == desk(FAST).ask("M119")
    assert 0.01 < host.times("ok")[0] - begun_s < 0.1


def test_an_injected_fault_happens_as_often_as_was_said(desk):
    host = desk(FAST)
    host.firmware.inject("ok-lost", 2)
    assert [host.ask("G90") for _ in range(3)] == [[], [], ["ok"]]
    with pytest.raises(ValueError, match="0 times"):
        host.firmware.inject("ok-lost", 0)


def test_a_plan_is_read_from_words():
    assert dict(FaultPlan.parse(["ok-lost=0.25", "halt", "ok-lost=0.5"])) == {
        "ok-lost": 0.5,
        "halt": MENU["halt"].default_rate,
    }


@pytest.mark.parametrize("rate", ["-0.1", "1.1", "nan", "often", ""])
def test_a_rate_outside_0_to_1_is_refused(rate):
    with pytest.raises(ValueError, match="rate of ok-lost"):
        FaultPlan.parse([f"ok-lost={rate}"])


def test_an_unknown_fault_is_refused_with_the_nearest_names():
    with pytest.raises(UnknownFaultError, match=r"did you mean .*ok-lost"):
        FaultPlan({"ok-lots": 0.1})


def test_the_menu_is_a_table_with_every_fault():
    lines = menu_table().splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(MENU)
    assert all(len(line) <= 160 for line in lines)
