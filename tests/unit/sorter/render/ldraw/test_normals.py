"""Normals: studs look round and bricks' edges sharp."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sorter.render.ldraw import Library, PartReader, smooth_normals
from sorter.render.ldraw.normals import face_normals, weld

READER = PartReader(Library(Path(__file__).resolve().parents[4] / "data" / "ldraw"))


def roof(bend_deg: float) -> np.ndarray:
    """Two squares that meet along the y axis, each of two triangles."""
    slope = np.radians(bend_deg / 2)
    left, right = (np.array([side * np.cos(slope), 0.0, -np.sin(slope)]) for side in (-1, 1))
    along = np.array([0.0, 1.0, 0.0])
    zero = np.zeros(3)
    quads = [[zero, right, right + along, along], [left, zero, along, left + along]]
    return np.array([[quad[a], quad[b], quad[c]] for quad in quads for a, b, c in ((0, 1, 2), (0, 2, 3))])


def test_studs_are_round_and_edges_are_sharp() -> None:
    mesh = READER.read("t2x4").mesh
    corners, normals = mesh.corners_mm, mesh.normals
    faces = face_normals(corners)
    is_round = (corners[:, :, 2] > -0.01).all(axis=1) & (np.abs(faces[:, 2]) < 0.1)
    assert is_round.sum() == 8 * 32
    on_stud = corners[is_round][:, :, :2]
    out = on_stud - (np.round((on_stud - 4) / 8) * 8 + 4)
    out /= np.linalg.norm(out, axis=2, keepdims=True)
    np.testing.assert_allclose(normals[is_round][:, :, :2], out, atol=2e-3)

    is_wall = (np.abs(faces).max(axis=1) > 0.9999) & (corners[:, :, 2].min(axis=1) < -1)
    is_wall &= np.abs(corners[:, :, :2]).max(axis=(1, 2)) > 7.9
    np.testing.assert_allclose(normals[is_wall], np.repeat(faces[is_wall][:, None], 3, axis=1), atol=1e-9)


@pytest.mark.parametrize(("bend_deg", "is_smooth"), [(22.5, True), (29.0, True), (31.0, False), (90.0, False)])
def test_the_crease_angle_decides(bend_deg: float, is_smooth: bool) -> None:
    corners = roof(bend_deg)
    normals = smooth_normals(corners)
    at_ridge = np.abs(corners[:, :, 0]) < 1e-9
    expected = np.array([0.0, 0.0, 1.0])
    if is_smooth:
        np.testing.assert_allclose(normals[at_ridge], np.tile(expected, (at_ridge.sum(), 1)), atol=1e-9)
    else:
        flat = np.repeat(face_normals(corners)[:, None], 3, axis=1)
        np.testing.assert_allclose(normals, flat, atol=1e-9)


def test_a_line_of_type_2_is_sharp_however_flat_the_bend() -> None:
    corners = roof(18.0)
    flat = np.repeat(face_normals(corners)[:, None], 3, axis=1)
    ridge = np.array([[[0.0, -1.0, 0.0], [0.0, 3.0, 0.0]]])  # longer than the faces' own edge
    np.testing.assert_allclose(smooth_normals(corners, sharp_lines_mm=ridge), flat, atol=1e-9)
    aside = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]])
    assert np.abs(smooth_normals(corners, sharp_lines_mm=aside) - flat).max() > 0.1


def test_how_a_square_was_split_does_not_matter() -> None:
    corners = roof(20.0)
    other = corners.copy()
    right = [corners[0, 0], corners[0, 1], corners[0, 2], corners[1, 2]]
    other[0] = [right[1], right[2], right[3]]
    other[1] = [right[1], right[3], right[0]]
    at_ridge = np.abs(other[:, :, 0]) < 1e-9
    np.testing.assert_allclose(smooth_normals(other)[at_ridge][:, 0], 0.0, atol=1e-9)


def test_points_are_welded_across_what_rounding_parts() -> None:
    points = np.array([[0.0049, 0, 0], [0.0051, 0, 0], [1.0, 0, 0], [0.0049, 0, 0]])
    numbers, places = weld(points, 0.01)
    assert numbers.tolist() == [0, 0, 1, 0]
    np.testing.assert_array_equal(places, points[[0, 2]])


@given(
    arrays(np.float64, st.tuples(st.integers(1, 12), st.just(3), st.just(3)), elements=st.integers(-3, 3).map(float)),
    st.floats(0.0, 180.0),
)
def test_normals_are_of_unit_length_or_there_is_no_area(corners: np.ndarray, crease_deg: float) -> None:
    sharp = corners[:, :2]
    normals = smooth_normals(corners, crease_deg=crease_deg, sharp_lines_mm=sharp)
    lengths = np.linalg.norm(normals, axis=2)
    faces = face_normals(corners)
    has_area = np.linalg.norm(faces, axis=1) > 0
    np.testing.assert_allclose(lengths[has_area], 1.0, atol=1e-9)
    if crease_deg < 90:
        bend = np.einsum("ik,ijk->ij", faces[has_area], normals[has_area])
        assert (bend > 0).all(), "a normal never points to the other side of its face"
