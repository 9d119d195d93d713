"""The plug is pulled on the host: that costs the part under way, and nothing else is lost, moved or counted twice.

``benchmarks/kills.py`` does the same 200 times.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sorter.types import OutcomeKind
from tests.twin.kill_stages import BETWEEN, CONFIRM, EJECT, ROUTE
from tests.twin.kills import Aim, Killing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.twin.kills import Result

MODEL = Path("turntable10")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as sockets have to lie in it."""
    with tempfile.TemporaryDirectory(prefix="k") as name:
        yield Path(name) / "rig"


def check(result: Result) -> None:
    """What is promised, beside that the result found nothing wrong."""
    assert not result.problems, "\n".join(result.problems)
    assert not result.ended_alone
    kinds = [row.outcome for row in result.rows]
    assert kinds.count(OutcomeKind.UNRESOLVED) + kinds.count(OutcomeKind.STUCK) <= len(result.kills)
    under_way = [kill.row for kill in result.kills if kill.row is not None]
    assert len(under_way) == len(set(under_way))
    # What was looked at was not nothing.
    assert result.wire.connections >= 1
    assert result.wire.pushes > result.wire.homings
    assert kinds.count(OutcomeKind.CONFIRMED)


def test_a_program_that_is_killed_before_it_pushes_leaves_one_open_end_and_the_next_one_sorts_on(folder: Path) -> None:
    with Killing(folder, MODEL, seed=1, speed=20.0, parts=400) as killing:
        kill = killing.kill_one(Aim.INTENDED)
        killing.sort_to_an_end(2)
        result = killing.result()
    assert kill is not None
    assert kill.stage in (ROUTE, EJECT, CONFIRM, BETWEEN)
    check(result)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_wherever_it_hurts_a_kill_costs_at_most_the_part_under_way(folder: Path) -> None:
    with Killing(folder, MODEL, seed=3, speed=10.0, parts=3000) as killing:
        kills = [killing.kill_one(aim) for aim in (Aim.STRUCK, Aim.WRITTEN, Aim.FED, Aim.INTENDED)]
        killing.sort_to_an_end(5)
        result = killing.result()
    assert None not in kills
    check(result)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_kills_at_any_moment_cost_at_most_the_part_under_way_each(folder: Path) -> None:
    with Killing(folder, MODEL, seed=2, speed=10.0, parts=5000) as killing:
        for number in range(20):
            killing.kill_one()
            if number == 9:
                killing.empty_bins()
        killing.sort_to_an_end(10)
        result = killing.result()
    assert len(result.kills) == 20
    check(result)
