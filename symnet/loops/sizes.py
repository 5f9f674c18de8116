"""Which sizes a call must keep within the range of addresses: extents, and the bytes of every array.

In: a program.  Out: its arrays in memory, and the integers that something is counted by; an error where a number that
is known beforehand is too large already.  What depends on the extents, a back end checks in the code that it writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from symnet.dtypes import ITEMSIZE
from symnet.errors import RangeError, explain
from symnet.loops.affine import names
from symnet.loops.facts import facts_of
from symnet.loops.integer_text import int_text
from symnet.loops.ir import (
    Buffer,
    IntAdd,
    IntConst,
    IntExpr,
    IntFloorDiv,
    IntMin,
    IntMod,
    IntMul,
    IntVar,
    Phase,
    Program,
)

MOST_PHASES = 2**31 - 1  # NAME_phases gives an int32


def arrays(program: Program) -> Iterator[Buffer]:
    """Every array in memory: inputs, outputs and workspace buffers."""
    return (b for b in (*program.inputs, *program.outputs, *program.workspace))


def measured(program: Program) -> Iterator[Buffer]:
    """The arrays whose bytes depend on the extents, one of each shape and size of an element."""
    found = {(b.shape, ITEMSIZE[b.dtype]): b for b in arrays(program) if any(map(names, b.shape))}
    return iter(found.values())


def counted(program: Program) -> list[IntExpr]:
    """The sums and products over extents that something is counted by."""
    found = dict.fromkeys(extent for buffer in arrays(program) for extent in buffer.shape)
    for group, phase in program.phases():
        found |= dict.fromkeys([group.repeat, phase.units, *_extents(phase)])
    given = set(program.dims)
    return [expr for expr in found if not isinstance(expr, (IntConst, IntVar)) and names(expr) <= given]


def _extents(phase: Phase) -> set[IntExpr]:
    """The extents of the loops of a phase."""
    return {extent for stmt in phase.body for extent in facts_of(stmt).extents}


def refuse_static(program: Program, bits: int) -> None:
    """Refuse extents that are numbers, where they alone are too large.

    Raises:
        RangeError: naming the array, its shape and its bytes.
    """
    limit = 2 ** (bits - 1)
    fixed = 0
    for buffer in arrays(program):
        known = [extent.value for extent in buffer.shape if isinstance(extent, IntConst)]
        size = prod(known) * ITEMSIZE[buffer.dtype]
        whole = len(known) == len(buffer.shape)
        fixed += size if whole and buffer.space == "workspace" and buffer.view_of is None else 0
        if max([size, *_constants_in(buffer.shape)]) >= limit:
            shape = f"({', '.join(map(int_text, buffer.shape))})"
            got = f"{buffer.name} of shape {shape} {buffer.dtype}: {size} bytes" + ("" if whole else " and more")
            raise _too_large(program, bits, "each array", got)
    extents = [c for e in counted(program) for c in _constants_in((e,))]
    loops = _constants_in(tuple(extent for _, phase in program.phases() for extent in _extents(phase)))
    if max([0, *extents, *loops]) >= limit:
        raise _too_large(program, bits, "each extent", str(max([*extents, *loops])), "")
    if fixed >= limit:
        raise _too_large(program, bits, "the workspace", f"{fixed} bytes")


def _constants_in(exprs: tuple[IntExpr, ...]) -> list[int]:
    """The numbers in expressions, without their signs."""
    found, stack = [], list(exprs)
    while stack:
        expr = stack.pop()
        if isinstance(expr, IntConst):
            found.append(abs(expr.value))
        elif isinstance(expr, (IntAdd, IntMul, IntMin)):
            stack += [expr.left, expr.right]
        elif isinstance(expr, (IntFloorDiv, IntMod)):
            stack.append(expr.value)
    return found


def _too_large(program: Program, bits: int, what: str, got: str, unit: str = " bytes") -> RangeError:
    expected = f"{what} to have less than 2**{bits - 1}{unit}, for a {bits}-bit target"
    return RangeError(explain(f"compile(…, name={program.name!r})", expected, got, "Make the extents smaller."))
