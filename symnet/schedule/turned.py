"""Maps that read an array across its rows: squares of elements, as wide as a vector both ways.

before: for j in J:  for k in K (vector):  out[j, k] = B[k, j]
after:  for j_block in J//16:
          for k in K (vector of 16):
            for j in 16 (unroll):  out[j + 16*j_block, k] = B[k, j + 16*j_block]
        for k in K (vector of 16):
          for j in J % 16 (unroll):  out[j + J//16*16, k] = B[k, j + J//16*16]

So a line of B is read once and whole, whatever the distance between its rows: where that is a power of two, the lines
of one column of B push each other out of the cache.  A back end may load a square as rows of B and turn it in
registers.

In: a map and its lane axis.  Out: the axis that lies contiguously in what is strided along the lanes, and the loops.
Not handled: maps with a check, or whose body is long, since it is written once for every row of a square.
"""

from __future__ import annotations

from dataclasses import replace

from symnet.dtypes import ITEMSIZE
from symnet.loops.ir import Body, For, IntVar, Let, Store, as_int, int_floordiv, int_mod
from symnet.lower.elementwise import functions_in
from symnet.lower.nest import Axis, Nest, bounded, nested
from symnet.schedule.access import CONTIGUOUS, STRIDED, outer_loads, shifted, stores, stride
from symnet.schedule.target import Target

MOST_STATEMENTS = 4  # of a body
LEAST_WIDTH = 4  # of a square: smaller ones are not worth the turning


def turned(nest: Nest, lane: Axis, target: Target) -> Body | None:
    """The loops over squares; None for maps that have none."""
    axis, width = _across(nest, lane, target)
    if axis is None:
        return None
    others = [a for a in nest.parallel if a not in (axis, lane)]
    whole = int_floordiv(axis.extent, width)
    block = f"{axis.var}_block"
    inside = shifted(nest, axis, IntVar(block) * width, as_int(width))
    square = nested([lane, replace(axis, extent=as_int(width), batch=0)], inside.outer, ["vector", "unroll"])
    loops: Body = (For(block, whole, square),) if whole != as_int(0) else ()
    rest = int_mod(axis.extent, width)
    if rest != as_int(0):
        part = shifted(nest, axis, whole * width, rest)
        (left,) = (a for a in part.parallel if a.var == axis.var)
        if target.masks:
            square = nested([lane, replace(left, batch=0)], part.outer, ["vector", "unroll"])
            loops += bounded(square, axis.var, width)
        else:
            loops += nested([left, lane], part.outer, ["serial", "vector"])
    for other in reversed(others):
        loops = (For(other.var, other.extent, loops, axis=other.var if other.batch else None),)
    return loops


def _across(nest: Nest, lane: Axis, target: Target) -> tuple[Axis | None, int]:
    """The axis along which whatever is strided along the lanes is contiguous, and how wide a square is."""
    across = [load for load in outer_loads(nest) if stride(load, lane.var) == STRIDED]
    widths = {target.vector_bits // (8 * ITEMSIZE[load.dtype]) for load in across}
    if len(widths) != 1 or not _is_short(nest) or any(stride(s, lane.var) == STRIDED for s in stores(nest)):
        return None, 0
    (width,) = widths
    least = LEAST_WIDTH if target.masks else width
    rows = [a for a in nest.parallel if a is not lane and all(stride(x, a.var) == CONTIGUOUS for x in across)]
    long = all(a.constant is None or a.constant >= least for a in (lane, *rows))
    return (rows[0], width) if rows and long and width >= LEAST_WIDTH else (None, 0)


def _is_short(nest: Nest) -> bool:
    plain = all(isinstance(stmt, Let | Store) for stmt in nest.outer)
    return plain and nest.check is None and len(nest.outer) <= MOST_STATEMENTS and not functions_in(nest.outer)
