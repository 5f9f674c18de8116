"""Where the arrays of the workspace lie in it.

In: an emitter with the extents bound, the arrays.  Out: their offsets in bytes, as polynomials of the extents.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.backends.llvm.emitter import Emitter
from symnet.backends.llvm.integers import evaluate
from symnet.backends.llvm.polynomials import is_natural, opaque, quotient
from symnet.backends.llvm.types import MEMORY, SIZE
from symnet.loops.abi import ALIGNMENT
from symnet.loops.ir import Buffer, IntExpr
from symnet.loops.polynomials import Poly, add, divide, known, multiply


def layout(e: Emitter, workspace: Iterable[Buffer]) -> tuple[dict[str, Poly], Poly]:
    """Offsets in bytes by name, one array after another, and the bytes of all."""
    offsets: dict[str, Poly] = {}
    total: Poly = {}
    sizes: dict[tuple[str, tuple[IntExpr, ...]], Poly] = {}  # of equal layers, which are as large
    for buffer in workspace:
        if buffer.view_of is not None:
            continue
        offsets[buffer.name] = total
        key = buffer.dtype, buffer.shape
        if key not in sizes:
            sizes[key] = _aligned(e, _bytes(e, buffer))
        total = add(total, sizes[key])
    return offsets, total


def _bytes(e: Emitter, buffer: Buffer) -> Poly:
    size: Poly = {(): SIZE[MEMORY[buffer.dtype]]}
    for extent in buffer.shape:
        size = multiply(size, evaluate(e, extent))
    return size


def _aligned(e: Emitter, size: Poly) -> Poly:
    """A size in bytes, rounded up to the alignment of the workspace."""
    whole, rest = divide(size, ALIGNMENT)
    if not rest:
        return size
    blocks = add(whole, _blocks(e, rest))
    return multiply(blocks, {(): ALIGNMENT})


def _blocks(e: Emitter, size: Poly) -> Poly:
    """⌈size / alignment⌉: how many aligned blocks hold so many bytes."""
    above = add(size, {(): ALIGNMENT - 1})
    count = known(above)
    if count is not None:
        return {(): count // ALIGNMENT}
    return opaque(e, quotient(e, above, ALIGNMENT), is_natural(e, above))
