"""The signature of a compiled function: what a caller must know, as plain data without SymPy.

In: built by `lower/`.  Out: read by `runtime/` (argument checks) and `export/` (header, stub, metadata).
"""

from __future__ import annotations

from dataclasses import dataclass

from symnet.loops.integer_text import buffer_text
from symnet.loops.integers import Buffer, IntExpr


@dataclass(frozen=True, slots=True)
class Requirement:
    """`extent >= at_least`, checked at every call; `reason` says what needs it ("mean over m")."""

    extent: IntExpr
    at_least: int
    reason: str


@dataclass(frozen=True, slots=True)
class IndexBound:
    """Every element of the integers `name`, an input or an index as printed, lies in 0 … extent-1.

    `wraps`: negative ones down to -extent count from the end; `shape` is that of the integers.
    The number of a check is what a failure reports, before the value and its place in row-major order.
    """

    name: str
    extent: IntExpr
    reason: str
    wraps: bool = False
    shape: tuple[IntExpr, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """Names, dtypes and shapes of a function's arguments.

    Attributes:
        name: the function's C name.
        dims: the run-time extents, in the order of the C ABI.
        inputs: buffers in the order of the call (`Request.inputs`); shapes are IntExprs over dims.
        outputs: buffers in order; rank 0 has shape ().
        unused: inputs that simplified away.
        requirements, index_bounds: checked before native code runs.
        index_checks: checked in native code, where the integers are used, in the order of their numbers.
        donated: inputs, and the outputs that may be computed in their arrays.
    """

    name: str
    dims: tuple[str, ...]
    inputs: tuple[Buffer, ...]
    outputs: tuple[Buffer, ...]
    unused: frozenset[str] = frozenset()
    requirements: tuple[Requirement, ...] = ()
    index_bounds: tuple[IndexBound, ...] = ()
    index_checks: tuple[IndexBound, ...] = ()
    donated: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """`f(X: float32[m, 64], m) -> y: float32[m]`: the arguments in the order of the C ABI."""
        taken = [buffer_text(b) + " (unused)" * (b.name in self.unused) for b in self.inputs]
        return f"{self.name}({', '.join([*taken, *self.dims])}) -> {', '.join(map(buffer_text, self.outputs))}"
