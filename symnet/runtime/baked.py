"""Inputs of a function that become part of its code: trained weights in read-only data.

In: a `Signature`, arrays by the names of inputs.  Out: their contents by name; an error for what a call would refuse.
Not handled: arrays with symbolic extents, which would no longer be free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symnet.arrays import Contents, contents
from symnet.errors import ArgumentError, ShapeError, explain
from symnet.loops.integers import Buffer, IntConst
from symnet.loops.signature import Signature
from symnet.runtime.arguments import Arguments, shape_text
from symnet.runtime.domains import check_indices

Baked = tuple[tuple[str, Contents], ...]


def baked(signature: Signature, constants: Any, call: str) -> Baked:
    """The contents of the arrays, in the order of the inputs.

    Raises:
        ArgumentError, DTypeError, ShapeError: for a name that is no input's, or an array that the input does not take.
    """
    if not isinstance(constants, Mapping):
        mend = 'Write constants={"W1": w1}.'
        raise ArgumentError(explain(call, "a dict of arrays by name", type(constants).__name__, mend))
    known = {buffer.name: buffer for buffer in signature.inputs}
    for name in constants:
        if name not in known:
            mend = "Name an input, or leave it out."
            raise ArgumentError(explain(call, f"inputs among {', '.join(known) or 'none'}", repr(name), mend))
    chosen = tuple(buffer for buffer in signature.inputs if buffer.name in constants)
    for buffer in chosen:
        _check_extents(buffer, call)
    part = replace(signature, inputs=chosen)
    arrays = Arguments(part).arrays([constants[buffer.name] for buffer in chosen], ".export")
    for buffer, array in zip(chosen, arrays, strict=True):
        _check_shape(buffer, array.shape, call)
    bounds = tuple(
        bound
        for bound in (*signature.index_bounds, *signature.index_checks)
        if bound.name in constants and isinstance(bound.extent, IntConst)
    )
    by_name = {buffer.name: array for buffer, array in zip(chosen, arrays, strict=True)}
    check_indices(replace(part, index_bounds=bounds), by_name, {}, call)
    return tuple((buffer.name, contents(array)) for buffer, array in zip(chosen, arrays, strict=True))


def _check_extents(buffer: Buffer, call: str) -> None:
    if not all(isinstance(extent, IntConst) for extent in buffer.shape):
        mend = f"Declare {buffer.name} with numbers as its extents, or leave it an input."
        got = f"the shape {shape_text(buffer)}"
        raise ShapeError(explain(call, f"{buffer.name} with known extents, to make it a constant", got, mend))


def _check_shape(buffer: Buffer, shape: tuple[int, ...], call: str) -> None:
    if tuple(extent.value for extent in buffer.shape if isinstance(extent, IntConst)) != shape:
        mend = "Pass an array of that shape."
        raise ShapeError(explain(call, f"{buffer.name} of shape {shape_text(buffer)}", f"shape {shape}", mend))
