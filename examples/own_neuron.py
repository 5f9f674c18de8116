"""A neuron of your own: a SymPy function that knows its derivative, trained as if it were built in.

`Cauchy` is a bell, 1/(1 + t²); its derivative is said through its own value, -2·t·y², so that the backward pass uses
the value again.  A few bells, placed by gradient descent, learn a curve.
"""

import numpy as np
import sympy

import symnet as sn


class Cauchy(sympy.Function):
    def fdiff(self, argindex=1):
        return -2 * self.args[0] * self**2


def bell(z):
    return sn.apply(Cauchy, z, body=lambda t: 1 / (1 + t**2))


m, units = sn.dim("m"), 6
x, target = sn.tensor("x", m, 1), sn.tensor("target", m, 1)
params = {
    "W": sn.tensor("W", 1, units),
    "b": sn.tensor("b", units),
    "V": sn.tensor("V", units, 1),
}
y = bell(x @ params["W"] + params["b"]) @ params["V"]
L = sn.mean((y - target) ** 2).named("L")


def main():
    z = sn.tensor("z", 3)
    print("derivative:", sn.grad(sn.sum(bell(z)), z))
    rng = np.random.default_rng(1)
    at = np.linspace(-3, 3, 256)[:, None]
    data = {"x": at, "target": np.sin(2 * at) * np.exp(-(at**2) / 4)}
    start = {"W": np.full((1, units), 1.5), "b": np.linspace(-4, 4, units), "V": 0.1 * rng.normal(size=(units, 1))}
    run = sn.fit(L, params=start, data=data, optimizer=sn.Adam(0.02), epochs=3000)
    print(run)
    assert run.history.loss[-1] < 1e-3
    return run


if __name__ == "__main__":
    main()
