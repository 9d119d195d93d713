"""Any rig survives being written and read; any one mistake is told, where it stands, and nothing else is."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.config import read_sorting_config, set_values
from sorter.errors import ConfigError
from sorter.toml import dotted, key_lines
from tests.rig_files import Data, rigs, text_of
from tests.rig_mistakes import MISTAKES


@pytest.mark.parametrize("what", sorted(MISTAKES))
@given(data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_any_one_mistake_is_told_with_its_line_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, what: str
) -> None:
    rig = copy.deepcopy(data.draw(rigs()))
    key = MISTAKES[what](rig)
    text, lines = text_of(rig)
    expected = next(lines[key[:end]] for end in range(len(key), 0, -1) if key[:end] in lines)
    file = tmp_path_factory.getbasetemp() / "mistaken.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_sorting_config(file)
    assert [(each.line, each.key) for each in caught.value.problems] == [(expected, dotted(key))], caught.value.message


@given(rig=rigs())
@settings(max_examples=40, deadline=None)
def test_any_rig_says_the_same_when_it_is_written_down_again(
    tmp_path_factory: pytest.TempPathFactory, rig: Data
) -> None:
    file = tmp_path_factory.getbasetemp() / "again.toml"
    text, lines = text_of(rig)
    file.write_text(text, encoding="utf-8")
    assert {path: line for path, line in key_lines(text).items() if path in lines} == lines
    first = read_sorting_config(file)
    text, _ = text_of(first.model_dump(mode="json", exclude_unset=True))
    file.write_text(text, encoding="utf-8")
    assert read_sorting_config(file) == first


@given(rig=rigs(), data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_value_that_is_set_is_all_that_changes(
    tmp_path_factory: pytest.TempPathFactory, rig: Data, data: st.DataObject
) -> None:
    file = tmp_path_factory.getbasetemp() / "edited.toml"
    text, lines = text_of(rig)
    file.write_text(text, encoding="utf-8")
    bins = [("bins", place, "capacity") for place in range(len(rig["bins"]))]
    key = data.draw(st.sampled_from([("web", "port"), ("look", "most_views"), ("ejector", "fall_s"), *bins]))
    value = data.draw(st.floats(0.0, 1.0)) if key == ("ejector", "fall_s") else data.draw(st.integers(2, 8))
    read = set_values(file, {key: value})
    assert read == read_sorting_config(file)
    before, after = text.splitlines(), file.read_text(encoding="utf-8").splitlines()
    if key in lines:
        assert after.pop(lines[key] - 1) == f"{key[-1]} = {value}"
        before.pop(lines[key] - 1)
    else:
        after.remove(f"{key[-1]} = {value}")
    assert after == before
