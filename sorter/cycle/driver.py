"""What drives the cycle: one thing after the other, always in one thread.

``run_one`` takes a command, or does the next piece of work that the state asks for. The work is a generator
(``steps``), so there is a place between any two pieces where commands are taken and where all can be dropped.
"""

from __future__ import annotations

import queue
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from sorter.cycle.connecting import Connection
from sorter.cycle.faults import Actionable, is_refusal, kind_of
from sorter.cycle.fill import FillWatch
from sorter.cycle.incidents import FAULTS, Choice, IncidentKind
from sorter.cycle.loop import one_part
from sorter.cycle.lost_steps import look_before_homing
from sorter.cycle.runs import Runs
from sorter.cycle.start_up import see_chute_home, start_up
from sorter.cycle.states import CAN_FAIL, RUN_STATES, RigEvent
from sorter.rig.axes import CHUTE, TURNTABLE
from sorter.types import IncidentId, RigState, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sorter.cycle.part import PartLog
    from sorter.cycle.standing import Standing
    from sorter.cycle.station import Station
    from sorter.cycle.steps import Ask, Steps
    from sorter.cycle.tally import Tally
    from sorter.recognise import Recogniser
    from sorter.types import BinId, SortPlan

_WATCH_EVERY_S = 2.0


class _Question(NamedTuple):
    """What the work waits for."""

    incident: IncidentId
    ask: Ask


class Driver:
    """See the module.

    Args:
        station: what the work is done with.
        log: where parts are written down.
        standing: the rig's state.
        tally: what the run has come to.
        on_change: called with every new snapshot, in the thread that calls ``run_one``; must not raise.
    """

    def __init__(
        self,
        station: Station,
        log: PartLog,
        standing: Standing,
        *,
        tally: Tally,
        on_change: Callable[[Snapshot], None],
    ) -> None:
        self._station = station
        self._log = log
        self._standing = standing
        self._incidents = station.incidents
        self._fill = FillWatch(station.bins, station.incidents)
        self._tally = tally
        self._runs = Runs(station, tally)
        self._on_change = on_change
        self._connection = Connection(station.machine, station.eyes, station.clock)
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._work: Steps[bool] | Steps[None] | None = None
        self._question: _Question | None = None
        self._choice: Choice | None = None
        self._is_ready = False  # homed, swept and confirmed to be empty since the last connection
        self._last_seen = -1

    def put(self, job: Callable[[], None]) -> None:
        """Have something done by the thread that calls ``run_one``, before anything else; any thread may call it."""
        self._jobs.put(job)

    def run_one(self) -> float:
        """Do one thing; returns for how many seconds there is nothing more to do, if nobody asks for anything."""
        pause_s = self._do_one()
        self._fill.look(self._station.plan)
        self.publish()
        return pause_s

    def publish(self) -> None:
        """Let whoever watches know, if there is anything new."""
        station = self._station
        draft = Snapshot(
            0,
            0.0,
            RigState.OFFLINE,
            axes=station.machine.axes(),
            bins=station.bins.status(),
            recent_parts=self._tally.recent,
            run=self._tally.run,
            model=self._runs.model,
        )
        self._standing.publish(self._incidents.all, draft)
        snapshot = self._standing.snapshot()
        if snapshot.sequence != self._last_seen:
            self._last_seen = snapshot.sequence
            self._on_change(snapshot)

    def shut(self) -> None:
        """End everything: what can be put right is, whatever else fails. Raises what failed last."""
        with ExitStack() as stack:
            stack.callback(self._station.recognition.close)
            stack.callback(self._station.eyes.close)
            stack.callback(self._station.machine.close)
            stack.callback(self._station.recorder.end_run)
            stack.callback(self._log.give_up)
            stack.callback(self._drop_work)

    def give_up(self, error: BaseException) -> None:
        """A mistake in the program: the rig stops for good."""
        self._incidents.survive()
        self._drop_work()
        self._standing.happen_in(RigEvent.FAIL, *CAN_FAIL, reason="a mistake in the program")
        self._incidents.close_all(*FAULTS)
        self._incidents.open(
            IncidentKind.PROGRAM_ERROR, f"{type(error).__name__}: {error}\nStart the program anew, and report this."
        )
        self.publish()

    # --- jobs: what commands have done by this thread -----------------------------------------------------------

    def begin_run(self) -> None:
        """A run has begun."""
        if self._standing.state not in RUN_STATES:
            return  # it was stopped meanwhile
        self._station.is_table_empty = False  # somebody may have put something there
        with self._failing():
            self._runs.begin()

    def go_on(self) -> None:
        """After a pause."""
        self._tally.go_on()
        self._station.is_table_empty = False

    def use_plan(self, plan: SortPlan) -> None:
        """Sort by it from the next part on."""
        self._runs.next_plan = plan
        self._take_up_news()

    def use_recogniser(self, recogniser: Recogniser) -> None:
        """Recognise with it from the next part on."""
        self._runs.next_recogniser = recogniser
        self._take_up_news()

    def tell(self, kind: IncidentKind, message: str) -> None:
        """An incident that the rig does not wait for."""
        self._incidents.open(kind, message)

    def empty_bins(self, names: Sequence[BinId]) -> None:
        """Somebody emptied these."""
        with self._failing():
            self._station.recorder.empty_bins(names)
            self._station.bins.empty(names)
            self._see_whether_over()

    def recount(self) -> None:
        """Believe what the records say of the bins."""
        with self._failing():
            self._station.bins.recount(self._station.recorder.contents())
            self._see_whether_over()

    def home(self, axis: str | None) -> None:
        """Home one axis at once, or begin to make everything ready."""
        if self._standing.state is not RigState.HOMING:
            return  # it was stopped meanwhile
        if axis is None:
            self._is_ready = False
            self._work = self._made_ready()
            return

        def home() -> None:
            look_before_homing(self._station, axis)
            self._station.machine.home_axis(axis)
            if axis == CHUTE:
                see_chute_home(self._station)

        # A table without a switch is declared to stand at 0 wherever it stands: then no background fits any more.
        self._is_ready &= axis != TURNTABLE or self._station.config.turntable.homing == "index"
        self._move(home)

    def jog(self, axis: str, distance_deg: float) -> None:
        """Turn one axis."""

        def jog() -> None:
            self._station.check_motor_power()
            self._station.machine.jog(axis, distance_deg)
            self._station.machine.stand()

        if self._standing.state is RigState.JOGGING:
            self._move(jog)

    def answer(self, incident: IncidentId, choice: Choice) -> None:
        """An operator has chosen."""
        if self._question is not None and incident == self._question.incident:
            self._answer(choice)
            return
        self._incidents.close(incident, choice)
        warned_of = self._fill.answered(incident)
        if choice is Choice.EMPTIED and warned_of:
            self.empty_bins(warned_of)
        is_connecting = self._standing.state not in (RigState.FAULT, RigState.ESTOPPED)
        if choice in (Choice.RECONNECT, Choice.RESET) and is_connecting:
            self._incidents.close_all(*FAULTS)  # connecting anew resolves them all; a later one is not among them

    # --- one thing after the other ------------------------------------------------------------------------------

    def _do_one(self) -> float:
        if self._standing.meet_stop():
            self._stopped()
            return 0.0
        try:
            job = self._jobs.get_nowait()
        except queue.Empty:
            return self._by_state(self._standing.state)
        job()
        return 0.0

    def _by_state(self, state: RigState) -> float:
        if state in (RigState.OFFLINE, RigState.CONNECTING):
            return self._connect(state)
        if state in (RigState.PAUSING, RigState.STOPPING):
            return self._wind_up()
        if state is RigState.RUNNING and self._work is None:
            self._take_up_news()
            self._work = one_part(self._station, self._log)
        if state in (RigState.RUNNING, RigState.HOMING):
            return self._go_on()
        return self._look_after()

    def _connect(self, state: RigState) -> float:
        connection = self._connection
        if state is RigState.OFFLINE:
            if connection.pause_s > 0.0:
                return connection.pause_s
            self._standing.happen_in(RigEvent.CONNECT, RigState.OFFLINE)
            return 0.0
        problem = connection.attempt()
        if self._standing.is_stopped:  # while the board was reset, which would undo the stop
            self._station.machine.emergency_stop()
        elif problem is not None:
            self._standing.happen_in(RigEvent.NO_CONNECTION, RigState.CONNECTING, reason=problem)
        else:
            self._standing.happen_in(RigEvent.CONNECTED, RigState.CONNECTING)
        return 0.0

    def _wind_up(self) -> float:
        """No further part is wanted: end the one under way, then pause or stop."""
        if self._question is not None and not self._question.ask.holds_part:
            self._drop_work()
        if self._work is not None:
            return self._go_on()
        over = RigEvent.PART_DONE if self._is_sure else RigEvent.UNSURE
        if self._standing.happen_in(over, RigState.STOPPING):
            self._runs.end()
        elif self._standing.happen_in(RigEvent.PART_DONE, RigState.PAUSING):
            self._tally.rest()
        return 0.0

    def _go_on(self) -> float:
        """The next piece of the work under way."""
        if self._work is None or self._question is not None:
            return self._look_after()
        choice, self._choice = self._choice, None
        with self._failing():
            try:
                question = self._work.send(choice)
            except StopIteration:
                self._work = None
                self._done()
            else:
                if question is not None:
                    self._ask(question)
        return 0.0

    def _done(self) -> None:
        """A part is done, or everything is made ready."""
        if self._standing.state is RigState.HOMING:
            self._log.give_up()  # the table is empty, so nothing more will be known of what was interrupted
            self._is_ready = True
            self._standing.happen_in(RigEvent.READY, RigState.HOMING)

    def _ask(self, ask: Ask) -> None:
        self._fill.ask_for(ask.bins)
        number = self._incidents.open(ask.kind, ask.message, ask.choices)
        self._question = _Question(number, ask)
        reason = f"waits for an operator: {ask.kind} (incident {number})"
        self._standing.wait_for(number, reason)
        if self._standing.happen_in(RigEvent.HOLD, RigState.RUNNING, reason=reason):
            self._tally.rest()

    def _answer(self, choice: Choice, *, is_over: bool = False) -> None:
        """Go on with an operator's choice, or because what was asked for is over by itself."""
        self._end_question(None if is_over else choice)
        self._choice = choice
        self._station.visits += 1
        self._station.is_table_empty = False
        if self._standing.happen_in(RigEvent.RESUME, RigState.PAUSED):
            self._tally.go_on()

    def _see_whether_over(self) -> None:
        if self._question is not None and self._question.ask.is_over():
            self._answer(Choice.NOTED, is_over=True)

    def _end_question(self, choice: Choice | None = None) -> None:
        if self._question is not None:
            self._incidents.close(self._question.incident, choice)
            self._question = None
            self._standing.wait_for(None)

    def _drop_work(self) -> None:
        work, self._work = self._work, None
        self._choice = None
        self._end_question()
        if work is None:
            return
        try:
            work.close()
        except Exception as error:  # the feeder cannot be switched off over a link that is lost
            if not isinstance(error, Actionable):
                raise

    def _take_up_news(self) -> None:
        """What takes effect with the next part."""
        if self._work is None:
            with self._failing():
                self._runs.take_up_news()

    def _made_ready(self) -> Steps[None]:
        look_before_homing(self._station, TURNTABLE, CHUTE)
        yield from start_up(self._station)

    @property
    def _is_sure(self) -> bool:
        """Whether a run may begin without homing."""
        return self._is_ready and self._station.machine.is_homed and self._station.empty.is_known

    def _move(self, move: Callable[[], None]) -> None:
        """One move of its own; one that must not be is an incident, and all is as it was."""
        with self._failing():
            try:
                move()
            except Exception as error:
                if not (isinstance(error, Actionable) and is_refusal(error)):
                    raise
                self._incidents.open(IncidentKind.MOVE_REFUSED, str(error))
            is_sure = self._is_sure
            event = RigEvent.READY if is_sure else RigEvent.UNSURE
            self._standing.happen_in(event, RigState.HOMING, RigState.JOGGING)

    # --- what goes wrong ----------------------------------------------------------------------------------------

    def _look_after(self) -> float:
        """Nothing is to be done: see that all is as it was. Returns when to look again."""
        state = self._standing.state
        with self._failing():
            error = self._station.machine.error
            if error is not None and state in CAN_FAIL and state is not RigState.FAULT:
                raise error
            if state in (RigState.IDLE, RigState.PAUSED):
                self._station.check_motor_power()
        return _WATCH_EVERY_S

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """What an operator can act on ends in a fault; a mistake in the program goes on to whoever called."""
        try:
            yield
        except Exception as error:
            if not isinstance(error, Actionable):
                raise
            self._fail(error, error.message)

    def _fail(self, error: Exception, reason: str) -> None:
        """The rig cannot go on; after an emergency stop that is no news."""
        self._drop_work()
        self._is_ready = False
        self._runs.end()
        kind = kind_of(error)
        self._connection.must_reopen_camera |= kind is IncidentKind.CAMERA_LOST
        if self._standing.happen_in(RigEvent.FAIL, *CAN_FAIL, reason=reason):
            self._incidents.open(kind, str(error), (Choice.RECONNECT,))

    def _stopped(self) -> None:
        """The emergency stop was pressed."""
        self._drop_work()
        self._is_ready = False
        self._connection.must_reset = True
        self._runs.end()
        self._incidents.close_all(*FAULTS)
        self._incidents.open(
            IncidentKind.EMERGENCY_STOP,
            "The emergency stop was pressed. Make sure that the machine is safe, then choose: reset. Then home it.",
        )
