"""symnet itself: the derivative as a formula, compiled.

In: a `LossAtPoint`.  Out: a `Method` that runs a bound native step on one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from symnet.calculus.hessian import hessian
from symnet.calculus.products import hvp
from symnet.compare.method import FoundDerivatives, Method
from symnet.compare.problem import KINDS, LossAtPoint
from symnet.compiled import CompiledFunction
from symnet.compiler import compile, value_and_grad
from symnet.expr.nodes.symbols import scalar, tensor
from symnet.locks import once
from symnet.loops.weights import Operations
from symnet.runtime.cache import without_cache


class Symbolic(Method):
    name = "symnet, compiled"
    family = "symbolic"
    how = "the derivative as a formula, simplified, compiled to native code; a bound step"
    offers = KINDS

    def __init__(self, problem: LossAtPoint) -> None:
        self.problem = problem
        with without_cache():
            self.function = compiled_derivative(problem)
        self.step = self._bound(self.function)

    @classmethod
    def load(cls) -> None:
        warm_up()

    def _bound(self, function: CompiledFunction) -> Any:
        data = {**self.problem.data, **vectors(self.problem)}
        return function.bind(**{name: data[name] for name in function.inputs})

    def call(self) -> Any:
        return self.step()

    def answer(self) -> FoundDerivatives:
        found = self.step()
        value, *arrays = (found[0], *found[1]) if self.problem.of == "gradient" else found
        return FoundDerivatives(float(value), [array.copy() for array in arrays])

    @cached_property
    def _loss(self) -> CompiledFunction:
        problem = self.problem
        made: CompiledFunction = compile(problem.root, dtype=problem.dtype, name="symnet_loss", threads=1)
        return made

    @cached_property
    def _loss_step(self) -> Any:
        return self._bound(self._loss)

    @property
    def loss_call(self) -> Callable[[], Any]:
        found: Callable[[], Any] = self._loss_step
        return found

    @property
    def operations(self) -> Operations:
        return self._executed(self.function)

    @property
    def loss_operations(self) -> Operations:
        return self._executed(self._loss)

    def _executed(self, function: CompiledFunction) -> Operations:
        dims = {dim: n for dim, n in self.problem.dims.items() if dim.name in function.signature.dims}
        executed = function.operations
        return Operations(*(int(count.subs(dims)) for count in executed.kinds))

    def allocate(self) -> Any:
        step = self._bound(self.function)
        return step, step()


@once
def warm_up() -> None:
    """Import and start LLVM, which happens once in a process and is no part of compiling."""
    with without_cache():
        compile(scalar("x") + 1, name="symnet_warm_up", threads=1)(x=1.0)


def vectors(problem: LossAtPoint) -> dict[str, Any]:
    """What the Hessian is multiplied with, by the names of leaves made for it."""
    if problem.of != "hvp":
        return {}
    taken = set(problem.data)
    return {_name(leaf.name, taken): v for leaf, v in zip(problem.wrt, problem.vectors, strict=True)}


def _name(leaf: str, taken: set[str]) -> str:
    name = f"{leaf}_dot"
    while name in taken:
        name += "_"
    return name


def derivatives(problem: LossAtPoint) -> list[Any]:
    """The formulas: a gradient for each leaf, products of the Hessian, or its blocks row by row."""
    from symnet.calculus.grad import grad

    wrt = list(problem.wrt)
    if problem.of == "gradient":
        return list(grad(problem.root, wrt))
    if problem.of == "hessian":
        return [block for row in hessian(problem.root, wrt) for block in row]
    names = list(vectors(problem))
    dots = [tensor(name, *leaf.shape, dtype=leaf.dtype) for name, leaf in zip(names, wrt, strict=True)]
    return list(hvp(problem.root, wrt, dots))


def compiled_derivative(problem: LossAtPoint, name: str = "symnet_compare") -> CompiledFunction:
    """A function that gives (value, [derivatives])."""
    made: CompiledFunction
    if problem.of == "gradient":
        made = value_and_grad(problem.root, list(problem.wrt), dtype=problem.dtype, name=name, threads=1)
    else:
        made = compile([problem.root, *derivatives(problem)], dtype=problem.dtype, name=name, threads=1)
    return made
