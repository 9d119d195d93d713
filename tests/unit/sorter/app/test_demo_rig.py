"""The demo's files: the rig's own config reads them, and the twin is the hardware that they describe."""

from __future__ import annotations

from pathlib import Path

import pytest

from sorter.app.build import fitting_model, model_folder
from sorter.app.demo_rig import HANDS_SOCKET, MOST_SPEED, DemoOptions, known_classes, rig_toml, twin_settings
from sorter.app.errors import DemoRefused, ModelUnfit
from sorter.classify import read_card
from sorter.config import MotorChuteConfig, RigConfig, read_sorting_config
from sorter.errors import ConfigError
from sorter.resources import models_dir
from sorter.types.twin import TwinMotor, TwinSettings

SHIPPED = Path("turntable10")


def written(
    folder: Path, options: DemoOptions, labels: tuple[str, ...] | None = None
) -> tuple[RigConfig, TwinSettings]:
    classes = known_classes(labels or read_card(models_dir() / SHIPPED).labels)
    (folder / "rig.toml").write_text(rig_toml(folder, SHIPPED, classes, options), encoding="utf-8")
    config = read_sorting_config(folder / "rig.toml")
    return config, twin_settings(folder, config, classes, options)


@pytest.mark.parametrize("speed", [1.0, 10.0, MOST_SPEED])
def test_rig_and_twin_fit_together_at_every_speed(tmp_path: Path, speed: float) -> None:
    config, twin = written(tmp_path, DemoOptions(600, seed=3, speed=speed, unknown_share=0.3))
    assert TwinSettings.from_json(twin.to_json()) == twin
    assert isinstance(config.chute, MotorChuteConfig)
    assert isinstance(twin.chute, TwinMotor)
    assert config.sort is not None
    assert (twin.chute.letter, twin.chute.steps_per_deg) == (config.chute.letter, config.chute.steps_per_deg)
    assert twin.turntable.letter == config.turntable.letter != twin.chute.letter
    assert [(each.id, each.chute_deg) for each in twin.bins] == [(each.id, each.chute_deg) for each in config.bins]
    assert {rule.classes[0]: rule.bin for rule in config.sort.rules} == {name: name for name in twin.parts.classes}
    assert (twin.recirculate, twin.parts.count, twin.parts.unknown_share) == ("recirculate", 600, 0.3)
    assert all(bin_.capacity >= 600 for bin_ in config.bins)
    assert str(config.camera.path) == twin.socket
    assert config.board.port == twin.port_link
    # However fast the twin lives, the host has time of its own.
    assert config.camera.frame_timeout_s / speed >= 0.6
    assert config.camera.deadline_s / speed >= 2.0
    assert config.feeder.give_up_s / speed >= 1.0
    assert twin.sensors is not None
    assert twin.sensors["in_chute"].pulse_s is not None
    assert twin.sensors["in_chute"].pulse_s >= twin.beam_s


def test_the_twin_has_the_bad_days_that_were_asked_for_and_hands_to_mend_them(tmp_path: Path) -> None:
    config, twin = written(tmp_path, DemoOptions(10, faults={"stuck": 0.1}))
    assert twin.faults == {"stuck": 0.1}
    assert twin.hands == str(tmp_path / HANDS_SOCKET)
    assert "motor_power" not in config.sensors.all
    config, twin = written(tmp_path, DemoOptions(10, faults={"power-cut": 0.1}))
    assert "motor_power" in config.sensors.all
    assert config.check.every_parts == 200
    config, twin = written(tmp_path, DemoOptions(10, faults={"power-cut": 0.1, "lost-steps-chute": 0.1}))
    assert config.check.every_parts == 20
    assert twin.sensors is not None
    assert twin.sensors["motor_power"].is_triggered_when_active


def test_a_fixed_number_of_views_is_taken_evenly_and_no_more(tmp_path: Path) -> None:
    config, _ = written(tmp_path, DemoOptions(1, views=3))
    assert (config.look.least_views, config.look.most_views, config.look.angles) == (3, 3, 8)
    many, _ = written(tmp_path, DemoOptions(1, views=12))
    assert (many.look.least_views, many.look.most_views, many.look.angles) == (12, 12, 12)
    adaptive, _ = written(tmp_path, DemoOptions(1))
    assert (adaptive.look.least_views, adaptive.look.most_views) == (2, 8)


def test_what_is_none_of_the_classes_gets_no_bin_of_its_own(tmp_path: Path) -> None:
    config, twin = written(tmp_path, DemoOptions(1), ("3001", "other", "3002"))
    assert [each.id for each in config.bins] == ["3001", "3002", "reject", "recirculate"]
    assert twin.parts.classes == ("3001", "3002")


def test_many_bins_are_hit_as_surely_as_few(tmp_path: Path) -> None:
    config, twin = written(tmp_path, DemoOptions(1), tuple(f"c{number}" for number in range(50)))
    apart_deg = config.bins[1].chute_deg - config.bins[0].chute_deg
    assert twin.chute_window_deg < apart_deg / 2
    with pytest.raises(DemoRefused, match="knows 90 classes"):
        known_classes(tuple(f"c{number}" for number in range(90)))


def test_a_path_that_no_socket_can_have_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(DemoRefused, match="too long a path"):
        rig_toml(tmp_path / ("x" * 100), SHIPPED, ["3001"], DemoOptions(1))


def test_a_rule_for_a_class_that_the_model_does_not_know_is_refused_before_anything_moves(tmp_path: Path) -> None:
    config, _ = written(tmp_path, DemoOptions(1))
    assert fitting_model(config, tmp_path / "rig.toml").card.name == "turntable10"
    wrong, _ = written(tmp_path, DemoOptions(1), ("3001", "3999"))
    with pytest.raises(ConfigError, match=r"line \d+: sort\.rules\.1\.classes\.0: is no class of the model"):
        fitting_model(wrong, tmp_path / "rig.toml")


def test_a_model_is_found_by_name_in_the_wheel_and_in_the_state_folder(tmp_path: Path) -> None:
    assert model_folder(SHIPPED, tmp_path) == models_dir() / SHIPPED
    with pytest.raises(ModelUnfit, match='there is no model "mine": shipped are turntable10'):
        model_folder(Path("mine"), tmp_path)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    assert model_folder(Path("mine"), tmp_path) == tmp_path / "models" / "mine"
    assert model_folder(tmp_path / "anything", tmp_path) == tmp_path / "anything"
