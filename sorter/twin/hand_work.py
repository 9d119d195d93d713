"""What hands do at the twin: ``sorter.types.hands`` says what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sorter.twin.errors import HandsRefused
from sorter.types import hands
from sorter.types.hands import HandAnswer, HandRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from sorter.twin.scene import Part
    from sorter.twin.truth_file import Detail
    from sorter.twin.world import World


class HandyBoard(Protocol):
    """What hands need of the board."""

    def held(self) -> AbstractContextManager[float]:
        """Bring board and world up to this instant and hold them there; yields the board's time."""

    def host_s(self, board_s: float) -> float:
        """When, by the monotonic clock, the board's own clock shows ``board_s``."""

    def unplug(self) -> None:
        """Pull the USB cable."""

    def plug_in(self) -> None:
        """Plug the cable in again."""

    @property
    def is_plugged_in(self) -> bool:
        """Whether the board can be reached."""


class HandWork:
    """Hands at a world and the board in it. May be used from any thread.

    Args:
        world, board: where they work.
        bins: ids of all bins.
    """

    def __init__(self, world: World, board: HandyBoard, bins: Iterable[str]) -> None:
        self._world = world
        self._board = board
        self._bins = tuple(bins)
        self._simple: dict[str, Callable[[], None]] = {
            hands.MEND_LIGHT: world.optics.mend_light,
            hands.WIPE_LENS: world.optics.wipe,
            hands.MEND_CAMERA: world.hang.mend,
            hands.PRESS_ESTOP: lambda: world.bad_days.set_power(is_on=False),
            hands.RESTORE_POWER: lambda: world.bad_days.set_power(is_on=True),
        }

    def do(self, request: HandRequest) -> HandAnswer:
        """Do what is asked for, and write it down.

        Raises:
            HandsRefused: there is no such bin or fault.
        """
        with self._board.held() as board_s:
            answer = self._done(request, self._board.host_s(board_s))
        if request.do == hands.UNPLUG:
            self._board.unplug()
        elif request.do == hands.PLUG_IN and not self._board.is_plugged_in:
            self._board.plug_in()
        return answer

    def _done(self, request: HandRequest, at_s: float) -> HandAnswer:
        world, do = self._world, request.do
        if do == hands.TAKE_PARTS:
            return HandAnswer(do, at_s, parts=self._lay_aside(do, world.table.take()))
        if do == hands.CLEAR_CHUTE:
            return HandAnswer(do, at_s, parts=self._lay_aside(do, world.delivery.clear_chute()))
        if do == hands.EMPTY_BINS:
            return HandAnswer(do, at_s, bins=self._empty(request.bins))
        if do == hands.FILL_HOPPER and request.parts is not None:
            self._note(do, count=request.parts)
            world.fill_hopper(request.parts)
        elif do == hands.BREAK and request.fault is not None:
            return HandAnswer(do, at_s, fault=self._break(request.fault))
        elif do in self._simple:
            self._note(do)
            self._simple[do]()
        else:  # the cable, which has a lock of its own
            self._note(do)
        return HandAnswer(do, at_s)

    def _lay_aside(self, do: str, parts: tuple[Part, ...]) -> tuple[int, ...]:
        numbers = tuple(each.number for each in parts)
        self._note(do, parts=numbers)
        self._world.delivery.lay_aside(parts)
        return numbers

    def _empty(self, bins: tuple[str, ...] | None) -> tuple[str, ...]:
        unknown = [each for each in bins or () if each not in self._bins]
        if unknown:
            raise HandsRefused(f"there is no bin {unknown[0]!r}", remedy=f"There are {', '.join(self._bins)}.")
        named = self._bins if bins is None else bins
        self._note(hands.EMPTY_BINS, bins=named)
        self._world.delivery.empty(named)
        return named

    def _break(self, fault: str) -> str:
        try:
            name = self._world.bad_days.named(fault)
        except ValueError as error:
            raise HandsRefused(str(error), remedy="sorter demo --list-faults shows them all.") from error
        self._note(hands.BREAK, fault=name)
        self._world.break_(name)
        return name

    def _note(self, do: str, **details: Detail) -> None:
        self._world.note_hand(do, **details)
