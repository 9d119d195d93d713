"""How a cycle gives way: its stages are generators, which pause where an operator may act.

A stage yields None where commands may be taken in between, and an ``Ask`` where it cannot go on without an operator;
it is sent the choice that he made. So one thread does everything, nothing is entered twice, and whoever drives the
stages can also drop them: then their ``finally`` runs, which switches the feeder off.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, TypeVar, Unpack

from sorter.cycle.incidents import Choice, IncidentKind

if TYPE_CHECKING:
    from sorter.cycle.timing import Stopwatch
    from sorter.types import BinId


@dataclass(frozen=True)
class Ask:
    """The rig cannot go on without an operator.

    Args:
        kind: of the incident.
        message: what happened and what to do.
        holds_part: a part is under way, which must be finished before the run can end.
        choices: the ways out, where they are not all of the kind's.
        is_over: whether there is nothing to ask for any more, because somebody gave a command meanwhile.
        bins: that it is about.
    """

    kind: IncidentKind
    message: str
    holds_part: bool = False
    choices: tuple[Choice, ...] | None = None
    is_over: Callable[[], bool] = lambda: False
    bins: tuple[BinId, ...] = ()


class More(TypedDict, total=False):
    """What else ``ask`` may be told; see ``Ask``."""

    holds_part: bool
    choices: tuple[Choice, ...]
    is_over: Callable[[], bool]
    bins: tuple[BinId, ...]


Result = TypeVar("Result")
Steps = Generator[Ask | None, Choice | None, Result]
"""A stage, or a whole cycle: it ends with a ``Result``."""


def ask(watch: Stopwatch, kind: IncidentKind, message: str, **more: Unpack[More]) -> Steps[Choice]:
    """Wait for the operator's choice; that time belongs to no stage. See ``Ask``.

    Returns:
        The choice; ``Choice.NOTED`` if it is over by itself.
    """
    with watch.held():
        choice = yield Ask(kind, message, **more)
    if choice is None:
        raise RuntimeError(f"{kind}: the cycle was driven on without a choice")
    return choice
