"""PyTorch: the loss written for it, differentiated by its tape, by `torch.func`, or compiled.

In: a `LossAtPoint`.  Out: `Method`s.  PyTorch is imported where it is asked for, and runs on one thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.compare.method import FoundDerivatives, Method
from symnet.compare.methods.written import flattened, loss_function, missing, ordered
from symnet.compare.problem import KINDS, LossAtPoint

CALLED = {"gradient": "torch.autograd.grad", "hvp": "torch.func.jvp of grad", "hessian": "torch.func.hessian"}


class TorchEager(Method):
    name = "PyTorch, eager"
    family = "reverse"
    how = "{} of the loss that symnet writes for PyTorch"
    offers: tuple[str, ...] = KINDS
    needs = "torch"

    def __init__(self, problem: LossAtPoint) -> None:
        import torch

        self.torch, self.problem, self.how = torch, problem, self.how.format(CALLED[problem.of])
        self.threads = torch.get_num_threads()
        torch.set_num_threads(1)
        self.count = len(problem.wrt)
        self.arguments = [torch.as_tensor(np.array(problem.data[leaf.name])) for leaf in ordered(problem)]
        self.vectors = tuple(torch.as_tensor(np.array(v)) for v in problem.vectors)
        self.loss = self.prepared(loss_function(problem, "torch"))
        self.function = self.derivative()

    @classmethod
    def load(cls) -> None:
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # its profiler, which measures memory, writes to stderr
        try:
            import torch
        except ImportError as error:
            raise missing("PyTorch", error) from error
        torch.zeros(()) + 1

    def close(self) -> None:
        self.torch.set_num_threads(self.threads)

    def prepared(self, loss: Callable[..., Any]) -> Callable[..., Any]:
        """The loss as it is called."""
        return loss

    def derivative(self) -> Callable[[], Any]:
        """A function of nothing that gives (value, [arrays])."""
        if self.problem.of == "gradient":
            return self._gradient
        func, which = self.torch.func, tuple(range(self.count))
        if self.problem.of == "hessian":
            hessian = func.hessian(self.loss, which)
            return lambda: (self.loss(*self.arguments), hessian(*self.arguments))
        moving, rest = tuple(self.arguments[: self.count]), self.arguments[self.count :]

        def value_and_slopes(*ws: Any) -> Any:
            slopes, value = func.grad_and_value(lambda *inner: self.loss(*inner, *rest), which)(*ws)
            return value, slopes

        def product() -> Any:
            (value, _), (_, products) = func.jvp(value_and_slopes, moving, self.vectors)
            return value, products

        return product

    def _gradient(self) -> Any:
        moving = [a.requires_grad_(True) for a in self.arguments[: self.count]]
        value = self.loss(*moving, *self.arguments[self.count :])
        slopes = self.torch.autograd.grad(value, moving, allow_unused=True, materialize_grads=True)
        return value.detach(), slopes

    def call(self) -> Any:
        return self.function()

    def answer(self) -> FoundDerivatives:
        value, found = self.call()
        return FoundDerivatives(float(value), [a.detach().numpy() for a in flattened(found)])

    @property
    def loss_call(self) -> Callable[[], Any]:
        def alone() -> Any:
            with self.torch.no_grad():
                return self.loss(*self.arguments)

        return alone

    @property
    def peak_bytes(self) -> int | None:
        """By its profiler: the largest sum of what was allocated and not yet freed."""
        profiler = self.torch.profiler
        with profiler.profile(activities=[profiler.ProfilerActivity.CPU], profile_memory=True) as seen:
            self.call()
        events = sorted(
            (e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"), key=lambda e: e.start_ns()
        )
        held, peak = 0, 0
        for event in events:
            held += event.nbytes()
            peak = max(peak, held)
        return int(peak) if events else None


class TorchCompiled(TorchEager):
    name = "PyTorch, torch.compile"
    how = "torch.autograd.grad of the loss that symnet writes for PyTorch, through torch.compile"
    offers = ("gradient",)

    def __init__(self, problem: LossAtPoint) -> None:
        super().__init__(problem)
        self.call()

    def prepared(self, loss: Callable[..., Any]) -> Callable[..., Any]:
        found: Callable[..., Any] = self.torch.compile(loss)
        return found


class TorchForward(TorchEager):
    name = "PyTorch, forward"
    family = "forward"
    how = "torch.func.jacfwd of the loss that symnet writes for PyTorch: a direction for every coordinate"
    offers = ("gradient",)

    def derivative(self) -> Callable[[], Any]:
        slopes = self.torch.func.jacfwd(self.loss, tuple(range(self.count)))
        return lambda: (self.loss(*self.arguments), slopes(*self.arguments))
