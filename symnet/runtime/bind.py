"""Buffers fixed once: a step is one foreign call on prebuilt pointers.

In: a function, the plan of one call of it, and arrays; `NativeFunction.bind` checks them.  Out: `step()`, which runs on
whatever the arrays hold now.

A step keeps references: update the bound arrays in place and call again.  They cannot be exchanged for others, nor
resized while the step lives, for native code keeps their addresses.  A step reuses its outputs and its
workspace, so copy what must outlive the next call.  Outputs of rank 0 stay arrays, for the same reason.
Labels are checked at every step, in native code: those that it uses by the function itself, others before it runs.

Not handled: two threads in one step at once; bind once per thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from ctypes import addressof
from typing import Any, Protocol
from weakref import ref

import numpy as np

from symnet.errors import ArgumentError, explain
from symnet.loops.abi import CODES
from symnet.loops.signature import Signature
from symnet.runtime import template as templates
from symnet.runtime.domains import check_indices
from symnet.runtime.native import EntryPoints, allocate_workspace, pointers
from symnet.runtime.plan import CallPlan
from symnet.runtime.support import at_hand, step_block, step_call
from symnet.runtime.threads import Job


class Steppable(Protocol):
    """What a step asks of the function that it runs: a `NativeFunction`."""

    signature: Signature
    native: EntryPoints
    template: templates.Template

    @property
    def name(self) -> str: ...

    def plan(self, inputs: Sequence[np.ndarray], given: Mapping[str, int], call: str = "") -> CallPlan: ...

    def check_values(self, inputs: Sequence[np.ndarray], plan: CallPlan, finite: bool, call: str = "") -> None: ...

    def refuse(self, code: int, plan: CallPlan, arguments: tuple[Any, ...], call: str = "") -> None: ...


class BoundStep:
    """A function with its buffers fixed.

    Attributes:
        inputs: the bound arrays by name, a read-only mapping; update the arrays in place.
        outputs: what a call returns: the same arrays at every call, overwritten, in a tuple, list or dict of its own.
        threads: how many threads a call uses at most.
        addresses: what NAME_run takes: the tables in, out and dims, the workspace, its size in bytes.
        block: the address of what `symnet_step` takes, 0 where the step is not native from end to end.
    """

    __slots__ = (
        "_again",
        "_arguments",
        "_arrays",
        "_call",
        "_function",
        "_inputs",
        "_owners",
        "_plan",
        "_results",
        "_run_arguments",
        "addresses",
        "block",
    )

    def __init__(
        self, function: Steppable, plan: CallPlan, inputs: dict[str, np.ndarray], outputs: list[np.ndarray]
    ) -> None:
        self._function = function
        self._plan = plan
        self._inputs = BoundArrays(function.name, inputs)
        self._results = templates.arrange(function.template, outputs, plan.dims)
        self._again = templates.copier(self._results)
        workspace = allocate_workspace(plan.workspace_bytes)
        self._arrays = outputs
        tables = (pointers(list(inputs.values())), pointers(outputs), plan.c_dims)
        self._owners: tuple[Any, ...] = (workspace, tables, outputs, *map(_held, (*inputs.values(), *outputs)))
        arguments = self._run_arguments = (*tables, workspace.address, workspace.nbytes)
        self.addresses = (*map(addressof, tables), *arguments[3:])
        self.block = 0
        self._call, self._arguments = self._prepare(arguments)

    def _prepare(self, arguments: tuple[Any, ...]) -> tuple[Callable[..., int], tuple[Any, ...]]:
        """The fastest call there is, and its arguments."""
        function, job = self._function, self._plan.job
        bounds = function.signature.index_bounds
        if job is not None or at_hand():
            block = step_block(function.native.run, arguments, bounds, self.inputs, self._plan.dims)
            self._owners += (block, job)
            self.block = block.pointer.value or 0
            return (step_call(), (block.pointer,)) if job is None else (job.step(block), ())
        call = self._plan.run
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
            self.refuse(code)
        again = self._again
        return self._results if again is None else again()

    @property
    def job(self) -> Job | None:
        """How threads share a call; None where one runs it."""
        return self._plan.job

    @property
    def threads(self) -> int:
        """How many threads a call uses at most."""
        return 1 if self._plan.job is None else self._plan.job.threads

    @property
    def dims(self) -> Mapping[str, int]:
        """The extents of a call, by name."""
        return self._plan.dims

    @property
    def inputs(self) -> Mapping[str, np.ndarray]:
        """The bound arrays by name."""
        return self._inputs

    @inputs.setter
    def inputs(self, given: Any) -> None:
        call = f"{self._function.name}.bind(…).inputs = …"
        mend = "Write step.inputs[name][...] = values, or bind again."
        raise ArgumentError(explain(call, "values put into the bound arrays", "another mapping in their place", mend))

    @property
    def outputs(self) -> Any:
        """What a call returns."""
        return self._results if self._again is None else self._again()

    def __reduce__(self) -> Any:
        """The function's recipe, and the arrays: the copy has arrays of its own, unless they are copied beside it."""
        return bound_again, (self._function, dict(self._plan.dims), dict(self.inputs), self._arrays)

    def _check_indices(self) -> None:
        name = f"{self._function.name}.bind(…)()"
        check_indices(self._function.signature, self.inputs, self._plan.dims, name)

    def refuse(self, code: int) -> None:
        """Raise for a return code of the native step."""
        if code == CODES["INDEX_OUT_OF_RANGE"]:
            self._check_indices()
        self._function.refuse(code, self._plan, self._run_arguments, ".bind(…)()")

    def __repr__(self) -> str:
        bound = ", ".join(f"{name}: {array.dtype}{list(array.shape)}" for name, array in self.inputs.items())
        return f"<bound step of {self._function.name}({bound})>"


def bound_again(
    function: Steppable, dims: Mapping[str, int], inputs: Mapping[str, np.ndarray], outputs: list[np.ndarray]
) -> BoundStep:
    """A step as it was, on arrays that came from elsewhere: those that it could not use are copied."""
    once = {id(array): _usable(array) for array in (*inputs.values(), *outputs)}  # a donated one is an output, too
    held, given = ([once[id(array)] for array in arrays] for arrays in (inputs.values(), outputs))
    plan = function.plan(held, dims, ".bind")
    function.check_values(held, plan, finite=False, call=".bind")
    return BoundStep(function, plan, dict(zip(inputs, held, strict=True)), given)


def _usable(array: np.ndarray) -> np.ndarray:
    found = np.require(array, requirements=("C", "A", "W"))  # an array that came as shared memory may be read-only
    return found if type(found) is np.ndarray else found.view(np.ndarray)


class BoundArrays(Mapping[str, np.ndarray]):
    """Arrays by name, which cannot be exchanged."""

    __slots__ = ("_arrays", "_name")

    def __init__(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        self._name, self._arrays = name, dict(arrays)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __setitem__(self, name: str, value: Any) -> None:
        """Refused, but for the array itself: `step.inputs["W"] -= g` updates in place and then comes here."""
        if value is not self._arrays.get(name):
            call = f"{self._name}.bind(…).inputs[{name!r}] = …"
            mend = f"Write step.inputs[{name!r}][...] = values, or bind again."
            raise ArgumentError(explain(call, "values put into the bound array", "another object in its place", mend))

    def __delitem__(self, name: str) -> None:
        call = f"del {self._name}.bind(…).inputs[{name!r}]"
        raise ArgumentError(explain(call, "bound arrays to stay", "one taken away", "Drop the step instead."))

    def __repr__(self) -> str:
        return repr(self._arrays)


def _held(array: np.ndarray) -> tuple[Any, ...]:
    """An array whose memory native code uses, and weak references to it and to those it is a view of.

    NumPy does not resize an array that a weak reference points to, not even with refcheck=False.
    """
    chain: list[Any] = [array]
    while isinstance(chain[-1].base, np.ndarray):
        chain.append(chain[-1].base)
    return array, *map(ref, chain)
