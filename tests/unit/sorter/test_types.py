"""A value that cannot be true is refused where it is made, not where it does harm."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.types import (
    Box,
    CaptureRequest,
    Crop,
    CropSpec,
    Decision,
    Frame,
    Location,
    LocationKind,
    Prediction,
    RejectReason,
    Snapshot,
)
from sorter.types import RigState as State

RGB = np.zeros((4, 6, 3), np.uint8)
MASK = np.zeros((4, 6), np.bool_)
BOX = Box(0, 0, 2, 2)


@pytest.mark.parametrize(
    "rgb",
    [np.zeros((4, 6), np.uint8), np.zeros((4, 6, 4), np.uint8), np.zeros((4, 6, 3)), np.zeros((0, 6, 3), np.uint8)],
)
def test_a_frame_is_rgb_bytes(rgb: np.ndarray) -> None:
    assert Frame(RGB, 0.0, 0).rgb is RGB
    with pytest.raises(ValueError, match="H×W×3 uint8"):
        Frame(rgb, 0.0, 0)


def test_a_location_counts_what_it_shows() -> None:
    Location(LocationKind.ONE, (BOX,), MASK)
    Location(LocationKind.MOVING, (), MASK)
    with pytest.raises(ValueError, match="one does not go with 2 boxes"):
        Location(LocationKind.ONE, (BOX, BOX), MASK)
    with pytest.raises(ValueError, match="empty does not go with 1 boxes"):
        Location(LocationKind.EMPTY, (BOX,), MASK)
    for kind in (LocationKind.SEVERAL, LocationKind.EDGE):
        with pytest.raises(ValueError, match="does not go with 0 boxes"):
            Location(kind, (), MASK)
    with pytest.raises(ValueError, match="H×W bool"):
        Location(LocationKind.EMPTY, (), MASK.astype(np.uint8))


def test_a_crop_has_the_size_of_its_spec() -> None:
    spec = CropSpec(size_px=8)
    Crop(np.zeros((8, 8, 3), np.uint8), spec, BOX)
    with pytest.raises(ValueError, match="8 px square"):
        Crop(RGB, spec, BOX)


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_mm": 0.0},
        {"window_mm": float("nan")},
        {"frame_mm": -1.0},
        {"size_px": 4},
        {"size_px": 100_000},
        {"table_grey": 256},
        {"table_grey": 0},
        {"window_mm": 400.0, "frame_mm": 78.0},
    ],
    ids=str,
)
def test_a_crop_spec_that_no_picture_can_fit_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="got"):
        CropSpec(**wrong)  # type: ignore[arg-type]


def test_a_window_has_the_same_millimetres_in_every_frame() -> None:
    spec = CropSpec(window_mm=40.0, frame_mm=80.0)
    unknown = Frame(np.zeros((300, 400, 3), np.uint8), 0.0, 0)
    calibrated = Frame(np.zeros((300, 400, 3), np.uint8), 0.0, 0, mm_per_px=0.1)
    assert (spec.window_px(unknown), spec.window_px(calibrated)) == (150, 400)
    mistaken = Frame(np.zeros((300, 400, 3), np.uint8), 0.0, 0, mm_per_px=1e-5)
    with pytest.raises(ValueError, match="far beyond the frame"):
        spec.window_px(mistaken)
    with pytest.raises(ValueError, match="mm_per_px"):
        Frame(np.zeros((3, 4, 3), np.uint8), 0.0, 0, mm_per_px=0.0)


def test_a_box_has_area() -> None:
    with pytest.raises(ValueError, match="1×1"):
        Box(0, 0, 0, 5)


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=8))
def test_a_prediction_ranks_its_labels(weights: list[float]) -> None:
    labels = tuple(f"c{index}" for index in range(len(weights)))
    probabilities = tuple(weight / sum(weights) for weight in weights)
    ranked = Prediction(labels, probabilities).ranked
    assert sorted(ranked) == sorted(zip(labels, probabilities, strict=True))
    assert [p for _, p in ranked] == sorted(probabilities, reverse=True)


@pytest.mark.parametrize("probabilities", [(), (0.5,), (0.5, 0.6), (float("nan"), 1.0), (-0.5, 1.5)])
def test_a_prediction_holds_probabilities(probabilities: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="Prediction"):
        Prediction(("a", "b"), probabilities)


def test_a_prediction_names_each_label_once() -> None:
    with pytest.raises(ValueError, match="labels"):
        Prediction(("a", "a"), (0.5, 0.5))


def test_a_revolution_has_views() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        CaptureRequest("3001", "red-1", None, view_count=0)


def test_a_part_is_of_a_class_or_rejected_never_both() -> None:
    posterior = Prediction(("a", "b"), (0.9, 0.1))
    Decision("a", None, posterior, 2)
    Decision(None, RejectReason.NOTHING_SEEN, None, 0)
    for class_name, reason, seen in [("a", RejectReason.UNSURE, posterior), (None, None, posterior)]:
        with pytest.raises(ValueError, match="either"):
            Decision(class_name, reason, seen, 1)
    for seen in (posterior, None):
        with pytest.raises(ValueError, match="posterior"):
            Decision("c", None, seen, 1)


def test_a_snapshot_cannot_be_changed_by_whoever_reads_it() -> None:
    snapshot = Snapshot(1, 0.0, State.IDLE)
    with pytest.raises(dataclasses.FrozenInstanceError):
        snapshot.state = State.RUNNING  # type: ignore[misc]
