"""Resting poses: a picture shows parts as they lie, and as often."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sorter.render.errors import RenderRefused
from sorter.render.ldraw import Library, PartReader
from sorter.render.mass import centre_of_mass
from sorter.render.mesh import PartMesh
from sorter.render.poses import RestingPose, resting_poses

READER = PartReader(Library(Path(__file__).resolve().parents[3] / "data" / "ldraw"))


def poses_of(number: str, **settings: float) -> dict[str, RestingPose]:
    return {pose.name: pose for pose in resting_poses(READER.read(number).mesh, **settings)}


def mesh_of(corners: np.ndarray) -> PartMesh:
    count = len(corners)
    return PartMesh("own", corners, np.zeros((count, 3, 3)), np.full(count, 16, np.int32))


def box(size: tuple[float, float, float], *, without: int | None = None) -> np.ndarray:
    """Closed, or without one of its six sides."""
    signs = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], float)
    sides = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))
    kept = [side for place, side in enumerate(sides) if place != without]
    corners = signs * np.array(size) / 2
    return np.array([corners[list(each)] for a, b, c, d in kept for each in ((a, b, c), (a, c, d))])


def test_a_brick_lies_as_bricks_do() -> None:
    poses = poses_of("t2x4")
    assert set(poses) == {"up", "down", "side", "end"}
    assert {name: round(pose.height_mm, 6) for name, pose in poses.items()} == {
        "up": 11.2,
        "down": 11.2,
        "side": 16.0,
        "end": 32.0,
    }
    np.testing.assert_allclose(poses["up"].rotation, np.eye(3), atol=1e-12)
    assert sum(pose.probability for pose in poses.values()) == pytest.approx(1.0)
    assert poses["end"].probability < 0.1 < poses["side"].probability
    assert all(pose.mass_source == "volume" for pose in poses.values())


def test_sides_that_look_alike_are_one_pose() -> None:
    assert list(poses_of("t2x2")) == ["side", "down", "up"]
    assert poses_of("t2x2")["side"].probability == pytest.approx(0.467, abs=0.01), "all four together"


def test_sides_that_do_not_look_alike_have_names_of_their_own() -> None:
    poses = poses_of("t45")
    assert {"up", "p0", "side", "side-2", "side-3"} <= set(poses)
    assert np.degrees(np.arccos(poses["p0"].rotation[2, 2])) == pytest.approx(135.0), "on its slope"
    assert poses["side-2"].probability == pytest.approx(poses["side-3"].probability), "mirror images"


@pytest.mark.parametrize("number", ["t1x2", "t2x2", "t2x4", "t45", "t45m", "tround", "ttile"])
def test_every_pose_is_a_rotation_onto_a_flat_side(number: str) -> None:
    mesh = READER.read(number).mesh
    poses = resting_poses(mesh)
    assert len({pose.name for pose in poses}) == len(poses)
    assert [pose.probability for pose in poses] == sorted((pose.probability for pose in poses), reverse=True)
    for pose in poses:
        np.testing.assert_allclose(pose.rotation @ pose.rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(pose.rotation) == pytest.approx(1.0)
        placed = mesh.corners_mm.reshape(-1, 3) @ pose.rotation.T
        assert np.ptp(placed[:, 2]) == pytest.approx(pose.height_mm, abs=2e-3)
        feet = placed[placed[:, 2] < placed[:, 2].min() + 0.02]
        assert np.linalg.matrix_rank(feet[:, :2] - feet[0, :2], tol=0.1) == 2, "it stands on more than an edge"
        assert 0 < pose.centre_height_mm < pose.height_mm
        assert pose.margin_mm > 0


def test_the_same_part_always_lies_the_same() -> None:
    mesh = READER.read("t45").mesh
    shuffled = np.random.default_rng(0).permutation(len(mesh.corners_mm))
    other = PartMesh(mesh.name, mesh.corners_mm[shuffled], mesh.normals[shuffled], mesh.colours[shuffled])
    for one, two in zip(resting_poses(mesh), resting_poses(other), strict=True):
        assert one.name == two.name
        assert one.probability == pytest.approx(two.probability)
        np.testing.assert_allclose(one.rotation, two.rotation, atol=1e-9)


def test_rare_poses_are_left_out_but_never_all() -> None:
    assert set(poses_of("t2x4", min_probability=0.1)) == {"up", "down", "side"}
    (only,) = resting_poses(READER.read("t2x4").mesh, min_probability=1.0)
    assert only.probability == 1.0


def test_a_cube_has_one_pose_and_a_slab_lies_flat() -> None:
    assert [pose.name for pose in resting_poses(mesh_of(box((8, 8, 8))))] == ["up"]
    slab = {pose.name: pose.probability for pose in resting_poses(mesh_of(box((80, 40, 1))))}
    assert slab == pytest.approx({"up": 1.0}), "it would take luck to stand it on its side"


def test_a_body_topples_off_a_side_that_cannot_hold_it() -> None:
    sheared = box((8, 8, 20))
    sheared[:, :, 0] += sheared[:, :, 2]
    names = [pose.name for pose in resting_poses(mesh_of(sheared), min_probability=0.0)]
    assert "up" not in names
    assert names


@pytest.mark.parametrize("side", range(6))
def test_one_gap_does_not_move_the_centre_of_mass(side: int) -> None:
    mass = centre_of_mass(box((32, 16, 10), without=side) + np.array([5.0, 6.0, 7.0]))
    assert mass.source == "volume"
    np.testing.assert_allclose(mass.point_mm, [5.0, 6.0, 7.0], atol=1e-9)


def test_a_surface_that_encloses_nothing_says_where_its_centre_of_mass_is_from() -> None:
    assert centre_of_mass(box((32, 16, 10))[:3]).source == "surface"
    inside_out = box((32, 16, 10))[:, ::-1]
    mass = centre_of_mass(inside_out)
    assert mass.source == "surface"
    np.testing.assert_allclose(mass.point_mm, 0.0, atol=1e-9)
    assert {pose.mass_source for pose in resting_poses(mesh_of(inside_out))} == {"surface"}


def test_a_flat_part_is_refused_by_name() -> None:
    with pytest.raises(RenderRefused, match="part own: it has no volume"):
        resting_poses(mesh_of(np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]])))


@pytest.mark.parametrize(
    ("number", "photographed"),
    [
        ("3001", {"up", "down", "side", "end"}),
        ("3003", {"up", "down", "side"}),
        ("3004", {"up", "down", "side"}),
        ("3701", {"up", "down", "side"}),
        ("3039", {"p0", "up", "side"}),
        ("3660", {"p0", "down", "side"}),
    ],
)
def test_real_parts_have_the_poses_of_the_photographs(ldraw_library: Path, number: str, photographed: set[str]) -> None:
    names = {pose.name for pose in resting_poses(PartReader(Library(ldraw_library)).read(number).mesh)}
    assert photographed <= names


def test_every_real_part_lies_somehow(ldraw_library: Path) -> None:
    library = Library(ldraw_library)
    reader = PartReader(library)
    for number in library.numbers[:400:10]:
        poses = resting_poses(reader.read(number).mesh)
        assert sum(pose.probability for pose in poses) == pytest.approx(1.0), number
