"""``sorter run``: run the rig of a rig.toml from the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli import console
from sorter.cli.console import JsonOption
from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sorter.app.person import Ending, Wishes
    from sorter.types import Snapshot


def run(
    *,
    config: Annotated[Path, typer.Option("--config", help="The rig's own file.")] = Path("rig.toml"),
    home: Annotated[bool, typer.Option("--home", help="Home as soon as board and camera are connected.")] = False,
    start: Annotated[bool, typer.Option("--start", help="Start a run as soon as the rig is homed.")] = False,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when the hopper is empty.")] = False,
    parts: Annotated[int | None, typer.Option("--parts", min=1, help="End after so many parts.")] = None,
    log: Annotated[
        Path | None, typer.Option("--log", dir_okay=False, help="Write all that crosses the wire to this file, too.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run the rig: it homes and sorts when it is told to, by options or by what is typed (help tells what).

    Ctrl-C ends the run after the part under way, a second one is the emergency stop. Where nobody can type, what only a
    person could resolve ends the run. Exit code 4 if it ends in a fault, 5 if an incident is left that needs somebody.
    """
    from sorter.app.threads import keep_small_sums_on_one_thread

    keep_small_sums_on_one_thread()
    from sorter.app.person import Wishes
    from sorter.cli.board_common import check_log

    check_log(log)
    ending, last = _session(config, Wishes(home, start, until_empty, parts), log)
    data = _data(last, ending)
    console.report(data, _text(data))
    code = _CODES[ending.value]
    if code is not ExitCode.OK:
        raise typer.Exit(code)


_CODES = {
    "done": ExitCode.OK,
    "interrupted": ExitCode.INTERRUPTED,
    "fault": ExitCode.HARDWARE,
    "unresolved": ExitCode.FINDINGS,
}


def _session(config: Path, wishes: Wishes, log: Path | None) -> tuple[Ending, Snapshot]:
    from sorter.app.build import running
    from sorter.app.person import Person
    from sorter.app.session import Session
    from sorter.app.typed import Typed
    from sorter.cli.board_common import signals_to
    from sorter.cli.run_keyboard import StdinKeyboard
    from sorter.cli.run_screen import make_screen
    from sorter.clock import RealClock
    from sorter.config import read_sorting_config

    rig, session = read_sorting_config(config), Session()
    with StdinKeyboard() as keyboard:
        typed = (lambda: keyboard.typed) if keyboard.is_terminal else None
        screen = make_screen(is_quiet=console.is_json_wanted(), title=str(config), typed=typed)
        people: list[Person] = []

        def pressed() -> None:
            for person in people:
                person.interrupt()
            session.wake()

        with (
            signals_to(pressed),
            running(rig, config, RealClock(), on_change=session.wake, on_note=screen.say, log_file=log) as app,
        ):
            person = Person(app.controller, Typed(app.controller, app.plan), keyboard, wishes, screen.say)
            people.append(person)
            with screen:
                session.attend(app.controller.snapshot, person, screen.show)
            last = app.controller.snapshot()
    return person.ending, last


def _data(last: Snapshot, ending: Ending) -> dict[str, Any]:
    run_ = last.run
    return {
        "ended": ending.value,
        "state": str(last.state),
        "state_reason": last.state_reason,
        "run": run_
        and {
            "run": run_.run,
            "plan": run_.plan,
            "parts": run_.part_count,
            "rejected": run_.reject_count,
            "parts_per_minute": round(run_.parts_per_minute, 3),
        },
        "bins": {
            each.bin: {"parts": each.part_count, "capacity": each.capacity, "classes": dict(each.class_counts)}
            for each in last.bins
        },
        "open_incidents": [
            {"incident": each.incident, "kind": each.kind, "message": each.message, "choices": list(each.choices)}
            for each in last.incidents
        ],
    }


def _text(data: dict[str, Any]) -> str:
    run_ = data["run"]
    lines = [
        f"{data['ended']}: the rig is {data['state']}" + (f" ({data['state_reason']})" if data["state_reason"] else "")
    ]
    if run_ is not None:
        lines.append(f"{run_['parts']} parts, {run_['rejected']} rejected, {run_['parts_per_minute']:.1f} a minute")
    lines += [f"  {name}: {bin_['parts']}" for name, bin_ in data["bins"].items() if bin_["parts"]]
    lines += [f"open incident: {each['kind']}: {each['message']}" for each in data["open_incidents"]]
    return "\n".join(lines)
