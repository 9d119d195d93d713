"""``sorter calibrate``: a first evening with a rig, step by step."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli.board_common import LogOption, check_log, note
from sorter.cli.console import JsonOption, report
from sorter.cli.exit_codes import ExitCode
from sorter.cli.machine_common import RIG_TOML, ConfigOption, ends_when_interrupted, stopped_by_ctrl_c

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sorter.calibrate import Bench, Came, Record
    from sorter.camera import Camera
    from sorter.cli.calibrate_talk import TerminalTalk
    from sorter.config import RigConfig
    from sorter.rig import Machine
    from sorter.types import Clock


def calibrate(
    steps: Annotated[
        list[str] | None,
        typer.Argument(
            help="motors, steps, centre, ejector, chute, acceleration; without any, those that were not done yet."
        ),
    ] = None,
    *,
    config: ConfigOption = RIG_TOML,
    status: Annotated[bool, typer.Option("--status", help="Only tell which steps were done, and how.")] = False,
    log: LogOption = None,
    json: JsonOption = False,
) -> None:
    """Find out what no file can know of a rig, and write it into rig.toml: one step after the other, asking.

    Each step can be run by itself, and again. Nothing is written before it was shown and agreed to; comments in
    rig.toml stay. Ctrl-C or the end of the input stops; the same command goes on with what is left. Exit code 5 if a
    step came to nothing, or was left out.
    """
    from sorter.calibrate import STEPS, TalkEnded, run_steps, undone

    unknown = [name for name in steps or () if name not in STEPS]
    if unknown:
        raise typer.BadParameter(f"there is no step {unknown[0]!r}; there are {', '.join(STEPS)}", param_hint="STEPS")
    check_log(log)
    if status:
        _tell_status(config)
        return
    came: list[Came] = []
    with ends_when_interrupted(), bench_at(config, log) as (bench, talk):
        bench.record.check_writable()
        names = list(steps or undone(bench))
        _greet(bench, names)
        try:
            came = stopped_by_ctrl_c(
                stopper(bench, talk), lambda: run_steps(bench, names), is_emergency=lambda: bench.is_homing
            )
        except TalkEnded as error:
            talk.say(f"{error.message}. {error.remedy}")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        data = {"steps": [{"name": each.name, "came": each.how, "text": each.text} for each in came]}
        report({**data, "undone": undone(bench)}, _ending(came, undone(bench)))
    if any(each.how != "done" for each in came):
        raise typer.Exit(ExitCode.FINDINGS)


@contextlib.contextmanager
def bench_at(config: Path, log: Path | None) -> Iterator[tuple[Bench, TerminalTalk]]:
    """The rig of a rig.toml on the bench, and the terminal at which is talked; all of it is closed at the end."""
    from sorter.calibrate import Bench
    from sorter.cli.calibrate_talk import TerminalTalk
    from sorter.clock import RealClock

    clock = RealClock()
    with TerminalTalk() as talk:
        bench = Bench(config, _Rig(clock, log), clock, talk, _record(config))
        try:
            yield bench, talk
        finally:
            bench.close()


class _Rig:
    """The hardware that rig.toml names."""

    def __init__(self, clock: Clock, log: Path | None) -> None:
        self._clock, self._log = clock, log

    def machine(self, config: RigConfig) -> Machine:
        from sorter.rig import Machine

        return Machine(config, self._clock, on_note=note, log_file=self._log)

    def camera(self, config: RigConfig) -> Camera:
        from sorter.camera import make_camera

        return make_camera(config.camera, self._clock, state=config.paths.state)


class _Stop:
    """Stops the bench, and whoever waits for an answer."""

    def __init__(self, bench: Bench, talk: TerminalTalk) -> None:
        self._bench, self._talk = bench, talk

    def quick_stop(self) -> None:
        self._talk.end("stopped")
        self._bench.quick_stop()

    def emergency_stop(self) -> bool:
        was_written = self._bench.emergency_stop()
        self._talk.end("stopped")
        return was_written


def stopper(bench: Bench, talk: TerminalTalk) -> _Stop:
    """What Ctrl-C is to stop while somebody is asked."""
    return _Stop(bench, talk)


def _record(config: Path) -> Record:
    from sorter.calibrate import Record
    from sorter.config import read_rig_config

    return Record(read_rig_config(config).paths.state)


def _greet(bench: Bench, names: list[str]) -> None:
    from sorter.calibrate import STEPS

    done = bench.record.steps
    lines = [f"{bench.path}: {', '.join(names)} to do." if names else f"{bench.path}: every step was done."]
    if not os.access(bench.path, os.W_OK):
        lines.append(f"{bench.path} may not be written to: nothing that is found can be kept in it.")
    lines += [f"  {name}: done {done[name].at}: {done[name].result}" for name in STEPS if name in done]
    if not names:
        lines.append("Name the steps that are to be done again, such as: sorter calibrate steps")
    bench.talk.say("\n".join(lines))


def _tell_status(config: Path) -> None:
    from sorter.calibrate import STEPS

    done = _record(config).steps
    data: dict[str, Any] = {
        "steps": {
            name: None if name not in done else {"at": done[name].at, "result": done[name].result} for name in STEPS
        }
    }
    width = max(map(len, STEPS))
    text = [
        f"{name:<{width}}  {done[name].at}  {done[name].result}"
        if name in done
        else f"{name:<{width}}  not done: {step.question}"
        for name, step in STEPS.items()
    ]
    report(data, "\n".join(text))


def _ending(came: list[Came], left: list[str]) -> str:
    lines = ["", *(f"{each.name}: {each.how}: {each.text}" for each in came)]
    lines.append(
        f"Still to do: {', '.join(left)}." if left else "All is done; `sorter score` tells how good the rig is."
    )
    return "\n".join(lines)
