"""A bin is emptied in good time: somebody is told before it is full, and the rig stops only when nothing is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sorter.config import SortConfig
from sorter.errors import CommandRefused, SorterError
from sorter.types import BinContent, BinId, OutcomeKind, RigState
from tests.rig_board import HopperPart
from tests.unit.sorter.cycle.whole_rig import BINS, WholeRig, config_of, whole_rig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

A, B, OVER = BinId("a"), BinId("b"), BinId("over")


@pytest.fixture
def make() -> Iterator[Callable[..., WholeRig]]:
    made: list[WholeRig] = []

    def make_one(capacity: int = 5, *, overflow: bool = True, **options: Any) -> WholeRig:
        """A rig whose bin ``a`` holds so many; without an overflow if so."""
        bins = tuple(each.model_copy(update={"capacity": capacity}) if each.id == "a" else each for each in BINS)
        rules = config_of().sort.rules  # type: ignore[union-attr]
        sort = SortConfig(reject="reject", overflow="over" if overflow else None, rules=rules)
        made.append(whole_rig(config_of(bins=bins, sort=sort), **options))
        return made[-1]

    yield make_one
    for rig in made:
        rig.controller.close()


def sorts(rig: WholeRig, parts: int, class_name: str = "3001") -> None:
    rig.world.hopper += [HopperPart(class_name) for _ in range(parts)]
    if rig.state is not RigState.RUNNING:
        rig.make_ready()
        rig.commands.start()
    rig.until_done(len(rig.recorder.outcomes) + parts)


def count(rig: WholeRig, name: BinId) -> int:
    rig.run()
    return next(each.part_count for each in rig.controller.snapshot().bins if each.bin == name)


def test_a_bin_that_is_four_fifths_full_is_told_once_and_the_rig_goes_on(make: Callable[..., WholeRig]) -> None:
    rig = make()
    sorts(rig, 3)
    assert not rig.incidents
    sorts(rig, 1)
    warned = rig.until_asked("bin full")
    assert "Bin a is nearly full: 4 of 5" in warned.message
    assert warned.choices == ("emptied", "noted")
    assert rig.state is RigState.RUNNING
    sorts(rig, 2, "3002")
    assert len(rig.recorder.told("bin full")) == 1


def test_a_warning_becomes_another_when_the_bin_is_full_and_its_parts_go_elsewhere(
    make: Callable[..., WholeRig],
) -> None:
    rig = make()
    sorts(rig, 6)
    warned = rig.until_asked("bin full")
    assert "is full, and its parts go elsewhere: 5 of 5" in warned.message
    assert len(rig.recorder.told("bin full")) == 1
    assert rig.recorder.outcomes[-1] == (OutcomeKind.CONFIRMED, OVER)


def test_a_warning_that_was_noted_comes_back_only_when_the_bin_is_full(make: Callable[..., WholeRig]) -> None:
    rig = make(capacity=10)
    sorts(rig, 8)
    rig.resolve("bin full", "noted")
    sorts(rig, 1)
    assert not rig.incidents
    sorts(rig, 1)
    assert "is full" in rig.until_asked("bin full").message
    assert len(rig.recorder.told("bin full")) == 2


def test_a_bin_that_was_emptied_after_the_warning_counts_from_nought(make: Callable[..., WholeRig]) -> None:
    rig = make()
    sorts(rig, 4)
    rig.resolve("bin full", "emptied")
    assert count(rig, A) == 0
    assert rig.recorder.emptied == [A]
    assert rig.recorder.told("bin full")[0].choice == "emptied"
    sorts(rig, 1)
    assert count(rig, A) == 1
    assert not rig.incidents


def test_a_bin_that_is_emptied_by_command_takes_its_warning_with_it(make: Callable[..., WholeRig]) -> None:
    rig = make()
    sorts(rig, 4)
    rig.until_asked("bin full")
    rig.commands.empty_bins([A])
    assert count(rig, A) == 0
    assert not rig.incidents
    assert rig.recorder.told("bin full")[0].choice is None
    assert rig.recorder.emptied == [A]


def test_the_pause_for_a_full_bin_is_over_when_it_is_emptied_by_command(make: Callable[..., WholeRig]) -> None:
    rig = make(overflow=False)
    sorts(rig, 5)
    rig.until(lambda: rig.state is RigState.PAUSED)
    asked = rig.until_asked("bin full")
    assert asked.choices == ("emptied",)
    assert [each.kind for each in rig.incidents] == ["bin full"]  # and no warning beside it
    rig.commands.empty_bins([B])
    rig.run(3)
    assert rig.state is RigState.PAUSED
    rig.commands.empty_bins([A])
    rig.until_state(RigState.RUNNING)
    assert not rig.incidents
    assert rig.recorder.emptied == [B, A]


def test_a_correction_of_the_records_is_believed(make: Callable[..., WholeRig]) -> None:
    rig = make()
    sorts(rig, 4)
    rig.until_asked("bin full")
    rig.recorder.filled = {A: BinContent({"3001": 2}), B: BinContent({"3002": 7}, 6.3, 7)}
    rig.commands.recount()
    assert (count(rig, A), count(rig, B)) == (2, 7)
    assert not rig.incidents


def test_bins_that_were_nearly_full_before_are_told_at_once(make: Callable[..., WholeRig]) -> None:
    rig = make(filled={A: BinContent({"3001": 4})})
    assert "4 of 5" in rig.until_asked("bin full").message
    assert rig.state is not RigState.RUNNING


def test_bins_can_be_emptied_at_any_time(make: Callable[..., WholeRig]) -> None:
    rig = make(filled={A: BinContent({"3001": 3})})
    rig.commands.empty_bins([A])  # before there is a board
    rig.run()
    assert count(rig, A) == 0
    rig.make_ready()
    rig.commands.emergency_stop()
    rig.commands.empty_bins([B])
    rig.run(2)
    assert rig.recorder.emptied == [A, B]


def test_bins_that_the_rig_does_not_have_are_refused_by_name(make: Callable[..., WholeRig]) -> None:
    rig = make()
    with pytest.raises(CommandRefused, match="does not have these bins: nowhere") as refused:
        rig.commands.empty_bins([A, BinId("nowhere")])
    assert "again" in refused.value.remedy
    rig.run(3)
    assert not rig.recorder.emptied


def test_an_emptying_that_cannot_be_written_down_is_not_believed(make: Callable[..., WholeRig]) -> None:
    rig = make(filled={A: BinContent({"3001": 3})})
    rig.make_ready()
    rig.recorder.error = SorterError("the ledger cannot be written", remedy="Look at the disk.")
    rig.commands.empty_bins([A])
    rig.until_state(RigState.FAULT)
    assert count(rig, A) == 3
    rig.recorder.error = None
