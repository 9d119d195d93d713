"""A twin's settings survive their file, and a mistake in the file is told with its place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.types.twin import TwinCamera, TwinFeeder, TwinMotor, TwinSettings
from tests.twins import twin_settings


@given(
    chute=st.sampled_from([None, 1, TwinMotor("X", 17.778, home_deg=1.5), TwinMotor("Z", 3.0, is_endless=True)]),
    feeder=st.sampled_from([TwinFeeder("manual"), TwinFeeder("stepper", motor=TwinMotor("Z", 10.0))]),
    speed=st.floats(0.001, 1000.0),
    seed=st.integers(-(2**40), 2**40),
    camera=st.builds(TwinCamera, st.integers(64, 2048), st.integers(64, 2048), st.floats(0.001, 1.0)),
)
def test_settings_come_back_from_their_file_as_they_were(chute, feeder, speed, seed, camera):
    settings = twin_settings(chute=chute, feeder=feeder, speed=speed, seed=seed, camera=camera)
    assert TwinSettings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [
        ("speed", 0, "speed"),
        ("turntable", {"letter": "E", "steps_per_deg": 1.0}, "turntable.letter"),
        ("bins", [], "bins"),
        ("seed", "7", "seed"),
        ("colour", "red", "colour"),
        ("camera", {"exposure_s": -1.0}, "camera.exposure_s"),
    ],
)
def test_a_mistake_is_told_with_its_place(key, value, where):
    content = json.loads(twin_settings().to_json())
    content[key] = value
    with pytest.raises(ValueError, match=where):
        TwinSettings.from_json(json.dumps(content))
