"""A compiled function as a Python callable.

In: a `Signature` and the `EntryPoints` of its native code.  Out: `f(X=x, …)`, which checks every argument, runs
with the GIL released and returns fresh arrays; `f.bind(X=x, …)`, which fixes the buffers once.

Several Python threads may call one function at once.

Not handled: anything symbolic; `compiler.py` adds the formula, the loops and the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from symnet.loops.signature import Signature
from symnet.runtime import structure as structures
from symnet.runtime.arguments import Arguments, shape_text
from symnet.runtime.bind import BoundStep, bind
from symnet.runtime.domains import check_finite, check_indices, check_requirements
from symnet.runtime.native import EntryPoints, Workspaces, extents, pointers, refuse_code
from symnet.runtime.outputs import fresh_outputs, given_outputs
from symnet.runtime.threads import check_threads, runner


class Module(Protocol):
    """Loaded code that can look a symbol up, such as `llvm.codegen.NativeModule`."""

    def address(self, name: str, /) -> int: ...


OPTIONS = ("out", "check_finite")


class NativeFunction:
    """A compiled function.

    Args:
        signature: names, dtypes and shapes.
        native: where the code is: entry points, or a module to look them up in.
        threads: how many threads a call may use; the result has the same bits for any number.
        structure: the template of what a call returns (`runtime/structure.py`); by default one array or a tuple.
        positional: names of inputs that may be passed by position.
        check_finite: refuse NaN and infinity in arguments, at every call.

    Calls take the options `out=` (arrays to write into) and `check_finite=`, unless an input has that name.
    """

    def __init__(
        self,
        signature: Signature,
        native: EntryPoints | Module,
        *,
        threads: int = 1,
        structure: structures.Template = None,
        positional: Sequence[str] = (),
        check_finite: bool = False,
    ) -> None:
        self.signature = signature
        self.native = native if isinstance(native, EntryPoints) else self._find(signature.name, native)
        self.threads = check_threads(threads, f"{signature.name}(…)")
        self.structure = structures.default_template(len(signature.outputs)) if structure is None else structure
        self.positional = tuple(positional)
        self.check_finite = check_finite
        self.arguments = Arguments(signature, positional)
        self.options = frozenset(OPTIONS) - frozenset(self.arguments.names)
        self._workspaces = Workspaces()
        self._workspace_bytes = self.native.workspace_call()
        self.runner = runner(self.native, self.threads)

    @staticmethod
    def _find(name: str, module: Module) -> EntryPoints:
        return EntryPoints.find(name, module.address, module)

    @property
    def name(self) -> str:
        return self.signature.name

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return self.arguments.names

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return tuple(buffer.name for buffer in self.signature.outputs)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Run once.

        Raises:
            ArgumentError: an unknown, missing or repeated argument; an unusable `out=`.
            DTypeError, ShapeError: an argument of another dtype, rank or extent.
            ValueDomainError: a label out of range, a mean over nothing, NaN where it is refused.
        """
        options = {name: keywords.pop(name) for name in self.options & keywords.keys()} if keywords else {}
        arguments = self.arguments
        values, given = arguments.named(args, keywords)
        inputs = arguments.arrays(values)
        dims = self.check(inputs, given, options.get("check_finite", self.check_finite))
        out = options.get("out")
        if out is None:
            outputs = fresh_outputs(self.signature, dims)
        else:
            outputs = given_outputs(self.signature, dims, out, inputs, f"{self.name}(…, out=…)")
        self._run_once(inputs, outputs, dims)
        return structures.arrange(self.structure, [array[()] if array.ndim == 0 else array for array in outputs])

    def bind(self, *args: Any, **keywords: Any) -> BoundStep:
        """Fix the buffers once; the result is a step that takes no arguments (`runtime/bind.py`)."""
        return bind(self, args, keywords)

    def workspace_bytes(self, **dims: int) -> int:
        """Scratch memory of one call in bytes, for given extents: f.workspace_bytes(m=1000)."""
        known = self.arguments.given_dims(dims, ".workspace_bytes")
        return int(self._workspace_bytes(extents(known.values())))

    def check(self, inputs: list[np.ndarray], given: dict[str, int], finite: bool, call: str = "") -> dict[str, int]:
        """The run-time extents, after every check on shapes and values."""
        dims = self.arguments.dims(inputs, given, call)
        text = f"{self.name}{call}(…)"
        check_requirements(self.signature, dims, text)
        if self.signature.index_bounds:
            check_indices(self.signature, dict(zip(self.inputs, inputs, strict=True)), dims, text)
        if finite:
            check_finite(self.inputs, inputs, text)
        return dims

    def _run_once(self, inputs: list[np.ndarray], outputs: list[np.ndarray], dims: dict[str, int]) -> None:
        c_dims = extents([dims[name] for name in self.signature.dims])
        workspace = self._workspaces.take(self._workspace_bytes(c_dims))
        code = self.runner(pointers(inputs), pointers(outputs), c_dims, workspace.address, workspace.nbytes)
        self._workspaces.give_back(workspace)
        if code:
            refuse_code(self.name, code)

    def __repr__(self) -> str:
        inputs = ", ".join(f"{b.name}: {shape_text(b)} {b.dtype}" for b in self.signature.inputs)
        outputs = ", ".join(f"{b.name}: {shape_text(b)} {b.dtype}" for b in self.signature.outputs)
        return f"<native function {self.name}({inputs}) -> ({outputs})>"
