"""Buffers fixed once: a step is one foreign call on prebuilt pointers.

In: a `NativeFunction` and its arguments.  Out: `step()`, which runs on whatever the arrays hold now.

A step keeps references: update the bound arrays in place and call again.  It reuses its outputs and its
workspace, so copy what must outlive the next call.  Outputs of rank 0 stay arrays, for the same reason.
Labels are checked at every step (in native code where LLVM is at hand), since they are used as addresses.

Not handled: two threads in one step at once; bind once per thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from ctypes import addressof
from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.runtime import structure as structures
from symnet.runtime.domains import check_indices
from symnet.runtime.native import INDEX_OUT_OF_RANGE, allocate_workspace, pointers, refuse_code, refuse_index
from symnet.runtime.outputs import fresh_outputs, given_outputs
from symnet.runtime.support import LABEL_OUT_OF_RANGE, step_block, step_call

if TYPE_CHECKING:
    from symnet.runtime.function import NativeFunction, Plan


class BoundStep:
    """A function with its buffers fixed.

    Attributes:
        inputs: the bound arrays by name; update them in place.
        outputs: what a call returns, overwritten by every call.
        addresses: what NAME_run takes: the tables in, out and dims, the workspace, its size in bytes.
    """

    __slots__ = ("_arguments", "_call", "_dims", "_function", "_owners", "addresses", "inputs", "outputs")

    def __init__(
        self, function: NativeFunction, plan: Plan, inputs: dict[str, np.ndarray], outputs: list[np.ndarray]
    ) -> None:
        self._function = function
        self._dims = plan.dims
        self.inputs: Mapping[str, np.ndarray] = inputs
        self.outputs = structures.arrange(function.structure, outputs, plan.dims)
        workspace = allocate_workspace(plan.workspace_bytes)
        tables = (pointers(list(inputs.values())), pointers(outputs), plan.c_dims)
        self._owners: tuple[Any, ...] = (workspace, tables, outputs)
        arguments = (*tables, workspace.address, workspace.nbytes)
        self.addresses = (*map(addressof, tables), *arguments[3:])
        self._call, self._arguments = self._prepare(arguments)

    def _prepare(self, arguments: tuple[Any, ...]) -> tuple[Callable[..., int], tuple[Any, ...]]:
        """The fastest call there is, and its arguments."""
        function = self._function
        bounds = function.signature.index_bounds
        if function.threads == 1 and sys.modules.get("llvmlite"):
            block = step_block(function.native.run, arguments, bounds, self.inputs, self._dims)
            self._owners += (block,)
            return step_call(), (block.pointer,)
        call = function.runner
        if bounds:
            plain = call

            def call(*args: Any) -> int:
                self._check_indices()
                return plain(*args)

        return call, arguments

    def __call__(self) -> Any:
        """Run on the present contents of the inputs; returns `outputs`."""
        code = self._call(*self._arguments)
        if code:
            self._refuse(code)
        return self.outputs

    def _check_indices(self) -> None:
        name = f"{self._function.name}.bind(…)()"
        check_indices(self._function.signature, self.inputs, self._dims, name)

    def _refuse(self, code: int) -> None:
        if code == LABEL_OUT_OF_RANGE:
            self._check_indices()
        function = self._function
        if code == INDEX_OUT_OF_RANGE:
            refuse_index(function.name, function.signature, self._dims, self.addresses[3])
        refuse_code(function.name, code)

    def __repr__(self) -> str:
        bound = ", ".join(f"{name}: {array.dtype}{list(array.shape)}" for name, array in self.inputs.items())
        return f"<bound step of {self._function.name}({bound})>"


def bind(function: NativeFunction, args: tuple[Any, ...], keywords: dict[str, Any]) -> BoundStep:
    """Check the arguments as a call does, and keep references to them."""
    options = {name: keywords.pop(name) for name in function.options & keywords.keys()}
    values, given = function.arguments.named(args, keywords, ".bind")
    inputs = function.arguments.arrays(values, ".bind", refer=True)
    plan = function.plan(inputs, given, ".bind")
    function.check_values(inputs, plan, options.get("check_finite", function.check_finite), ".bind")
    outputs = fresh_outputs(function.signature, plan.shapes)
    if options.get("out") is not None:
        outputs = given_outputs(function.signature, options["out"], outputs, inputs, f"{function.name}.bind(…, out=…)")
    return BoundStep(function, plan, dict(zip(function.inputs, inputs, strict=True)), outputs)
