"""A quadratic form: gradient, critical point, Hessian, and what kind of point it is: exactly, and in native code.

f = x₁² + x₁(1 - x₂) + x₂² - x₂x₃ + x₃² + x₃.  The gradient is linear, H·x + g(0), so one linear system solves it.
"""

import numpy as np

import symnet as sn

x = sn.tensor("x", 3)
x1, x2, x3 = x[0], x[1], x[2]
f = x1**2 + x1 * (1 - x2) + x2**2 - x2 * x3 + x3**2 + x3

scalars = sn.scalar("x1"), sn.scalar("x2"), sn.scalar("x3")
a, b, c = scalars
written = a**2 + a * (1 - b) + b**2 - b * c + c**2 + c
print("f =", written)
for name, slope in zip(("x1", "x2", "x3"), sn.grad(written, list(scalars)), strict=True):
    print(f"∂f/∂{name} = {slope}")
print("exactly:", sn.critical_points(written, list(scalars)))

gradient = sn.compile(sn.grad(f, x))
hessian = sn.compile(sn.hessian(f, x))()  # constant: it has no inputs
point = np.linalg.solve(hessian, -gradient(x=np.zeros(3)))
eigenvalues = np.linalg.eigvalsh(hessian)
kind = "minimum" if (eigenvalues > 0).all() else "maximum" if (eigenvalues < 0).all() else "undecided"
print("\nHessian")
print(hessian)
print("critical point", point.round(12), "where the gradient is", gradient(x=point).round(12) + 0)
print("eigenvalues", eigenvalues.round(6), "=", "2 - √2, 2, 2 + √2:", kind)

assert np.allclose(point, -1) and np.allclose(eigenvalues, [2 - 2**0.5, 2, 2 + 2**0.5]) and kind == "minimum"
