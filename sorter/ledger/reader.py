"""The ledger as anybody may read it, also while another program writes it: read-only, in pieces, frozen rows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Self

from sqlalchemy import func, select

from sorter.ledger.errors import LedgerMissing, LedgerTooNew, LedgerTooOld, LedgerUnreadable
from sorter.ledger.files import read_revision, reader_engine, told
from sorter.ledger.lists import audit_rows, check_limit, last_emptied, page, sums
from sorter.ledger.making import (
    bin_counts,
    correction_row,
    incident_row,
    part_row,
    plan_row,
    roll_up,
    stock_row,
    view_row,
)
from sorter.ledger.names import frame_name
from sorter.ledger.part_list import PartFilter, list_parts, part_rows
from sorter.ledger.purity import estimated_purity
from sorter.ledger.rows import BinRow, EmptyingRow, Page, PartDetails, RollUp, RunRow
from sorter.ledger.schema import (
    PRESENT,
    REVISION,
    bins,
    colours,
    contents,
    corrections,
    emptyings,
    incidents,
    models,
    plans,
    rollups,
    runs,
    settings,
    views,
)
from sorter.types import BinId, IncidentId, RunId

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from sorter.ledger.rows import AuditRow, IncidentRow, PartRow, PlanRow, Stock

PAGE = 50  # rows, where nobody says otherwise
_AT_ONCE = 500  # parts, where all of them are gone through

_ALL = PartFilter()


def open_reader(file: Path) -> LedgerReader:
    """A ledger that is there, to read; see ``LedgerReader``."""
    return LedgerReader(file)


class LedgerReader:
    """Reads a ledger; any thread may call. Use it as a context manager, or ``close`` it.

    Each call sees the ledger as it is at one moment. Lists come in pages: ``next`` of one is ``after`` of the next one.

    Raises:
        LedgerMissing: there is none.
        LedgerTooNew, LedgerTooOld: it is of another version than this program.
        LedgerDamaged, NoLedger, LedgerUnreadable, LedgerBusy: it cannot be read.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        if not file.exists():
            raise LedgerMissing(file)
        revision = read_revision(file, for_writing=False)
        if revision is None:
            raise LedgerMissing(file)
        if revision != REVISION:
            raise LedgerTooOld(file, revision) if revision < REVISION else LedgerTooNew(file, revision)
        self._engine = reader_engine(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; harmless if that is done."""
        self._engine.dispose()

    # --- parts --------------------------------------------------------------------------------------------------

    def parts(
        self,
        wanted: PartFilter = _ALL,
        *,
        after: int | None = None,
        limit: int = PAGE,
    ) -> Page[PartRow]:
        """Newest first; with a range of probabilities the least sure first."""
        check_limit(limit)
        with self._reading() as connection:
            found, following = list_parts(connection, wanted, after, limit)
        return Page(tuple(part_row(row) for row in found), following)

    def all_parts(self, first: int = 1) -> Iterator[PartRow]:
        """Every part from number ``first`` on, oldest first; it may take as long as it likes, nobody waits for it."""
        while True:
            with self._reading() as connection:
                column = part_rows().selected_columns.part
                rows = connection.execute(part_rows(column >= first).order_by(column).limit(_AT_ONCE)).all()
            yield from (part_row(row) for row in rows)
            if len(rows) < _AT_ONCE:
                return
            first = rows[-1].part + 1

    def part(self, part: int) -> PartDetails | None:
        """One part with all that is known of it; None if there is none of that number."""
        with self._reading() as connection:
            column = part_rows().selected_columns.part
            row = connection.execute(part_rows(column == part)).one_or_none()
            if row is None:
                return None
            seen = connection.execute(select(views).where(views.c.part == part).order_by(views.c.view)).all()
            changed = connection.execute(
                select(corrections).where(corrections.c.part == part).order_by(corrections.c.correction)
            ).all()
            numbers = connection.scalars(select(incidents.c.incident).where(incidents.c.part == part)).all()
        made = part_row(row)
        view_rows = tuple(view_row(each, made.run) for each in seen)
        pictures = [view.picture for view in view_rows if view.picture is not None]
        if pictures:
            pictures.append(frame_name(made.run, made.part))
        return PartDetails(
            made,
            view_rows,
            tuple(correction_row(each) for each in changed),
            tuple(IncidentId(number) for number in sorted(numbers)),
            tuple(pictures),
        )

    # --- runs, plans --------------------------------------------------------------------------------------------

    def runs(self, *, after: int | None = None, limit: int = PAGE) -> Page[RunRow]:
        """Newest first."""
        with self._reading() as connection:
            found, following = page(connection, select(runs), runs.c.run, after, limit)
            numbers = [row.run for row in found]
            totals = {
                row.run: roll_up(row)
                for row in connection.execute(sums(rollups.c.run).where(rollups.c.run.in_(numbers)))
            }
            last = select(func.max(settings.c.setting)).where(settings.c.run.in_(numbers)).group_by(settings.c.run)
            used = {
                row.run: row
                for row in connection.execute(
                    select(
                        settings.c.run, settings.c.plan, plans.c.name.label("plan_name"), models.c.name.label("model")
                    )
                    .join(plans, plans.c.plan == settings.c.plan)
                    .join(models, models.c.model == settings.c.model)
                    .where(settings.c.setting.in_(last))
                )
            }
        rows = (
            RunRow(
                RunId(row.run),
                row.began_at,
                row.ended_at,
                bool(row.was_interrupted),
                used[row.run].plan,
                used[row.run].plan_name,
                used[row.run].model,
                totals.get(row.run, RollUp(RunId(row.run))),
            )
            for row in found
        )
        return Page(tuple(rows), following)

    def plans(self, *, after: int | None = None, limit: int = PAGE) -> Page[PlanRow]:
        """Newest first."""
        with self._reading() as connection:
            found, following = page(connection, select(plans), plans.c.plan, after, limit)
        return Page(tuple(plan_row(row) for row in found), following)

    def rollups(
        self,
        by: Literal["run", "hour"],
        *,
        run: RunId | None = None,
        since: datetime | None = None,
        after: int | None = None,
        limit: int = PAGE,
    ) -> Page[RollUp]:
        """Sums over each run, or each hour, newest first; those of a run alone, or from a time on, if asked for."""
        statement = sums(rollups.c[by])
        if run is not None:
            statement = statement.where(rollups.c.run == run)
        if since is not None:
            statement = statement.where(rollups.c.hour >= int(since.timestamp()) // 3600)
        with self._reading() as connection:
            found, following = page(connection, statement, rollups.c[by], after, limit)
        return Page(tuple(roll_up(row) for row in found), following)

    def totals(self) -> RollUp:
        """Sums over everything."""
        with self._reading() as connection:
            return roll_up(connection.execute(sums(None)).one())

    # --- bins ---------------------------------------------------------------------------------------------------

    def bins(self) -> tuple[BinRow, ...]:
        """Every bin that was ever named, in the order of their names, as it is now."""
        with self._reading() as connection:
            names = connection.scalars(select(bins.c.bin).order_by(bins.c.bin)).all()
            present = bin_counts(connection.execute(select(contents).where(contents.c.emptying == PRESENT)), "bin")
            emptied = {name: last_emptied(connection, name) for name in names}
            counted = {name: audit_rows(connection, name, None, 1)[0] for name in names}
        return tuple(
            BinRow(
                BinId(name),
                present[name].parts,
                present[name].class_counts,
                present[name].decided,
                present[name].sureness_ppm,
                emptied[name],
                next(iter(counted[name]), None),
            )
            for name in names
        )

    def stock(self, bin: BinId | None = None, *, everything: bool = False) -> tuple[Stock, ...]:  # noqa: A002
        """So many parts of each class and colour lie in a bin, or in all of them (None).

        Args:
            bin: which.
            everything: also what was taken out of the bins.
        """
        keys = (contents.c.class_name, contents.c.colour_code, colours.c.name.label("colour_name"))
        statement = (
            select(*keys, func.sum(contents.c.parts).label("parts"))
            .outerjoin(colours, contents.c.colour_code == colours.c.code)
            .group_by(contents.c.class_name, contents.c.colour_code)
            .order_by(contents.c.class_name, contents.c.colour_code)
        )
        if bin is not None:
            statement = statement.where(contents.c.bin == bin)
        if not everything:
            statement = statement.where(contents.c.emptying == PRESENT)
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        return tuple(stock_row(row) for row in rows if row.parts)

    def emptyings(
        self,
        bin: BinId | None = None,  # noqa: A002
        *,
        after: int | None = None,
        limit: int = PAGE,
    ) -> Page[EmptyingRow]:
        """Newest first, with what was in the bins."""
        statement = select(emptyings)
        if bin is not None:
            statement = statement.where(emptyings.c.bin == bin)
        with self._reading() as connection:
            found, following = page(connection, statement, emptyings.c.emptying, after, limit)
            numbers = [row.emptying for row in found]
            taken = bin_counts(connection.execute(select(contents).where(contents.c.emptying.in_(numbers))), "emptying")
        rows = (
            EmptyingRow(
                row.emptying,
                row.bin,
                row.at,
                row.undone_at,
                taken[row.emptying].parts,
                taken[row.emptying].class_counts,
                estimated_purity(taken[row.emptying].decided, taken[row.emptying].sureness_ppm),
            )
            for row in found
        )
        return Page(tuple(rows), following)

    def audits(
        self,
        bin: BinId | None = None,  # noqa: A002
        *,
        after: int | None = None,
        limit: int = PAGE,
    ) -> Page[AuditRow]:
        """Newest first."""
        with self._reading() as connection:
            rows, following = audit_rows(connection, bin, after, limit)
        return Page(rows, following)

    # --- incidents ----------------------------------------------------------------------------------------------

    def incidents(
        self, *, is_open: bool | None = None, kind: str | None = None, after: int | None = None, limit: int = PAGE
    ) -> Page[IncidentRow]:
        """Newest first."""
        statement = select(incidents)
        if is_open is not None:
            closed_at = incidents.c.closed_at
            statement = statement.where(closed_at.is_(None) if is_open else closed_at.is_not(None))
        if kind is not None:
            statement = statement.where(incidents.c.kind == str(kind))
        with self._reading() as connection:
            found, following = page(connection, statement, incidents.c.incident, after, limit)
        return Page(tuple(incident_row(row) for row in found), following)

    # --- inside -------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told(self._file, LedgerUnreadable), self._engine.connect() as connection, connection.begin():
            yield connection
