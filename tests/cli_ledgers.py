"""A ledger as a rig would have written it, and the command line on it, in this process."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sorter.cli import console, main
from sorter.ledger import LEDGER_FILE, Ledger
from sorter.types import (
    BinId,
    Decision,
    Outcome,
    OutcomeKind,
    PartColour,
    PartId,
    Prediction,
    RejectReason,
    SortPlan,
    SortRule,
)

PLAN = SortPlan("two bins", (SortRule(BinId("bricks"), ("3001",)),), reject=BinId("rest"))
CODES = {"Red": 4, "Speckle Black": 132, "Dark Red": 320}
RIG = """
[board]
port = "auto"
[chute]
kind = "motor"
[sort]
reject = "rest"
overflow = "spare"
[[sort.rules]]
bin = "bricks"
classes = ["3001"]
[[bins]]
id = "bricks"
chute_deg = 10.0
capacity = 20
[[bins]]
id = "rest"
chute_deg = 200.0
[[bins]]
id = "spare"
chute_deg = 100.0
"""


def decided(name: str, probability: float = 0.9, colour: str | None = "Red", *, is_unsure: bool = False) -> Decision:
    """A part of a class."""
    posterior = Prediction((name, "other"), (probability, 1.0 - probability))
    seen = None if colour is None else PartColour(colour, CODES[colour], 2.0, is_unsure)
    return Decision(name, None, posterior, 2, seen)


UNSURE = Decision(None, RejectReason.UNSURE, Prediction(("3001", "32064"), (0.4, 0.6)), 8)


def sort_part(ledger: Ledger, decision: Decision, bin_: str, outcome: OutcomeKind = OutcomeKind.CONFIRMED) -> PartId:
    """A part's whole way."""
    part = ledger.open_part()
    ledger.intend(part, decision, BinId(bin_), chute_deg=10.0)
    where = BinId(bin_) if outcome is OutcomeKind.CONFIRMED else None
    ledger.finish(part, Outcome(outcome, where, {"feed": 0.5}))
    return part


def fill(file: Path) -> None:
    """Two runs: seven parts, one of which was emptied out of its bin; one rejected, one lost, one unresolved."""
    with Ledger(file) as ledger:
        ledger.begin_run(PLAN, "tiny")
        sort_part(ledger, decided("3001", 0.99), "bricks")  # 1
        ledger.empty_bins([BinId("bricks")])
        sort_part(ledger, decided("3001", 0.95, "Red"), "bricks")  # 2
        sort_part(ledger, decided("3001", 0.85, "Dark Red", is_unsure=True), "bricks")  # 3
        ledger.end_run()
        ledger.begin_run(PLAN, "tiny")
        sort_part(ledger, decided("32064", 0.9, None), "rest")  # 4
        sort_part(ledger, UNSURE, "rest")  # 5
        sort_part(ledger, decided("3001"), "bricks", OutcomeKind.LOST)  # 6
        sort_part(ledger, decided("3001"), "bricks", OutcomeKind.UNRESOLVED)  # 7
        ledger.end_run()


@dataclass
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Of ``--json``."""
        return json.loads(self.out)


class Commands:
    """``sorter ... --state`` on a ledger."""

    def __init__(self, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.state = state
        self.file = state / LEDGER_FILE
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object, is_located: bool = True) -> Said:
        """Run one; ``--state`` is added unless the arguments say where the ledger is."""
        located = ["--state", str(self.state)] if is_located else []
        self._monkeypatch.setattr(sys, "argv", ["sorter", *map(str, arguments), *located])
        console.set_json(on=False)
        try:
            main()
            code: Any = 0
        except SystemExit as end:
            code = end.code
        finally:
            console.set_json(on=False)
        said = self._capsys.readouterr()
        return Said(int(code or 0), said.out, said.err)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of ``fill``, to be copied."""
    file = tmp_path_factory.mktemp("filled") / LEDGER_FILE
    fill(file)
    return file


@pytest.fixture
def commands(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    """The command line on the ledger of ``fill``."""
    made = Commands(tmp_path / "state", monkeypatch, capsys)
    made.state.mkdir()
    shutil.copy(filled, made.file)
    monkeypatch.setenv("COLUMNS", "200")  # so that usage errors stand in one line
    return made
