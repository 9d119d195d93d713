"""A folder of labelled pictures: its index, what is wrong with it, and honest splits. Knows no rig.

``read_dataset`` is the way in, ``look_and_check`` says what is wrong, ``make_split`` cuts it into folds and
``write_split`` refuses those that have the same thing on both sides. ``labels.py``, what is where on pictures of
several parts, is imported by its own name: it alone needs pydantic.
"""

from sorter.dataset.checks import check, look_and_check
from sorter.dataset.errors import DatasetRefused, SplitLeaks
from sorter.dataset.features import Features, look_at, look_at_all
from sorter.dataset.findings import CheckResult, ClassSummary, Finding, Kind, Severity
from sorter.dataset.groups import with_inferred_groups
from sorter.dataset.index import append, read_index, write_index
from sorter.dataset.leaks import leaks, read_split, write_split
from sorter.dataset.reading import read_dataset
from sorter.dataset.records import Dataset, Picture
from sorter.dataset.report import html_report
from sorter.dataset.split import Fold, Split, colour_folds, make_split

__all__ = [
    "CheckResult",
    "ClassSummary",
    "Dataset",
    "DatasetRefused",
    "Features",
    "Finding",
    "Fold",
    "Kind",
    "Picture",
    "Severity",
    "Split",
    "SplitLeaks",
    "append",
    "check",
    "colour_folds",
    "html_report",
    "leaks",
    "look_and_check",
    "look_at",
    "look_at_all",
    "make_split",
    "read_dataset",
    "read_index",
    "read_split",
    "with_inferred_groups",
    "write_index",
    "write_split",
]
