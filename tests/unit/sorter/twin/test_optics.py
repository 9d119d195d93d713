"""What is wrong with lamp and lens is seen on the pictures, of sprites and of photographs alike, and on no other."""

from __future__ import annotations

import random
from contextlib import nullcontext

import numpy as np
import pytest

from sorter.twin.exposure import Exposure, Shutter
from sorter.twin.optics import Blob, Lens, Look, Optics
from sorter.twin.scene import Scene
from tests.twins import BlankPictures

GREY = np.full((60, 80, 3), 128, np.uint8)


def test_a_picture_of_a_twin_that_is_well_is_the_very_same():
    assert Lens(seed=1).through(GREY, Look(), 0) is GREY
    assert Optics().look(100.0).is_plain


def test_a_lamp_that_is_out_leaves_nothing_but_noise():
    dark = Lens(seed=1).through(GREY, Look((0.0, 0.0, 0.0)), 0)
    assert dark.max() < 12
    assert dark.std() > 0.1
    other = Lens(seed=1).through(GREY, Look((0.0, 0.0, 0.0)), 1)
    assert (dark != other).any()
    assert (dark == Lens(seed=1).through(GREY, Look((0.0, 0.0, 0.0)), 0)).all()


def test_a_room_without_the_lamp_is_dim():
    dim = Lens(seed=1).through(GREY, Look((0.05, 0.05, 0.05)), 0)
    assert 10 < dim.mean() < 40


def test_a_tint_changes_the_channels_as_light_does():
    seen = Lens(seed=1).through(GREY, Look((1.2, 1.0, 0.8)), 0).mean(axis=(0, 1))
    assert seen[0] > 128 > seen[2]
    assert seen[1] == pytest.approx(128, abs=1.0)


def test_dust_is_a_dark_blob_where_it_lies_and_nowhere_else():
    seen = Lens(seed=1).through(GREY, Look(blobs=(Blob(0.25, -0.25, 0.1, 0.5),)), 0)
    assert seen[15, 55].max() < 110
    assert seen[45, 25].min() > 120
    assert (seen[:, :40] >= 126).all()


def test_a_drift_goes_on_from_where_another_one_has_come():
    optics = Optics()
    optics.drift(0.0, random.Random(1))
    between = optics.look(30.0).gains
    optics.drift(30.0, random.Random(2))
    assert optics.look(30.0).gains == pytest.approx(between)
    assert optics.fail_light(random.Random(3)) is not None
    assert optics.fail_light(random.Random(3)) is None


def test_a_shutter_sees_what_is_wrong_when_it_opens():
    class Still:
        def held(self):
            return nullcontext(7.0)

        def host_s(self, board_s):
            return 0.0

        def expose(self, duration_s):
            exposure = Exposure(1)
            exposure.scenes.append(Scene(0.0))
            return exposure

    looked_s = []

    def look(time_s):
        looked_s.append(time_s)
        return Look((0.0, 0.0, 0.0))

    rgb, _ = Shutter(Still(), Still(), BlankPictures(), 0.008, look=look, lens=Lens(seed=1)).take()
    assert looked_s == [7.0]
    assert rgb.max() < 12
