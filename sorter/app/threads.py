"""How many threads the libraries below may take; to be said before any of them is imported."""

from __future__ import annotations

import os


def keep_small_sums_on_one_thread() -> None:
    """Let numpy's linear algebra (OpenBLAS) use one thread, unless the environment says otherwise.

    The systems that are solved for each picture have a few dozen numbers. Spread over all cores they take as long, and
    the other threads spin meanwhile: on two cores that cost more than half of all computing time of a rig, and kept the
    loop waiting for a core.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
