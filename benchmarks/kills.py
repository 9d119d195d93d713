"""The plug is pulled on the host at random moments: what it costs, held against the twin's truth.

    .venv/bin/python benchmarks/kills.py OUT [--kills 200] [--seed 1] [--speed 10] [--parts 40] [--model turntable10]

OUT is made: rig, ledger, truth, and what each program said and sent stay there. The twin lives on through all kills;
``sorter run`` is started, killed with SIGKILL, and started again; the last one sorts so many parts and ends in order.
Half of the kills come at any moment of start-up and sorting, the others where it hurts: after an intention, after a
strike of the arm, in a commit. Exit code 1 if something that is promised was not kept.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sorter.types import OutcomeKind  # noqa: E402
from tests.twin.kill_stages import STAGES  # noqa: E402
from tests.twin.kills import Killing  # noqa: E402

if TYPE_CHECKING:
    from tests.twin.kills import Result

PARTS_A_KILL = 200  # in the hopper: a feeder that nobody stops goes on until the next start
EMPTIED_EVERY = 40


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--parts", type=int, default=40, help="that the last program sorts")
    parser.add_argument("--model", type=Path, default=Path("turntable10"))
    options = parser.parse_args()
    hopper = PARTS_A_KILL * (options.kills + 1) + options.parts
    with Killing(options.out, options.model, seed=options.seed, speed=options.speed, parts=hopper) as killing:
        killed = 0
        while killed < options.kills:
            kill = killing.kill_one()
            if kill is None:
                print("ended by itself", file=sys.stderr)
                continue
            killed += 1
            print(f"{killed}: {kill.aim}: {kill.stage}", file=sys.stderr, flush=True)
            if killed % EMPTIED_EVERY == 0:
                killing.empty_bins()
        killing.sort_to_an_end(options.parts)
        result = killing.result()
    print(f"{platform.platform()}, Python {platform.python_version()}, speed {options.speed:g}\n")
    print("\n".join(lines(result)))
    return int(bool(result.problems))


def lines(result: Result) -> list[str]:
    """Markdown."""
    stages = Counter(kill.stage for kill in result.kills)
    aims = Counter(kill.aim for kill in result.kills)
    outcomes = Counter(row.outcome for row in result.rows)
    caught = {kill.row for kill in result.kills if kill.row is not None}
    ways = result.truth.journeys
    made = ["| killed while it | kills |", "|---|---|", *(f"| {stage} | {stages[stage]} |" for stage in STAGES)]
    made += [f"| all | {len(result.kills)} |", ""]
    made += ["Aimed: " + ", ".join(f"{count} {aim}" for aim, count in sorted(aims.items())) + ".", ""]
    made += ["| rows | number | where the parts really are |", "|---|---|---|"]
    for kind in OutcomeKind:
        places = result.accounting.places[kind]
        told = "; ".join(f"{count} {place}" for place, count in places.most_common())
        made.append(f"| {kind} | {outcomes[kind]} | {told} |")
    made += [f"| all | {len(result.rows)} | {len(caught)} were under way at a kill |", ""]
    made += ["| ways over the table | number |", "|---|---|", f"| all that the twin fed | {len(ways)} |"]
    made += [f"| fed while no program had the board, as the feeder ran on | {result.fed_alone} |"]
    made += [f"| with a row | {len(ways) - result.accounting.untold.total()} |"]
    made += [f"| without a row: {what} | {count} |" for what, count in result.accounting.untold.most_common()]
    wire = result.wire
    made += ["", f"{wire.connections} connections, {wire.homings} homings, {wire.moves} moves, {wire.pushes} pushes, "]
    made[-1] += f"{wire.feedings} starts of the feeder, and {len(wire.problems)} of them before the axes were homed."
    made += [
        f"{result.seconds / 60:.0f} min; {len(result.ended_alone)} programs ended by themselves before their kill."
    ]
    made += [f"- {text}" for text in result.ended_alone]
    made += ["", f"Not as promised: {len(result.problems)}", *(f"- {problem}" for problem in result.problems)]
    return made


if __name__ == "__main__":
    sys.exit(main())
