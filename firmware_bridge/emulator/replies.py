"""The long texts of Marlin 2.0.9.7 on a RAMPS 1.4: the banner, M115, M119 and M211. Each returns lines without ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_bridge.emulator.settings import Flavour

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firmware_bridge.emulator.motion import Motion
    from firmware_bridge.emulator.settings import BoardSettings

M112_KILL = "echo:M112 Shutdown"
HOMING_KILL = "echo:Homing Failed"
KILLED = "Error:Printer halted. kill() called!"

_VERSION = {Flavour.MARLIN_2_0_9: "2.0.9.7", Flavour.BUGFIX_2_1: "bugfix-2.1.x"}
_BUILT = {
    Flavour.MARLIN_2_0_9: ("2022-12-20", "Dec 20 2022 12:00:00"),
    Flavour.BUGFIX_2_1: ("2023-01-15", "Jan 15 2023 12:00:00"),
}
_CAPABILITIES = (
    "SERIAL_XON_XOFF:0 BINARY_FILE_TRANSFER:0 EEPROM:0 VOLUMETRIC:1 AUTOREPORT_POS:1 AUTOREPORT_TEMP:1 PROGRESS:0 "
    "PRINT_JOB:1 AUTOLEVEL:0 RUNOUT:0 Z_PROBE:0 LEVELING_DATA:0 BUILD_PERCENT:0 SOFTWARE_POWER:0 TOGGLE_LIGHTS:0 "
    "CASE_LIGHT_BRIGHTNESS:0 EMERGENCY_PARSER:{emergency_parser:d} HOST_ACTION_COMMANDS:0 PROMPT_SUPPORT:0 SDCARD:0 "
    "REPEAT:0 SD_WRITE:0 AUTOREPORT_SD_STATUS:0 LONG_FILENAME:0 LFN_WRITE:0 CUSTOM_FIRMWARE_UPLOAD:0 EXTENDED_M20:0 "
    "THERMAL_PROTECTION:1 MOTION_MODES:0 ARCS:0 BABYSTEPPING:0 CHAMBER_TEMPERATURE:0 COOLER_TEMPERATURE:0 MEATPACK:0 "
    "CONFIG_EXPORT:0"
)


def per_axis(values: list[float]) -> str:
    """Return `X80.00 Y80.00 Z400.00 E500.00`."""
    return " ".join(f"{letter}{value:.2f}" for letter, value in zip("XYZE", values, strict=True))


def settings_report(motion: Motion) -> list[str]:
    """Return the 20 lines of M503: what the board is set to now."""
    accelerations = (
        f"P{motion.print_acceleration:.2f} R{motion.retract_acceleration:.2f} T{motion.travel_acceleration:.2f}"
    )
    return [
        "echo:  G21    ; Units in mm (mm)" if motion.unit_scale == 1.0 else "echo:  G20    ; Units in inches (in)",
        "echo:; Filament settings: Disabled",
        "echo:  M200 S0 D1.75",
        "echo:; Steps per unit:",
        f"echo: M92 {per_axis(motion.steps_per_unit)}",
        "echo:; Maximum feedrates (units/s):",
        f"echo:  M203 {per_axis(motion.max_speed)}",
        "echo:; Maximum Acceleration (units/s2):",
        f"echo:  M201 {per_axis(motion.max_acceleration)}",
        "echo:; Acceleration (units/s2): P<print_accel> R<retract_accel> T<travel_accel>",
        f"echo:  M204 {accelerations}",
        "echo:; Advanced: B<min_segment_time_us> S<min_feedrate> T<min_travel_feedrate> J<junc_dev>",
        f"echo:  M205 B20000.00 S0.00 T0.00 J{motion.settings.junction_deviation_units:.2f}",
        "echo:; Home offset:",
        "echo:  M206 X0.00 Y0.00 Z0.00",
        "echo:; Material heatup parameters:",
        "echo:  M145 S0 H180.00 B70.00 F0",
        "echo:  M145 S1 H240.00 B110.00 F0",
        "echo:; PID settings:",
        "echo:  M301 P22.20 I1.08 D114.00",
    ]


def banner(motion: Motion) -> list[str]:
    """Return the 27 lines that a power-up or a reset says. There is no `ok` among them."""
    flavour = motion.settings.flavour
    updated, compiled = _BUILT[flavour]
    return [
        "start",
        "PowerUp",
        f"Marlin {_VERSION[flavour]}",
        f"echo: Last Updated: {updated} | Author: (none, default config)",
        f"echo: Compiled: {compiled}",
        "echo: Free Memory: 4213  PlannerBufferBytes: 1216",
        "echo:Hardcoded Default Settings Loaded",
        *settings_report(motion),
    ]


def identity(settings: BoardSettings, *, emergency_parser: bool) -> list[str]:
    """Return the answer to M115: a line of `KEY:value` and 35 lines `Cap:`."""
    compiled = _BUILT[settings.flavour][1]
    first = (
        f"FIRMWARE_NAME:Marlin {_VERSION[settings.flavour]} ({compiled}) "
        "SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 MACHINE_TYPE:RAMPS 1.4 "
        "EXTRUDER_COUNT:1 UUID:cede2a2f-41a2-4748-9b12-c55c62f367ff"
    )
    capabilities = _CAPABILITIES.format(emergency_parser=emergency_parser).split()
    return [first, *(f"Cap:{capability}" for capability in capabilities)]


def endstop_report(states: Mapping[str, bool]) -> list[str]:
    """Return the answer to M119."""
    lines = [f"{name}: {'TRIGGERED' if is_triggered else 'open'}" for name, is_triggered in states.items()]
    return ["Reporting endstop status", *lines]


def soft_endstop_report(motion: Motion) -> list[str]:
    """Return the answer to M211. The limits shift with G92, as everything that is said in logical coordinates."""
    low = " ".join(f"{letter}{motion.workspace_offset[axis]:.2f}" for axis, letter in enumerate("XYZ"))
    high = " ".join(
        f"{letter}{motion.settings.axes[axis].length_units + motion.workspace_offset[axis]:.2f}"
        for axis, letter in enumerate("XYZ")
    )
    state = "S1 ; ON" if motion.has_soft_endstops else "S0 ; OFF"
    return [f"  M211 {state}", f"  Min:  {low}   Max:  {high}"]
