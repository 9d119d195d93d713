"""The parent's end of a worker script: a child process that is asked by JSON lines, and can be killed at any moment.

One thread starts the process, reads what it says and reaps it. The thread lives as long as the process does, because
the kernel's PR_SET_PDEATHSIG kills a child when the *thread* that started it ends (prctl(2)).

This module does not know what is asked.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from sorter.camera.errors import CameraClosed, CameraError, CameraTimeout, WorkerFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sorter.types import Clock

_STOP_S = 2.0
_KILL_S = 2.0
_LOOK_S = 0.2  # for a process that ended while something else kept its pipes open
_KEPT_LINES = 12
_READ_BYTES = 65536

_PYTHON = "Set python in [camera] of rig.toml to the system's Python 3.11 or newer."
_AGAIN = "It starts again by itself. If it goes on failing, look for the cause in what it wrote."


class WorkerProcess:
    """A running worker script.

    Args:
        python: the interpreter.
        script: the script.
        memory: descriptor of the memory that it shares; the child inherits it.
        memory_bytes: its size.
        environment: the child's whole environment.
        clock: for deadlines.

    Raises:
        WorkerFailed: it cannot be started.
    """

    def __init__(
        self,
        python: Path,
        script: Path,
        *,
        memory: int,
        memory_bytes: int,
        environment: Mapping[str, str],
        clock: Clock,
    ) -> None:
        self._python = python
        # -P: else the folder of the script would come first in the search for modules
        self._command = [str(python), "-P", str(script), str(os.getpid()), str(memory), str(memory_bytes)]
        self._memory = memory
        self._environment = dict(environment)
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: deque[str] = deque(maxlen=_KEPT_LINES)
        self._answers: dict[int, dict[str, Any]] = {}
        self._next_id = 0
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._started = threading.Event()
        self._why_not_started = ""
        self._error: CameraError | None = None  # once it is over
        self._thread = threading.Thread(target=self._run, name="camera worker", daemon=True)
        self._thread.start()
        self._started.wait()  # bounded: starting a process fails or does not
        if self._process is None:
            self._thread.join()
            raise WorkerFailed(
                f"{python} cannot be started: {self._why_not_started}",
                remedy=_PYTHON,
            )

    @property
    def is_alive(self) -> bool:
        """The process runs."""
        return self._error is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def ask(self, command: str, deadline_s: float, *, is_patient: bool = False, **arguments: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; one thread at a time. A worker that is late is killed.

        Args:
            command: what to do.
            deadline_s: seconds of the clock.
            is_patient: do not kill it; its answer is dropped when it comes.
            arguments: what JSON can hold.

        Raises:
            CameraTimeout: no answer by the deadline.
            WorkerFailed: the process ended; with the last lines that it wrote to stderr.
            CameraClosed: it was stopped meanwhile.
        """
        with self._lock:
            number = self._next_id = self._next_id + 1
            self._news.clear()
        self._send({"id": number, "do": command, **arguments})
        while True:
            with self._lock:
                if number in self._answers:
                    return self._answers.pop(number)
                if self._error is not None:
                    raise self._error
                self._news.clear()
            left_s = deadline_s - self._clock.monotonic_s()
            if left_s <= 0.0 or not self._clock.wait(self._news, left_s):
                error = CameraTimeout(f"the camera's worker did not answer {command} by the deadline")
                if not is_patient:
                    self.kill(error)
                raise error

    def stop(self) -> None:
        """Let it close the camera and end; kill it if it does not. Raises WorkerFailed if it cannot be killed."""
        with self._lock:
            self._error = self._error or CameraClosed("the camera was closed")
            self._news.set()
        self._send({"id": 0, "do": "stop"})
        self._thread.join(_STOP_S)
        self.kill(CameraClosed("the camera was closed"))

    def kill(self, error: CameraError) -> None:
        """End it now; whoever waits gets ``error``.

        Raises:
            WorkerFailed: the kernel keeps it (a process that waits for a driver cannot be killed).
        """
        assert self._process is not None
        with self._lock:
            self._error = self._error or error
            self._news.set()
        self._process.kill()
        self._thread.join(_KILL_S)
        if self._thread.is_alive():
            raise WorkerFailed(
                f"process {self.pid} cannot be killed: it waits inside the camera's driver",
                remedy="Restart the computer; if that happens again, check the camera's ribbon cable.",
            )

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")  # shorter than PIPE_BUF: at once or not
        except (OSError, ValueError):
            return  # it ended, or is about to be reaped: the thread sees that as well

    # --- the thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=(self._memory,),
                env=self._environment,
                start_new_session=True,  # Ctrl-C is the parent's to handle
            )
        except OSError as error:
            self._why_not_started = error.strerror or str(error)
            return
        finally:
            self._started.set()
        with self._process as process:
            self._listen(process)
            code = process.wait()
        with self._lock:
            self._error = self._error or self._failure(code)
            self._news.set()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        rests = {process.stdout.fileno(): b"", process.stderr.fileno(): b""}
        with selectors.DefaultSelector() as selector:
            for descriptor in rests:
                selector.register(descriptor, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(_LOOK_S)
                if not ready and process.poll() is not None:
                    break
                for key, _ in ready:
                    data = os.read(key.fd, _READ_BYTES)
                    if not data:
                        selector.unregister(key.fd)
                    *lines, rests[key.fd] = (rests[key.fd] + data).split(b"\n")
                    for line in lines:
                        self._take(line, is_answer=key.fd == process.stdout.fileno())
        self._take(rests[process.stderr.fileno()], is_answer=False)

    def _take(self, line: bytes, *, is_answer: bool) -> None:
        if is_answer and line.startswith(b"{"):
            answer = json.loads(line)
            with self._lock:
                self._answers = {answer["id"]: answer}
                self._news.set()
        elif line:  # the interpreter itself may say something on stdout before the script begins
            self._stderr.append(line.decode("utf-8", "replace").rstrip())

    def _failure(self, code: int) -> WorkerFailed:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        said = "\n".join(self._stderr)
        return WorkerFailed(
            f"the camera's worker ({self._python}) {how}" + (f"; it wrote:\n{said}" if said else ""),
            remedy=_PYTHON if "Unknown option: -P" in said else _AGAIN,
        )
