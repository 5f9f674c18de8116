"""symnet itself: the gradient as a formula, compiled.

In: a `LossAtPoint`.  Out: a `Method` that runs a bound native step on one thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.arrays import Array
from symnet.compare.method import LossAtPoint, Method
from symnet.compiler import value_and_grad
from symnet.loops.weights import Operations


class Symbolic(Method):
    name = "symnet, compiled"

    def __init__(self, problem: LossAtPoint) -> None:
        self.function = value_and_grad(
            problem.root, list(problem.wrt), dtype=problem.dtype, name="symnet_compare", threads=1
        )
        self.step = self.function.bind(**{name: problem.data[name] for name in self.function.inputs})
        self.dims = {dim: extent for dim, extent in problem.dims.items() if dim.name in self.function.signature.dims}
        seconds = sum(self.function.stages.seconds.values())
        self.note = f"compiled once, in {1e3 * seconds:.0f} ms" + (" (now from the cache)" * self.function.from_cache)

    def call(self) -> None:
        self.step()

    def value(self) -> float:
        return float(self.step()[0])

    def gradients(self) -> Sequence[Array]:
        return [gradient.copy() for gradient in self.step()[1]]

    @property
    def operations(self) -> Operations:
        executed = self.function.operations
        return Operations(*(int(count.subs(self.dims)) for count in (executed.arithmetic, executed.transcendental)))

    @property
    def kept(self) -> tuple[int, int]:
        program = self.function.program
        assert program is not None
        sizes = {dim.name: extent for dim, extent in self.dims.items()}
        return len(program.workspace), self.function.workspace_bytes(**sizes)
