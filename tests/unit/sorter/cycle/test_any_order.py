"""Commands and mishaps in any order: nothing is broken, no part is miscounted, and there is always a way on.

The board watches over every move by itself (``tests.rig_board``): that no axis turns that does not know where it is,
nor table or chute while the arm is out, and that nothing is pushed with the chute elsewhere. The recorder watches over
every row (``tests.recorders``): that a part is opened, meant for a bin and finished once at most, and that an incident
is closed once at most, by one of its own ways out.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firmware_bridge.errors import BoardHalted, BoardReset, BoardSilent, LinkError
from sorter.config import (
    CheckConfig,
    ManualFeederConfig,
    SensorsConfig,
    SortConfig,
    StepperFeederConfig,
    VibratoryFeederConfig,
)
from sorter.cycle import RUN_STATES, TRANSITIONS, Choice, RigEvent
from sorter.errors import CommandRefused, SorterError
from sorter.types import BinId, OutcomeKind, PartId, RigState, SortPlan, SortRule
from tests.rig_board import HopperPart
from tests.unit.sorter.cycle.whole_rig import ALL_SENSORS, BINS, LABELS, SORT, WholeRig, config_of, whole_rig

if TYPE_CHECKING:
    from collections.abc import Callable

    from sorter.config import FeederConfig

SHAKEN = VibratoryFeederConfig(kind="vibratory", give_up_s=1.5, empty_after=2)
FEEDERS: tuple[FeederConfig, ...] = (
    SHAKEN,
    SHAKEN.model_copy(update={"pulse_s": 0.3}),
    StepperFeederConfig(kind="stepper", give_up_s=2.0, empty_after=2),
    ManualFeederConfig(kind="manual", give_up_s=1.0, empty_after=2),
)
SENSORS = (
    ALL_SENSORS,
    SensorsConfig(motor_power=ALL_SENSORS.motor_power),
    ALL_SENSORS.model_copy(update={"dropped": None}),
)
LINK_ERRORS: dict[str, type[LinkError]] = {"silent": BoardSilent, "reset": BoardReset, "halted": BoardHalted}
PLANS = (
    SORT.plan(),
    SortPlan("small", (SortRule(BinId("b"), classes=("3001",)),), reject=BinId("reject")),
    SortPlan("all in one", (), reject=BinId("a"), recirculate=BinId("b")),
)
parts = st.builds(
    HopperPart,
    st.sampled_from(LABELS),
    sure=st.sampled_from([0.97, 0.97, 0.5]),
    count=st.sampled_from([1, 1, 1, 2, 0]),
    stays=st.sampled_from([0, 0, 0, 1, 3]),
    is_beam_missed=st.sampled_from([False, False, True]),
    is_chute_missed=st.sampled_from([False, False, True]),
)


class AnyOrder(RuleBasedStateMachine):
    """See the module."""

    rig: WholeRig

    @initialize(
        feeder=st.sampled_from(FEEDERS),
        sensors=st.sampled_from(SENSORS),
        capacity=st.sampled_from([1, 3, 200]),
        overflow=st.sampled_from(["over", None]),
        begins_ready=st.sampled_from([True, True, True, False]),
        hopper=st.lists(parts, min_size=2, max_size=12),
        every_parts=st.sampled_from([0, 1, 3, 200]),
        has_marks=st.booleans(),
    )
    def switch_on(
        self,
        feeder: FeederConfig,
        sensors: SensorsConfig,
        capacity: int,
        overflow: str | None,
        begins_ready: bool,
        hopper: list[HopperPart],
        every_parts: int,
        has_marks: bool,
    ) -> None:
        bins = tuple(each.model_copy(update={"capacity": capacity}) for each in BINS)
        sort = SortConfig(**(SORT.model_dump() | {"overflow": overflow, "rules": SORT.rules}))
        check = CheckConfig(every_parts=every_parts)
        self.rig = whole_rig(config_of(feeder=feeder, sensors=sensors, bins=bins, sort=sort, check=check))
        self.rig.world.has_marks = has_marks
        self.hidden: set[PartId] = set()  # parts that nobody can say anything of since the chute was homed
        self.hid = 0
        if begins_ready:
            self.rig.start(*hopper)

    # --- commands -----------------------------------------------------------------------------------------------

    def ask_for(self, event: RigEvent, command: Callable[[], None]) -> None:
        """It is taken on exactly if the table says so, and then the state is the next one at once."""
        state = self.rig.state
        is_possible = (state, event) in TRANSITIONS
        if not is_possible or (event is RigEvent.RESUME and self._is_asked):
            with pytest.raises(CommandRefused) as refused:
                command()
            assert refused.value.remedy
            assert self.rig.state is state
        else:
            command()
            assert self.rig.state is TRANSITIONS[state, event]

    @rule(event=st.sampled_from([RigEvent.PAUSE, RigEvent.RESUME, RigEvent.STOP, RigEvent.START, RigEvent.HOME]))
    def command(self, event: RigEvent) -> None:
        commands = self.rig.commands
        calls: dict[RigEvent, Callable[[], None]] = {
            RigEvent.PAUSE: commands.pause,
            RigEvent.RESUME: commands.resume,
            RigEvent.STOP: commands.stop,
            RigEvent.START: commands.start,
            RigEvent.HOME: commands.home,
        }
        self.ask_for(event, calls[event])

    @rule(axis=st.sampled_from(["turntable", "chute"]), distance_deg=st.sampled_from([-1000.0, -30.0, 0.0, 90.0, None]))
    def move_one_axis(self, axis: str, distance_deg: float | None) -> None:
        if distance_deg is None:
            self.ask_for(RigEvent.HOME, lambda: self.rig.commands.home(axis))
        else:
            self.ask_for(RigEvent.JOG, lambda: self.rig.commands.jog(axis, distance_deg))

    @rule(is_real=st.sampled_from([False, False, True]))
    def emergency_stop(self, is_real: bool) -> None:
        if is_real:
            self.ask_for(RigEvent.EMERGENCY_STOP, self.rig.commands.emergency_stop)

    @rule(number=st.integers(0, 3), choice=st.sampled_from(Choice))
    def resolve_anyhow(self, number: int, choice: Choice) -> None:
        """A wrong choice is refused; a right one is one of the incident's own."""
        incidents = self.rig.incidents
        if not incidents:
            return
        incident = incidents[number % len(incidents)]
        try:
            self.rig.commands.resolve(incident.incident, choice)
        except CommandRefused:
            return
        assert choice in incident.choices

    @rule(number=st.integers(0, 3), way=st.integers(0, 3))
    def resolve(self, number: int, way: int) -> None:
        self._resolve(number, way)

    @rule()
    def go_on(self) -> None:
        """An operator who wants to sort: he mends, resolves, homes and starts."""
        self.rig.world.is_hand_in_picture = False
        self._restore_power()
        self.rig.board.is_absent = False
        for _ in range(200):
            if self.rig.state is RigState.UNHOMED:
                self.rig.commands.home()
            elif self.rig.state is RigState.IDLE:
                self.rig.commands.start()
            elif self.rig.state is RigState.RUNNING:
                return
            elif self.rig.state is RigState.PAUSED and not self._is_asked:
                self.rig.commands.resume()
            self._resolve(0, 0)
            self.rig.run()

    @rule(news=st.sampled_from([*PLANS, "another model", "worse"]))
    def set_plan_or_model(self, news: SortPlan | str) -> None:
        if isinstance(news, SortPlan):
            self.rig.commands.set_plan(news)
        elif news != "worse":
            self.rig.commands.promote(news)
        else:
            load, self.rig.controller._load_recogniser = self.rig.controller._load_recogniser, _refuse
            with pytest.raises(CommandRefused):
                self.rig.commands.promote(news)
            self.rig.controller._load_recogniser = load

    @rule(names=st.lists(st.sampled_from([BinId(each.id) for each in BINS]), unique=True))
    def empty_bins(self, names: list[BinId]) -> None:
        """At any time, whatever the state."""
        self.rig.commands.empty_bins(names)

    @rule()
    def recount(self) -> None:
        self.rig.commands.recount()

    # --- time, and mishaps --------------------------------------------------------------------------------------

    @rule(times=st.sampled_from([1, 3, 10]))
    def live_a_little(self, times: int) -> None:
        self.rig.run(times)

    @rule(times=st.sampled_from([40, 100]))
    def live(self, times: int) -> None:
        self.rig.run(times)

    @rule(parts=st.lists(parts, min_size=2, max_size=4), axis=st.sampled_from([None, "chute", "turntable"]))
    def sort_a_while(self, parts: list[HopperPart], axis: str | None) -> None:
        """As an operator does who takes the first way out of whatever comes, until the hopper is empty."""
        self.rig.recorder.lack = None
        self.rig.world.hopper += parts
        self.go_on()
        if axis is not None:
            self.rig.world.slip(axis, 7.2)
        for _ in range(100):
            if self._is_asked:
                if not self.rig.world.hopper:
                    return
                self._resolve(0, 0)
            self.rig.run()

    @rule(parts=st.lists(parts, min_size=1, max_size=4))
    def fill_hopper(self, parts: list[HopperPart]) -> None:
        self.rig.world.hopper += parts

    @rule(does=st.sampled_from(["puts a part down", "takes all", "reaches in", "draws back"]))
    def somebody(self, does: str) -> None:
        """He takes nothing unseen from under a rig without a beam in the chute: nobody could know."""
        world = self.rig.world
        if does == "takes all":
            kinds = [each.kind for each in self.rig.incidents]
            if self.rig.config.sensors.in_chute or self.rig.state not in RUN_STATES or "part stuck" in kinds:
                world.take()
        elif does != "puts a part down":
            world.is_hand_in_picture = does == "reaches in"
        elif self.rig.config.feeder.kind == "manual" or self.rig.state not in RUN_STATES - {RigState.PAUSED}:
            world.drop(self.rig.clock.monotonic_s() - 1.0)

    @rule(
        what=st.sampled_from(["silent", "reset", "halted", "no board", "camera", "power", "ledger"]),
        calls=st.integers(0, 12),
    )
    def mishap(self, what: str, calls: int) -> None:
        rig = self.rig
        if what in LINK_ERRORS:
            rig.board.fails_in, rig.board.fails_with = calls, LINK_ERRORS[what]
        elif what == "no board":
            rig.board.fails_in, rig.board.is_absent = calls, True
        elif what == "camera":
            rig.camera.fails = 1
        elif what == "power":
            rig.world.has_power = False
        else:
            rig.recorder.error = SorterError("the disk is full", remedy="Make room.")
            rig.run(calls)
            rig.recorder.error = None

    @rule(axis=st.sampled_from(["chute", "turntable"]), slip_deg=st.sampled_from([-7.2, 0.4, 3.0, 14.4, 60.0]))
    def lose_steps(self, axis: str, slip_deg: float) -> None:
        self.rig.world.slip(axis, slip_deg)

    @rule(light=st.sampled_from([1.0, 1.0, 0.95, 0.6]), is_tinted=st.booleans())
    def another_light(self, light: float, is_tinted: bool) -> None:
        self.rig.world.light, self.rig.world.tint = light, (1.0, 1.0, 0.8) if is_tinted else (1.0, 1.0, 1.0)

    @rule(lack=st.sampled_from([None, "The disk is nearly full."]))
    def disk_fills_or_is_freed(self, lack: str | None) -> None:
        self.rig.recorder.lack = lack

    @rule(times=st.integers(1, 10))
    def incidents_cannot_be_written_down(self, times: int) -> None:
        self.rig.recorder.incident_error = SorterError("the disk is full", remedy="Make room.")
        self.rig.run(times)
        self.rig.recorder.incident_error = None

    @rule()
    def power_comes_back(self) -> None:
        self._restore_power()

    # --- what always holds --------------------------------------------------------------------------------------

    @invariant()
    def nothing_shakes_outside_a_run(self) -> None:
        if hasattr(self, "rig") and self.rig.world.fan:
            assert self.rig.state in RUN_STATES

    @invariant()
    def at_most_one_part_is_under_way(self) -> None:
        if hasattr(self, "rig"):
            assert len(self.rig.recorder.unfinished) <= 1

    @invariant()
    def what_is_open_is_written_down_as_open(self) -> None:
        """Every incident on the list has a row that is open, or says that it has none."""
        if not hasattr(self, "rig"):
            return
        for each in self.rig.incidents:
            if each.incident > 0:
                row = self.rig.recorder.incidents[each.incident]
                assert row.is_open or row.choice is not None or self.rig.state is RigState.ESTOPPED
            else:
                assert "written down nowhere" in each.message

    @invariant()
    def a_part_in_a_wrong_bin_is_flagged_or_not_looked_at_yet(self) -> None:
        """Once the axes were looked at; what homing hid before that nobody can know."""
        if not hasattr(self, "rig"):
            return
        rig, recorder = self.rig, self.rig.recorder
        if rig.board.homings_that_hid > self.hid:
            self.hid = rig.board.homings_that_hid
            self.hidden |= set(recorder.rows)
        if rig.config.check.every_parts == 0:
            return
        for part in rig.world.fallen:
            row = None if part.row is None else recorder.rows[PartId(part.row)]
            if row is None or row.outcome is None or row.outcome.kind is not OutcomeKind.CONFIRMED:
                continue
            is_known = row.is_suspect or PartId(part.row or 0) in {*recorder.unchecked, *self.hidden}
            assert part.fate == row.bin or is_known, (part, row)

    @invariant()
    def snapshots_grow(self) -> None:
        if hasattr(self, "rig"):
            numbers = [each.sequence for each in self.rig.seen]
            assert numbers == sorted(set(numbers))

    def teardown(self) -> None:
        """Whatever happened, somebody who mends and resolves everything gets the rig to sort; then it is closed."""
        if not hasattr(self, "rig"):
            return
        rig = self.rig
        world = rig.world
        world.is_hand_in_picture = False
        rig.board.fails_in, rig.board.is_absent, rig.camera.fails = None, False, 0
        rig.recorder.lack = None
        world.light, world.tint = 1.0, (1.0, 1.0, 1.0)
        world.hopper.clear()
        self._lead_to_idle()
        world.take()
        confirmed = rig.recorder.outcomes.count((OutcomeKind.CONFIRMED, BinId("over")))
        rig.commands.set_plan(SortPlan("last", (), reject=BinId("over")))
        world.hopper += [HopperPart(), HopperPart()]
        rig.commands.start()
        for _ in range(3000):
            if rig.recorder.outcomes.count((OutcomeKind.CONFIRMED, BinId("over"))) > confirmed:
                break
            if rig.config.feeder.kind == "manual" and not world.on_table:
                world.drop(rig.clock.monotonic_s())
            self._resolve(0, 0)
            rig.run()
        else:
            raise AssertionError(f"no way on: {rig.controller.snapshot()}")
        rig.controller.close()
        assert not rig.recorder.unfinished
        for row in rig.recorder.rows.values():
            assert row.outcome is not None
        assert rig.recorder.run is None
        if not world.has_ever_slipped:
            self._check_fates()

    def _lead_to_idle(self) -> None:
        rig = self.rig
        for _ in range(3000):
            self._restore_power()
            if rig.state is RigState.IDLE and rig.world.has_power:
                return
            if rig.state is RigState.UNHOMED:
                rig.commands.home()
            elif rig.state in (RigState.RUNNING, RigState.PAUSING, RigState.PAUSED):
                rig.commands.stop()
            self._resolve(0, 0)
            rig.run()
        raise AssertionError(f"no way to idle: {rig.controller.snapshot()}")

    def _resolve(self, number: int, way: int) -> None:
        incidents = [each for each in self.rig.incidents if each.choices]
        if not incidents:
            return
        incident = incidents[number % len(incidents)]
        choice = incident.choices[way % len(incident.choices)]
        if choice in (Choice.EMPTY, Choice.HOME_AGAIN, Choice.LEARN_ANEW):
            self.rig.world.take()
        with contextlib.suppress(CommandRefused):  # it was resolved a moment ago, and the loop has not looked yet
            self.rig.commands.resolve(incident.incident, choice)

    @property
    def _is_asked(self) -> bool:
        return "waits for an operator" in self.rig.controller.snapshot().state_reason

    def _restore_power(self) -> None:
        """Not while the rig may still move: a cut that nobody could see is no test of the rig."""
        if self.rig.state not in RUN_STATES | {RigState.HOMING, RigState.JOGGING, RigState.IDLE}:
            self.rig.world.has_power = True

    def _check_fates(self) -> None:
        """What the rows say of bins is true of the parts: each bin got at least as many as were confirmed."""
        rows = [name for kind, name in self.rig.recorder.outcomes if kind is OutcomeKind.CONFIRMED]
        fates = [part.fate for part in self.rig.world.fallen]
        for name in set(rows):
            assert rows.count(name) <= fates.count(str(name)), (rows, fates)


def _refuse(name: str) -> Any:
    raise SorterError(f"{name} knows other classes", remedy="Name another one.")


class AnyOrderAtLength(AnyOrder):
    """As often as takes a few minutes."""


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=16, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyOrderAtLength = pytest.mark.slow(pytest.mark.timeout(900)(AnyOrderAtLength.TestCase))
TestAnyOrderAtLength.settings = settings(TestAnyOrder.settings, max_examples=150, stateful_step_count=30)
