"""What must hold between the tables of rig.toml is told in words that say what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from sorter.config import read_rig_config
from sorter.errors import ConfigError

BINS = """
[[bins]]
id = "a"
chute_deg = 0
[[bins]]
id = "b"
chute_deg = 90
[sort]
reject = "b"
[[sort.rules]]
bin = "a"
"""
CHUTE = '[chute]\nkind = "motor"\n'


def problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "rig.toml"
    file.write_text(text, encoding="utf-8")
    try:
        read_rig_config(file)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[chute]\nkind = "motor"\nletter = "Y"\n',
            'line 3: chute.letter: is the turntable\'s already; give the chute another letter, such as "X", got "Y"',
        ),
        (
            '[turntable]\nletter = "X"\n[chute]\nkind = "motor"\n',
            "line 2: turntable.letter: is the chute's already; give the turntable another letter, such as ",
        ),
        (
            f'[turntable]\nletter = "Z"\n{CHUTE}letter = "Z"\n[feeder]\nkind = "stepper"\nletter = "Y"\n',
            (
                "line 5: chute.letter: is the turntable's already; give the chute another letter, such as "
                '"X", got "Z" (see line 2)'
            ),
        ),
        (
            '[chute]\nkind = "servo"\nservo = 0\n',
            "line 3: chute.servo: is the ejector's already; give the chute another socket, such as 3, got 0",
        ),
        (
            '[ejector]\nservo = 1\n[chute]\nkind = "servo"\n',
            "line 2: ejector.servo: is the chute's already; give the ejector another socket, such as 0, got 1",
        ),
        (
            f'{CHUTE}[sensors]\ndropped = {{ endstop = "x_min" }}\n',
            (
                "line 4: sensors.dropped.endstop: is the chute's own switch already; take another input, such as "
                '"x_max", got "x_min" (see line 1)'
            ),
        ),
        (
            '[turntable]\nhoming = "index"\n[sensors.dropped]\nendstop = "y_min"\n',
            (
                "line 4: sensors.dropped.endstop: is the turntable's index switch already; take another input, such as "
                '"x_min", got "y_min" (see line 2)'
            ),
        ),
        (
            '[sensors.dropped]\nendstop = "z_max"\n[sensors.motor_power]\nendstop = "z_max"\n',
            (
                "line 4: sensors.motor_power.endstop: is the sensor dropped's switch already; take another input, such "
                'as "x_min", got "z_max" (see line 2)'
            ),
        ),
        (
            "[turntable]\nmeasured_steps_per_deg = 0.1\n",
            (
                "line 2: turntable.measured_steps_per_deg: makes 0.1 steps a degree, and the 45 deg between two of "
                "look.angles 8 are too few steps for the board, which needs 60 deg"
            ),
        ),
    ],
)
def test_what_two_tables_both_want_is_named(tmp_path: Path, text: str, expected: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(expected)


def test_a_switch_that_nobody_uses_is_free_for_a_sensor(tmp_path: Path) -> None:
    assert problems(tmp_path, '[turntable]\nhoming = "none"\n[sensors.dropped]\nendstop = "y_min"\n') == []
    assert problems(tmp_path, '[chute]\nkind = "servo"\n[sensors.dropped]\nendstop = "x_min"\n') == []


@pytest.mark.parametrize(
    ("chute", "angle", "expected"),
    [
        (CHUTE, "1.5", 'is 1.5 deg from bin "a"; a chute tells bins apart that are 2 deg or more from each other'),
        (CHUTE, "0", 'is at the same place as bin "a"'),
        (CHUTE, "350.5", "must be from 0 to 350, which are the chute's limits, got 350.5"),
        (CHUTE + 'homing = "index"\n', "359", 'is 1 deg from bin "a"'),
        (CHUTE + 'homing = "index"\n', "-721", 'is 1 deg from bin "a"'),
        (CHUTE + "measured_steps_per_deg = 2\n", "2.5", "tells bins apart that are 3 deg or more from each other"),
        ('[chute]\nkind = "servo"\nservo = 1\n', "1.9", 'is 1.9 deg from bin "a"'),
        ("", "90", 'cannot be reached: without [chute] all falls into "a"; leave it out or add [chute]'),
    ],
)
def test_a_bin_that_the_chute_cannot_serve_is_named(tmp_path: Path, chute: str, angle: str, expected: str) -> None:
    text = BINS.replace("90", angle)
    (problem,) = problems(tmp_path, chute + text)
    assert expected in problem
    assert ": bins.1" in problem


def test_bins_that_are_just_far_enough_apart_are_fine(tmp_path: Path) -> None:
    assert problems(tmp_path, CHUTE + BINS.replace("90", "2")) == []
    assert problems(tmp_path, CHUTE + BINS.replace("= 0", "= 30.1").replace("90", "32.1")) == []
    assert problems(tmp_path, f'{CHUTE}homing = "index"\n' + BINS.replace("90", "358")) == []
    assert problems(tmp_path, f"{CHUTE}is_reversed = true\n{BINS}") == []


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = f'[web]\nprot = 1\n{CHUTE}letter = "Y"\n{BINS}colours = ["Red", "Red"]\n'
    assert [each.split(": ")[1] for each in problems(tmp_path, text)] == [
        "web.prot",
        "chute.letter",
        "sort.rules.0.colours.1",
    ]


def test_a_chute_that_is_wrong_itself_does_not_make_bins_wrong(tmp_path: Path) -> None:
    assert len(problems(tmp_path, '[chute]\nkind = "moter"\n' + BINS)) == 1
    assert problems(tmp_path, '[chute]\nknd = "motor"\n' + BINS) == [
        'line 1: chute.kind: is missing; add "motor" or "servo", perhaps in place of "knd"'
    ]
    assert len(problems(tmp_path, CHUTE + "maximum_deg = true\n" + BINS.replace("90", "900"))) == 1


def test_a_socket_that_the_system_could_not_open_is_refused_now(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f'[camera]\nsource = "socket"\npath = "{"s" * 120}"\n')
    assert problem.startswith("line 3: camera.path: is ")
    assert "a Unix socket's path may have 107" in problem
