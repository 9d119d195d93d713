"""The durable record of every part and what became of it: a SQLite file in the rig's state folder.

``Ledger`` is the ``Recorder`` that the loop knows, and the one that writes; ``LedgerReader`` is for all who look.
"""

from sorter.ledger.errors import (
    LedgerBusy,
    LedgerDamaged,
    LedgerError,
    LedgerFull,
    LedgerMissing,
    LedgerTooNew,
    LedgerTooOld,
    LedgerUnreadable,
    LedgerUnwritable,
    NoLedger,
)
from sorter.ledger.part_list import PartFilter
from sorter.ledger.purity import AuditedPurity, audited_purity
from sorter.ledger.reader import LedgerReader, open_reader
from sorter.ledger.rows import (
    AuditId,
    AuditRow,
    BinRow,
    CorrectionKind,
    CorrectionRow,
    EmptyingId,
    EmptyingRow,
    IncidentRow,
    Page,
    PartDetails,
    PartRow,
    PlanId,
    PlanRow,
    RollUp,
    RunRow,
    Stock,
    ViewRow,
)
from sorter.ledger.writer import LEAST_FREE_BYTES, LEDGER_FILE, Ledger

__all__ = [
    "LEAST_FREE_BYTES",
    "LEDGER_FILE",
    "AuditId",
    "AuditRow",
    "AuditedPurity",
    "BinRow",
    "CorrectionKind",
    "CorrectionRow",
    "EmptyingId",
    "EmptyingRow",
    "IncidentRow",
    "Ledger",
    "LedgerBusy",
    "LedgerDamaged",
    "LedgerError",
    "LedgerFull",
    "LedgerMissing",
    "LedgerReader",
    "LedgerTooNew",
    "LedgerTooOld",
    "LedgerUnreadable",
    "LedgerUnwritable",
    "NoLedger",
    "Page",
    "PartDetails",
    "PartFilter",
    "PartRow",
    "PlanId",
    "PlanRow",
    "RollUp",
    "RunRow",
    "Stock",
    "ViewRow",
    "audited_purity",
    "open_reader",
]
