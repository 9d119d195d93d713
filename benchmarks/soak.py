"""A long run of the demo with faults: is every part accounted for, and does memory stay flat?

    .venv/bin/python benchmarks/soak.py [--parts 10000] [--speed 30] [--seed 1] [--faults all] [--keep DIR]

`sorter demo` runs as a child process; the resident memory of it and of its twin is sampled once a second, against the
parts that the truth says were fed by then. After the first tenth of the parts, and 1,000 at least, by when the twin's
caches of pictures are full, a straight line through the samples says how much memory 1,000 parts take. The table is
what is to be published; the exit code is 0 only if every part is accounted for and memory is flat.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sorter.app.demo import machine_facts  # noqa: E402
from sorter.app.demo_rig import TRUTH_FILE  # noqa: E402
from sorter.ledger import LEDGER_FILE, open_reader  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERY_S = 1.0
MIB = 2**20
WARM_UP_SHARE, WARM_UP_PARTS = 0.1, 1000  # by then all that is loaded once is loaded
FLAT_MIB = 2.0  # for 1,000 parts; a leak of a picture a part would be 260
LEAST_PARTS, LEAST_POINTS = 2500, 10  # of fewer a slope says nothing


@dataclass
class Memory:
    """What a process took: pairs of parts fed and MiB."""

    parts: list[int] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)

    def add(self, parts: int, process: psutil.Process) -> None:
        """Take a sample, if the process still lives."""
        with contextlib.suppress(psutil.NoSuchProcess):
            taken = process.memory_info().rss / MIB
            if taken:
                self.parts.append(parts)
                self.mib.append(taken)

    def slope(self, all_parts: int) -> float | None:
        """MiB for 1,000 parts after the warm-up and before the report; None if there were too few."""
        samples = zip(self.parts, self.mib, strict=True)
        warm_up = max(WARM_UP_PARTS, WARM_UP_SHARE * all_parts)
        warm = [(parts, mib) for parts, mib in samples if warm_up < parts < all_parts]
        if all_parts < LEAST_PARTS or len({parts for parts, _ in warm}) < LEAST_POINTS:
            return None
        parts_fed, taken = zip(*warm, strict=True)
        return 1000.0 * statistics.linear_regression(parts_fed, taken).slope

    def told(self, all_parts: int) -> str:
        """For the table."""
        if not self.mib:
            return "never seen"
        slope = self.slope(all_parts)
        rate = "too few parts for a slope" if slope is None else f"{slope:+.2f} MiB for 1,000 parts"
        at_tenths = [self._at(all_parts * tenth // 10) for tenth in range(11)]
        return f"{rate}; MiB at each tenth of the parts: {', '.join(f'{mib:.0f}' for mib in at_tenths)}"

    def _at(self, parts: int) -> float:
        """What it took when so many were fed."""
        return next((mib for fed, mib in zip(self.parts, self.mib, strict=True) if fed >= parts), self.mib[-1])


class Fed:
    """How many parts were fed by now, from a truth file that grows."""

    def __init__(self, truth: Path) -> None:
        self._truth = truth
        self._read = 0
        self.parts = 0

    def look(self) -> int:
        """Read what is new."""
        with contextlib.suppress(FileNotFoundError), self._truth.open("rb") as file:
            file.seek(self._read)
            text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read += len(whole)
            self.parts += sum(b'"dropped"' in line and b'"is_again": false' in line for line in whole.splitlines())
        return self.parts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=10_000)
    parser.add_argument("--speed", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", default="all", help="as sorter demo has it")
    parser.add_argument("--keep", type=Path, help="keep the demo's files in this new folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        folder = (options.keep or Path(temporary) / "demo").absolute()
        return soak(folder, options)


def soak(folder: Path, options: argparse.Namespace) -> int:
    """Run the demo in a folder, watch it, and print the table."""
    command = [sys.executable, "-m", "sorter", "demo", "--headless", "--json", "--keep", str(folder)]
    command += ["--parts", str(options.parts), "--speed", str(options.speed), "--seed", str(options.seed)]
    command += ["--faults", options.faults]
    memory = {"sorter": Memory(), "twin": Memory()}
    fed, began_s = Fed(folder / TRUTH_FILE), time.monotonic()
    said = folder.with_name(f"{folder.name}.log")
    with said.open("wb") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=ROOT) as demo:
        try:
            watch(psutil.Process(demo.pid), fed, memory)
            out, _ = demo.communicate()
        except BaseException:
            demo.send_signal(signal.SIGINT)
            demo.wait()
            raise
    if not out:
        print(said.read_text(encoding="utf-8", errors="replace")[-4000:], file=sys.stderr)
        print(f"the demo ended with {demo.returncode} and without a report", file=sys.stderr)
        return demo.returncode or 1
    report: dict[str, Any] = json.loads(out)
    with open_reader(folder / "state" / LEDGER_FILE) as reader:
        outcomes = Counter(str(row.outcome) for row in reader.all_parts())
    problems = what_is_wrong(report, outcomes, memory)
    print(table(report, outcomes, memory, time.monotonic() - began_s, options))
    for problem in problems:
        print(f"\nWRONG: {problem}")
    return demo.returncode or (1 if problems else 0)


def watch(demo: psutil.Process, fed: Fed, memory: dict[str, Memory]) -> None:
    """Take samples until the demo has ended."""
    twin: psutil.Process | None = None
    while demo.is_running() and demo.status() != psutil.STATUS_ZOMBIE:
        parts = fed.look()
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if twin is None or not twin.is_running():
                twin = next((each for each in demo.children() if "sorter.twin" in each.cmdline()), None)
        if parts:
            memory["sorter"].add(parts, demo)
            if twin is not None:
                memory["twin"].add(parts, twin)
        time.sleep(EVERY_S)


def what_is_wrong(report: dict[str, Any], outcomes: Counter[str], memory: dict[str, Memory]) -> list[str]:
    """Each thing that does not hold."""
    problems = []
    for name, what in (
        ("lost", "parts are lost"),
        ("double_counted", "rows count a part too many"),
    ):
        if report[name]:
            problems.append(f"{report[name]} {what}")
    if report["parts_fed"] != report["parts"]:
        problems.append(f"{report['parts_fed']} of {report['parts']} parts were fed")
    if outcomes["None"]:
        problems.append(f"{outcomes['None']} rows have no end")
    if report["rows_too_many"]:
        problems.append(f"rows for parts that had one: {report['rows_too_many']}")
    for name, taken in memory.items():
        slope = taken.slope(report["parts"])
        if slope is not None and slope > FLAT_MIB:
            problems.append(f"{name} takes {slope:.1f} MiB more for 1,000 parts")
    return problems


def table(
    report: dict[str, Any],
    outcomes: Counter[str],
    memory: dict[str, Memory],
    seconds: float,
    options: argparse.Namespace,
) -> str:
    """One Markdown table."""
    machine = machine_facts()
    fed = report["parts_fed"]
    rows = [
        ("run", f"`--parts {options.parts} --speed {options.speed:g} --seed {options.seed} --faults {options.faults}`"),
        ("machine", f"{machine['cores']} cores of {machine['processor']}, {machine['system']}"),
        ("took", f"{seconds / 60:.0f} min; {report['parts_per_minute'] or 0:.1f} parts a minute of the rig's"),
        ("parts fed", f"{fed:,}"),
        ("rows", f"{report['rows']:,}: {', '.join(f'{name} {count:,}' for name, count in outcomes.most_common())}"),
        ("records agree with the truth", f"{report['settled']:,} of {fed:,}"),
        ("the records say that nobody knows", f"{report['missing']:,}"),
        ("gone before they could have a row", f"{report['unseen']:,}"),
        ("elsewhere because of a fault that nothing shows", f"{report['astray']:,}"),
        ("sharing a row with another part", f"{report['sharing_a_row']:,}"),
        ("lost, counted wrongly", f"{report['lost']}, {report['double_counted']}"),
        ("rows too many, of nothing", f"{len(report['rows_too_many'])}, {len(report['rows_of_nothing'])}"),
        ("faults", _sums(report)),
        ("incidents", ", ".join(f"{kind} {count}" for kind, count in sorted(report["incidents"].items()))),
        (
            "without a fault to blame",
            ", ".join(f"{kind} {count}" for kind, count in report["unexplained_incidents"].items()) or "none",
        ),
        *((f"memory of the {name}", taken.told(report["parts"])) for name, taken in memory.items()),
    ]
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), "", _faults(report)]
    return "\n".join(lines)


def _sums(report: dict[str, Any]) -> str:
    sums: Counter[str] = Counter()
    for counts in report["faults"].values():
        sums.update(counts)
    return (
        f"{sums['injected']} injected, {sums['found']} found, {sums['recovered_by_rig']} recovered by the rig, "
        f"{sums['recovered_by_choice']} by a choice; {sums['wrong_bin']} parts in a wrong bin, beside or uncounted"
    )


def _faults(report: dict[str, Any]) -> str:
    """The table of faults."""
    head = (
        "| fault | injected | found | by the rig | by choice | wrong bin | unnoticed |\n|---|---|---|---|---|---|---|"
    )
    lines = [
        f"| {name} | {each['injected']} | {each['found']} | {each['recovered_by_rig']} | "
        f"{each['recovered_by_choice']} | {each['wrong_bin']} | {each['unnoticed']} |"
        for name, each in report["faults"].items()
    ]
    return "\n".join([head, *lines])


if __name__ == "__main__":
    sys.exit(main())
