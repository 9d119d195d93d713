"""What the rooms hand each other: frozen values, and the promises (protocols) that stand between rooms.

The words are those of docs/architecture.md. Angles are degrees, lengths millimetres or pixels, times seconds of
a monotonic clock unless the name says otherwise; every name with a unit carries it. Pictures are NumPy arrays,
rows first, RGB, 8 bits a channel; an array inside a frozen value is not to be written to.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NewType, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from threading import Event

    import numpy as np
    from numpy.typing import NDArray

    RgbArray = NDArray[np.uint8]
    MaskArray = NDArray[np.bool_]

PartId = NewType("PartId", int)
RunId = NewType("RunId", int)
IncidentId = NewType("IncidentId", int)
BinId = NewType("BinId", str)


class Clock(Protocol):
    """Where time comes from, so that tests and the twin can be faster than life."""

    def monotonic_s(self) -> float:
        """Seconds since some fixed moment; never runs backwards."""

    def sleep(self, duration_s: float) -> None:
        """Return after ``duration_s`` seconds of this clock. Raises ValueError if negative, infinite or NaN."""

    def wait(self, event: Event, timeout_s: float) -> bool:
        """Return True as soon as ``event`` is set, False after ``timeout_s`` seconds of this clock without it.

        Raises ValueError if ``timeout_s`` is negative, infinite or NaN.
        """


# --- seeing ---------------------------------------------------------------------------------------------------


def _check_rgb(rgb: RgbArray, owner: str) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype.name != "uint8" or 0 in rgb.shape:
        raise ValueError(f"{owner}: a picture is H×W×3 uint8 with H, W > 0, got {rgb.shape} {rgb.dtype}")


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture from a camera.

    Args:
        rgb: H×W×3 uint8.
        captured_at_s: monotonic time at which the exposure ended.
        sequence: counts the camera's frames from 0; a gap is a frame that nobody fetched.
        exposure_s: exposure time where the camera tells it.
        analogue_gain: sensor gain (1 is none) where the camera tells it.
    """

    rgb: RgbArray
    captured_at_s: float
    sequence: int
    exposure_s: float | None = None
    analogue_gain: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no picture."""
        _check_rgb(self.rgb, "Frame")


@dataclass(frozen=True)
class Box:
    """An upright rectangle in a frame: left, top, width and height in px; it may reach over the frame's edge."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        """Refuse a rectangle without area."""
        if self.width_px < 1 or self.height_px < 1:
            raise ValueError(f"a box is at least 1×1 px, got {self.width_px}×{self.height_px}")


class LocationKind(enum.StrEnum):
    """What the table shows."""

    EMPTY = "empty"
    ONE = "one"
    SEVERAL = "several"
    EDGE = "edge"  # a part reaches out of the picture or off the table
    MOVING = "moving"


@dataclass(frozen=True, eq=False)
class Location:
    """Where on the table something lies.

    Args:
        kind: what is seen.
        boxes: one for each thing seen, largest first; empty only if kind is EMPTY or MOVING.
        mask: H×W bool over the frame, True on every part.
    """

    kind: LocationKind
    boxes: tuple[Box, ...]
    mask: MaskArray

    def __post_init__(self) -> None:
        """Refuse a mask that is none and boxes that do not fit the kind."""
        if self.mask.ndim != 2 or self.mask.dtype.name != "bool":
            raise ValueError(f"Location: a mask is H×W bool, got {self.mask.shape} {self.mask.dtype}")
        most = {LocationKind.EMPTY: 0, LocationKind.ONE: 1}.get(self.kind, len(self.boxes))
        least = 0 if self.kind in (LocationKind.EMPTY, LocationKind.MOVING) else 1
        if not least <= len(self.boxes) <= most:
            raise ValueError(f"Location: {self.kind} does not go with {len(self.boxes)} boxes")


@dataclass(frozen=True)
class CropSpec:
    """How a part is cut out: the same for training, evaluation, capture and rig.

    Args:
        window_fraction: side of the square window around the part, in parts of the frame's shorter side; fixed,
            not fitted to the part, because size is what tells many parts apart.
        size_px: side of the crop that the network gets.
        table_grey: the grey (0 to 255) to which the table is evened out, so that its tint is no clue; None leaves it.
    """

    window_fraction: float
    size_px: int
    table_grey: int | None

    def __post_init__(self) -> None:
        """Refuse numbers that no crop can have."""
        if not 0.0 < self.window_fraction <= 2.0:
            raise ValueError(f"window_fraction is above 0 and at most 2, got {self.window_fraction}")
        if self.size_px < 8:
            raise ValueError(f"size_px is at least 8, got {self.size_px}")
        if self.table_grey is not None and not 0 <= self.table_grey <= 255:
            raise ValueError(f"table_grey is 0 to 255, got {self.table_grey}")


@dataclass(frozen=True, eq=False)
class Crop:
    """A part cut out of a frame.

    Args:
        rgb: size_px×size_px×3 uint8.
        spec: how it was cut.
        window: what was cut, in px of the frame.
    """

    rgb: RgbArray
    spec: CropSpec
    window: Box

    def __post_init__(self) -> None:
        """Refuse a picture that is not of the spec's size."""
        _check_rgb(self.rgb, "Crop")
        if self.rgb.shape[:2] != (self.spec.size_px, self.spec.size_px):
            raise ValueError(f"Crop: {self.spec.size_px} px square was promised, got {self.rgb.shape[:2]}")


# --- recognising ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PartColour:
    """A colour of the LEGO palette.

    Args:
        name: such as ``Dark Red``.
        ldraw_code: its number in LDraw's LDConfig.
        distance: CIELAB distance (delta E) between what was seen and the palette's colour.
        is_unsure: two colours of the palette fit about equally well.
    """

    name: str
    ldraw_code: int
    distance: float
    is_unsure: bool


@dataclass(frozen=True)
class Prediction:
    """What the network says about one crop: calibrated probabilities in the order of the model's labels.

    Args:
        labels: the classes.
        probabilities: one for each label, each 0 to 1, together 1.
        novelty: out-of-distribution score, higher is stranger; None if the model has none.
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    novelty: float | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that are no probabilities."""
        if not len(set(self.labels)) == len(self.labels) == len(self.probabilities) > 0:
            raise ValueError(f"Prediction: labels {self.labels} do not go with {len(self.probabilities)} probabilities")
        if not all(0.0 <= p <= 1.0 for p in self.probabilities) or abs(sum(self.probabilities) - 1.0) > 1e-3:
            raise ValueError(f"Prediction: probabilities are 0 to 1 and add up to 1, got {self.probabilities}")

    @property
    def ranked(self) -> tuple[tuple[str, float], ...]:
        """Label and probability, most probable first; equal ones in the order of the labels."""
        pairs = zip(self.labels, self.probabilities, strict=True)
        return tuple(sorted(pairs, key=lambda pair: -pair[1]))


@dataclass(frozen=True, eq=False)
class View:
    """One frame of a part at one turntable angle (deg), and what was made of it."""

    angle_deg: float
    frame: Frame
    location: Location
    crop: Crop | None
    prediction: Prediction | None


class RejectReason(enum.StrEnum):
    """Why a part goes to the reject bin."""

    UNSURE = "unsure"
    UNKNOWN_PART = "unknown part"
    SEVERAL = "several"
    NOTHING_SEEN = "nothing seen"
    BLURRED = "blurred"


@dataclass(frozen=True)
class Decision:
    """What a part is, after all its views: a class, or the reason why it is rejected.

    Args:
        class_name: the class (a LEGO design number such as ``3001``), or None if rejected.
        reject_reason: None if there is a class.
        posterior: the fused views; None if no view could be used.
        view_count: how many views went into it.
        colour: the part's colour, where it was seen.
    """

    class_name: str | None
    reject_reason: RejectReason | None
    posterior: Prediction | None
    view_count: int
    colour: PartColour | None = None

    def __post_init__(self) -> None:
        """Hold that a part is either of a class or rejected, and that a class was decided from a posterior."""
        if (self.class_name is None) == (self.reject_reason is None):
            raise ValueError("Decision: a part has either a class or a reason for its rejection")
        if self.class_name is not None and (self.posterior is None or self.class_name not in self.posterior.labels):
            raise ValueError(f"Decision: {self.class_name} is not among the posterior's labels")


# --- routing --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SortRule:
    """What goes into one bin: all that is named must hold, and an empty tuple means any.

    Args:
        bin: where it goes.
        classes: design numbers.
        categories: names such as ``Technic``.
        colours: names of LEGO colours.
        min_probability: of the decided class, 0 to 1.
    """

    bin: BinId
    classes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    min_probability: float = 0.0


@dataclass(frozen=True)
class SortPlan:
    """Rules in order, the first that fits wins; and where the rest goes.

    Args:
        name: what the operator calls it.
        rules: in order.
        reject: for parts the rig is not sure of, and parts that no rule fits.
        overflow: instead of a full bin; None stops feeding when no bin is left.
        recirculate: for several parts at once, to be fed again; None uses reject.
    """

    name: str
    rules: tuple[SortRule, ...]
    reject: BinId
    overflow: BinId | None = None
    recirculate: BinId | None = None


class OutcomeKind(enum.StrEnum):
    """What became of a part."""

    CONFIRMED = "confirmed"  # seen to leave the table, and in the chute where a sensor looks there
    LOST = "lost"  # left the table for nowhere that the rig knows
    STUCK = "stuck"  # is still on the table; an operator took it
    UNRESOLVED = "unresolved"  # the rig was interrupted in mid-push and cannot know


@dataclass(frozen=True)
class Outcome:
    """What became of a part; ``bin`` is None where nobody knows; ``stage_s`` maps each stage to its seconds."""

    kind: OutcomeKind
    bin: BinId | None
    stage_s: Mapping[str, float] = field(default_factory=dict)


class Recorder(Protocol):
    """Where the loop writes what it does; each call is durable when it returns. The ledger implements it."""

    def open_part(self) -> PartId:
        """A part is on the table: give it its one row."""

    def intend(self, part: PartId, decision: Decision, bin: BinId) -> None:  # noqa: A002
        """The part is about to be pushed towards ``bin``; to be called before the ejector moves."""

    def finish(self, part: PartId, outcome: Outcome) -> None:
        """The part is done with. Raises ValueError if it was never opened or is finished already."""


# --- the rig as the page sees it ------------------------------------------------------------------------------


class RigState(enum.StrEnum):
    """The states of the rig; which event leads from which to which stands in one table in ``cycle``."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    UNHOMED = "unhomed"
    HOMING = "homing"
    IDLE = "idle"
    JOGGING = "jogging"
    CAPTURING = "capturing"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    FAULT = "fault"
    ESTOPPED = "estopped"


@dataclass(frozen=True)
class AxisStatus:
    """One axis: where it was last commanded to (deg), and whether that can be believed."""

    name: str
    position_deg: float
    is_homed: bool


@dataclass(frozen=True)
class BinStatus:
    """One bin: parts in it since it was emptied, how many it holds, and how many of each class went in."""

    bin: BinId
    label: str
    part_count: int
    capacity: int
    class_counts: Mapping[str, int]
    estimated_purity: float | None


@dataclass(frozen=True)
class Incident:
    """Something that an operator has to know or resolve.

    Args:
        incident: its number.
        kind: such as ``jam``; the list stands in the docs.
        happened_at: wall-clock time with zone.
        message: what happened and what to do, for a person.
        choices: the named ways out, each a word that ``Commands.resolve`` takes; empty if there is nothing to choose.
    """

    incident: IncidentId
    kind: str
    happened_at: datetime
    message: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class PartSummary:
    """One line of the list of last parts."""

    part: PartId
    decision: Decision
    intended_bin: BinId
    outcome: Outcome | None


@dataclass(frozen=True)
class RunStatus:
    """The present run, or the last one."""

    run: RunId
    plan: str
    part_count: int
    reject_count: int
    parts_per_minute: float


@dataclass(frozen=True)
class Snapshot:
    """The rig at one instant. Whoever holds one can read it at leisure: nothing in it changes.

    Args:
        sequence: grows with every snapshot.
        taken_at_s: monotonic time.
        state: of the rig.
        state_reason: why, for a person; empty in ordinary states.
        axes: turntable, then chute where there is one.
        bins: in the order of the config.
        recent_parts: newest first.
        incidents: open ones, oldest first.
        run: None before the first run.
        model: name of the model in use, or None.
    """

    sequence: int
    taken_at_s: float
    state: RigState
    state_reason: str = ""
    axes: tuple[AxisStatus, ...] = ()
    bins: tuple[BinStatus, ...] = ()
    recent_parts: tuple[PartSummary, ...] = ()
    incidents: tuple[Incident, ...] = ()
    run: RunStatus | None = None
    model: str | None = None


@dataclass(frozen=True)
class CaptureRequest:
    """One revolution of labelled pictures: what lies on the table, and how many views (at least 1) to take."""

    class_name: str
    brick: str
    pose: str | None
    view_count: int

    def __post_init__(self) -> None:
        """Refuse a revolution without views."""
        if self.view_count < 1:
            raise ValueError(f"CaptureRequest: view_count is at least 1, got {self.view_count}")


class Commands(Protocol):
    """What can be asked of a rig: the same calls for page, command line and tests.

    Each returns once the rig has taken the command on, not when it is done; the snapshot tells how it goes on.
    Each raises ``sorter.errors.CommandRefused`` if the present state does not allow it; then nothing was done.
    """

    def start(self) -> None:
        """Begin a run; only from IDLE."""

    def pause(self) -> None:
        """Finish the part under way, then hold."""

    def resume(self) -> None:
        """Go on after a pause."""

    def stop(self) -> None:
        """Finish the part under way, then end the run."""

    def emergency_stop(self) -> None:
        """Stop everything now. Takes no lock, waits for nothing, is never refused; any thread may call it."""

    def home(self, axis: str | None = None) -> None:
        """Home one axis, or all that can be homed."""

    def jog(self, axis: str, distance_deg: float) -> None:
        """Turn one axis by ``distance_deg`` from where it is."""

    def resolve(self, incident: IncidentId, choice: str) -> None:
        """Take one of the incident's named ways out."""

    def set_plan(self, plan: SortPlan) -> None:
        """Use another plan from the next part on."""

    def capture(self, request: CaptureRequest) -> None:
        """Take a revolution of labelled pictures; only from IDLE."""

    def promote(self, model: str) -> None:
        """Use another model from the next part on."""
