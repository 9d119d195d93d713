"""A picture shows the very time of its exposure: what moved then is smeared, what stood still is sharp."""

import itertools
import os
import time

import numpy as np
import pytest

from firmware_bridge.emulator import EmulatedBoard
from sorter.twin.around import Around
from sorter.twin.board import twin_board
from sorter.twin.exposure import Shutter
from sorter.twin.world import World
from tests.twins import BlankPictures, Blocks, Notes, twin_settings

EXPOSURE_S = 0.05


@pytest.fixture
def rig(tmp_path):
    """An emulated board, what makes pictures, and a shutter before both."""
    settings = twin_settings(tmp_path)
    how, maker = twin_board(settings), BlankPictures()
    world = World(settings, Blocks(), Notes())
    link = tmp_path / "port"
    with EmulatedBoard(how.settings, speed=5.0, link=link, surroundings=Around(how, world)) as board:
        yield board, maker, Shutter(board, world, maker, EXPOSURE_S)


def test_a_table_that_stands_is_one_scene(rig):
    _, maker, shutter = rig
    rgb, exposure_s = shutter.take()
    assert (rgb.shape, rgb.dtype, exposure_s) == ((64, 64, 3), np.uint8, EXPOSURE_S)
    shutter.take()
    assert [len(scenes) for scenes in maker.shown] == [1, 1]


def test_a_table_that_turns_is_five_scenes_spread_evenly_over_the_exposure(rig):
    board, maker, shutter = rig
    host = os.open(board.path, os.O_RDWR | os.O_NOCTTY)
    try:
        board.wait_until(lambda truth: truth.resets == 1 and not truth.is_booting, 30.0)
        os.write(host, b"M211 S0\nM203 Y360\nG1 Y36000 F21600\n")
        board.wait_until(lambda truth: truth.steps["Y"] > 200 * 44.4, 30.0)
        opened_s = time.monotonic()
        shutter.take()
        assert time.monotonic() - opened_s >= EXPOSURE_S / 5.0
    finally:
        os.close(host)
    (scenes,) = maker.shown
    turned_deg = [(after.table_deg - before.table_deg) % 360.0 for before, after in itertools.pairwise(scenes)]
    assert turned_deg == pytest.approx([360.0 * EXPOSURE_S / 4] * 4, abs=0.05)
