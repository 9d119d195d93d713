"""What became of the twin's faults: found or not, how they were over, and which parts are elsewhere because of them.

Pure. docs/demo.md has the rules in words. An incident has one cause at most, and so has a part; a fault may be the
cause of several.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sorter.app.accounts import Fate
from sorter.app.blame import Look

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sorter.app.accounts import Accounts
    from sorter.app.blame import Happened
    from sorter.app.truth import Truth

ELSEWHERE = (Fate.ASTRAY, Fate.MISSING, Fate.UNSEEN, Fate.LOST)
"""Parts of these are not where the records say, or nowhere that they say."""
WRONG = (*ELSEWHERE, Fate.MISROUTED, Fate.UNKNOWN_ACCEPTED)


@dataclass(frozen=True)
class FaultCount:
    """What became of the faults of one name.

    Args:
        name: of the fault.
        injected: so often it happened.
        found: so often something was noticed of it.
        recovered_by_rig, recovered_by_choice: of these, how it was over.
        wrong_bin: parts in a wrong bin, beside, or uncounted because of it.
    """

    name: str
    injected: int
    found: int = 0
    recovered_by_rig: int = 0
    recovered_by_choice: int = 0
    wrong_bin: int = 0

    @property
    def unnoticed(self) -> int:
        """Neither rig nor operator saw anything of it; it may have done no harm."""
        return self.injected - self.found

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "injected": self.injected,
            "found": self.found,
            "recovered_by_rig": self.recovered_by_rig,
            "recovered_by_choice": self.recovered_by_choice,
            "wrong_bin": self.wrong_bin,
            "unnoticed": self.unnoticed,
        }


@dataclass(frozen=True)
class BadDays:
    """All of them.

    Args:
        counts: by the fault's name.
        causes: by the number of a part that is elsewhere or misrouted, the name of the fault that is to blame, or
            ``CROWD``.
        row_causes: the same by the number of a row that says of a part what is not so.
        unexplained: incidents without a fault to blame, by kind, but for those that need none.
    """

    counts: Mapping[str, FaultCount] = field(default_factory=dict)
    causes: Mapping[int, str] = field(default_factory=dict)
    row_causes: Mapping[int, str] = field(default_factory=dict)
    unexplained: Mapping[str, int] = field(default_factory=dict)


def look_back(
    truth: Truth, accounts: Accounts, incidents: Iterable[Happened], notes_s: Sequence[float], *, speed: float
) -> BadDays:
    """Put faults, incidents and parts together.

    Args:
        truth: of the twin.
        accounts: what became of each part.
        incidents: that there were.
        notes_s: when the link had something to tell.
        speed: seconds of the rig in one of the host.
    """
    look = Look(truth, accounts, sorted(incidents, key=lambda each: each.opened_s), notes_s, speed)
    causes = {part.journey.part: cause for part in accounts.of_fate(*WRONG) if (cause := look.cause(part))}
    row_causes: dict[int, str] = {}
    earlier = Counter[str]()
    for part in (*accounts.earlier, *accounts.of_fate(Fate.ASTRAY)):
        cause = look.cause(part)
        if cause is not None and part.row is not None:
            row_causes[part.row.part] = cause
            earlier[cause] += part.journey.part not in causes
    wrong = Counter(causes.values()) + earlier
    counts: dict[str, FaultCount] = {}
    for name in dict.fromkeys(each.name for each in truth.faults):
        places = [place for place, each in enumerate(truth.faults) if each.name == name]
        over = Counter(look.recovered_by(place) for place in places)
        counts[name] = FaultCount(
            name,
            injected=len(places),
            found=len(places) - over["unnoticed"],
            recovered_by_rig=over["rig"],
            recovered_by_choice=over["choice"],
            wrong_bin=wrong[name],
        )
    return BadDays(dict(sorted(counts.items())), causes, row_causes, look.unexplained)
