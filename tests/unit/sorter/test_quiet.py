"""What native code prints past Python is kept back, in a process of its own as it changes the process's files."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import ctypes, os
from sorter.quiet import kept_back

library = ctypes.CDLL(None)
print("before")
try:
    with kept_back(is_shown_on_failure={shown}):
        print("python")
        library.puts(b"native")
        os.write(2, b"raw")
        {then}
except ValueError:
    print("failed")
library.puts(b"after")
"""


def said(*, is_shown: bool, then: str) -> tuple[str, str]:
    program = _PROGRAM.format(shown=is_shown, then=then)
    result = subprocess.run([sys.executable, "-u", "-c", program], capture_output=True, text=True, check=True)
    return result.stdout, result.stderr


def test_all_that_is_written_meanwhile_is_kept_back() -> None:
    assert said(is_shown=True, then="pass") == ("before\nafter\n", "")


@pytest.mark.parametrize("is_shown", [True, False])
def test_after_a_failure_it_is_shown_where_that_is_wanted(is_shown: bool) -> None:
    stdout, stderr = said(is_shown=is_shown, then="raise ValueError")
    assert stdout == "before\nfailed\nafter\n"
    assert all((text in stderr) is is_shown for text in ("python", "native", "raw"))
