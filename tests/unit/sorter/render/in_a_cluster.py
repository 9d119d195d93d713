"""Run by ``test_cluster`` in a process of its own, since Dask leaves threads behind: what happens with a real cluster.

Prints what was refused, by situation, as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from distributed import LocalCluster

from sorter.render import cluster as cluster_module
from sorter.render.cluster import cluster
from sorter.render.errors import RenderRefused
from sorter.render.job import render_folder
from tests.unit.sorter.render import stand_in


def refusal(address: str, library: Path) -> str:
    try:
        with cluster(address, str(library)):
            return "nothing"
    except RenderRefused as error:
        return str(error)


def render(address: str, root: Path, library: Path, listener: stand_in.Listener, *, is_slow: bool = False) -> None:
    with cluster(address, str(library)) as workers:
        work = stand_in.slow_picture if is_slow else stand_in.picture
        stop = threading.Event()
        count = 200 if is_slow else 12
        render_folder(root, stand_in.job(library), count, workers=workers, observer=listener, stop=stop, work=work)


def main(folder: Path) -> None:
    told = {}
    cluster_module._ANSWER_S = 2.0
    library = folder / "library"
    (library / "parts").mkdir(parents=True)
    with LocalCluster(n_workers=0, threads_per_worker=2, processes=True, dashboard_address=None) as local:
        address = local.scheduler_address
        told["address"] = address
        told["no worker"] = refusal(address, library)
        local.scale(1)
        local.wait_for_workers(1, timeout=30)
        told["no library"] = refusal(address, folder / "elsewhere")
        here = cluster_module.drawn_by
        cluster_module.drawn_by = lambda: {**here(), "numpy": "1.0"}
        told["other version"] = refusal(address, library)
        cluster_module.drawn_by = here
        render(address, folder / "set", library, stand_in.Listener())

        class Ending(stand_in.Listener):
            def on_picture(self) -> None:
                super().on_picture()
                if self.pictures == 3:
                    local.close()

        try:
            render(address, folder / "lost", library, Ending(), is_slow=True)
        except RenderRefused as error:
            told["scheduler gone"] = str(error)
    told["no scheduler"] = refusal(address, library)
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
