"""What a ledger costs: with nothing in it, and with a million parts.

    .venv/bin/python benchmarks/ledger.py [--parts 1000000] [--folder DIR]

Two ledgers are compared in the same run: an empty one, and one that is filled through the same tables with parts of
twenty classes and ten colours in forty runs, with views, roll-ups and emptied bins. Recording a part is all three calls
(opened, intended with three views, finished), each on the disk when it returns; parts of the two ledgers take turns.
Lists are asked for page by page, at random places, by every filter alone and by some together.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sorter.ledger import LEDGER_FILE, Ledger, LedgerReader, PartFilter, open_reader  # noqa: E402
from sorter.types import (  # noqa: E402
    BinId,
    Decision,
    Frame,
    Location,
    LocationKind,
    Outcome,
    OutcomeKind,
    PartColour,
    Prediction,
    RejectReason,
    RunId,
    SortPlan,
    SortRule,
    View,
    ViewQuality,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLASSES = tuple(f"30{number:02d}" for number in range(20))
COLOURS = tuple((code, f"Colour {code}") for code in range(10))
RUNS = 40
PER_BIN = 200  # parts, then it is emptied
STAGES = ("feed", "settle", "look", "decide", "route", "eject", "confirm", "record")
COLUMNS = (
    "part, run, model, plan, opened_at, opened_at_s, intended_at, intended_at_s, finished_at, finished_at_s,"
    " intentions, intended_bin, chute_deg, decided_class, reject_reason, likeliest, probability, runner_up,"
    " runner_up_probability, novelty, view_count, colour_code, is_colour_unsure, outcome, bin, class_name,"
    " sureness_ppm, after_emptying, suspect, posterior, stage_s"
)
PLAN = SortPlan("all", tuple(SortRule(BinId(f"bin {name}"), (name,)) for name in CLASSES), BinId("reject"))
STAGE_S = {**dict.fromkeys(STAGES, 0.312345), **{f"bound.{stage}": 0.212345 for stage in STAGES}, "host": 0.012345}
DAY = timedelta(days=1)


# --- filling ---------------------------------------------------------------------------------------------------------


def fill(file: Path, parts: int) -> None:
    """A ledger of so many parts, in the tables that the program itself has made, in a few minutes instead of hours."""
    with Ledger(file) as ledger:
        for _ in range(RUNS):
            ledger.begin_run(PLAN, "bench")
        ledger.end_run()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'parts_%'")
        later = indexes.fetchall()
        for name, _ in later:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("BEGIN")
        filling = Filling(parts)
        filling.names(connection)
        connection.executemany(filling.insert_part, filling.parts())
        views = f"INSERT INTO views VALUES ({', '.join('?' * 11)})"
        connection.executemany(views, filling.views())
        filling.sums(connection)
        for _, sql in later:
            connection.execute(sql)
        connection.execute("COMMIT")


class Filling:
    """Rows as the program would have written them, one part every three seconds."""

    def __init__(self, parts: int) -> None:
        self.count = parts
        self.begin_us = int(time.time() * 1e6) - parts * 3_000_000
        self.rollups: dict[tuple[int, int], list[int]] = {}
        self.contents: Counter[tuple[str, int, str, int]] = Counter()
        self.sureness: Counter[tuple[str, int, str, int]] = Counter()
        self.emptyings: list[tuple[int, str, int, int]] = []
        self.insert_part = f"INSERT INTO parts ({COLUMNS}) VALUES ({', '.join('?' * (COLUMNS.count(',') + 1))})"

    def names(self, connection: sqlite3.Connection) -> None:
        """What rows point to."""
        connection.executemany("INSERT INTO colours VALUES (?, ?)", COLOURS)
        bins = [*(rule.bin for rule in PLAN.rules), PLAN.reject]
        connection.executemany("INSERT INTO bins VALUES (?, ?)", [(name, self.begin_us) for name in bins])
        each = max(1, self.count // RUNS)
        rows = [(self.begin_us + run * each * 3_000_000, run * each + 1, run + 1) for run in range(RUNS)]
        connection.executemany("UPDATE runs SET began_at = ?, first_part = ? WHERE run = ?", rows)

    def parts(self) -> Iterator[tuple[object, ...]]:
        """Their rows; what is summed up over them is ready when all were taken."""
        chance = random.Random(1)
        stage_s = json.dumps(STAGE_S, separators=(",", ":"))
        inside: Counter[str] = Counter()
        for part in range(1, self.count + 1):
            at = self.begin_us + part * 3_000_000
            run = min(RUNS, (part - 1) // max(1, self.count // RUNS) + 1)
            likeliest, second = chance.sample(CLASSES, 2)
            sure = round(1.0 - min(0.7, chance.expovariate(12.0)), 6)
            posterior = {name: round((1.0 - sure) / 19, 6) for name in CLASSES}
            posterior[likeliest] = sure
            is_decided = sure > 0.75
            colour = COLOURS[min(9, int(chance.expovariate(0.4)))][0]
            fate = chance.random()
            outcome = "confirmed" if fate < 0.99 else "lost" if fate < 0.995 else "stuck"
            name = f"bin {likeliest}" if is_decided else "reject"
            class_name = likeliest if is_decided else None
            reason = None if is_decided else chance.choice(list(RejectReason)).value
            suspect = "lost steps" if chance.random() < 0.001 else None
            ppm = round(sure * 1e6) if is_decided else None
            fell_into = name if outcome == "confirmed" else None
            self._count(part, run, at, fell_into, class_name, colour, ppm, outcome, suspect)
            yield (
                part, run, 1, 1, at, at / 1e6, at + 1_000_000, at / 1e6 + 1, at + 2_000_000, at / 1e6 + 2, 1, name,
                123.4, class_name, reason, likeliest, sure, second, round((1.0 - sure) / 19, 6), 0.25, 3, colour, 0,
                outcome, fell_into, class_name, ppm, len(self.emptyings), suspect,
                json.dumps(posterior, separators=(",", ":")), stage_s,
            )  # fmt: skip
            if outcome == "confirmed":
                inside[name] += 1
                if inside[name] == PER_BIN:
                    inside[name] = 0
                    self._empty(name, at + 2_500_000, part)

    def _count(  # noqa: PLR0917
        self, part: int, run: int, at: int, name: str | None, class_name: str | None, colour: int, ppm: int | None,
        outcome: str, suspect: str | None,
    ) -> None:  # fmt: skip
        sums = self.rollups.setdefault((run, (at + 2_000_000) // 3_600_000_000), [0] * 12 + [part, part])
        kinds = [int(outcome == kind) for kind in ("confirmed", "lost", "stuck", "unresolved")]
        more = [1, int(ppm is not None), int(ppm is None), ppm or 0, *kinds, int(suspect is not None), 0, 3, 2000]
        sums[:12] = [before + amount for before, amount in zip(sums, more, strict=False)]
        sums[13] = part
        if name is not None:
            key = (name, 0, class_name or "", colour)
            self.contents[key] += 1
            self.sureness[key] += ppm or 0

    def _empty(self, name: str, at: int, part: int) -> None:
        number = len(self.emptyings) + 1
        self.emptyings.append((number, name, at, part))
        for key in [key for key in self.contents if key[0] == name and key[1] == 0]:
            self.contents[(name, number, *key[2:])] = self.contents.pop(key)
            self.sureness[(name, number, *key[2:])] = self.sureness.pop(key)

    def views(self) -> Iterator[tuple[object, ...]]:
        """Three of each part."""
        for part in range(1, self.count + 1):
            for view in range(3):
                yield part, view, 45.0 * view, "one", "3001", 0.91, 0.25, 0.8, 0.01, 0.0, 1

    def sums(self, connection: sqlite3.Connection) -> None:
        """Emptied bins, what was in them and is in them, and roll-ups."""
        connection.executemany("INSERT INTO emptyings VALUES (?, ?, ?, ?, NULL)", self.emptyings)
        rows = ((*key, count, count if key[2] else 0, self.sureness[key]) for key, count in self.contents.items())
        connection.executemany("INSERT INTO contents VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        rows = ((run, hour, *sums) for (run, hour), sums in self.rollups.items())
        connection.executemany(f"INSERT INTO rollups VALUES ({', '.join('?' * 16)})", rows)


# --- recording -------------------------------------------------------------------------------------------------------


def views() -> list[View]:
    """Three views of a part; no picture is kept here, so a small one will do."""
    frame = Frame(np.zeros((8, 8, 3), np.uint8), 0.0, 0)
    location = Location(LocationKind.EMPTY, (), np.zeros((8, 8), np.bool_))
    quality = ViewQuality(0.8, 0.01, 0.0)
    posterior = Prediction(CLASSES, (0.905, *[0.005] * 19), 0.25)
    return [View(45.0 * number, frame, location, None, posterior, quality) for number in range(3)]


def record(ledger: Ledger, number: int, seen: list[View]) -> list[float]:
    """Milliseconds of each of the three calls."""
    place = number % len(CLASSES)
    shares = tuple(0.905 if other == place else 0.005 for other in range(len(CLASSES)))
    colour = PartColour(COLOURS[number % 10][1], COLOURS[number % 10][0], 1.0, is_unsure=False)
    decision = Decision(CLASSES[place], None, Prediction(CLASSES, shares, 0.25), 3, colour)
    name = PLAN.rules[place].bin
    took = [time.perf_counter()]
    part = ledger.open_part()
    took.append(time.perf_counter())
    ledger.intend(part, decision, name, views=seen, chute_deg=120.0)
    took.append(time.perf_counter())
    ledger.finish(part, Outcome(OutcomeKind.CONFIRMED, name, STAGE_S))
    took.append(time.perf_counter())
    return [1000.0 * (after - before) for before, after in itertools.pairwise(took)]


def written_bytes() -> int:
    """What this process has sent to the disk."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("write_bytes")))


def compare_recording(empty: Path, full: Path, rounds: int) -> None:
    seen = views()
    with Ledger(empty) as small, Ledger(full) as large:
        small.begin_run(PLAN, "bench")
        large.begin_run(PLAN, "bench")
        for number in range(40):  # warm
            record(small, number, seen)
            record(large, number, seen)
        took: dict[str, list[list[float]]] = {"empty": [], "full": []}
        for number in range(rounds):
            took["empty"].append(record(small, number, seen))
            took["full"].append(record(large, number, seen))
    medians = {}
    for name, calls in took.items():
        whole = sorted(sum(each) for each in calls)
        parts = [statistics.median(each[call] for each in calls) for call in range(3)]
        medians[name] = statistics.median(whole)
        print(
            f"record a part, {name:5}: median {medians[name]:.2f} ms, mean {statistics.mean(whole):.2f} ms, 95 of 100"
            f" within {whole[int(0.95 * len(whole))]:.2f} ms; opened {parts[0]:.2f}, intended {parts[1]:.2f},"
            f" finished {parts[2]:.2f}"
        )
    means = {name: statistics.mean(sum(each) for each in calls) for name, calls in took.items()}
    ratios = f"{medians['full'] / medians['empty']:.2f} (medians), {means['full'] / means['empty']:.2f} (means)"
    print(f"record a part, full to empty: {ratios}")


def count_bytes(file: Path, name: str, parts: int) -> None:
    seen = views()
    with Ledger(file) as ledger:
        ledger.begin_run(PLAN, "bench")
        before, size = written_bytes(), file.stat().st_size
        for number in range(parts):
            record(ledger, number, seen)
        log = file.with_name(f"{LEDGER_FILE}-wal").stat().st_size
        during = written_bytes() - before
    after = written_bytes() - before
    print(
        f"bytes a part, {name}: {during / parts / 1000:.1f} kB written while recording {parts},"
        f" {after / parts / 1000:.1f} kB with closing; the file grows by {(file.stat().st_size - size) / parts:.0f} B a"
        f" part; log {log / 1e6:.1f} MB"
    )


# --- reading ---------------------------------------------------------------------------------------------------------


def time_opening(file: Path) -> None:
    cold_ms = []
    for _ in range(3):
        drop_from_memory(file)
        begin_s = time.perf_counter()
        ledger = Ledger(file)
        cold_ms.append(1000.0 * (time.perf_counter() - begin_s))
        ledger.close()
    begin_s = time.perf_counter()
    with open_reader(file) as reader:
        reader.parts(limit=1)
    reading_ms = 1000.0 * (time.perf_counter() - begin_s)
    print(f"open: to write, after a clean end {max(cold_ms):.0f} ms at most; to read, with a page {reading_ms:.0f} ms")
    file.with_name(f"{LEDGER_FILE}-wal").write_bytes(b"\0" * 4096)  # as after an end that was not clean
    drop_from_memory(file)
    begin_s = time.perf_counter()
    ledger = Ledger(file)
    print(f"open: to write, after an end that was not clean {1000.0 * (time.perf_counter() - begin_s):.0f} ms")
    ledger.close()


def drop_from_memory(file: Path) -> None:
    """Ask the system to read the file from the disk the next time."""
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def time_lists(file: Path, parts: int, rounds: int) -> None:
    chance = random.Random(2)
    with open_reader(file) as reader:
        begin_s = time.perf_counter()
        newest = reader.parts().rows[0].part
        first_page_ms = 1000.0 * (time.perf_counter() - begin_s)
        first = next(reader.all_parts())
        assert first.finished_at is not None
        early = first.finished_at
        filters = {
            "all": PartFilter(),
            "class": PartFilter(class_name="3007"),
            "bin": PartFilter(bin=BinId("bin 3007")),
            "in bin now": PartFilter(bin=BinId("bin 3007"), is_in_bin=True),
            "colour": PartFilter(colour="Colour 3"),
            "rare colour": PartFilter(colour=9),
            "reject reason": PartFilter(reject_reason=RejectReason.BLURRED),
            "lost": PartFilter(outcome=OutcomeKind.LOST),
            "unresolved": PartFilter(outcome=OutcomeKind.UNRESOLVED),
            "confirmed": PartFilter(outcome=OutcomeKind.CONFIRMED),
            "suspect": PartFilter(is_suspect=True),
            "not suspect": PartFilter(is_suspect=False),
            "run": PartFilter(run=RunId(20)),
            "unsure": PartFilter(probability_to=0.5),
            "any probability": PartFilter(probability_from=0.0),
            "an early day": PartFilter(finished_from=early, finished_to=early + DAY),
            "class, colour, bin": PartFilter(class_name="3007", colour="Colour 5", bin=BinId("bin 3007")),
            "class in another's bin": PartFilter(class_name="3007", bin=BinId("bin 3008")),
            "unsure, of a class": PartFilter(class_name="3007", probability_to=0.9),
            "stuck in a run": PartFilter(run=RunId(3), outcome=OutcomeKind.STUCK),
            "suspect, of a colour": PartFilter(is_suspect=True, colour=9),
            "no such class": PartFilter(class_name="9999"),
            "confirmed in a run": PartFilter(outcome=OutcomeKind.CONFIRMED, run=RunId(40)),
        }
        print(f"first page that a program asks for: {first_page_ms:.0f} ms")
        print("pages of 50 rows, ms: median and worst by the clock, and worst of the processor's time")
        worst = [0.0, 0.0]
        for name, wanted in filters.items():

            def ask(wanted: PartFilter = wanted) -> None:
                reader.parts(wanted, after=chance.choice([None, chance.randrange(1, newest)]))

            worst = list(map(max, worst, timed(f"parts: {name}", ask, rounds)))
        others: dict[str, Callable[[], object]] = {
            "part": lambda: reader.part(chance.randrange(1, parts)),
            "runs": reader.runs,
            "bins": reader.bins,
            "stock, all bins": reader.stock,
            "stock, everything": lambda: reader.stock(everything=True),
            "emptyings": lambda: reader.emptyings(after=chance.randrange(2, 3000)),
            "incidents, open": lambda: reader.incidents(is_open=True),
            "audits": reader.audits,
            "plans": reader.plans,
            "roll-ups by hour": lambda: reader.rollups("hour"),
            "roll-ups by run": lambda: reader.rollups("run"),
            "totals": reader.totals,
        }
        for name, ask_other in others.items():
            worst = list(map(max, worst, timed(name, ask_other, rounds)))
        print(f"worst of all: {worst[0]:.1f} ms by the clock, {worst[1]:.1f} ms of the processor's time")
        print(f"every part by pages of a filter that finds nothing: {whole_list_s(reader):.2f} s")


def timed(name: str, ask: Callable[[], object], rounds: int) -> tuple[float, float]:
    took_ms, worked_ms = [], []
    ask()  # SQLAlchemy makes the statement once in a program
    for _ in range(rounds):
        begin_s, begin_work_s = time.perf_counter(), time.thread_time()
        ask()
        took_ms.append(1000.0 * (time.perf_counter() - begin_s))
        worked_ms.append(1000.0 * (time.thread_time() - begin_work_s))
    print(f"  {name:28} {statistics.median(took_ms):7.1f} {max(took_ms):7.1f} {max(worked_ms):7.1f}")
    return max(took_ms), max(worked_ms)


def whole_list_s(reader: LedgerReader) -> float:
    wanted = PartFilter(class_name="3007", bin=BinId("bin 3008"))
    begin_s, after = time.perf_counter(), None
    while True:
        page = reader.parts(wanted, after=after)
        after = page.next
        if after is None:
            return time.perf_counter() - begin_s


# ---------------------------------------------------------------------------------------------------------------------


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--parts", type=int, default=1_000_000)
    options.add_argument(
        "--rounds", type=int, default=200, help="parts recorded for comparison, and calls of each list"
    )
    options.add_argument("--folder", type=Path, help="where to make the ledgers, in place of a temporary folder")
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ledger-", dir=given.folder))
    try:
        print(f"{platform.system()} {platform.release()}, Python {platform.python_version()}")
        print(f"SQLite {sqlite3.sqlite_version}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        full, empty = folder / "full" / LEDGER_FILE, folder / "empty" / LEDGER_FILE
        begin_s = time.perf_counter()
        fill(full, given.parts)
        seconds, size = time.perf_counter() - begin_s, full.stat().st_size
        print(
            f"{given.parts:,} parts filled in in {seconds:.0f} s: {size / 1e6:.0f} MB, {size / given.parts:.0f} B each"
        )
        time_opening(full)
        compare_recording(empty, full, given.rounds)
        count_bytes(empty, "empty", 500)
        count_bytes(full, "full", 500)
        time_lists(full, given.parts, given.rounds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
