"""The check that fails a leaking test must itself be able to fail."""

from __future__ import annotations

import contextlib
import os
import signal
import textwrap

import pytest

pytest_plugins = ["pytester"]

LEAKS = {
    "thread": """
        import threading
        def test_it():
            threading.Thread(target=threading.Event().wait, name="forgotten", daemon=True).start()
    """,
    "process": """
        import subprocess
        def test_it():
            keep.append(subprocess.Popen(["sleep", "30"]))
            open("pid", "w").write(str(keep[0].pid))
        keep = []
    """,
    "orphan": """
        import subprocess
        def test_it():
            subprocess.run(["sh", "-c", "sleep 30 >/dev/null 2>&1 & echo $! > pid"], check=True)
    """,
    "forkserver": """
        import multiprocessing, time
        def test_it():
            child = multiprocessing.get_context("forkserver").Process(target=time.sleep, args=(30,), daemon=True)
            child.start()
            open("pid", "w").write(str(child.pid))
            keep.append(child)
        keep = []
    """,
    "socket": """
        import socket
        keep = []
        def test_it():
            keep.append(socket.create_server(("127.0.0.1", 0)))
    """,
    "terminal": """
        import os
        def test_it():
            os.openpty()
    """,
}


def run_inner(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    pytester.makepyfile(textwrap.dedent(source))
    result = pytester.runpytest_subprocess("-p", "tests.leaks", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    left_behind = pytester.path / "pid"
    if left_behind.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(left_behind.read_text(encoding="utf-8")), signal.SIGKILL)
    return result


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch, checkout) -> None:
    monkeypatch.setenv("PYTHONPATH", str(checkout))


@pytest.mark.parametrize("kind", LEAKS)
def test_a_leaking_test_fails(pytester: pytest.Pytester, kind: str) -> None:
    result = run_inner(pytester, LEAKS[kind])
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*left behind:*"])


def test_a_tidy_test_passes(pytester: pytest.Pytester) -> None:
    result = run_inner(
        pytester,
        """
        import _thread, os, socket, subprocess, threading
        def test_it():
            thread = threading.Thread(target=lambda: None)
            thread.start()
            thread.join()
            subprocess.run(["true"], check=True)
            _thread.start_new_thread(threading.current_thread, ())
            socket.create_server(("127.0.0.1", 0)).close()
            for descriptor in os.openpty():
                os.close(descriptor)
    """,
    )
    result.assert_outcomes(passed=1)


def test_a_slow_test_without_a_limit_is_refused(pytester: pytest.Pytester, checkout) -> None:
    pytester.makeconftest((checkout / "tests/conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile("import pytest\n@pytest.mark.slow\ndef test_it():\n    pass\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*slow tests need @pytest.mark.timeout(seconds) of their own*"])
