"""Chance, repeatable: every fault draws from a generator of its own, seeded by the run's seed and its name."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from firmware_bridge.emulator.faults import fault_named

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_bridge.emulator.faults import FaultPlan


class FaultDice:
    """Decides at each opportunity whether a fault happens; one fault's draws never shift another's.

    `on_fired` is called with the name of each that does, before it does.
    """

    def __init__(self, plan: FaultPlan, seed: int, on_fired: Callable[[str], None] | None = None) -> None:
        self._rates = {name: rate for name, rate in plan.items() if rate > 0.0}
        self._seed = seed
        self._random: dict[str, random.Random] = {}
        self._forced: dict[str, int] = {}
        self._on_fired = on_fired

    def is_possible(self, name: str) -> bool:
        """Whether `name` can happen at all; lets the bulk paths skip the drawing."""
        return name in self._rates or name in self._forced

    def fires(self, name: str) -> bool:
        """Draw for one opportunity of `name`."""
        if self._forced and name in self._forced:
            self._forced[name] -= 1
            if not self._forced[name]:
                del self._forced[name]
            does_fire = True
        else:
            rate = self._rates.get(name)
            does_fire = rate is not None and self.of(name).random() < rate
        if does_fire and self._on_fired is not None:
            self._on_fired(name)
        return does_fire

    def is_armed(self, name: str) -> bool:
        """Whether the next opportunity of `name` will happen for sure."""
        return name in self._forced

    def of(self, name: str) -> random.Random:
        """Return the generator of `name`, for the details of a fault that has happened."""
        if name not in self._random:
            self._random[name] = random.Random(f"{self._seed}:{name}")  # noqa: S311 - repeatable, not secret
        return self._random[name]

    def force(self, name: str, times: int) -> None:
        """Let the next `times` opportunities of `name` happen, whatever its rate.

        Raises:
            UnknownFaultError: `name` is not on the menu.
            ValueError: `times` is below 1.

        """
        fault_named(name)
        if times < 1:
            raise ValueError(f"a fault is injected once or more often, not {times} times")
        self._forced[name] = self._forced.get(name, 0) + times
