"""A sort plan in which a part has no way to go, or a rule no part, is refused with what to write instead."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.config import RuleConfig, SortConfig, read_rig_config
from sorter.config.plan_checks import classes_of_rule, plan_mistakes
from sorter.config.rig import RigConfig
from sorter.errors import ConfigError

HEAD = '[chute]\nkind = "motor"\n[categories]\nplates = ["3020", "3023"]\ntiles = ["3068", "3020"]\n'


def problems(tmp_path: Path, bins: str, *plan: str) -> list[str]:
    """Those of a rig with bins of these names, two or more degrees apart, and this plan; [sort] stands on line 20."""
    rows = HEAD.splitlines()
    for place, name in enumerate(bins.split()):
        rows += ["[[bins]]", f'id = "{name}"', f"chute_deg = {20 * place}"]
    rows += [""] * (19 - len(rows)) + ["[sort]", *plan]
    file = tmp_path / "rig.toml"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    try:
        read_rig_config(file)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def rule(name: str, **what: object) -> str:
    return "\n".join(["[[sort.rules]]", f'bin = "{name}"', *(f"{key} = {value}" for key, value in what.items())])


ANY = rule("a")


@pytest.mark.parametrize(
    ("bins", "plan", "expected"),
    [
        (
            "a reject",
            ['reject = "rejct"', ANY],
            'line 21: sort.reject: no bin has the id "rejct"; did you mean "reject"?',
        ),
        (
            "a b",
            ['reject = "b"', 'overflow = "xyz"', ANY],
            'line 22: sort.overflow: no bin has the id "xyz"; known are a, b',
        ),
        ("a b", ['reject = "b"', 'recirculate = "xyz"', ANY], "line 22: sort.recirculate: no bin has the id"),
        ("a b", ['reject = "b"', rule("c", classes='["1"]'), ANY], "line 23: sort.rules.0.bin: no bin has the id"),
        ("a b c", ['reject = "b"', ANY], 'line 12: bins.2: "c" gets no part: no rule names it'),
        ("a b", ['reject = "b"', 'overflow = "b"', ANY], "line 22: sort.overflow: must be a bin of its own: reject"),
        (
            "a b c",
            ['reject = "b"', 'overflow = "c"', 'recirculate = "c"', ANY],
            "line 22: sort.overflow: must be a bin of its own: recirculate",
        ),
        (
            "a b",
            ['reject = "b"', 'recirculate = "a"', ANY],
            "line 24: sort.rules.0.bin: must not be the recirculate bin: what goes there is fed again",
        ),
        (
            "a b",
            ['reject = "b"', rule("a", categories='["plats"]')],
            'line 24: sort.rules.0.categories.0: "plats" is not in [categories]; did you mean "plates"?',
        ),
        (
            "a b",
            ['reject = "b"', rule("a", categories='["plates"]', classes='["3001"]')],
            "line 25: sort.rules.0.classes: can never fit: none of its classes 3001 is in plates (see lines 4 and 24)",
        ),
        (
            "a b",
            ['reject = "b"', rule("a", classes='["1", "2", "1"]')],
            'line 24: sort.rules.0.classes.2: "1" stands there twice',
        ),
    ],
)
def test_a_plan_that_does_not_add_up_is_refused(tmp_path: Path, bins: str, plan: list[str], expected: str) -> None:
    (problem,) = problems(tmp_path, bins, *plan)
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("earlier", "late"),
    [
        ([ANY], rule("a", classes='["1"]')),
        ([ANY], rule("b")),
        ([rule("a", classes='["1", "2"]')], rule("b", classes='["2"]', colours='["Red"]')),
        ([rule("a", categories='["plates"]')], rule("b", classes='["3020"]')),
        ([rule("a", classes='["3020", "3023"]')], rule("b", categories='["plates"]')),
        ([rule("a", classes='["1"]', colours='["Red"]'), rule("a", classes='["1"]')], rule("b", classes='["1"]')),
        (
            [rule("a", classes='["1"]', colours='["Red"]'), rule("a", classes='["1"]', colours='["Blue"]')],
            rule("b", classes='["1"]', colours='["Blue", "Red"]'),
        ),
        ([rule("a", classes='["1"]', least_probability=0.5)], rule("b", classes='["1"]', least_probability=0.5)),
    ],
)
def test_a_rule_that_comes_too_late_is_told_with_those_before_it(tmp_path: Path, earlier: list[str], late: str) -> None:
    (problem,) = problems(tmp_path, "a b", 'reject = "b"', *earlier, late)
    assert f"sort.rules.{len(earlier)}: can never fit: earlier rules take every part" in problem
    assert "(see line" in problem


@pytest.mark.parametrize(
    ("earlier", "late"),
    [
        ([rule("a", classes='["1"]')], ANY),
        ([rule("a", colours='["Red"]')], rule("b", classes='["1"]')),  # a colour that is not sure fits no colour
        ([rule("a", least_probability=0.9)], rule("b")),
        ([rule("a", categories='["plates"]')], rule("b", categories='["tiles"]')),
        ([rule("a", classes='["1"]'), rule("b", classes='["2"]')], rule("a", classes='["1", "2", "3"]')),
    ],
)
def test_a_rule_that_takes_what_others_leave_is_fine(tmp_path: Path, earlier: list[str], late: str) -> None:
    assert problems(tmp_path, "a b", 'reject = "b"', *earlier, late) == []


def test_a_category_that_no_rule_uses_is_fine_and_an_empty_one_is_not(tmp_path: Path) -> None:
    assert problems(tmp_path, "a b", 'reject = "b"', ANY) == []
    file = tmp_path / "rig.toml"
    file.write_text("[categories]\nplates = []\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 2: categories\.plates: holds no class"):
        read_rig_config(file)


def test_a_plan_without_bins_is_one_mistake(tmp_path: Path) -> None:
    assert problems(tmp_path, "", 'reject = "b"', ANY) == ["line 20: sort: has no bins to sort into; add [[bins]]"]


_NAMES = st.lists(st.sampled_from(["1", "2", "3"]), unique=True, max_size=2).map(tuple)
_CATEGORIES = {"odd": ("1", "3"), "two": ("2",)}
_RULE = st.builds(
    RuleConfig,
    bin=st.just("a"),
    classes=_NAMES,
    categories=st.lists(st.sampled_from(sorted(_CATEGORIES)), unique=True, max_size=2).map(tuple),
    colours=st.lists(st.sampled_from(["Red", "Blue"]), unique=True, max_size=2).map(tuple),
    least_probability=st.sampled_from([0.0, 0.5, 0.9]),
)


def _fits(rule: RuleConfig, name: str, colour: str, probability: float) -> bool:
    classes = classes_of_rule(rule, _CATEGORIES)
    is_colour = not rule.colours or colour in rule.colours
    return (classes is None or name in classes) and is_colour and probability >= rule.least_probability


@given(st.lists(_RULE, max_size=6))
def test_rules_that_never_fit_are_those_that_no_part_ever_reaches(rules: list[RuleConfig]) -> None:
    config = RigConfig(sort=SortConfig(reject="a", rules=tuple(rules)), categories=_CATEGORIES)
    told = {each.key[2] for each in plan_mistakes(config) if "can never fit" in each.text}
    parts = list(itertools.product(["1", "2", "3", "9"], ["Red", "Blue", "Black"], [0.0, 0.5, 0.9, 1.0]))
    reached = {next((place for place, each in enumerate(rules) if _fits(each, *part)), None) for part in parts}
    assert told == set(range(len(rules))) - reached
