"""The ledger as the rig writes it: one connection, one transaction a call, on the disk when the call returns."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from sorter.ledger import amendments, bin_rows, incident_rows, part_rows, run_rows
from sorter.ledger.amendments import Author
from sorter.ledger.errors import LedgerBusy, LedgerError, LedgerFull, LedgerUnwritable
from sorter.ledger.files import told
from sorter.ledger.lock import WriterLock
from sorter.ledger.names import frame_name, incident_name, view_name
from sorter.ledger.opening import OpenFile
from sorter.ledger.pictures import Worth
from sorter.ledger.rows import AuditId, EmptyingId
from sorter.types import IncidentId, PartId, Recorder, RunId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import EllipsisType

    from sqlalchemy import Connection

    from sorter.ledger.pictures import PictureFolder
    from sorter.types import BinContent, BinId, Decision, Frame, Outcome, SortPlan, View

LEDGER_FILE = "ledger.sqlite"  # in the rig's state folder
LEAST_FREE_BYTES = 64_000_000  # on the disk, for anything more to be fed

_UNCERTAIN_BELOW = 0.8  # probability of a decided class: below it, pictures are kept as long as those of rejected parts


class Ledger(Recorder):
    """A ``Recorder`` that writes into a SQLite file. Any thread may call. Use it as a context manager, or ``close`` it.

    A call that raises ValueError has written nothing. After a LedgerError nobody knows whether something was written,
    the file is whole, and the next call may work again: then it first looks at the file anew, where that is needed.

    Args:
        file: is made, with its folder, if it is not there; is locked against other programs that write.
        pictures: where pictures go; None keeps none. It stays its owner's to close.
        on_note: called with a sentence about each thing that the last end of the program left undone.
        least_free_bytes: of the disk: with less ``shortage`` asks for feeding to stop.

    ``first_part`` is the number that the first part of this program gets.

    Raises:
        LedgerBusy: another program writes into it.
        LedgerUnwritable, LedgerFull: it cannot be made or written.
        LedgerTooNew, LedgerDamaged, NoLedger: it cannot be used, and was left as it is.
    """

    def __init__(
        self,
        file: Path,
        *,
        pictures: PictureFolder | None = None,
        on_note: Callable[[str], None] | None = None,
        least_free_bytes: int = LEAST_FREE_BYTES,
    ) -> None:
        self._file = file
        self._pictures = pictures
        self._note = on_note or (lambda _text: None)
        self._least_free_bytes = least_free_bytes
        self._lock = threading.RLock()
        self._under_way: set[int] = set()  # whose numbers were given to callers
        self._settings: dict[str, int] = {}  # run, plan and model of the next part; nothing outside a run
        self._open: OpenFile | None = None
        self._is_closed = False
        self._writer_lock = WriterLock(file)
        try:
            self._open = opened = OpenFile(file)
            with self._writing():
                self.first_part = PartId(opened.take_up() + 1)
            self._say(opened)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; harmless if that is done. What is under way stays so, for the next start to finish."""
        with self._lock:
            self._is_closed = True
            try:
                self._shut()
            finally:
                self._writer_lock.close()

    # --- Recorder: runs -----------------------------------------------------------------------------------------

    def begin_run(self, plan: SortPlan, model: str) -> RunId:
        """See ``Recorder``."""
        with self._lock:
            with self._writing() as connection:
                settings = run_rows.begin_run(connection, plan, model)
            self._settings = settings
            return RunId(settings["run"])

    def end_run(self) -> None:
        """See ``Recorder``."""
        with self._lock:
            with self._writing() as connection:
                run_rows.end_runs(connection, part_rows.now())
            self._settings = {}

    def use_plan(self, plan: SortPlan) -> None:
        """See ``Recorder``; outside a run there is nothing to write down, as the next one brings its plan along."""
        with self._lock:
            with self._writing() as connection:
                settings = self._settings
                if settings:
                    plan_id = run_rows.plan_id(connection, plan)
                    settings = run_rows.change_settings(connection, settings, plan=plan_id)
            self._settings = settings

    def use_model(self, model: str) -> None:
        """See ``Recorder``; outside a run there is nothing to write down, as the next one brings its model along."""
        with self._lock:
            with self._writing() as connection:
                settings = self._settings
                if settings:
                    model_id = run_rows.model_id(connection, model)
                    settings = run_rows.change_settings(connection, settings, model=model_id)
            self._settings = settings

    # --- Recorder: parts ----------------------------------------------------------------------------------------

    def open_part(self) -> PartId:
        """See ``Recorder``."""
        with self._lock:
            with self._writing() as connection:
                part = part_rows.open_row(connection, self._settings)
            self._under_way.add(part)
            return PartId(part)

    def intend(
        self,
        part: PartId,
        decision: Decision,
        bin: BinId,  # noqa: A002  (the protocol's name)
        *,
        views: Sequence[View] = (),
        chute_deg: float | None = None,
    ) -> None:
        """See ``Recorder``. Raises ValueError as ``finish`` does."""
        with self._writing() as connection:
            run = part_rows.intend_row(connection, part, decision, bin, views, chute_deg)
        self._keep_views(run, part, decision, views)

    def finish(self, part: PartId, outcome: Outcome) -> None:
        """See ``Recorder``. Also raises ValueError if the outcome cannot be, such as confirmed in no bin."""
        with self._lock:
            with self._writing() as connection:
                part_rows.finish_row(connection, part, outcome)
            self._under_way.discard(part)

    def check_passed(self) -> None:
        """See ``Recorder``."""
        with self._writing() as connection:
            part_rows.pass_check(connection)

    def suspect(self, reason: str) -> int:
        """See ``Recorder``. A part that was flagged before keeps its first reason."""
        with self._writing() as connection:
            return part_rows.flag_rows(connection, reason)

    # --- Recorder: incidents ------------------------------------------------------------------------------------

    def open_incident(
        self,
        kind: str,
        message: str,
        choices: Sequence[str],
        *,
        part: PartId | None = None,
        picture: Frame | None = None,
    ) -> IncidentId:
        """See ``Recorder``. Raises ValueError if the part was never opened."""
        is_kept = picture is not None and self._pictures is not None
        with self._writing() as connection:
            incident = incident_rows.open_incident(connection, kind, message, choices, part, has_picture=is_kept)
        if picture is not None and self._pictures is not None:
            self._pictures.keep(incident_name(incident), picture.rgb, worth=Worth.UNCERTAIN)
        return IncidentId(incident)

    def update_incident(self, incident: IncidentId, message: str) -> None:
        """See ``Recorder``. Raises ValueError if it is over, or there is none of that number."""
        with self._writing() as connection:
            incident_rows.update_incident(connection, incident, message)

    def close_incident(self, incident: IncidentId, choice: str | None) -> None:
        """See ``Recorder``. Raises ValueError if there never was one of that number."""
        with self._writing() as connection:
            incident_rows.close_incident(connection, incident, choice)

    # --- Recorder: bins -----------------------------------------------------------------------------------------

    def empty_bins(self, bins: Sequence[BinId]) -> None:
        """See ``Recorder``; ``undo_emptying`` takes it back."""
        with self._writing() as connection:
            bin_rows.empty(connection, bins)

    def contents(self) -> Mapping[BinId, BinContent]:
        """See ``Recorder``."""
        with self._writing() as connection:
            return bin_rows.present_contents(connection)

    def shortage(self) -> str | None:
        """See ``Recorder``: the disk has less than ``least_free_bytes`` free."""
        folder = self._file.parent
        try:
            free_bytes = shutil.disk_usage(folder).free
        except OSError as error:
            return f"Nobody can say how much room the disk of {folder} has: {error.strerror or error}."
        if free_bytes >= self._least_free_bytes:
            return None
        return (
            f"The disk of {folder} has {free_bytes / 1e6:.0f} MB free, and the ledger wants "
            f"{self._least_free_bytes / 1e6:.0f} MB before it lets anything more be fed. Make room there."
        )

    # --- what a person says afterwards --------------------------------------------------------------------------

    def settle(self, part: PartId, bin: BinId | None, by: str) -> None:  # noqa: A002  (the word for it)
        """An unresolved part was found in ``bin``, or it is given up as lost (None); counts follow.

        Raises:
            ValueError: there is no such part, or it is not unresolved.
        """
        with self._writing() as connection:
            amendments.settle(connection, part, bin, Author(by))

    def correct(
        self,
        part: PartId,
        *,
        bin: BinId | EllipsisType | None = ...,  # noqa: A002  (the word for it)
        class_name: str | EllipsisType | None = ...,
        note: str,
        by: str,
    ) -> None:
        """A finished part fell elsewhere, or is something else, than its row says; history is kept, counts follow.

        Args:
            part: which.
            bin: into which it fell, None for none; ``...`` leaves that as it is. It is counted with what lay in the bin
                at that time. Saying it, right as it may have been, takes away the suspicion that the row was under.
            class_name: what it is, None for no class; ``...`` leaves that as it is.
            note: why.
            by: who says so.

        Raises:
            ValueError: there is no such part, it is under way, or nothing is said.
        """
        with self._writing() as connection:
            amendments.correct(connection, part, bin, class_name, Author(by, note))

    def audit(self, bin: BinId, counted: int, wrong: int, by: str) -> AuditId:  # noqa: A002  (the word for it)
        """Somebody counted parts of what is in a bin now, ``wrong`` of which do not belong there.

        Raises:
            ValueError: nothing was counted, or more were wrong than were counted.
        """
        with self._writing() as connection:
            return AuditId(bin_rows.audit(connection, bin, counted, wrong, by))

    def undo_emptying(self, emptying: EmptyingId) -> None:
        """It never happened: what it took out was taken out by the bin's next emptying, or is there still.

        Raises:
            ValueError: there is no such emptying, or it is undone already.
        """
        with self._writing() as connection:
            bin_rows.undo_emptying(connection, emptying)

    # --- inside -------------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction: all of it is on the disk afterwards, or none of it where something is raised."""
        with self._lock, told(self._file, LedgerUnwritable):
            opened = self._opened()
            try:
                with told(self._file, LedgerUnwritable), opened.connection.begin():
                    yield opened.connection
            except LedgerError as error:
                is_known = isinstance(error, LedgerBusy) or (isinstance(error, LedgerFull) and error.is_rolled_back)
                if not is_known:  # what SQLite believes may not be what is on the disk
                    self._shut()
                raise

    def _opened(self) -> OpenFile:
        """The connection; after a failure a new one, when the file was looked at anew."""
        if self._is_closed:
            raise ValueError(f"{self._file} was closed")
        if self._open is None:
            opened = OpenFile(self._file)
            try:
                with opened.connection.begin():
                    settings = opened.go_on(self._under_way)
            except BaseException:
                opened.close()
                raise
            self._open, self._settings = opened, settings
            self._say(opened)
        return self._open

    def _say(self, opened: OpenFile) -> None:
        for note in opened.notes:
            self._note(note)

    def _shut(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    def _keep_views(self, run: int | None, part: int, decision: Decision, views: Sequence[View]) -> None:
        if self._pictures is None or not views:
            return
        worth = Worth.UNCERTAIN if _is_uncertain(decision) else Worth.ORDINARY
        for number, view in enumerate(views):
            if view.crop is not None:
                self._pictures.keep(view_name(run, part, number), view.crop.rgb, worth=worth)
        self._pictures.keep(frame_name(run, part), views[0].frame.rgb, worth=worth)


def _is_uncertain(decision: Decision) -> bool:
    if decision.class_name is None or decision.posterior is None:
        return True
    return dict(decision.posterior.ranked)[decision.class_name] < _UNCERTAIN_BELOW
