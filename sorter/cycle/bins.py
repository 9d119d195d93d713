"""What is in the bins, as far as the rig knows: counted since each was last emptied."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from sorter.types import BinId, BinStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sorter.config import BinConfig
    from sorter.types import Decision

REJECTED = "rejected"
"""What parts without a class are counted as."""


@dataclass
class _Content:
    config: BinConfig
    parts: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    sureness: float = 0.0  # sum of the decided classes' probabilities
    decided: int = 0

    @property
    def free(self) -> int:
        return max(0, self.config.capacity - self.parts)


class Bins:
    """All bins of the config; for one thread.

    Args:
        configs: in order.
        contents: what is in them already: for each bin how many of each class, ``REJECTED`` for parts without one.

    Raises:
        ValueError: contents of a bin that there is not.
    """

    def __init__(self, configs: Sequence[BinConfig], contents: Mapping[BinId, Mapping[str, int]] | None = None) -> None:
        self._contents = {BinId(config.id): _Content(config) for config in configs}
        for name, counts in (contents or {}).items():
            if name not in self._contents:
                raise ValueError(f"there is no bin {name!r}; there are {', '.join(self._contents) or 'none'}")
            content = self._contents[name]
            content.classes.update(counts)
            content.parts = sum(counts.values())

    def __contains__(self, name: object) -> bool:
        return name in self._contents

    @property
    def names(self) -> tuple[BinId, ...]:
        """All of them, in the order of the config."""
        return tuple(self._contents)

    @property
    def free(self) -> Mapping[BinId, int]:
        """How many parts still fit into each."""
        return MappingProxyType({name: content.free for name, content in self._contents.items()})

    def chute_deg(self, name: BinId) -> float:
        """Where the chute stands for it."""
        return self._contents[name].config.chute_deg

    def put(self, name: BinId, decision: Decision) -> None:
        """One more part is in it."""
        content = self._contents[name]
        content.parts += 1
        content.classes[decision.class_name or REJECTED] += 1
        if decision.class_name is not None and decision.posterior is not None:
            content.sureness += dict(decision.posterior.ranked)[decision.class_name]
            content.decided += 1

    def empty(self, names: Iterable[BinId]) -> None:
        """Somebody emptied these."""
        for name in names:
            self._contents[name] = _Content(self._contents[name].config)

    def status(self) -> tuple[BinStatus, ...]:
        """As the page shows them. The estimated purity is the mean probability of the classes that were decided."""
        return tuple(
            BinStatus(
                name,
                content.config.label or content.config.id,
                content.parts,
                content.config.capacity,
                MappingProxyType(dict(content.classes)),
                content.sureness / content.decided if content.decided else None,
            )
            for name, content in self._contents.items()
        )
