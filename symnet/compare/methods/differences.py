"""Central differences of the compiled loss: the gradient without any rule of differentiation.

In: a `LossAtPoint`.  Out: a `Method` that evaluates the loss twice for each coordinate, in the precision of the
comparison: (L(w + h·e) - L(w - h·e)) / 2h with h = ε^(1/3)·max(1, |w|).  Products with the Hessian are differences of
the compiled gradient along the vector.

Error: about ε^(2/3) of the scale of L, 4e-11 in float64 and 2e-5 in float32.  A kink (relu, max) within h of the point
gives a wrong coordinate.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from symnet.compare.method import FoundDerivatives
from symnet.compare.methods.coordinates import Coordinates
from symnet.compare.methods.symbolic import Symbolic, compiled_derivative
from symnet.compare.problem import LossAtPoint
from symnet.compiler import compile
from symnet.loops.weights import Operations
from symnet.runtime.cache import without_cache


class CompiledDifferences(Coordinates):
    """Differences of a compiled loss, which sees what `data` hold at each call."""

    def __init__(self, problem: LossAtPoint) -> None:
        super().__init__(problem)
        with without_cache():
            self.function = compile(problem.root, dtype=problem.dtype, name="symnet_loss", threads=1)
        self.step = self.function.bind(**{name: self.data[name] for name in self.function.inputs})
        self.epsilon = float(np.finfo(problem.dtype).eps)

    @classmethod
    def load(cls) -> None:
        Symbolic.load()

    def loss(self) -> Any:
        return self.step()[()]

    @property
    def loss_call(self) -> Any:
        return self.step

    def difference(self, name: str, place: tuple[int, ...], h: float) -> float:
        """The central difference with a step of h, or what of it floats can hold."""
        array = self.data[name]
        here = array[place]
        above, below = here + array.dtype.type(h), here - array.dtype.type(h)
        array[place] = above
        high = float(self.loss())
        array[place] = below
        low = float(self.loss())
        array[place] = here
        return (high - low) / (float(above) - float(below))

    def scale(self, name: str, place: tuple[int, ...]) -> float:
        """max(1, |w|): what a step is measured by."""
        return max(1.0, abs(float(self.data[name][place])))

    @property
    def loss_operations(self) -> Operations:
        dims = {dim: n for dim, n in self.problem.dims.items() if dim.name in self.function.signature.dims}
        executed = self.function.operations
        return Operations(*(int(count.subs(dims)) for count in executed.kinds))

    @property
    def operations(self) -> Operations | None:
        return self.loss_operations * int(self.calls)

    def allocate(self) -> Any:
        step = self.function.bind(**{name: self.data[name] for name in self.function.inputs})
        return step, step()


class Differences(CompiledDifferences):
    name = "central differences"
    family = "differences"
    how = "(L(w + h) - L(w - h))/2h of the compiled loss, in the same precision, h = ε^(1/3)·max(1, |w|)"
    evaluations = 2

    def slope(self, name: str, place: tuple[int, ...]) -> float:
        return self.difference(name, place, self.epsilon ** (1 / 3) * self.scale(name, place))


class Richardson(CompiledDifferences):
    """The errors of central differences go by h², h⁴, …: three steps take the first two terms away.

    Source: Richardson, "The approximate arithmetical solution by finite differences", Phil. Trans. R. Soc. 210, 1911.
    """

    name = "Richardson differences"
    family = "differences"
    how = "central differences of the compiled loss with h, h/2, h/4, h = ε^(1/7)·max(1, |w|), extrapolated to h = 0"
    evaluations = 6

    def slope(self, name: str, place: tuple[int, ...]) -> float:
        h = self.epsilon ** (1 / 7) * self.scale(name, place)
        row = [self.difference(name, place, h / 2**k) for k in range(3)]
        for order in (4, 16):
            row = [(order * fine - coarse) / (order - 1) for coarse, fine in pairwise(row)]
        return row[0]


class ProductDifferences(CompiledDifferences):
    name = "differences of gradients"
    family = "differences"
    how = "(∇L(w + h·v) - ∇L(w - h·v))/2h of the compiled gradient, in the same precision, h = ε^(1/3)/max |v|"
    offers = ("hvp",)
    evaluations = 2

    def __init__(self, problem: LossAtPoint) -> None:
        super().__init__(problem)
        self.note = ""
        with without_cache():
            self.gradient = compiled_derivative(replace(problem, of="gradient"), name="symnet_gradient")
        self.climb = self.gradient.bind(**{name: self.data[name] for name in self.gradient.inputs})

    def slope(self, name: str, place: tuple[int, ...]) -> float:
        raise NotImplementedError

    def call(self) -> Any:
        return self.climb()

    @property
    def calls(self) -> float:
        return 2.0

    @property
    def operations(self) -> Operations | None:
        return None

    def answer(self) -> FoundDerivatives:
        problem = self.problem
        largest = max((float(np.abs(v).max(initial=0)) for v in problem.vectors), default=1.0) or 1.0
        h = self.epsilon ** (1 / 3) / largest
        sides = []
        for step in (h, -h):
            for leaf, v in zip(problem.wrt, problem.vectors, strict=True):
                self.data[leaf.name][...] = problem.data[leaf.name] + step * v
            sides.append([np.array(g, "float64") for g in self.climb()[1]])
        for leaf in problem.wrt:
            self.data[leaf.name][...] = problem.data[leaf.name]
        return FoundDerivatives(float(self.loss()), [(a - b) / (2 * h) for a, b in zip(*sides, strict=True)])
