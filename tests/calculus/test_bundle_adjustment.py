"""Bundle adjustment: the Jacobian of each observation's residual by its camera and its point, as blocks, never more.

Each observation is of one of n cameras (rotation vector, centre, focal length, principal point, two coefficients of
radial distortion: 11 numbers) and of one of k points; the two residuals are weighted differences of pixels.
"""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node

p, n, k = sn.dim("p"), sn.dim("n"), sn.dim("k")
cameras, points = sn.tensor("cameras", n, 11), sn.tensor("points", k, 3)
weights, pixels = sn.tensor("weights", p), sn.tensor("pixels", p, 2)
camera_of, point_of = sn.tensor("camera_of", p, dtype="int64"), sn.tensor("point_of", p, dtype="int64")


def cross(a: Node, b: Node) -> Node:
    first, second = [1, 2, 0], [2, 0, 1]
    return a[:, first] * b[:, second] - a[:, second] * b[:, first]


def turned(r: Node, x: Node) -> Node:
    """Rodrigues' rotation of x about r by ‖r‖, row by row; x + r × x where the angle is as good as 0."""
    square = sn.sum(r**2, axis=1, keepdims=True)
    is_small = square < 1e-20
    angle = sn.sqrt(sn.where(is_small, 1, square))
    axis = r / angle
    along = axis * sn.sum(axis * x, axis=1, keepdims=True)
    whole = x * sn.cos(angle) + cross(axis, x) * sn.sin(angle) + along * (1 - sn.cos(angle))
    return sn.where(is_small, x + cross(r, x), whole)


def projected(camera: Node, x: Node) -> Node:
    seen = turned(camera[:, :3], x - camera[:, 3:6])
    plane = seen[:, :2] / seen[:, 2:]
    square = sn.sum(plane**2, axis=1, keepdims=True)
    bent = plane * (1 + camera[:, 9:10] * square + camera[:, 10:] * square**2)
    return bent * camera[:, 6:7] + camera[:, 7:9]


residuals = weights[:, None] * (projected(cameras[camera_of], points[point_of]) - pixels)


def given(observations: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    few, many = 3, 5
    upright = np.array([0, 0, 0, 0, 0, -3, 1, 0, 0, 0.1, 0.1])
    data = {
        "cameras": upright + rng.normal(size=(few, 11)) / 10,
        "points": rng.normal(size=(many, 3)) / 3,
        "weights": rng.uniform(0.5, 1, observations),
        "pixels": rng.normal(size=(observations, 2)),
        "camera_of": rng.integers(-few, few, observations),
        "point_of": rng.integers(0, many, observations),
    }
    data["cameras"][0, :3] = 0  # a camera that is not turned
    return data


def differences(data: dict[str, np.ndarray], name: str, step: float = 1e-6) -> np.ndarray:
    """Central differences of the residuals by an argument."""
    value = sn.compile(residuals)
    columns = []
    for place in np.ndindex(data[name].shape):
        ends = []
        for sign in (1, -1):
            moved = {**data, name: data[name].copy()}
            moved[name][place] += sign * step
            ends.append(value(**moved))
        columns.append((ends[0] - ends[1]) / (2 * step))
    return np.stack(columns, axis=-1).reshape(*value(**data).shape, *data[name].shape)


def test_by_the_tables_it_is_blocks_and_the_rows_they_belong_to(rng: np.random.Generator) -> None:
    by_camera, by_point, by_weight = sn.jacobian(residuals, [cameras, points, weights])
    sizes = [sn.compressed(J).size for J in (by_camera, by_point, by_weight)]
    assert sizes == [23 * p, 7 * p, 2 * p]
    f = sn.compile([by_camera, by_point, by_weight], compressed=True)
    assert f.workspace_bytes(p=1000, n=3, k=5) == f.workspace_bytes(p=1_000_000, n=3, k=5)
    data = given(12, rng)
    for name, found in zip(("cameras", "points", "weights"), f(**data), strict=True):
        want = differences(data, name)
        np.testing.assert_allclose(found.dense(), want, rtol=1e-6, atol=1e-7)
        step = rng.normal(size=data[name].shape)
        np.testing.assert_allclose(found.matvec(step), np.tensordot(want, step, step.ndim), rtol=1e-5, atol=1e-6)


def test_by_the_rows_that_were_taken_it_is_the_blocks_alone(rng: np.random.Generator) -> None:
    taken = sn.take(cameras, camera_of), sn.take(points, point_of)
    by_camera, by_point = sn.jacobian(residuals, list(taken))
    assert [sn.compressed(J).size for J in (by_camera, by_point)] == [22 * p, 6 * p]
    data = given(9, rng)
    f = sn.compile([by_camera, by_point], compressed=True)
    blocks = f(**{name: data[name] for name in f.inputs})
    for name, which, J in zip(("cameras", "points"), ("camera_of", "point_of"), blocks, strict=True):
        (block,) = J.factors
        whole = differences(data, name)
        for row in range(9):
            np.testing.assert_allclose(block[row], whole[row][:, data[which][row]], rtol=1e-6, atol=1e-7)


def test_a_row_that_is_not_there_is_named(rng: np.random.Generator) -> None:
    table, i = sn.tensor("table", n, 2), sn.tensor("i", p, dtype="int64")
    f = sn.compile(sn.jacobian(3 * table[i], table), compressed=True)
    with pytest.raises(sn.ValueDomainError, match=r"expected every element of i in -4 … 3 \(an index\); got 4"):
        f(i=np.array([0, 4]), n=4)
    J = sn.compile(sn.jacobian(3 * table[2 * i], table), compressed=True)(i=np.array([0, 2]), n=4)
    with pytest.raises(sn.ValueDomainError, match=r"H.dense\(\): expected indices from -4 to 3; got 4"):
        J.dense()
