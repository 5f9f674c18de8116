"""Backpropagation on a graph small enough to do by hand: c = a + b, d = a·c at a = 4, b = 3.

One backward pass gives the derivative of d by every node, the intermediate c included.  Along a route local
derivatives multiply; over routes they add: a reaches d directly and through c, so ∂d/∂a = c + a = 7 + 4 = 11.
"""

import numpy as np

import symnet as sn

a, b = sn.scalar("a"), sn.scalar("b")
c = (a + b).named("c")
d = (a * c).named("d")

adjoints = sn.grad(d, {"a": a, "b": b, "c": c})
print("d       =", d)
for name, formula in adjoints.items():
    print(f"∂d/∂{name}   = {formula}")
print("∂c/∂a   =", sn.grad(c, a))

# the same as native code: d and all three derivatives in one call
f = sn.value_and_grad(d, {"a": a, "b": b, "c": c})
value, slopes = f(a=4.0, b=3.0)
local = sn.compile(sn.grad(c, a))()
print("\nat a = 4, b = 3:")
print("d =", value, *(f" ∂d/∂{name} = {slope}" for name, slope in slopes.items()), f" ∂c/∂a = {local}")

assert (value, slopes["a"], slopes["b"], slopes["c"], local) == (28, 11, 4, 4, 1)
assert np.isclose(slopes["a"], 2 * 4 + 3)
