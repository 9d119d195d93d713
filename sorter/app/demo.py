"""The whole demo: a folder with a rig's files, a twin as its hardware, the rig's own app on it, and the report.

What runs is what runs on a real rig (``sorter.app.build``); only the operator is a program, and the clock may be fast.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sorter import __version__
from sorter.app.attendant import Attendant
from sorter.app.blame import Happened
from sorter.app.build import model_folder, running
from sorter.app.demo_rig import (
    HANDS_SOCKET,
    RIG_FILE,
    TRUTH_FILE,
    TWIN_FILE,
    known_classes,
    rig_toml,
    twin_settings,
)
from sorter.app.errors import DemoRefused
from sorter.app.hands import Hands
from sorter.app.report import Circumstances, make_report
from sorter.app.session import Session
from sorter.app.truth import read_truth
from sorter.app.twin_process import TwinProcess
from sorter.classify import read_card
from sorter.clock import RealClock
from sorter.config import read_sorting_config
from sorter.ledger import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sorter.app.build import App
    from sorter.app.demo_rig import DemoOptions
    from sorter.app.report import Report
    from sorter.classify import ModelCard
    from sorter.ledger import LedgerReader
    from sorter.types import Snapshot

_HANDS_TIMEOUT_S = 30.0  # a busy host is slow, and nothing else depends on it
TWIN_LOG, WIRE_LOG, REPORT_FILE = "twin.log", "board.log", "report.json"


@dataclass(frozen=True)
class Prepared:
    """A demo whose files are there; see ``prepared``.

    Args:
        folder: that holds them.
        options: what was asked for.
        card: of the model.
    """

    folder: Path
    options: DemoOptions
    card: ModelCard


@contextmanager
def prepared(options: DemoOptions, model: Path, keep: Path | None) -> Iterator[Prepared]:
    """A demo's folder with rig.toml and the twin's settings; gone after the block, unless ``keep`` names it.

    Args:
        options: what is asked for.
        model: a shipped model's name, or a model's folder.
        keep: a folder to keep, which is made; None takes one that is removed.

    Raises:
        DemoRefused: ``keep`` cannot be made, or something asked for cannot be.
        ModelUnfit, ModelRefused: there is no such model.
        ConfigError: a class' name is none for a bin.
    """
    folder = model_folder(model, Path())
    card = read_card(folder)
    classes = known_classes(card.labels)
    if options.photos is not None and not options.photos.is_dir():
        raise DemoRefused(f"{options.photos} is no folder", remedy="Name the folder that holds the photographs.")
    with _folder(keep) as place:
        rig_file = place / RIG_FILE
        named = model if len(model.parts) == 1 else folder.absolute()
        rig_file.write_text(rig_toml(place, named, classes, options), encoding="utf-8")
        settings = twin_settings(place, read_sorting_config(rig_file), classes, options)
        (place / TWIN_FILE).write_text(settings.to_json(), encoding="utf-8")
        yield Prepared(place, options, card)


class Demo:
    """One demo. ``leave`` may be called from a signal's handler.

    Args:
        prepared: its files.
        show: shows snapshots.
        on_note: called with sentences that whoever watches should read, in any thread.
    """

    def __init__(
        self, prepared: Prepared, show: Callable[[Snapshot], None], on_note: Callable[[str], None] | None = None
    ) -> None:
        self._prepared = prepared
        self._show = show
        self._on_note = on_note
        self._session = Session()
        self._attendant: Attendant | None = None
        self._has_to_leave = False
        self._notes_s: list[float] = []
        self.app: App | None = None

    def leave(self) -> None:
        """Finish the part under way, then end with a report of what there is."""
        self._has_to_leave = True
        if self._attendant is not None:
            self._attendant.leave()
        self._session.wake()

    def emergency_stop(self) -> None:
        """Stop everything at once."""
        if self.app is not None:
            self.app.controller.emergency_stop()

    def run(self) -> Report:
        """Start the twin, sort until the hopper is empty, end all of it, and say how it went.

        Raises:
            TwinFailed: the twin did not start, or ended by itself.
            DemoStuck: the demo did not get on.
            SorterError, BoardError: what the rig met.
        """
        folder, options = self._prepared.folder, self._prepared.options
        config = read_sorting_config(folder / RIG_FILE)
        assert config.sort is not None  # read_sorting_config sees to it
        clock = RealClock(speed=options.speed)
        with (
            TwinProcess(folder / TWIN_FILE, folder / TWIN_LOG) as twin,
            running(
                config,
                folder / RIG_FILE,
                clock,
                on_change=self._session.wake,
                on_note=self._note,
                log_file=folder / WIRE_LOG,
            ) as app,
        ):
            self.app = app
            attendant = Attendant(
                app.controller,
                folder / TRUTH_FILE,
                recirculate=config.sort.recirculate,
                speed=options.speed,
                check_twin=twin.check,
                hands=Hands(folder / HANDS_SOCKET, timeout_s=_HANDS_TIMEOUT_S),
                makes_rounds=bool(options.faults),
                seed=options.seed,
            )
            self._attendant = attendant
            if self._has_to_leave:
                attendant.leave()
            self._session.attend(app.controller.snapshot, attendant, self._show)
            self.app = None
        with open_reader(app.ledger_file) as reader:
            rows = tuple(reader.all_parts())
            happened = _incidents(reader)
        return make_report(
            read_truth(folder / TRUTH_FILE),
            rows,
            app.plan,
            self._circumstances(),
            incidents=attendant.incidents,
            started_s=attendant.started_s or 0.0,
            happened=happened,
            notes_s=self._notes_s,
        )

    def _note(self, text: str) -> None:
        self._notes_s.append(time.monotonic())
        if self._on_note is not None:
            self._on_note(text)

    def _circumstances(self) -> Circumstances:
        options, card = self._prepared.options, self._prepared.card
        return Circumstances(
            parts=options.parts,
            seed=options.seed,
            speed=options.speed,
            unknown_share=options.unknown_share,
            model=card.name,
            training_bricks=card.training_bricks,
            photos=None if options.photos is None else str(options.photos),
            views=options.views,
            machine=machine_facts(),
            is_whole=not self._has_to_leave,
        )


def _incidents(reader: LedgerReader) -> list[Happened]:
    """All incidents, with their times by the host's monotonic clock."""
    since_s = time.time() - time.monotonic()
    happened: list[Happened] = []
    after: int | None = None
    while True:
        page = reader.incidents(after=after)
        for row in page.rows:
            closed_s = None if row.closed_at is None else row.closed_at.timestamp() - since_s
            happened.append(Happened(row.kind, row.opened_at.timestamp() - since_s, closed_s, row.choice, row.part))
        if page.next is None:
            return happened
        after = page.next


def machine_facts() -> dict[str, object]:
    """What it runs on, as far as numbers depend on it."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "sorter": __version__,
    }


def _processor() -> str:
    """The processor's name, as Linux tells it; else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return named[0] if named else platform.machine()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        place = Path(tempfile.mkdtemp(prefix="sorter-demo-"))
        try:
            yield place
        finally:
            shutil.rmtree(place)
        return
    place = keep.absolute()
    try:
        place.mkdir(parents=True, exist_ok=True)
        is_used = any(place.iterdir())
    except OSError as error:
        raise DemoRefused(
            f"{keep} cannot be made: {error.strerror or error}", remedy="Name a folder where you may write."
        ) from error
    if is_used:
        raise DemoRefused(f"{keep} is not empty", remedy="Name a folder that is empty, or that is not there yet.")
    yield place
