"""Words that an operator types, turned into ``Commands``; what they answer is for him to read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.config import read_sorting_config
from sorter.errors import CommandRefused, SorterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sorter.types import Commands, Incident, Snapshot, SortPlan

HELP = """\
start              begin a run                      home [AXIS]        home everything, or turntable or chute
pause, resume      hold after this part, go on      jog AXIS DEGREES   turn an axis from where it stands
stop               end the run after this part      plan [RIG.TOML]    show the sort plan, or take another one
estop, or !        stop everything at once          status             how the rig does
CHOICE [NUMBER]    one of the ways out of an open incident, as they stand beside it
quit               stop, and leave"""


class Typed:
    """Does what is typed.

    Args:
        commands: of the rig.
        plan: that the rig starts with.
    """

    def __init__(self, commands: Commands, plan: SortPlan) -> None:
        self._commands = commands
        self._plan = plan
        self.wants_to_quit = False

    def do(self, line: str, snapshot: Snapshot) -> str:
        """Do it, and return what there is to say about it; what is refused is said too."""
        words = line.split()
        if not words:
            return ""
        word, rest = words[0].lower(), words[1:]
        choice = self._choice(line, snapshot)
        known: dict[str, Callable[[Sequence[str]], str]] = {
            "start": self._plain(self._commands.start, "starting"),
            "pause": self._plain(self._commands.pause, "pausing after this part"),
            "resume": self._plain(self._commands.resume, "going on"),
            "stop": self._plain(self._commands.stop, "stopping after this part"),
            "estop": self._plain(self._commands.emergency_stop, "EMERGENCY STOP"),
            "!": self._plain(self._commands.emergency_stop, "EMERGENCY STOP"),
            "home": self._home,
            "jog": self._jog,
            "plan": self._show_or_set_plan,
            "status": lambda _rest: status(snapshot),
            "help": lambda _rest: HELP,
            "quit": self._quit,
        }
        try:
            if choice is not None:
                incident, named = choice
                self._commands.resolve(incident.incident, named)
                return f"{incident.kind}: {named}"
            if word in known:
                return known[word](rest)
        except CommandRefused as error:
            return f"refused: {error.message} {error.remedy}"
        except SorterError as error:
            return f"{error.message} {error.remedy}"
        open_ways = sorted({each for incident in snapshot.incidents for each in incident.choices})
        more = f", or one of: {', '.join(open_ways)}" if open_ways else ""
        return f'there is no command "{line.strip()}"; type help{more}'

    def _choice(self, line: str, snapshot: Snapshot) -> tuple[Incident, str] | None:
        """The incident and the way out that the line names; without a number the oldest that has it."""
        text = " ".join(line.lower().split())
        for incident in snapshot.incidents:
            for named in incident.choices:
                if text in (named, f"{named} {incident.incident}"):
                    return incident, named
        return None

    @staticmethod
    def _plain(command: Callable[[], None], said: str) -> Callable[[Sequence[str]], str]:
        def do(rest: Sequence[str]) -> str:
            if rest:
                return f"{rest[0]!r} is one word too many; nothing was done"
            command()
            return said

        return do

    def _home(self, rest: Sequence[str]) -> str:
        if len(rest) > 1:
            return "home, home turntable or home chute; nothing was done"
        self._commands.home(rest[0].lower() if rest else None)
        return f"homing {rest[0].lower() if rest else 'everything'}"

    def _jog(self, rest: Sequence[str]) -> str:
        try:
            axis, distance_deg = rest[0].lower(), float(rest[1])
        except (IndexError, ValueError):
            return "jog AXIS DEGREES, such as: jog chute -15; nothing was done"
        if len(rest) > 2 or not math.isfinite(distance_deg):
            return "jog AXIS DEGREES, such as: jog chute -15; nothing was done"
        self._commands.jog(axis, distance_deg)
        return f"turning {axis} by {distance_deg:g} deg"

    def _show_or_set_plan(self, rest: Sequence[str]) -> str:
        if not rest:
            return plan_text(self._plan)
        config = read_sorting_config(Path(" ".join(rest)))
        assert config.sort is not None  # read_sorting_config sees to it
        plan = config.sort.plan()
        self._commands.set_plan(plan)
        self._plan = plan
        return f'plan "{plan.name}" from the next part on'

    def _quit(self, rest: Sequence[str]) -> str:
        if rest:
            return f"{rest[0]!r} is one word too many; nothing was done"
        self.wants_to_quit = True
        return "leaving once the part under way is done"


def status(snapshot: Snapshot) -> str:
    """The rig in a few lines."""
    reason = f": {snapshot.state_reason}" if snapshot.state_reason else ""
    lines = [f"{snapshot.state}{reason}"]
    lines += [
        f"{axis.name} {axis.position_deg:.1f} deg" if axis.is_homed else f"{axis.name} not homed"
        for axis in snapshot.axes
    ]
    if snapshot.run is not None:
        run = snapshot.run
        lines.append(
            f"run {run.run}: {run.part_count} parts, {run.reject_count} rejected, {run.parts_per_minute:.1f} a minute"
        )
    lines += [incident_text(each) for each in snapshot.incidents]
    return "\n".join(lines)


def incident_text(incident: Incident) -> str:
    """An incident with its ways out."""
    ways = f" → {', '.join(incident.choices)}" if incident.choices else ""
    return f"incident {incident.incident}, {incident.kind}: {incident.message}{ways}"


def plan_text(plan: SortPlan) -> str:
    """A sort plan in a few lines."""
    lines = [f'plan "{plan.name}"']
    for rule in plan.rules:
        what = [*rule.classes, *rule.categories, *rule.colours] or ["everything"]
        sure = f" from {rule.min_probability:.0%}" if rule.min_probability else ""
        lines.append(f"  {rule.bin}: {', '.join(what)}{sure}")
    others = {"reject": plan.reject, "overflow": plan.overflow, "recirculate": plan.recirculate}
    return "\n".join([*lines, *(f"  {bin_}: {what}" for what, bin_ in others.items() if bin_ is not None)])
