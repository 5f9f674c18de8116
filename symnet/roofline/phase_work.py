"""What each phase of a program has to do: operations and bytes.

In: a `Program` and its extents.  Out: a `PhaseLoad` for each phase.

Bytes are those of arrays that all runs of a phase touch, each once: of inputs, outputs, and what is kept from phase to
phase.  Rows of a superblock stay in a cache, and are not counted.  Operations of functions are those of their
definitions, in the mean over the functions that stand in a phase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from statistics import fmean

import sympy

from symnet.dtypes import ITEMSIZE, REAL
from symnet.expr.nodes.extents import Dim
from symnet.loops import ir
from symnet.loops.accesses import touches
from symnet.loops.affine import int_loads
from symnet.loops.op_types import MATH
from symnet.loops.operations import operations_of_phases
from symnet.loops.polynomials import constant, decided
from symnet.loops.substitute import int_variables
from symnet.roofline.function_flops import function_flops
from symnet.runtime.extents import evaluate, evaluate_shape


@dataclass(frozen=True, slots=True)
class PhaseLoad:
    """All runs of a phase.

    Attributes:
        name: of the phase.
        runs: how often it runs.
        flops: operations, those of functions among them.
        nbytes: of the arrays that it touches.
        dtype: of its numbers, "float32" or "float64": the wider one.
    """

    name: str
    runs: int
    flops: int
    nbytes: int
    dtype: str


def phase_loads(program: ir.Program, dims: Mapping[str, int]) -> list[PhaseLoad]:
    """One for each phase, in the order of `Program.phases()`."""
    sizes = {Dim(name): extent for name, extent in dims.items()}
    found = []
    for (group, phase), counts in zip(program.phases(), operations_of_phases(program), strict=True):
        arithmetic, calls = (int(sympy.sympify(n).subs(sizes)) for n in (counts.arithmetic, counts.transcendental))
        body = _taken(phase.body, dims)
        each = [function_flops(op.name, op.args[-1].dtype) for op in _functions(body)]
        nbytes = sum(ITEMSIZE[b.dtype] * prod(evaluate_shape(b.shape, dims)) for b in _arrays(program, body))
        flops = arithmetic + round(calls * fmean(each or [1]))
        found.append(PhaseLoad(phase.name, evaluate(group.repeat, dims), flops, nbytes, _dtype(phase.body)))
    return found


def _taken(body: ir.Body, dims: Mapping[str, int]) -> ir.Body:
    """The statements of a phase without what a condition between extents leaves out."""
    taken: ir.Body = ()
    for stmt in body:
        if isinstance(stmt, ir.If) and _is_of(stmt.condition, dims):
            taken += _taken(stmt.then if _holds(stmt.condition, dims) else stmt.orelse, dims)
        else:
            taken += (stmt,)
    return taken


def _is_of(test: ir.IntCondition, dims: Mapping[str, int]) -> bool:
    """Whether extents alone decide."""
    sides = test.left, test.right
    return not any(map(int_loads, sides)) and all(int_variables(side) <= dims.keys() for side in sides)


def _holds(test: ir.IntCondition, dims: Mapping[str, int]) -> bool:
    sides = (constant(evaluate(side, dims)) for side in (test.left, test.right))
    return bool(decided(test.op, *sides))


def _arrays(program: ir.Program, body: ir.Body) -> list[ir.Buffer]:
    touched = touches(body).values()
    return [b for b in touched if b.space != "register" and b.name not in program.streamed]


def _functions(body: ir.Body) -> Iterator[ir.Op]:
    """The calls of functions that stand in a body."""
    for stmt in ir.walk(body):
        stack = [stmt.value] if isinstance(stmt, ir.Let | ir.Store | ir.Fetch) else []
        while stack:
            value = stack.pop()
            if isinstance(value, ir.Op):
                stack.extend(value.args)
                if value.name in MATH and value.args[-1].dtype in REAL:
                    yield value


def _dtype(body: ir.Body) -> str:
    found = [b.dtype for b in touches(body).values() if b.dtype in REAL]
    return max(found, key=lambda dtype: ITEMSIZE[dtype], default="float64")
