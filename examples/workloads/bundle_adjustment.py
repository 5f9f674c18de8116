"""Bundle adjustment: where 3 cameras must stand, and 20 points lie, for the images that were taken.

A camera is a rotation vector, a translation, and a focal length; a point is seen by a camera at x, y after rotation
(Rodrigues' formula), translation and projection.
"""

import numpy as np

import symnet as sn

CAMERAS, POINTS = 3, 20
m = sn.dim("m")
camera, point = sn.tensor("camera", m, dtype="int64"), sn.tensor("point", m, dtype="int64")
seen = sn.tensor("seen", m, 2)
r, t, f = sn.tensor("r", CAMERAS, 3), sn.tensor("t", CAMERAS, 3), sn.tensor("f", CAMERAS)
P = sn.tensor("P", POINTS, 3)


def cross(a, b):
    """a × b, row by row."""
    ax, ay, az = (a[:, k] for k in range(3))
    bx, by, bz = (b[:, k] for k in range(3))
    return sn.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)


R, p = sn.take(r, camera), sn.take(P, point)
angle = sn.sqrt(sn.sum(R**2, axis=1, keepdims=True))
axis = R / angle
along = sn.sum(axis * p, axis=1, keepdims=True)
turned = sn.cos(angle) * p + sn.sin(angle) * cross(axis, p) + (1 - sn.cos(angle)) * along * axis
moved = turned + sn.take(t, camera)
image = sn.take(f, camera)[:, None] * moved[:, :2] / moved[:, 2:]
L = sn.sum((image - seen) ** 2) / 2

params = [r, t, f, P]
rng = np.random.default_rng(0)
pairs = np.array([(i, j) for i in range(CAMERAS) for j in range(POINTS) if rng.random() < 0.8])
data = {camera: pairs[:, 0], point: pairs[:, 1], seen: rng.normal(size=(len(pairs), 2))}
data |= {r: 0.3 * rng.normal(size=(CAMERAS, 3)), t: np.tile([0.0, 0.0, 5.0], (CAMERAS, 1)), f: np.full(CAMERAS, 2.0)}
data |= {P: rng.normal(size=(POINTS, 3))}

if __name__ == "__main__":
    print(sn.compare(L, params, data, against="tape, differences, jax"))
