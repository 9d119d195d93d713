"""Rigs of every kind as plain data, and as the text of a rig.toml of which every key's line is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Data = dict[str, Any]
KeyPath = tuple[str | int, ...]

_ENDSTOPS = ("x_min", "x_max", "y_min", "y_max", "z_min", "z_max")


@st.composite
def rigs(draw: st.DrawFn, chutes: tuple[str, ...] = ("none", "endstop", "index", "servo")) -> Data:
    """A rig that is fit to sort."""
    kind = draw(st.sampled_from(chutes))
    table, chute, feeder = draw(st.permutations("XYZ"))
    data: Data = {
        "board": {"port": draw(st.sampled_from(["auto", "/dev/ttyUSB0"]))},
        "camera": {"width_px": draw(st.integers(32, 1000)) * 2, "frames_per_s": draw(st.floats(2.0, 8.0))},
        "turntable": {"letter": table, "homing": draw(st.sampled_from(["none", "index"]))},
        "ejector": {"servo": 0, "park_deg": draw(st.floats(0.0, 60.0)), "push_deg": draw(st.floats(80.0, 180.0))},
        "feeder": _feeder(draw, feeder),
        "look": {"angles": draw(st.integers(8, 36)), "settle_timeout_s": draw(st.floats(2.0, 20.0))},
        "web": {"port": draw(st.integers(1024, 9999))},
    }
    low, high = 0.0, 350.0
    if kind == "servo":
        low, high = 10.0, 170.0
        data["chute"] = {"kind": "servo", "servo": 1, "minimum_deg": low, "maximum_deg": high}
    elif kind == "endstop":
        low, high = draw(st.sampled_from([(-10.0, 300.0), (0.0, 350.0), (15.0, 200.0)]))
        home_deg = draw(st.floats(low, high))
        data["chute"] = {
            "kind": "motor",
            "letter": chute,
            "home_deg": home_deg,
            "gear_ratio": draw(st.floats(0.5, 9.0)),
        }
        data["chute"] |= {"minimum_deg": low, "maximum_deg": high}
    elif kind == "index":
        data["chute"] = {"kind": "motor", "letter": chute, "homing": "index", "is_reversed": draw(st.booleans())}
    _add_bins(draw, data, low, high, 1 if kind == "none" else draw(st.integers(4, 7)))
    free = [each for each in _ENDSTOPS if each not in used_endstops(data)]
    names = draw(st.lists(st.sampled_from(["dropped", "in_chute", "motor_power"]), unique=True))
    data["sensors"] = {name: {"endstop": at} for name, at in zip(names, draw(st.permutations(free)), strict=False)}
    return {name: table for name, table in data.items() if table}


def _feeder(draw: st.DrawFn, letter: str) -> Data:
    kind = draw(st.sampled_from(["manual", "vibratory", "stepper"]))
    more: dict[str, Data] = {
        "manual": {},
        "vibratory": {"fan": draw(st.integers(0, 7)), "pulse_s": draw(st.floats(0.1, 0.5))},
        "stepper": {"letter": letter, "step_deg": draw(st.floats(5.0, 90.0))},
    }
    return {"kind": kind, "give_up_s": draw(st.floats(1.0, 60.0)), **more[kind]}


def _add_bins(draw: st.DrawFn, data: Data, low: float, high: float, count: int) -> None:
    """Bins over the lower four fifths of the chute's way; the last three are for what is not recognised."""
    step = 0.8 * (high - low) / count
    ids = [f"bin {place}" for place in range(count)]
    places = [round(low + step * (place + draw(st.floats(0.0, 0.5))), 3) for place in range(count)]
    data["bins"] = [{"id": name, "chute_deg": at} for name, at in zip(ids, places, strict=True)]
    if count == 1:
        data["sort"] = {"reject": ids[0], "rules": [{"bin": ids[0], "classes": ["3001"]}]}
        return
    *sorted_to, again, overflow, reject = ids
    rules = [{"bin": name, "classes": [f"30{place:02}"]} for place, name in enumerate(sorted_to)]
    data["categories"] = {"plates": ["3020", "3021"], "tiles": ["3068"]}
    rules.append({"bin": sorted_to[0], "categories": ["plates"], "colours": draw(st.sampled_from([[], ["Red"]]))})
    data["sort"] = {"reject": reject, "overflow": overflow, "recirculate": again, "rules": rules}


def used_endstops(data: Data) -> set[str]:
    """Inputs that homing uses."""
    used = {f"{data['chute']['letter'].lower()}_min"} if data.get("chute", {}).get("kind") == "motor" else set()
    return used | ({f"{data['turntable']['letter'].lower()}_min"} if data["turntable"]["homing"] == "index" else set())


def text_of(data: Data) -> tuple[str, dict[KeyPath, int]]:
    """The text of a rig.toml, with a comment before each table, and the line of each key."""
    rows: list[str] = []
    lines: dict[KeyPath, int] = {}
    _write(data, (), rows, lines)
    return "\n".join(rows) + "\n", lines


def _write(table: Data, path: KeyPath, rows: list[str], lines: dict[KeyPath, int]) -> None:
    for key, value in table.items():
        if not _is_table(value):
            rows.append(f"{_name((key,))} = {json.dumps(value)}")
            for inner in _paths(value):
                lines[(*path, key, *inner)] = len(rows)
    for key, value in table.items():
        if isinstance(value, dict):
            _open((*path, key), f"[{_name((*path, key))}]", rows, lines)
            _write(value, (*path, key), rows, lines)
        elif _is_table(value):
            for place, item in enumerate(value):
                _open((*path, key, place), f"[[{_name((*path, key))}]]", rows, lines)
                _write(item, (*path, key, place), rows, lines)


def _open(path: KeyPath, header: str, rows: list[str], lines: dict[KeyPath, int]) -> None:
    rows += ["", "# a comment = 1", header]
    for end in range(1, len(path) + 1):
        lines.setdefault(path[:end], len(rows))


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _paths(value: object) -> Iterator[KeyPath]:
    yield ()
    if isinstance(value, list):
        yield from ((place,) for place in range(len(value)))


def _name(path: KeyPath) -> str:
    names = [step for step in path if isinstance(step, str)]
    return ".".join(step if step.replace("_", "").isalnum() else json.dumps(step) for step in names)
