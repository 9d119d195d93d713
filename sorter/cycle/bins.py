"""What is in the bins, as far as the rig knows: counted since each was last emptied."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from sorter.types import REJECTED, BinContent, BinId, BinStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sorter.config import BinConfig
    from sorter.types import Decision


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
        contents: what is in them already, see ``recount``.
    """

    def __init__(self, configs: Sequence[BinConfig], contents: Mapping[BinId, BinContent] | None = None) -> None:
        self._contents = {BinId(config.id): _Content(config) for config in configs}
        self.recount(contents or {})

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

    def recount(self, contents: Mapping[BinId, BinContent]) -> None:
        """Believe the records; a bin that is not named is empty, and one that the rig does not have is left out."""
        for name, content in self._contents.items():
            known = contents.get(name, BinContent())
            counts = Counter(known.class_counts)
            self._contents[name] = _Content(content.config, counts.total(), counts, known.sureness, known.decided)

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
