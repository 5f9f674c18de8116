"""JAX: the loss written for it, differentiated by `jax.grad`, `jax.jacfwd`, `jax.jvp`, `jax.hessian`.

In: a `LossAtPoint`.  Out: `Method`s: compiled by XLA, eager, and forward mode.  JAX is imported where it is asked for.
Arrays lie on JAX's device before anything is timed, and a call ends when its results are ready.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.compare.method import FoundDerivatives, Method
from symnet.compare.methods.written import flattened, loss_function, missing, ordered
from symnet.compare.problem import KINDS, LossAtPoint


def _wide(jax: Any) -> Any:
    """A context in which JAX keeps float64."""
    return jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()


CALLED = {"gradient": "jax.value_and_grad", "hvp": "jax.jvp of jax.value_and_grad", "hessian": "jax.hessian"}


class JaxJit(Method):
    name = "JAX, jit"
    family = "reverse"
    how = "{} of the loss that symnet writes for JAX, compiled by XLA"
    offers: tuple[str, ...] = KINDS
    needs = "jax"
    compiled = True

    def __init__(self, problem: LossAtPoint) -> None:
        import jax

        self.jax, self.problem, self.how = jax, problem, self.how.format(CALLED[problem.of])
        with contextlib.ExitStack() as stack:
            stack.enter_context(_wide(jax))
            loss = loss_function(problem, "jax")
            self.arguments = [jax.numpy.asarray(problem.data[leaf.name]) for leaf in ordered(problem)]
            self.vectors = tuple(map(jax.numpy.asarray, problem.vectors))
            self.loss, self.function = self._compiled(loss), self._compiled(self.derivative(jax, loss))
            if self.compiled:
                jax.block_until_ready(self.function(*self.arguments))
            self.kept = stack.pop_all()  # float64 stays until `close`: a function is compiled anew without it

    @classmethod
    def load(cls) -> None:
        try:
            import jax
        except ImportError as error:
            raise missing("JAX", error) from error
        jax.block_until_ready(jax.numpy.zeros(()) + 1)  # the platform is chosen and started

    def _compiled(self, function: Callable[..., Any]) -> Any:
        """The function compiled to run on the thread that calls it."""
        if not self.compiled:
            return function
        with contextlib.suppress(TypeError):  # an older jit has no such options
            return self.jax.jit(function, compiler_options={"xla_cpu_multi_thread_eigen": False})
        return self.jax.jit(function)

    def derivative(self, jax: Any, loss: Callable[..., Any]) -> Callable[..., Any]:
        """A function of all arguments that gives (value, [arrays])."""
        count = len(self.problem.wrt)
        which = tuple(range(count))
        if self.problem.of == "gradient":
            return jax.value_and_grad(loss, which)
        if self.problem.of == "hessian":
            hessian = jax.hessian(loss, which)
            return lambda *arguments: (loss(*arguments), hessian(*arguments))

        def product(*arguments: Any) -> Any:
            moving, rest = arguments[:count], arguments[count:]
            climb = jax.value_and_grad(lambda *ws: loss(*ws, *rest), which)
            (value, _), (_, products) = jax.jvp(climb, moving, self.vectors)
            return value, products

        return product

    def call(self) -> Any:
        return self.jax.block_until_ready(self.function(*self.arguments))

    def close(self) -> None:
        self.kept.close()

    def answer(self) -> FoundDerivatives:
        value, found = self.call()
        return FoundDerivatives(float(value), [np.asarray(a) for a in flattened(found)])

    @property
    def loss_call(self) -> Callable[[], Any]:
        return lambda: self.jax.block_until_ready(self.loss(*self.arguments))

    @property
    def peak_bytes(self) -> int | None:
        """XLA's own plan of memory: temporary arrays and results."""
        if not self.compiled:
            return None
        planned = self.function.lower(*self.arguments).compile().memory_analysis()
        if planned is None:
            return None
        return int(planned.temp_size_in_bytes + planned.output_size_in_bytes)


class JaxEager(JaxJit):
    name = "JAX, eager"
    how = "{} of the loss that symnet writes for JAX, operation by operation"
    compiled = False


class JaxForward(JaxJit):
    name = "JAX, forward, jit"
    family = "forward"
    how = "jax.jacfwd of the loss that symnet writes for JAX, compiled by XLA: a direction for every coordinate"
    offers = ("gradient",)

    def derivative(self, jax: Any, loss: Callable[..., Any]) -> Callable[..., Any]:
        slopes = jax.jacfwd(loss, tuple(range(len(self.problem.wrt))))
        return lambda *arguments: (loss(*arguments), slopes(*arguments))
