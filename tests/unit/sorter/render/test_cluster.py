"""Rendering by a real Dask cluster over TCP, on this machine."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sorter.render.cluster import cluster
from sorter.render.errors import BackendMissing
from tests.unit.sorter.render import stand_in
from tests.unit.sorter.render.test_folder import filled

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_cluster_gives_the_same_pictures_and_names_what_is_wrong(tmp_path: Path, checkout: Path) -> None:
    pytest.importorskip("distributed", reason="Dask's distributed is not installed (extra: cluster)")
    command = [sys.executable, "-m", "tests.unit.sorter.render.in_a_cluster", str(tmp_path)]
    result = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=50)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    address = told["address"]
    assert address.startswith("tcp://")
    assert f"scheduler at {address} has no worker" in told["no worker"]
    assert f"sees no LDraw library at {tmp_path / 'elsewhere'}" in told["no library"]
    assert "not 1.0: its pictures would not be the same" in told["other version"]
    assert f"scheduler at {address} is gone" in told["scheduler gone"]
    assert f"no Dask scheduler answers at {address}" in told["no scheduler"]
    assert stand_in.content(tmp_path / "set") == stand_in.content(filled(tmp_path / "by hand", 12))


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., object] = builtins.__import__

    def without(name: str, *arguments: object, **named: object) -> object:
        if name == "distributed":
            raise ModuleNotFoundError("No module named 'distributed'")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BackendMissing, match="No module named 'distributed'") as refused, cluster("tcp://a:1", "b"):
        pass
    assert "turntable-sorter[cluster]" in refused.value.remedy
