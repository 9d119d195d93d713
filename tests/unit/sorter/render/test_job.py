"""Rendering a folder by real processes: whatever is killed or stopped, it ends with the same bytes."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from sorter.render.errors import BackendMissing, FolderRefused, RenderRefused, RenderStopped
from sorter.render.job import render_folder
from sorter.render.journal import read_journal
from sorter.render.workers import processes
from tests.unit.sorter.render import stand_in
from tests.unit.sorter.render.stand_in import Listener

if TYPE_CHECKING:
    from sorter.render.job import Outcome, Work

PROGRAM = """
import sys, threading
from pathlib import Path
from sorter.render.job import render_folder
from sorter.render.workers import processes
from tests.unit.sorter.render import stand_in
if __name__ == "__main__":
    with processes(2) as workers:
        render_folder(Path(sys.argv[1]), stand_in.job(), int(sys.argv[2]), workers=workers,
                      observer=stand_in.Listener(), stop=threading.Event(), work=stand_in.slow_picture)
"""


def rendered(
    root: Path,
    count: int,
    *,
    work: Work = stand_in.picture,
    listener: Listener | None = None,
    stop: threading.Event | None = None,
    library: Path | str = "nowhere",
    width: int = 1,
) -> Outcome:
    with processes(width) as workers:
        return render_folder(
            root,
            stand_in.job(library),
            count,
            workers=workers,
            observer=listener or Listener(),
            stop=stop or threading.Event(),
            work=work,
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What twelve pictures have to be in the end."""
    root = tmp_path_factory.mktemp("whole") / "set"
    outcome = rendered(root, 12)
    assert (outcome.count, outcome.rendered, outcome.without_part) == (12, 12, 1)
    assert outcome.shown == {"3001": 3, "3003": 4, "other": 4}
    return stand_in.content(root)


def test_growing_a_folder_gives_what_one_run_would_have(tmp_path: Path, whole: dict[str, bytes]) -> None:
    first, second = Listener(), Listener()
    rendered(tmp_path / "set", 5, listener=first)
    assert rendered(tmp_path / "set", 12, listener=second, width=2).rendered == 7
    assert (first.begun, second.begun) == ([(0, 5)], [(5, 12)])
    assert (first.pictures, second.pictures) == (5, 7)
    assert stand_in.content(tmp_path / "set") == whole


def test_a_finished_folder_starts_no_process(tmp_path: Path) -> None:
    rendered(tmp_path / "set", 2)
    before = stand_in.content(tmp_path / "set")
    assert rendered(tmp_path / "set", 2, work=stand_in.defective_picture).rendered == 0
    assert stand_in.content(tmp_path / "set") == before


def test_a_killed_worker_is_named_and_nothing_is_lost(tmp_path: Path, whole: dict[str, bytes]) -> None:
    (tmp_path / "library").mkdir()
    with pytest.raises(RenderRefused, match="was killed") as refused:
        rendered(tmp_path / "set", 12, work=stand_in.deadly_picture, library=tmp_path / "library", width=2)
    assert "fewer --processes" in refused.value.remedy
    rendered(tmp_path / "set", 12, work=stand_in.deadly_picture, library=tmp_path / "library")
    assert stand_in.content(tmp_path / "set") == whole


def test_a_run_that_is_killed_goes_on_to_the_same_bytes(
    tmp_path: Path, whole: dict[str, bytes], checkout: Path
) -> None:
    root = tmp_path / "set"
    command = [sys.executable, "-c", PROGRAM, str(root), "12"]
    with subprocess.Popen(command, cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout)}) as process:
        deadline_s = time.monotonic() + 30
        while len(read_journal(root / "journal.jsonl")[0]) < 3:
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive  # nobody goes on working for a process that is no more
    kept = read_journal(root / "journal.jsonl")[0]
    assert 3 <= len(kept) < 12
    listener = Listener()
    rendered(root, 12, listener=listener)
    assert listener.begun == [(len(kept), 12)]
    assert stand_in.content(root) == whole


def test_a_stop_keeps_what_is_under_way_and_leaves_a_dataset(tmp_path: Path, whole: dict[str, bytes]) -> None:
    stop = threading.Event()

    class Stopping(Listener):
        def on_picture(self) -> None:
            super().on_picture()
            if self.pictures == 2:
                stop.set()

    listener = Stopping()
    with pytest.raises(RenderStopped, match=r"stopped: \d+ of 40 pictures") as stopped:
        rendered(tmp_path / "set", 40, work=stand_in.slow_picture, listener=listener, stop=stop)
    assert "same command again" in stopped.value.remedy
    assert listener.pictures < 12
    index = (tmp_path / "set" / "index.jsonl").read_text().splitlines()
    assert len(index) in (listener.pictures, listener.pictures - 1)
    rendered(tmp_path / "set", 12)
    assert stand_in.content(tmp_path / "set") == whole


def test_ctrl_c_reaches_no_worker(tmp_path: Path) -> None:
    """A terminal sends it to all of them; those that work finish what they are at."""
    stop = threading.Event()

    class Interrupting(Listener):
        def on_picture(self) -> None:
            super().on_picture()
            for each in multiprocessing.active_children():
                os.kill(each.pid, signal.SIGINT)

    listener = Interrupting()
    rendered(tmp_path / "set", 6, listener=listener, stop=stop, width=2)
    assert listener.pictures == 6


def test_what_an_operator_can_act_on_comes_through_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(BackendMissing, match="no renderer here") as refused:
        rendered(tmp_path / "set", 12, work=stand_in.refused_picture)
    assert refused.value.remedy == "Install one."
    assert {0, 1, 2, 3} >= set(read_journal(tmp_path / "set" / "journal.jsonl")[0])
    assert rendered(tmp_path / "set", 12).count == 12


def test_two_kinds_of_renderer_among_the_workers_are_found_out(tmp_path: Path) -> None:
    with pytest.raises(FolderRefused, match=r"begun by stand-in \d, and picture \d+ was rendered by stand-in \d"):
        rendered(tmp_path / "set", 12, work=stand_in.two_renderers)


def test_a_defect_is_a_defect(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match=re.escape("picture ")):
        rendered(tmp_path / "set", 2, work=stand_in.defective_picture)


def test_few_pictures_are_given_out_at_a_time(tmp_path: Path) -> None:
    given = []

    class Counting:
        width = 1
        troubles = ()

        def check(self) -> None:
            """They are there."""

        def __init__(self, workers: object) -> None:
            self.workers = workers

        def submit(self, *arguments: object) -> object:
            future = self.workers.submit(*arguments)
            given.append(future)
            assert sum(not each.done() for each in given) <= 2
            return future

    with processes(1) as workers:
        render_folder(
            tmp_path / "set",
            stand_in.job(),
            12,
            workers=Counting(workers),
            observer=Listener(),
            stop=threading.Event(),
            work=stand_in.slow_picture,
        )
    assert len(given) == 12
