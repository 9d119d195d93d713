"""A rig that is put together is taken apart again, whatever happens: no port, lock or thread is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sorter.app.build import App, running
from sorter.clock import RealClock
from sorter.config import read_sorting_config
from sorter.errors import CommandRefused, ConfigError
from sorter.ledger import Ledger
from sorter.types import RigState
from tests.played_rigs import PlayedRig, draw_pictures, played_rig


@pytest.fixture
def rig(tmp_path: Path, tiny_model: Path) -> Iterator[PlayedRig]:
    draw_pictures(tmp_path / "drawn")
    with played_rig(tmp_path, tiny_model, tmp_path / "drawn") as made:
        yield made


def wait_for(app: App, changed: threading.Event, *states: RigState) -> RigState:
    """The first of these states that the rig comes to."""
    for _ in range(3000):
        changed.wait(0.01)
        changed.clear()
        if (state := app.controller.snapshot().state) in states:
            return state
    raise AssertionError(f"the rig is {app.controller.snapshot()}")


def assert_let_go(rig: PlayedRig) -> None:
    rig.board.wait_until(lambda truth: not truth.is_port_open, 5.0)
    assert not any(rig.board.truth().fans)
    Ledger(rig.ledger).close()


def test_it_connects_homes_and_lets_go(rig: PlayedRig) -> None:
    changed = threading.Event()
    config = read_sorting_config(rig.file)
    with running(config, rig.file, RealClock(), on_change=changed.set) as app:
        assert wait_for(app, changed, RigState.UNHOMED) is RigState.UNHOMED
        assert rig.board.truth().is_port_open
        app.controller.home()
        wait_for(app, changed, RigState.IDLE)
        assert (app.card.name, app.first_part, app.plan.reject) == ("tiny", 1, "rest")
        with pytest.raises(CommandRefused, match='there is no model "none"'):
            app.controller.promote("none")
        with pytest.raises(CommandRefused, match=r"turntable10 .* sort\.rules\.0\.classes"):
            app.controller.promote("turntable10")
    assert_let_go(rig)


def test_whatever_goes_wrong_while_it_runs_it_lets_go(rig: PlayedRig) -> None:
    changed = threading.Event()
    config = read_sorting_config(rig.file)

    def fail() -> None:
        with running(config, rig.file, RealClock(), on_change=changed.set) as app:
            wait_for(app, changed, RigState.UNHOMED)
            app.controller.home()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert_let_go(rig)


def test_what_does_not_fit_is_refused_before_anything_is_opened(rig: PlayedRig) -> None:
    rig.change({'classes = ["bar"]': 'classes = ["bart"]'})

    def begin() -> None:
        with running(read_sorting_config(rig.file), rig.file, RealClock()):
            raise AssertionError("it was begun")

    with pytest.raises(ConfigError, match="is no class of the model"):
        begin()
    assert not rig.board.truth().resets
    assert not rig.ledger.exists()
