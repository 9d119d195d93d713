"""Names that the model or the palette does not know are told before a part is sorted by them."""

from __future__ import annotations

from pathlib import Path

from sorter.config import RigConfig, check_against_model, read_rig_config

LABELS = ("3001", "3003", "3020")
COLOURS = ("Red", "Blue", "Dark Red")
NO_CLASS = "is no class of the model, so no part will be of it, got"
TEXT = """\
[look]
misroute_rate = 0.001
[categories]
plates = ["3020", "3O20"]
idle = ["9999"]
[chute]
kind = "motor"
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
classes = ["3001", "3002"]
colours = ["Red", "Bright Red", "Bleu"]
[[sort.rules]]
bin = "a"
categories = ["plates"]
"""


def rig(tmp_path: Path) -> tuple[Path, RigConfig]:
    file = tmp_path / "rig.toml"
    file.write_text(TEXT, encoding="utf-8")
    return file, read_rig_config(file)


def test_names_that_nobody_knows_are_told_with_their_lines(tmp_path: Path) -> None:
    file, config = rig(tmp_path)
    found = check_against_model(config, LABELS, COLOURS, file=file, other_colour_names={"Bright Red": "Red"})
    assert [str(each) for each in found] == [
        f'line 18: sort.rules.0.classes.1: {NO_CLASS} "3002"; did you mean "3020"?',
        f'line 4: categories.plates.1: {NO_CLASS} "3O20"; did you mean "3020"?',
        'line 19: sort.rules.0.colours.1: is no colour that a part will be called, got "Bright Red"; write "Red"',
        'line 19: sort.rules.0.colours.2: is no colour that a part will be called, got "Bleu"; did you mean "Blue"?',
    ]


def test_a_rate_that_the_model_was_not_measured_for_is_told(tmp_path: Path) -> None:
    _, config = rig(tmp_path)
    first, *_ = check_against_model(config, LABELS, COLOURS, strictest_rate=0.01)
    assert (
        str(first) == "look.misroute_rate: is stricter than the model was measured for; write 0.01 or more, got 0.001"
    )


def test_without_a_model_only_colours_are_looked_at(tmp_path: Path) -> None:
    _, config = rig(tmp_path)
    assert {each.key for each in check_against_model(config, None, COLOURS)} == {
        "sort.rules.0.colours.1",
        "sort.rules.0.colours.2",
    }


def test_a_rig_that_does_not_sort_yet_has_no_names() -> None:
    assert check_against_model(RigConfig(), LABELS, COLOURS) == []
