"""Workers of a Dask cluster that somebody else has started, behind the same ``concurrent.futures`` as processes.

Needs the extra ``cluster``. Every machine must have the same sorter and the LDraw library at the same path.
"""

from __future__ import annotations

import logging
import platform
import socket
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from sorter.render.errors import BackendMissing, RenderRefused
from sorter.render.settings import drawn_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor, Future

    from sorter.render.workers import Workers

Given = ParamSpec("Given")
Result = TypeVar("Result")

_ANSWER_S = 10.0
_INSTALL = "pip install 'turntable-sorter[cluster]'"


@contextmanager
def cluster(address: str, library: str) -> Iterator[Workers]:
    """The workers of the scheduler at ``address``, after seeing that each of them can do the work.

    What is under way when the block is left is taken back.

    Args:
        address: such as ``tcp://192.168.1.5:8786``.
        library: the LDraw library's folder, which every worker must see.

    Raises:
        BackendMissing: ``distributed`` is not installed here.
        RenderRefused: no scheduler answers, it has no worker, or one of them has other versions or no library.
    """
    try:
        import distributed  # noqa: PLC0415  (heavy, and in an extra)
        from distributed.comm.core import CommClosedError  # noqa: PLC0415
    except ImportError as error:
        raise BackendMissing(
            f"a cluster is reached through Dask, and that cannot be imported: {error}",
            remedy=f"Install the extra: {_INSTALL}, or leave out --scheduler.",
        ) from error
    dask: Any = distributed
    is_closed = getattr(dask.client, "ClosedClientError", CommClosedError)
    troubles = (CommClosedError, CancelledError, TimeoutError, dask.KilledWorker, is_closed)
    with _quiet(), _connected(dask.Client, address) as client:
        _check(client, address, library, troubles)
        executor = client.get_executor(pure=False)
        try:
            yield _Cluster(client, executor, address, troubles)
        finally:
            with suppress(*troubles):
                executor.shutdown(wait=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """What Dask would log of a scheduler that is gone, with tracebacks, is told by errors here."""
    logs = [logging.getLogger(name) for name in ("distributed.client", "concurrent.futures")]
    levels = [each.level for each in logs]
    for each in logs:
        each.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for each, level in zip(logs, levels, strict=True):
            each.setLevel(level)


@contextmanager
def _connected(make: Callable[..., Any], address: str) -> Iterator[Any]:
    try:
        client = make(address, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise RenderRefused(
            f"no Dask scheduler answers at {address}: {error}",
            remedy="Start one there with `dask scheduler`, and say what it tells as its address.",
        ) from error
    try:
        yield client
    finally:
        client.close(timeout=_ANSWER_S)


class _Cluster:
    def __init__(self, client: Any, executor: Executor, address: str, troubles: tuple[type[Exception], ...]) -> None:
        self._client = client
        self._executor = executor
        self._address = address
        self._troubles = troubles

    @property
    def width(self) -> int:
        """Of the workers that there are now: some may come and go."""
        workers: dict[str, Any] = self._client.scheduler_info(-1)["workers"]
        return max(1, sum(int(each["nthreads"]) for each in workers.values()))

    def submit(self, work: Callable[Given, Result], /, *arguments: Given.args, **named: Given.kwargs) -> Future[Result]:
        return self._executor.submit(work, *arguments, **named)

    def check(self) -> None:
        """Dask may forget futures when it has given up to reach its scheduler."""
        if self._client.status in ("closing", "closed"):
            raise CancelledError("no answer for too long")

    @property
    def troubles(self) -> tuple[type[Exception], ...]:
        # While it is without its scheduler, Dask's executor trips over results that it has lost (2026.8).
        return self._troubles if self._client.status == "running" else (*self._troubles, TypeError)

    def explain(self, trouble: Exception, /) -> RenderRefused:
        return _lost(self._address, trouble)


def _lost(address: str, trouble: Exception) -> RenderRefused:
    if type(trouble).__name__ == "KilledWorker":
        return RenderRefused(
            "the cluster gave a picture up after several of its workers had ended over it",
            remedy="See their logs, and whether they have enough memory; then give the same command again to go on.",
        )
    return RenderRefused(
        f"the Dask scheduler at {address} is gone: {str(trouble) or type(trouble).__name__}",
        remedy="Start it and its workers again; then give the same command again to go on.",
    )


def _check(client: Any, address: str, library: str, troubles: tuple[type[Exception], ...]) -> None:
    """See that every worker can do the work."""
    here = facts(library)
    versions = [each for each in here if each not in ("host", "library")]
    for worker, answer in _answers(client, address, library, troubles).items():
        where = f"the worker {worker} on {answer['host']}"
        unlike = [f"{each} {answer.get(each)}, not {here[each]}" for each in versions if answer.get(each) != here[each]]
        if unlike:
            raise RenderRefused(
                f"{where} has {'; '.join(unlike)}: its pictures would not be the same",
                remedy="Install the same versions on every machine, and restart the workers.",
            )
        if not answer["library"]:
            raise RenderRefused(
                f"{where} sees no LDraw library at {library}",
                remedy="Put the same library at the same path on every machine, or share the folder.",
            )


def _answers(
    client: Any, address: str, library: str, troubles: tuple[type[Exception], ...]
) -> dict[str, dict[str, str]]:
    """What each worker has, by its address."""
    try:
        answers: dict[str, dict[str, str]] = client.run(facts, library)
    except ImportError as error:
        raise RenderRefused(
            f"a worker of {address} cannot import what it is to do: {error}",
            remedy="Install the same turntable-sorter[render,cluster] on every machine, and restart the workers.",
        ) from error
    except troubles as error:
        raise _lost(address, error) from error
    if not answers:
        raise RenderRefused(
            f"the Dask scheduler at {address} has no worker",
            remedy=f"Start some on your machines: dask worker {address} --nthreads 1 --nworkers -1",
        )
    return answers


def facts(library: str) -> dict[str, str]:
    """What a worker has: its host, versions that matter, and the library's path or nothing; runs on the worker."""
    import distributed  # noqa: PLC0415

    dask: Any = distributed
    return {
        "host": socket.gethostname(),
        "library": library if (Path(library) / "parts").is_dir() else "",
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "distributed": dask.__version__,
        **drawn_by(),
    }
