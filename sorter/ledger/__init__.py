"""The durable record of every part and what became of it.

So far a journal: a file of lines in the state folder, behind the ``Recorder`` that the loop knows.
"""

from sorter.ledger.entries import Finished, Intended, Opened
from sorter.ledger.errors import JournalBusy, JournalRefused, JournalUnwritable, LedgerError
from sorter.ledger.journal import JOURNAL_FILE, Journal
from sorter.ledger.rows import Row, read_rows

__all__ = [
    "JOURNAL_FILE",
    "Finished",
    "Intended",
    "Journal",
    "JournalBusy",
    "JournalRefused",
    "JournalUnwritable",
    "LedgerError",
    "Opened",
    "Row",
    "read_rows",
]
