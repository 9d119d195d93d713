"""``sorter runs``, ``parts`` and ``bins`` on a ledger that a rig has written."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sorter.cli.exit_codes import ExitCode
from sorter.ledger import Ledger, LedgerReader, open_reader
from sorter.types import BinId, OutcomeKind
from tests.cli_ledgers import RIG, Commands, commands, decided, filled, sort_part
from tests.cli_rigs import sorter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["commands", "filled"]


# It has the ledger open until its input ends.
RIG_THAT_RUNS = """
import sys
from pathlib import Path
from sorter.ledger import Ledger
with Ledger(Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def reader(commands: Commands) -> Iterator[LedgerReader]:
    with open_reader(commands.file) as opened:
        yield opened


def test_runs_are_listed_with_what_became_of_their_parts(commands: Commands) -> None:
    newest, first = commands("runs", "--json").data["runs"]
    assert (newest["run"], newest["parts"], newest["rejected"], newest["lost"], newest["unresolved"]) == (2, 4, 1, 1, 1)
    assert (first["run"], first["parts"], first["plan_name"], first["model"]) == (1, 3, "two bins", "tiny")
    text = commands("runs").out
    assert "two bins" in text
    assert len(text.splitlines()) == 3


def test_a_list_goes_on_where_the_page_before_ended(commands: Commands) -> None:
    first = commands("runs", "--limit", 1, "--json").data
    assert [each["run"] for each in first["runs"]] == [2]
    second = commands("runs", "--limit", 1, "--after", first["next"], "--json").data
    assert [each["run"] for each in second["runs"]] == [1]
    assert second["next"] is None
    assert f"--after {first['next']}" in commands("runs", "--limit", 1).out


def test_parts_come_newest_first_with_class_colour_and_bin(commands: Commands) -> None:
    rows = commands("parts", "--json").data["parts"]
    assert [each["part"] for each in rows] == [7, 6, 5, 4, 3, 2, 1]
    assert (rows[5]["class"], rows[5]["colour"], rows[5]["bin"], rows[5]["outcome"]) == (
        "3001",
        "Red",
        "bricks",
        "confirmed",
    )
    assert rows[2]["reject_reason"] == "unsure"
    text = commands("parts").out
    assert "rejected: unsure" in text
    assert "Dark Red ?" in text


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--run", 1], [3, 2, 1]),
        (["--class", "32064"], [4]),
        (["--bin", "bricks"], [3, 2, 1]),
        (["--bin", "bricks", "--present"], [3, 2]),
        (["--colour", "Dark Red"], [3]),
        (["--rejected", "unsure"], [5]),
        (["--outcome", "lost"], [6]),
        (["--most", 0.86], [5, 3]),
        (["--least", 0.96], [1]),
        (["--since", "2000-01-01", "--until", "2001-01-01"], []),
        (["--since", "2000-01-01", "--limit", 2], [7, 6]),
        (["--after", 3], [2, 1]),
        (["--suspect"], []),
    ],
)
def test_filters(commands: Commands, options: list[object], found: list[int]) -> None:
    assert [each["part"] for each in commands("parts", *options, "--json").data["parts"]] == found


def test_parts_that_may_lie_elsewhere_are_listed_and_say_why(commands: Commands) -> None:
    with Ledger(commands.file) as ledger:
        ledger.check_passed()
        sort_part(ledger, decided("3001"), "bricks")
        assert ledger.suspect("lost steps") == 1
    assert "suspect: lost steps" in commands("parts", "--suspect").out
    assert len(commands("parts", "--not-suspect", "--json").data["parts"]) == 7


def test_csv_has_a_head_and_a_line_for_each_part(commands: Commands) -> None:
    rows = list(csv.DictReader(io.StringIO(commands("parts", "--csv", "--run", 1).out)))
    assert [row["part"] for row in rows] == ["3", "2", "1"]
    assert (rows[0]["class"], rows[0]["colour"], rows[0]["is_colour_unsure"]) == ("3001", "Dark Red", "True")


def test_all_pages_as_csv(commands: Commands) -> None:
    rows = list(csv.DictReader(io.StringIO(commands("parts", "--csv", "--all", "--limit", 1).out)))
    assert len(rows) == 7
    assert list(csv.DictReader(io.StringIO(commands("parts", "--csv", "--class", "9999").out))) == []


def test_one_part_is_shown_with_its_views_and_what_was_corrected(commands: Commands) -> None:
    commands("parts", "correct", 2, "--class", "3002", "--note", "it is 2 x 3", "--by", "Ada")
    data = commands("parts", "show", 2, "--json").data
    assert (data["class"], data["decided_class"]) == ("3002", "3001")
    (change,) = data["history"]
    assert (change["was_class"], change["class"], change["by"], change["note"]) == (
        "3001",
        "3002",
        "Ada",
        "it is 2 x 3",
    )
    assert "class 3001 -> 3002" in commands("parts", "show", 2).out


def test_a_corrected_bin_moves_the_part_and_the_counts_follow(commands: Commands, reader: LedgerReader) -> None:
    said = commands("parts", "correct", 2, "--bin", "rest", "--note", "found there", "--json")
    assert (said.code, said.data["bin"]) == (ExitCode.OK, "rest")
    assert {each.bin: each.part_count for each in reader.bins()} == {"bricks": 1, "rest": 3}


def test_a_part_can_be_taken_out_of_every_bin_and_class(commands: Commands) -> None:
    data = commands("parts", "correct", 2, "--no-bin", "--no-class", "--json").data
    assert (data["bin"], data["class"], data["outcome"]) == (None, None, "lost")


def test_an_unresolved_part_is_settled_once(commands: Commands, reader: LedgerReader) -> None:
    assert commands("parts", "settle", 7, "--bin", "bricks").code == ExitCode.OK
    details = reader.part(7)
    assert details is not None
    assert (details.row.bin, details.row.outcome) == ("bricks", OutcomeKind.CONFIRMED)
    again = commands("parts", "settle", 7, "--lost")
    assert again.code == ExitCode.USAGE
    assert "not unresolved" in again.err
    assert "nothing was changed" in again.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["parts", "show", 99], "there is no part 99"),
        (["parts", "correct", 99, "--bin", "rest"], "there is no part 99"),
        (["parts", "correct", 2], "say what is to be corrected"),
        (["parts", "correct", 2, "--bin", "rset"], "there are bricks, rest"),
        (["parts", "correct", 2, "--bin", "rest", "--no-bin"], "one of --bin and --no-bin"),
        (["parts", "correct", 2, "--class", "a", "--no-class"], "one of --class and --no-class"),
        (["parts", "settle", 7], "say where it was found"),
        (["parts", "settle", 7, "--lost", "--bin", "rest"], "say where it was found"),
        (["parts", "settle", 2, "--lost"], "not unresolved"),
        (["parts", "--csv", "--json"], "one of --csv and --json"),
        (["parts", "--all"], "goes with --csv"),
        (["parts", "--present"], "goes with --bin"),
        (["parts", "--bin", "brick"], "there is no bin 'brick'"),
        (["parts", "--run", "1", "show", "2"], "options stand behind show"),
        (["bins", "empty", "nothing"], "there is no bin 'nothing'"),
        (["bins", "audit", "rest", "--counted", "5", "--wrong", "6"], "cannot be wrong"),
        (["bins", "audit", "rset", "--counted", "5", "--wrong", "1"], "there is no bin 'rset'"),
        (["bins", "undo", "99"], "no emptying 99"),
    ],
)
def test_wrong_words_change_nothing_and_say_what_to_write(
    commands: Commands, reader: LedgerReader, arguments: list[str], says: str
) -> None:
    before = (*reader.all_parts(), *reader.emptyings().rows, *reader.audits().rows)
    said = commands(*arguments)
    assert said.code == ExitCode.USAGE
    assert says in " ".join(said.err.replace("│", " ").split())
    assert (*reader.all_parts(), *reader.emptyings().rows, *reader.audits().rows) == before


def test_bins_say_how_full_they_are_and_the_two_purities_by_name(commands: Commands) -> None:
    commands("bins", "audit", "bricks", "--counted", 50, "--wrong", 1)
    bricks, rest = commands("bins", "--json").data["bins"]
    assert (bricks["bin"], bricks["parts"], bricks["classes"]) == ("bricks", 2, {"3001": 2})
    assert bricks["estimated_purity"] == pytest.approx(0.9)
    audit = bricks["last_audit"]
    assert audit["audited_purity"] == pytest.approx(0.98)
    assert audit["audited_purity_low"] < 0.98 < audit["audited_purity_high"]
    assert rest["classes"] == {"32064": 1, "rejected": 1}
    assert rest["last_audit"] is None
    text = commands("bins").out
    assert "estimated purity" in text
    assert "audited purity" in text
    assert "98.0% (" in text


def test_an_audit_of_what_was_taken_out_since_says_so(commands: Commands) -> None:
    commands("bins", "audit", "bricks", "--counted", 2, "--wrong", 0)
    commands("bins", "empty", "bricks")
    assert "before it was emptied" in commands("bins").out
    assert commands("bins", "--json").data["bins"][0]["last_audit"]["is_audit_of_present"] is False


def test_emptied_bins_count_from_0_and_an_emptying_can_be_taken_back(commands: Commands) -> None:
    said = commands("bins", "empty", "bricks", "rest", "--json").data["emptied"]
    assert [(each["bin"], each["parts_taken_out"]) for each in said] == [("bricks", 2), ("rest", 2)]
    assert [each["parts"] for each in commands("bins", "--json").data["bins"]] == [0, 0]
    assert commands("bins", "undo", said[0]["emptying"]).code == ExitCode.OK
    assert [each["parts"] for each in commands("bins", "--json").data["bins"]] == [2, 0]
    rows = commands("bins", "history", "bricks", "--json").data["emptyings"]
    assert [(each["parts"], each["undone_at"] is not None) for each in rows] == [(0, True), (1, False)]
    assert "undone at" in commands("bins", "history").out


def test_a_rig_toml_names_the_ledger_and_its_bins(commands: Commands, tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(RIG + '[paths]\nstate = "state"\n', encoding="utf-8")
    rows = commands("bins", "--config", file, "--json", is_located=False).data["bins"]
    assert [(each["bin"], each["capacity"]) for each in rows] == [("bricks", 20), ("rest", 200), ("spare", 200)]
    assert rows[0]["fill"] == pytest.approx(0.1)
    assert commands("bins", "empty", "spare", "--config", file, is_located=False).code == ExitCode.OK
    both = commands("bins", "--config", file)
    assert both.code == ExitCode.USAGE
    assert "not both" in both.err


def test_without_a_ledger_nothing_is_made_and_the_way_out_is_told(commands: Commands, tmp_path: Path) -> None:
    for words in (
        ["runs"],
        ["parts"],
        ["bins"],
        ["bins", "empty", "rest"],
        ["parts", "settle", "1", "--lost"],
        ["bins", "undo", "1"],
    ):
        said = commands(*words, "--state", tmp_path / "elsewhere", is_located=False)
        assert said.code == ExitCode.BAD_INPUT
        assert "is not there" in said.err
    assert not (tmp_path / "elsewhere").exists()


def test_while_a_rig_runs_lists_are_read_and_nothing_is_written(commands: Commands) -> None:
    command = [sys.executable, "-c", RIG_THAT_RUNS, str(commands.file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as rig:
        assert rig.stdin is not None
        assert rig.stdout is not None
        assert rig.stdout.readline() == b"open\n"
        assert commands("parts", "--json").code == ExitCode.OK
        for words in (["bins", "empty", "rest"], ["parts", "correct", "2", "--bin", "rest"]):
            said = commands(*words)
            assert said.code == ExitCode.REFUSED
            assert "is written by another program" in said.err
        rig.stdin.close()
    assert commands("bins", "empty", "rest").code == ExitCode.OK


def test_the_command_as_a_program_of_its_own(commands: Commands) -> None:
    result = sorter("parts", "--state", commands.state, "--limit", 2, "--csv")
    assert result.returncode == ExitCode.OK
    assert len(result.stdout.splitlines()) == 3
    assert BinId("bricks") in sorter("bins", "--state", commands.state).stdout
