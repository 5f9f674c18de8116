"""A compiled function as a Python callable.

In: a `Signature` and the `EntryPoints` of its native code.  Out: `f(X=x, …)`, which checks every argument, runs
with the GIL released and returns fresh arrays; `f.bind(X=x, …)`, which fixes the buffers once.

Several Python threads may call one function at once.

Not handled: anything symbolic; `compiler.py` adds the formula, the loops and the report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from symnet.errors import ArgumentError, RangeError, explain
from symnet.loops.abi import CODES
from symnet.loops.signature import Signature
from symnet.loops.work import Work
from symnet.processors import usable_processors
from symnet.runtime import template as templates
from symnet.runtime.arguments import Arguments, shape_text
from symnet.runtime.bind import BoundStep
from symnet.runtime.described import Described
from symnet.runtime.domains import check_finite, check_indices, check_requirements, refuse_reported
from symnet.runtime.extents import evaluate_shape
from symnet.runtime.native import (
    TOO_LARGE,
    EntryPoints,
    Workspaces,
    extents,
    pointers,
    refuse_code,
    reported,
)
from symnet.runtime.outputs import bound_outputs, fresh_outputs, given_outputs
from symnet.runtime.plan import CallPlan
from symnet.runtime.repeated import MISSED, RepeatedCall, repeated_call
from symnet.runtime.sharing import Sharing, everywhere, sharing
from symnet.runtime.threads import Job, check_threads


class Module(Protocol):
    """Loaded code that can look a symbol up, such as `llvm.loading.NativeModule`."""

    def address(self, name: str, /) -> int: ...


PLANS_KEPT = 64
OPTIONS = ("out", "check_finite")


class NativeFunction(Described):
    """A compiled function.

    Args:
        signature: names, dtypes and shapes.
        native: where the code is: entry points, or a module to look them up in.
        threads: how many threads a call uses; None for as many as pay.  The result has the same bits for any number.
        template: the template of what a call returns (`runtime/template.py`); by default one array or a tuple.
        positional: names of inputs that may be passed by position.
        check_finite: refuse NaN and infinity in arguments, at every call.
        work: what the phases take; without it nobody knows what pays, and None is one thread.

    `recipe` is a function and its arguments that make it again, as pickles want it: None where nobody knows.

    Calls take the options `out=` (arrays to write into) and `check_finite=`, unless an input has that name.
    """

    recipe: tuple[Callable[..., Any], tuple[Any, ...]] | None = None

    def __init__(
        self,
        signature: Signature,
        native: EntryPoints | Module,
        *,
        threads: int | None = None,
        template: templates.Template = None,
        positional: Sequence[str] = (),
        check_finite: bool = False,
        work: Work | None = None,
    ) -> None:
        self.signature = signature
        self.native = native if isinstance(native, EntryPoints) else self._find(signature.name, native)
        self.threads = check_threads(threads, f"{signature.name}(…)")
        self.template = templates.default_template(len(signature.outputs)) if template is None else template
        self.positional = tuple(positional)
        self.check_finite = check_finite
        self.arguments = Arguments(signature, positional)
        self.options = frozenset(OPTIONS) - frozenset(self.arguments.names)
        self._plans: dict[tuple[Any, ...], CallPlan] = {}
        self.workspaces = Workspaces()
        self._workspace_bytes = self.native.workspace_call()
        self._serial = self.native.run_call()
        self._work = work or Work()
        self._repeat: RepeatedCall | None = None  # of the last call

    @staticmethod
    def _find(name: str, module: Module) -> EntryPoints:
        return EntryPoints.find(name, module.address, module)

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        """Run once.

        Raises:
            ArgumentError: an unknown, missing or repeated argument; an unusable `out=`.
            DTypeError, ShapeError: an argument of another dtype, rank or extent.
            ValueDomainError: a label out of range, a mean over nothing, NaN where it is refused.
        """
        repeat = self._repeat
        plain = self.arguments.plain(args, keywords)
        if repeat is not None and plain is not None:
            found = repeat(plain)
            if found is not MISSED:
                return found
        options = {name: keywords.pop(name) for name in self.options & keywords.keys()} if keywords else {}
        values, given = self.arguments.named(args, keywords)
        inputs = self.arguments.arrays(values)
        plan = self.plan(inputs, given)
        self.check_values(inputs, plan, options.get("check_finite", self.check_finite))
        outputs = fresh_outputs(self.signature, plan.shapes)
        if options.get("out") is not None:
            outputs = given_outputs(self.signature, options["out"], outputs, inputs, f"{self.name}(…, out=…)")
        workspace = self.workspaces.take(plan.workspace_bytes)
        code = plan.run(pointers(inputs), pointers(outputs), plan.c_dims, workspace.address, workspace.nbytes)
        if code:
            self.refuse(code, plan, (pointers(inputs), pointers(outputs), plan.c_dims, *workspace[1:]))
        self.workspaces.give_back(workspace)
        self._repeat = None if given else self._repeated(plan)  # extents that no array has must be given again
        return templates.arrange(self.template, [array if array.ndim else array[()] for array in outputs], plan.dims)

    def _repeated(self, plan: CallPlan) -> RepeatedCall | None:
        """What may take the next call, if its arrays have the same sizes."""
        if not plan.tried:
            plan.tried = True
            plan.repeat = None if self.check_finite else repeated_call(self, plan)
        return plan.repeat

    def refuse(self, code: int, plan: CallPlan, arguments: tuple[Any, ...], call: str = "") -> None:
        """Raise for a return code of a run with `arguments`.

        Of several threads each may have found an index out of range: the first is what a run on one thread finds.
        """
        if code == CODES["INDEX_OUT_OF_RANGE"] and self.signature.index_checks:
            again = code if plan.job is None else self._serial(*arguments)
            if again == CODES["INDEX_OUT_OF_RANGE"]:
                refuse_reported(self.signature, plan.dims, reported(arguments[3]), f"{self.name}{call}(…)")
        refuse_code(self.name, code)

    def bind(self, /, *args: Any, **keywords: Any) -> BoundStep:
        """Check the arguments as a call does, and fix the buffers: a step that takes none (`runtime/bind.py`).

        Outputs to which an input is donated are that input's array, unless `out=` has another.
        """
        options = {name: keywords.pop(name) for name in self.options & keywords.keys()}
        values, given = self.arguments.named(args, keywords, ".bind")
        inputs = self.arguments.arrays(values, ".bind", refer=True)
        plan = self.plan(inputs, given, ".bind")
        self.check_values(inputs, plan, options.get("check_finite", self.check_finite), ".bind")
        call = f"{self.name}.bind(…, out=…)" if options.get("out") is not None else f"{self.name}.bind(…)"
        outputs = bound_outputs(self.signature, plan.shapes, options.get("out"), inputs, call)
        return BoundStep(self, plan, dict(zip(self.inputs, inputs, strict=True)), outputs)

    def threads_used(self, /, **dims: int) -> int:
        """How many threads a call uses at most, for given extents: f.threads_used(m=1000)."""
        shared = self._sharing(self.arguments.given_dims(dims, ".threads_used"))
        return 1 if shared is None else shared.threads

    def workspace_bytes(self, /, **dims: int) -> int:
        """Scratch memory of one call in bytes, for given extents: f.workspace_bytes(m=1000)."""
        known = self.arguments.given_dims(dims, ".workspace_bytes")
        return self._checked_bytes(known, extents(known.values()), ".workspace_bytes")

    def _checked_bytes(self, dims: Mapping[str, int], c_dims: Any, call: str) -> int:
        """The workspace's size, once native code has found that every size of the call fits."""
        size = int(self._workspace_bytes(c_dims))
        if size == TOO_LARGE:
            got = ", ".join(f"{name} = {dims[name]}" for name in self.signature.dims)
            expected = "extents for which every array has less than 2**63 bytes"
            mend = "Pass smaller ones: nothing that large can be stored, or counted through."
            raise RangeError(explain(f"{self.name}{call}(…)", expected, got, mend))
        return size

    def plan(self, inputs: Sequence[np.ndarray], given: Mapping[str, int], call: str = "") -> CallPlan:
        """What follows from the shapes of the arguments, after every check on them; remembered by shapes."""
        key = (*[array.shape for array in inputs], *given.items())
        found = self._plans.get(key)
        if found is None:
            found = self._make_plan(inputs, given, call)
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            self._plans[key] = found
        return found

    def _make_plan(self, inputs: Sequence[np.ndarray], given: Mapping[str, int], call: str) -> CallPlan:
        dims = self.arguments.dims(inputs, given, call)
        check_requirements(self.signature, dims, f"{self.name}{call}(…)")
        c_dims = extents([dims[name] for name in self.signature.dims])
        shapes = tuple(evaluate_shape(buffer.shape, dims) for buffer in self.signature.outputs)
        held = tuple(array.shape for array in inputs)
        nbytes = self._checked_bytes(dims, c_dims, call)
        shared = self._sharing(dims)
        if shared is None:
            return CallPlan(dims, held, shapes, c_dims, nbytes, self._serial)
        job = Job(self.native, shared)
        return CallPlan(dims, held, shapes, c_dims, nbytes, job.run, job)

    def _sharing(self, dims: Mapping[str, int]) -> Sharing | None:
        """How a call with these extents is shared among threads; None for one."""
        return sharing(self._work, dims, usable_processors()) if self.threads is None else everywhere(self.threads)

    def check_values(self, inputs: Sequence[np.ndarray], plan: CallPlan, finite: bool, call: str = "") -> None:
        """Labels in range and, on request, no NaN."""
        if self.signature.index_bounds:
            arrays = dict(zip(self.inputs, inputs, strict=True))
            check_indices(self.signature, arrays, plan.dims, f"{self.name}{call}(…)")
        if finite:
            check_finite(self.inputs, inputs, f"{self.name}{call}(…)")

    def __reduce__(self) -> Any:
        """The recipe by which a pickle makes it again: machine code and addresses mean nothing elsewhere."""
        if self.recipe is None:
            call, got = f"pickle.dumps({self.name})", "one made from bare machine code"
            mend = "Pickle what sn.compile, sn.value_and_grad, sn.lambdify or sn.load gave."
            raise ArgumentError(explain(call, "a function that knows how it was made", got, mend))
        return self.recipe

    def __copy__(self) -> NativeFunction:
        """The function itself: like other functions it is never changed."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> NativeFunction:
        return self

    def __repr__(self) -> str:
        inputs = ", ".join(f"{b.name}: {shape_text(b)} {b.dtype}" for b in self.signature.inputs)
        outputs = ", ".join(f"{b.name}: {shape_text(b)} {b.dtype}" for b in self.signature.outputs)
        return f"<native function {self.name}({inputs}) -> ({outputs})>"
