"""What the rooms hand each other: frozen values, and the promises (protocols) that stand between rooms.

The words are those of docs/architecture.md. Angles are degrees, lengths millimetres or pixels, times seconds of a
monotonic clock unless the name says otherwise; every name with a unit carries it. Import from here, not from the
modules below.
"""

from sorter.types.clock import Clock
from sorter.types.decisions import Decision, PartColour, Prediction, RejectReason, View, ViewQuality
from sorter.types.pictures import Box, Crop, CropSpec, Frame, Location, LocationKind, Table
from sorter.types.recording import REJECTED, BinContent, Recorder
from sorter.types.rig import (
    AxisStatus,
    BinStatus,
    CaptureRequest,
    Commands,
    Incident,
    PartSummary,
    RigState,
    RunStatus,
    Snapshot,
)
from sorter.types.routing import BinId, IncidentId, Outcome, OutcomeKind, PartId, RunId, SortPlan, SortRule

__all__ = [
    "REJECTED",
    "AxisStatus",
    "BinContent",
    "BinId",
    "BinStatus",
    "Box",
    "CaptureRequest",
    "Clock",
    "Commands",
    "Crop",
    "CropSpec",
    "Decision",
    "Frame",
    "Incident",
    "IncidentId",
    "Location",
    "LocationKind",
    "Outcome",
    "OutcomeKind",
    "PartColour",
    "PartId",
    "PartSummary",
    "Prediction",
    "Recorder",
    "RejectReason",
    "RigState",
    "RunId",
    "RunStatus",
    "Snapshot",
    "SortPlan",
    "SortRule",
    "Table",
    "View",
    "ViewQuality",
]
