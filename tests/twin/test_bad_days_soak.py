"""A hopper with everything that can go wrong: whatever happens, every part is accounted for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sorter.cli.exit_codes import ExitCode
from sorter.cycle.incidents import INCIDENTS
from sorter.ledger import LEDGER_FILE, open_reader
from sorter.types.faults import FAULTS

PARTS = 120
SPEED = 20
OFTEN = 6.0  # times the usual rates
LINES = ("sorted", "rejected", "unknown_rejected", "returned_to_hopper", "taken", "missing", "unseen", "astray", "lost")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as a socket has to lie in it."""
    with tempfile.TemporaryDirectory(prefix="s") as name:
        yield Path(name)


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_with_everything_going_wrong_no_part_is_lost_and_none_is_counted_wrongly(folder: Path) -> None:
    keep = folder / "k"
    command = [sys.executable, "-m", "sorter", "demo", "--headless", "--json", "--keep", str(keep)]
    command += ["--parts", str(PARTS), "--speed", str(SPEED), "--seed", "3", "--faults", f"all={OFTEN}"]
    environment = {**os.environ, "TMPDIR": str(folder)}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=450)
    assert result.returncode == ExitCode.OK, result.stdout[-4000:] + result.stderr[-4000:]
    data: dict[str, Any] = json.loads(result.stdout)
    assert (data["parts_fed"], data["lost"], data["double_counted"]) == (PARTS, 0, 0)
    assert sum(data[line] for line in LINES) == PARTS
    assert set(data["faults"]) <= set(FAULTS)
    assert sum(count["injected"] for count in data["faults"].values()) >= PARTS * OFTEN * 0.03
    for count in data["faults"].values():
        assert count["found"] + count["unnoticed"] == count["injected"]
        assert count["recovered_by_rig"] + count["recovered_by_choice"] <= count["found"]
    assert set(data["incidents"]) <= set(INCIDENTS)
    assert sum(count["recovered_by_choice"] for count in data["faults"].values()) > 0
    assert sum(count["recovered_by_rig"] for count in data["faults"].values()) > 0
    with open_reader(keep / "state" / LEDGER_FILE) as reader:
        rows = tuple(reader.all_parts())
        assert reader.incidents(is_open=True).rows == ()
    assert len(rows) == data["rows"]
    assert all(row.outcome is not None for row in rows)
