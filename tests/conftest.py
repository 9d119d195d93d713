"""What every test may lean on: the leak check, data from outside the checkout, and limits for slow tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Small matrices: threads of OpenBLAS cost several times what they bring.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

pytest_plugins = ["tests.leaks", "tests.boards", "tests.cli_boards", "tests.models"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A slow test without a limit of its own would be stopped at, or hide behind, the limit of the fast ones."""
    unlimited = [
        item.nodeid for item in items if item.get_closest_marker("slow") and not item.get_closest_marker("timeout")
    ]
    if unlimited:
        raise pytest.UsageError("slow tests need @pytest.mark.timeout(seconds) of their own: " + ", ".join(unlimited))


@pytest.fixture(autouse=True)
def no_json_left_behind() -> Iterator[None]:
    """A process runs one command, and ``--json`` holds for all of it; tests run many."""
    yield
    console = sys.modules.get("sorter.cli.console")
    if console is not None:
        console.set_json(False)


def _folder_from_environment(variable: str, what: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: it names the folder of {what}")
    folder = Path(value)
    if not folder.is_dir():
        pytest.fail(f"{variable}={value} is no folder; unset it or name the folder of {what}")
    return folder


@pytest.fixture(scope="session")
def turntable_data() -> Path:
    """Folder of real turntable photographs, with train/, test/ and revolutions.json."""
    return _folder_from_environment("TURNTABLE_DATA", "turntable photographs")


@pytest.fixture(scope="session")
def ldraw_library() -> Path:
    """Folder of an LDraw parts library, with parts/, p/ and LDConfig.ldr."""
    return _folder_from_environment("LDRAW_LIBRARY", "an LDraw parts library")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parent.parent
