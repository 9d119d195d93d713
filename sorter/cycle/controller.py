"""The rig as a whole, as page, command line and tests command it: one thread, a state, a queue of commands."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sorter.cycle.bins import Bins
from sorter.cycle.driver import Driver
from sorter.cycle.empty_table import EmptyTable
from sorter.cycle.errors import LoopStuck
from sorter.cycle.eyes import Eyes
from sorter.cycle.incidents import Choice, IncidentKind
from sorter.cycle.open_incidents import OpenIncidents
from sorter.cycle.part import PartLog
from sorter.cycle.recognition import Recognition
from sorter.cycle.routing import bins_of
from sorter.cycle.standing import Standing
from sorter.cycle.states import RigEvent
from sorter.cycle.station import Station
from sorter.cycle.tally import Tally
from sorter.cycle.timing import Stopwatch
from sorter.errors import CommandRefused, SorterError
from sorter.types import Commands, RigState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from sorter.camera import Camera
    from sorter.config import RigConfig
    from sorter.recognise import Recogniser
    from sorter.rig import Machine
    from sorter.types import BinId, CaptureRequest, Clock, IncidentId, Recorder, Snapshot, SortPlan

_JOIN_S = 30.0  # of the machine's own clock, beyond the camera's deadline
_AXES = ("turntable", "chute")
_AT_ONCE = {Choice.RECONNECT: RigEvent.RECONNECT, Choice.RESET: RigEvent.RESET}


class Controller(Commands):
    """A rig that sorts. ``begin`` starts it, ``close`` ends it; in between it connects by itself.

    Args:
        config: the rig's, with bins and a sort plan.
        machine: what moves; the controller connects and closes it.
        camera: what sees; the controller opens and closes it.
        recogniser: what parts are recognised with at first.
        recorder: where everything is written down, and what tells what is in the bins.
        clock: the time; the one of machine and camera.
        on_change: called with every new snapshot, in the loop's thread; must neither raise nor wait.
        load_recogniser: makes a recogniser of a model's name, or raises a SorterError; None: models cannot be changed.
        executor: for tests: what recognises, instead of a thread of its own.

    Raises:
        ValueError: the config has no sort plan.
        SorterError: the recorder cannot tell what is in the bins.
    """

    def __init__(  # noqa: PLR0917  (what a rig is made of)
        self,
        config: RigConfig,
        machine: Machine,
        camera: Camera,
        recogniser: Recogniser,
        recorder: Recorder,
        clock: Clock,
        *,
        on_change: Callable[[Snapshot], None] | None = None,
        load_recogniser: Callable[[str], Recogniser] | None = None,
        executor: Executor | None = None,
    ) -> None:
        if config.sort is None:
            raise ValueError("a rig that sorts needs [sort] in its config")
        self._config = config
        self._machine = machine
        self._clock = clock
        self._load_recogniser = load_recogniser
        self._bins = frozenset(each.id for each in config.bins)
        self._standing = Standing(clock)
        watch = Stopwatch(clock)
        eyes = Eyes(camera, config.camera, clock, watch)
        recognition, tally = Recognition(eyes, executor), Tally(clock)
        log = PartLog(recorder, tally.add)
        station = Station(
            config=config,
            machine=machine,
            eyes=eyes,
            empty=EmptyTable(eyes, recognition, watches_light=config.check.light),
            recognition=recognition,
            recogniser=recogniser,
            clock=clock,
            watch=watch,
            bins=Bins(config.bins, recorder.contents()),
            recorder=recorder,
            incidents=OpenIncidents(recorder, part=lambda: log.part, picture=eyes.last),
            plan=config.sort.plan(),
            wants_parts=lambda: self._standing.state is RigState.RUNNING,
        )
        self._driver = Driver(station, log, self._standing, tally=tally, on_change=on_change or (lambda _: None))
        self._wake = threading.Event()
        self._is_closing = False
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    # --- its life -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the loop's thread, which connects camera and board, again and again until it works."""
        if self._thread is not None:
            raise RuntimeError("a controller is begun once")
        self._thread = threading.Thread(target=self._live, name="cycle", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and let go of board and camera; a part under way is broken off and becomes unresolved.

        Stop the run first, and wait until it is over, where no part may be broken off.

        Raises:
            LoopStuck: the thread does not end.
            BaseException: the mistake in the program that ended it.
            SorterError, firmware_bridge.errors.BoardError: something could not be put right.
        """
        self._is_closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S + self._config.camera.deadline_s)
            if self._thread.is_alive():
                raise LoopStuck("the cycle's thread does not end", remedy="End the program, and switch the rig off.")
        self._driver.shut()
        if self._failure is not None:
            raise self._failure

    def snapshot(self) -> Snapshot:
        """The rig as it is."""
        return self._standing.snapshot()

    def run_one(self) -> float:
        """Do one thing in the caller's thread, as the loop's thread does all the time: for tests, without ``begin``.

        Returns:
            For how many seconds there is nothing more to do, if nobody asks for anything.
        """
        return self._driver.run_one()

    def _live(self) -> None:
        try:
            while not self._is_closing:
                self._wake.clear()
                pause_s = self._driver.run_one()
                if pause_s > 0.0 and not self._is_closing:
                    self._clock.wait(self._wake, pause_s)
        except BaseException as error:  # noqa: BLE001  (kept for close(), which raises it in the caller's thread)
            self._failure = error
            self._driver.give_up(error)

    # --- commands -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """See ``Commands``."""
        self._standing.command(RigEvent.START)
        self._put(self._driver.begin_run)

    def pause(self) -> None:
        """See ``Commands``."""
        self._standing.command(RigEvent.PAUSE)
        self._wake.set()

    def resume(self) -> None:
        """See ``Commands``. Refused while an incident waits for a choice: that choice resumes."""
        self._standing.command(RigEvent.RESUME, needs_answer_first=True)
        self._put(self._driver.go_on)

    def stop(self) -> None:
        """See ``Commands``. If the part under way waits for a choice, the run ends after that."""
        self._standing.command(RigEvent.STOP)
        self._wake.set()

    def emergency_stop(self) -> None:
        """See ``Commands``. The latch is set first, so that nobody takes the board's silence for a fault."""
        self._standing.latch()
        self._machine.emergency_stop()
        self._wake.set()

    def home(self, axis: str | None = None) -> None:
        """Home one axis, or make the whole rig ready; see ``start_up``."""
        if axis is not None:
            self._check_axis(axis)
        self._standing.command(RigEvent.HOME)
        self._put(lambda: self._driver.home(axis))

    def jog(self, axis: str, distance_deg: float) -> None:
        """See ``Commands``. What the rig's interlocks do not allow becomes an incident."""
        self._check_axis(axis)
        self._standing.command(RigEvent.JOG)
        self._put(lambda: self._driver.jog(axis, distance_deg))

    def resolve(self, incident: IncidentId, choice: str) -> None:
        """See ``Commands``; ``incidents.INCIDENTS`` says what follows from which choice."""
        known = next((each for each in Choice if each == choice), None)
        self._standing.answer(incident, choice, None if known is None else _AT_ONCE.get(known))
        if known is not None:
            self._put(lambda: self._driver.answer(incident, known))

    def set_plan(self, plan: SortPlan) -> None:
        """See ``Commands``. Raises CommandRefused if the plan names a bin that the rig does not have."""
        missing = [name for name in bins_of(plan) if name not in self._bins]
        if missing:
            raise CommandRefused(
                f"plan {plan.name!r} names bins that this rig does not have: {', '.join(missing)}",
                remedy=f"Use one with these bins only: {', '.join(sorted(self._bins))}.",
            )
        self._put(lambda: self._driver.use_plan(plan))

    def capture(self, request: CaptureRequest) -> None:
        """Refused: this rig does not take labelled pictures by itself.

        Raises:
            CommandRefused: always.
        """
        raise CommandRefused(
            f"cannot take {request.view_count} pictures of {request.class_name}: capturing is not built yet",
            remedy="Take the pictures by hand with `sorter camera`.",
        )

    def promote(self, model: str) -> None:
        """See ``Commands``; the model is loaded before this returns.

        Raises:
            CommandRefused: it cannot be loaded or does not fit; that is an incident as well.
        """
        if self._load_recogniser is None:
            raise CommandRefused("models cannot be changed while this rig runs", remedy="Name it in rig.toml instead.")
        try:
            recogniser = self._load_recogniser(model)
        except SorterError as error:
            refused = CommandRefused(f"model {model!r} cannot be used: {error.message}", remedy=error.remedy)
            text = str(refused)
            self._put(lambda: self._driver.tell(IncidentKind.MODEL_REJECTED, text))
            raise refused from error
        self._put(lambda: self._driver.use_recogniser(recogniser))

    def empty_bins(self, names: Sequence[BinId]) -> None:
        """See ``Commands``. Raises CommandRefused if one of them is none of the rig's."""
        missing = [name for name in names if name not in self._bins]
        if missing:
            raise CommandRefused(
                f"this rig does not have these bins: {', '.join(missing)}",
                remedy=f"It has: {', '.join(sorted(self._bins))}.",
            )
        if names:
            self._put(lambda: self._driver.empty_bins(tuple(names)))

    def recount(self) -> None:
        """See ``Commands``."""
        self._put(self._driver.recount)

    def _put(self, job: Callable[[], None]) -> None:
        self._driver.put(job)
        self._wake.set()

    def _check_axis(self, axis: str) -> None:
        has = _AXES if self._config.chute is not None else _AXES[:1]
        if axis not in has:
            raise CommandRefused(f"this rig has no axis {axis!r}", remedy=f"Its axes: {', '.join(has)}.")
