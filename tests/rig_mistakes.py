"""Mistakes that people make in a rig.toml: each spoils a rig that is fit for use, and says at which key."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable

from hypothesis import assume

from tests.rig_files import Data, KeyPath, used_endstops

Maker = Callable[[Data], KeyPath]
MISTAKES: dict[str, Maker] = {}


def mistake(what: str) -> Callable[[Maker], Maker]:
    def register(maker: Maker) -> Maker:
        MISTAKES[what] = maker
        return maker

    return register


def put(data: Data, *path: str | int, to: object) -> KeyPath:
    table = data
    for step, following in itertools.pairwise(path):
        table = table.setdefault(step, {}) if isinstance(step, str) and isinstance(following, str) else table[step]
    table[path[-1]] = to  # type: ignore[index]
    return path


def chute(data: Data, kind: str | None = None, homing: str | None = None) -> Data:
    table = data.get("chute", {})
    assume(bool(table))
    assume(kind is None or table["kind"] == kind)
    assume(homing is None or table.get("homing", "endstop") == homing)
    return table


def with_several_bins(data: Data) -> Data:
    assume(len(data["bins"]) > 1)
    return data


def plain(*path: str | int, to: object) -> Maker:
    return lambda data: put(data, *path, to=to)


MISTAKES |= {
    "a misspelt key": plain("turntable", "speed_deg_per_sec", to=90.0),
    "a misspelt table": plain("bord", to={"port": "auto"}),
    "a wrong type": plain("web", "port", to="80"),
    "a value out of bounds": plain("ejector", "park_deg", to=200.0),
    "a value that is none of the possible ones": plain("turntable", "letter", to="E"),
    "a port that is no device": plain("board", "port", to="COM3"),
    "an unknown kind": plain("feeder", "kind", to="conveyor"),
    "a table in place of a value": plain("web", "port", to={"number": 80}),
    "a value in place of a table": plain("look", to=8),
    "a name that is none": plain("bins", 0, "id", to="?"),
    "more views than angles": plain("look", "most_views", to=40),
    "a path for a camera that has none": plain("camera", "path", to="views"),
    "light that the camera cannot set": plain("camera", "white_balance_k", to=5000.0),
    "an exposure that is too long": plain("camera", "exposure_ms", to=900.0),
    "a frame that is given up too early": plain("camera", "frame_timeout_s", to=0.1),
    "a path that leaves the folder": plain("paths", "state", to="../state"),
    "a path with a tilde": plain("look", "model", to="~/model"),
    "a time to settle that is too short": plain("look", "settle_timeout_s", to=0.2),
}


@mistake("a value that is missing")
def _(data: Data) -> KeyPath:
    del data["bins"][0]["chute_deg"]
    return ("bins", 0, "chute_deg")


@mistake("an arm that goes nowhere")
def _(data: Data) -> KeyPath:
    return put(data, "ejector", "push_deg", to=data["ejector"]["park_deg"] + 5.0)


@mistake("a camera without its path")
def _(data: Data) -> KeyPath:
    put(data, "camera", "source", to="video")
    return ("camera", "path")


@mistake("a category that is not there")
def _(data: Data) -> KeyPath:
    put(data, "sort", "rules", 0, "categories", to=["plats"])
    return ("sort", "rules", 0, "categories", 0)


@mistake("two motors on one letter")
def _(data: Data) -> KeyPath:
    chute(data, "motor")["letter"] = data["turntable"]["letter"]
    data.pop("sensors", None)  # one of them may be at the switch now
    return ("chute", "letter")


@mistake("a feeder on the turntable's letter")
def _(data: Data) -> KeyPath:
    assume(data["feeder"]["kind"] == "stepper")
    return put(data, "feeder", "letter", to=data["turntable"]["letter"])


@mistake("two servos on one socket")
def _(data: Data) -> KeyPath:
    chute(data, "servo")
    return put(data, "chute", "servo", to=data["ejector"]["servo"])


@mistake("a sensor at the turntable's switch")
def _(data: Data) -> KeyPath:
    assume(data["turntable"]["homing"] == "index")
    return put(data, "sensors", "dropped", "endstop", to=f"{data['turntable']['letter'].lower()}_min")


@mistake("a sensor at the chute's switch")
def _(data: Data) -> KeyPath:
    at = chute(data, "motor")["letter"].lower()
    return put(data, "sensors", "in_chute", "endstop", to=f"{at}_min")


@mistake("two sensors at one input")
def _(data: Data) -> KeyPath:
    (free, *_) = {"x_max", "y_max", "z_max"} - used_endstops(data)
    data["sensors"] = {"dropped": {"endstop": free}, "motor_power": {"endstop": free}}
    return ("sensors", "motor_power", "endstop")


@mistake("two bins with one id")
def _(data: Data) -> KeyPath:
    with_several_bins(data)
    data["bins"].append(data["bins"][0] | {"chute_deg": free_place(data)})
    return ("bins", len(data["bins"]) - 1, "id")


def free_place(data: Data) -> float:
    low, high = data["chute"].get("minimum_deg", 0.0), data["chute"].get("maximum_deg", 350.0)
    return float(low + 0.95 * (high - low))


@mistake("two bins at one angle")
def _(data: Data) -> KeyPath:
    with_several_bins(data)
    return put(data, "bins", 1, "chute_deg", to=data["bins"][0]["chute_deg"])


@mistake("two bins at one angle, a turn apart")
def _(data: Data) -> KeyPath:
    chute(data, "motor", "index")
    return put(data, "bins", 1, "chute_deg", to=data["bins"][0]["chute_deg"] - 359.0)


@mistake("a bin beyond the chute's limits")
def _(data: Data) -> KeyPath:
    chute(data, homing="endstop")
    return put(data, "bins", 1, "chute_deg", to=free_place(data) + 360.0)


@mistake("a second bin without a chute")
def _(data: Data) -> KeyPath:
    assume("chute" not in data)
    data["bins"].append({"id": "other", "chute_deg": 90.0})
    data["sort"]["reject"] = "other"
    return ("bins", 1)


@mistake("a bin without parts")
def _(data: Data) -> KeyPath:
    with_several_bins(data)
    data["bins"].append({"id": "idle", "chute_deg": free_place(data)})
    return ("bins", len(data["bins"]) - 1)


@mistake("a plan without bins")
def _(data: Data) -> KeyPath:
    del data["bins"]
    return ("sort",)


@mistake("a rule for no bin")
def _(data: Data) -> KeyPath:
    return put(data, "sort", "rules", 0, "bin", to=data["sort"]["rules"][0]["bin"] + "0")


@mistake("a rule without a bin")
def _(data: Data) -> KeyPath:
    del data["sort"]["rules"][0]["bin"]
    return ("sort", "rules", 0, "bin")


for _each in ("reject", "overflow", "recirculate"):

    @mistake(f"a {_each} that is no bin")
    def _(data: Data, name: str = _each) -> KeyPath:
        with_several_bins(data)
        return put(data, "sort", name, to=data["sort"][name] + "0")


@mistake("an overflow that is the reject bin")
def _(data: Data) -> KeyPath:
    with_several_bins(data)
    data["bins"].pop(-2)
    return put(data, "sort", "overflow", to=data["sort"]["reject"])


@mistake("an overflow that is fed again")
def _(data: Data) -> KeyPath:
    with_several_bins(data)
    data["bins"].pop(-2)
    return put(data, "sort", "overflow", to=data["sort"]["recirculate"])


@mistake("a rule for what is fed again")
def _(data: Data) -> KeyPath:
    with_several_bins(data)
    data["sort"]["rules"].append({"bin": data["sort"]["recirculate"], "classes": ["9999"]})
    return ("sort", "rules", len(data["sort"]["rules"]) - 1, "bin")


@mistake("a rule that comes too late")
def _(data: Data) -> KeyPath:
    rules = data["sort"]["rules"]
    rules.append(copy.deepcopy(rules[0]) | {"colours": ["Black"], "least_probability": 0.9})
    return ("sort", "rules", len(rules) - 1)


@mistake("a rule for classes of other categories")
def _(data: Data) -> KeyPath:
    with_several_bins(data)
    data["sort"]["rules"].append({"bin": "bin 0", "classes": ["3068"], "categories": ["plates"]})
    return ("sort", "rules", len(data["sort"]["rules"]) - 1, "classes")


@mistake("an empty category")
def _(data: Data) -> KeyPath:
    return put(data, "categories", "wheels", to=[])


@mistake("a class named twice")
def _(data: Data) -> KeyPath:
    data["sort"]["rules"][0]["classes"] *= 2
    return ("sort", "rules", 0, "classes", 1)


@mistake("a measured gearing beside another")
def _(data: Data) -> KeyPath:
    data["turntable"] |= {"measured_steps_per_deg": 9.0, "gear_ratio": 2.0}
    return ("turntable", "gear_ratio")


@mistake("a table that cannot be turned so little")
def _(data: Data) -> KeyPath:
    return put(data, "turntable", "measured_steps_per_deg", to=0.1)


@mistake("a home beyond the limits")
def _(data: Data) -> KeyPath:
    chute(data, "motor", "endstop")
    return put(data, "chute", "home_deg", to=data["chute"]["maximum_deg"] + 1.0)


@mistake("limits the wrong way round")
def _(data: Data) -> KeyPath:
    assume("minimum_deg" in chute(data))
    return put(data, "chute", "maximum_deg", to=data["chute"]["minimum_deg"] - 1.0)


@mistake("limits of a chute that has no ends")
def _(data: Data) -> KeyPath:
    chute(data, "motor", "index")
    return put(data, "chute", "minimum_deg", to=0.0)


@mistake("a key of another kind of chute")
def _(data: Data) -> KeyPath:
    chute(data, "motor")
    return put(data, "chute", "travel_s", to=0.5)


@mistake("a chute of no kind")
def _(data: Data) -> KeyPath:
    del chute(data)["kind"]
    return ("chute", "kind")


@mistake("a pulse that is longer than the try")
def _(data: Data) -> KeyPath:
    assume(data["feeder"]["kind"] == "vibratory")
    return put(data, "feeder", "pulse_s", to=min(60.0, data["feeder"]["give_up_s"] + 0.5))


@mistake("a step that the motor cannot make")
def _(data: Data) -> KeyPath:
    assume(data["feeder"]["kind"] == "stepper")
    return put(data, "feeder", "step_deg", to=0.1)


@mistake("a socket's path that is too long")
def _(data: Data) -> KeyPath:
    data["camera"]["source"] = "socket"
    return put(data, "camera", "path", to="s" * 200)
