"""``rig.toml``: all that is particular to one rig, checked once at the door and frozen from then on."""

from sorter.config.axes import ChuteConfig, MotorChuteConfig, MotorConfig, ServoChuteConfig, TurntableConfig
from sorter.config.bins import BinConfig, RuleConfig, SortConfig
from sorter.config.board import BoardConfig, PathsConfig, WebConfig
from sorter.config.camera import CameraConfig
from sorter.config.delivery import (
    EjectorConfig,
    FeederConfig,
    ManualFeederConfig,
    SensorConfig,
    SensorsConfig,
    StepperFeederConfig,
    VibratoryFeederConfig,
)
from sorter.config.describe import described
from sorter.config.edit import set_values
from sorter.config.errors import EditRefused
from sorter.config.look import LookConfig
from sorter.config.lost_steps import CheckConfig
from sorter.config.names import check_against_model
from sorter.config.rig import RigConfig, read_rig_config, read_sorting_config

__all__ = [
    "BinConfig",
    "BoardConfig",
    "CameraConfig",
    "CheckConfig",
    "ChuteConfig",
    "EditRefused",
    "EjectorConfig",
    "FeederConfig",
    "LookConfig",
    "ManualFeederConfig",
    "MotorChuteConfig",
    "MotorConfig",
    "PathsConfig",
    "RigConfig",
    "RuleConfig",
    "SensorConfig",
    "SensorsConfig",
    "ServoChuteConfig",
    "SortConfig",
    "StepperFeederConfig",
    "TurntableConfig",
    "VibratoryFeederConfig",
    "WebConfig",
    "check_against_model",
    "described",
    "read_rig_config",
    "read_sorting_config",
    "set_values",
]
