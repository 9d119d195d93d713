"""A whole rig.toml for a rig as most are built, with a comment at every key: what `sorter config init` writes.

The comments are the descriptions of the models' fields, so they cannot say anything else than what is checked.
"""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from sorter.config.axes import MotorChuteConfig
from sorter.config.checks import LEAST_APART_DEG
from sorter.config.keys import Key, Table, tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

REJECT, OVERFLOW, RECIRCULATE = "reject", "overflow", "again"

_WIDTH = 120
_WIDEST_APART_DEG = 30.0
_HEAD = """\
# rig.toml: all that is particular to one rig. A RAMPS 1.4 with stock Marlin: turntable on Y, chute on X with its
# switch at x_min, ejector on servo 0, a feeder that shakes on D9, a Raspberry Pi camera.
#
# A line that begins with "#name =" is a key that is left out; what it says holds without it, or is an example.
# `sorter config check rig.toml` says of every mistake where it stands, and in words what rig this is.
"""

# What is written down; all other keys are left out, as comments.
_STATED: dict[tuple[str, str | None], dict[str, Any]] = {
    ("[board]", None): {"port": "auto", "baud_rate": 250_000},
    ("[camera]", None): {"source": "picamera2", "device": "0", "width_px": 1280, "height_px": 720},
    ("[turntable]", None): {
        "letter": "Y",
        "full_steps_per_turn": 200,
        "microsteps": 16,
        "gear_ratio": 1.0,
        "is_reversed": False,
        "speed_deg_per_s": 360.0,
        "acceleration_deg_per_s2": 1440.0,
        "homing": "none",
    },
    ("[chute]", "motor"): {
        "kind": "motor",
        "letter": "X",
        "full_steps_per_turn": 200,
        "microsteps": 16,
        "gear_ratio": 1.0,
        "is_reversed": False,
        "speed_deg_per_s": 360.0,
        "acceleration_deg_per_s2": 1440.0,
        "homing": "endstop",
        "home_deg": 0.0,
        "minimum_deg": 0.0,
        "maximum_deg": 350.0,
    },
    ("[ejector]", None): {"servo": 0, "park_deg": 20.0, "push_deg": 130.0, "travel_s": 0.3, "fall_s": 0.35},
    ("[feeder]", "vibratory"): {"kind": "vibratory", "fan": 0, "level": 160},
    ("[look]", None): {"model": "turntable10", "misroute_rate": 0.005},
    ("[check]", None): {"every_parts": 200},
    ("[paths]", None): {"state": "state"},
    ("[web]", None): {"host": "127.0.0.1", "port": 8080},
}
# Examples for tables that are left out as a whole.
_EXAMPLES: dict[str, dict[str, Any]] = {
    "[sensors.dropped]": {"endstop": "y_max"},
    "[sensors.in_chute]": {"endstop": "z_max"},
    "[sensors.motor_power]": {"endstop": "z_min"},
}
_NOTES = {
    "[sensors]": "Without them the camera alone says that a part came and went. A beam's pulse must last 0.2 s or "
    "more.",
    "[[bins]]": "One for each class of the model, evenly around the chute, and three for all the rest.",
}


def rig_file(labels: Sequence[str], *, model: str = "turntable10") -> str:
    """The text of a rig.toml with a bin for each of ``labels``, and bins for rejects, overflow and several at once.

    Args:
        labels: classes that the model can decide for; each becomes the id of a bin.
        model: the name of a shipped model.

    Raises:
        ValueError: so many bins do not fit around a chute.
    """
    bins = [*labels, REJECT, OVERFLOW, RECIRCULATE]
    chute = MotorChuteConfig(kind="motor")
    low_deg, high_deg = chute.limits_deg or (0.0, 0.0)
    step_deg = min(_WIDEST_APART_DEG, (high_deg - low_deg) // (len(bins) - 1), 360.0 // len(bins))
    if step_deg < LEAST_APART_DEG:
        raise ValueError(f"{len(bins)} bins do not fit around a chute from {low_deg:g} to {high_deg:g} deg")
    places = {bin_id: low_deg + step_deg * place for place, bin_id in enumerate(bins)}
    parts = [_HEAD]
    for table in tables():
        if table.header == "[[bins]]":
            first = {"id": bins[0], "chute_deg": places[bins[0]]}
            parts.append(_section(table, first))
            parts += [_short(table.header, {"id": each, "chute_deg": places[each]}) for each in bins[1:]]
        elif table.header == "[sort]":
            stated = {"name": "standard", "reject": REJECT, "overflow": OVERFLOW, "recirculate": RECIRCULATE}
            parts.append(_section(table, stated))
        elif table.header == "[[sort.rules]]":
            parts.append(_section(table, {"bin": labels[0], "classes": [labels[0]]}))
            parts += [_short(table.header, {"bin": each, "classes": [each]}) for each in labels[1:]]
        else:
            stated = dict(_STATED.get((table.header, table.kind), {}))
            if "model" in stated:
                stated["model"] = model
            parts.append(_section(table, stated))
    return "\n".join(parts)


def _section(table: Table, stated: Mapping[str, Any]) -> str:
    """A table with a comment at every key; all of it a comment if none of its keys is stated."""
    kind = f', kind = "{table.kind}"' if table.kind is not None else ""
    note = _NOTES.get(table.header)
    is_left_out = bool(table.keys) and not stated
    lines = [*_comment(f"{table.header}{kind}: {table.meaning}."), *(_comment(note) if note else ())]
    if table.keys:
        lines.append(f"#{table.header}" if is_left_out else table.header)
    for key in table.keys:
        lines += _comment(_told(key))
        value = stated.get(key.name, _EXAMPLES.get(table.header, {}).get(key.name))
        text = key.example if value is None else _toml(value)
        lines.append(f"{'' if key.name in stated else '#'}{key.name} = {text}")
    return "\n".join(lines) + "\n"


def _short(header: str, stated: Mapping[str, Any]) -> str:
    return "\n".join([header, *(f"{name} = {_toml(value)}" for name, value in stated.items())]) + "\n"


def _told(key: Key) -> str:
    without = "must be there" if key.is_required else f"without it {key.default}" if key.default else "may be left out"
    return f"{key.meaning} ({key.values}; {without})"


def _comment(text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
