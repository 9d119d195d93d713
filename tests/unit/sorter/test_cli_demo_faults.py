"""``sorter demo --faults``: the menu is shown, and what is not on it is refused before anything starts."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from sorter.cli import app
from sorter.types.faults import FAULTS


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def test_the_menu_shows_every_fault_and_ends(run):
    result = run("demo", "--list-faults")
    assert result.exit_code == 0
    for fault in FAULTS.values():
        assert fault.name in result.output
        assert fault.shows in result.output
    assert "board-reset" in result.output


def test_programs_get_the_menu_as_json(run):
    result = run("demo", "--list-faults", "--json")
    told = json.loads(result.output)
    assert [each["name"] for each in told["faults"]] == list(FAULTS)
    assert told["aliases"]["board-reset"] == "reset-in-midstream"


@pytest.mark.parametrize(
    ("faults", "words"), [("stuk", "did you mean stuck"), ("stuck=2", "from 0 to 1"), ("jam,all=-1", "0 or more")]
)
def test_a_fault_that_is_none_is_refused_with_what_was_meant(run, faults, words):
    result = run("demo", "--faults", faults)
    assert result.exit_code == 2
    assert words in result.output
    assert "--list-faults" in result.output
