"""Checks the values of arguments: labels in range, extents that a mean needs, and, on request, finiteness.

In: a `Signature`, checked arrays, the run-time extents.  Out: nothing, or an error that names the argument,
the first wrong value and its position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from symnet.errors import ValueDomainError, explain
from symnet.loops.integer_text import int_text
from symnet.loops.signature import IndexBound, Signature
from symnet.runtime.extents import evaluate, evaluate_shape


def check_requirements(signature: Signature, dims: Mapping[str, int], call: str) -> None:
    """Refuse extents that are too small for the mathematics: a mean over nothing is an error."""
    for requirement in signature.requirements:
        extent = evaluate(requirement.extent, dims)
        if extent < requirement.at_least:
            text = int_text(requirement.extent)
            expected = f"{text} >= {requirement.at_least} for the {requirement.reason}"
            mend = f"Pass at least {requirement.at_least} along {text}."
            raise ValueDomainError(explain(call, expected, f"{text} = {extent}", mend))


def bounds_of(signature: Signature, every: bool) -> tuple[IndexBound, ...]:
    """The bounds that native code does not check, or (`every`) all bounds of inputs."""
    inputs = {buffer.name for buffer in signature.inputs}
    checked = [check for check in signature.index_checks if check.name in inputs] if every else []
    return (*signature.index_bounds, *checked)


def check_indices(
    signature: Signature, arrays: Mapping[str, np.ndarray], dims: Mapping[str, int], call: str, every: bool = False
) -> None:
    """Refuse integers used as indices that are out of range: those that native code does not check, or `every` one (a
    fit looks at all of its data before the first step).
    """
    for bound in bounds_of(signature, every):
        array = arrays[bound.name]
        extent = evaluate(bound.extent, dims)
        low = -extent if bound.wraps else 0
        if array.size and (array.min() < low or array.max() >= extent):
            where = _first((array < low) | (array >= extent))
            raise ValueDomainError(index_text(signature, bound, where, int(array[where]), extent, call))


def check_finite(names: Sequence[str], arrays: Sequence[np.ndarray], call: str) -> None:
    """Refuse arguments that hold NaN or infinity."""
    for name, array in zip(names, arrays, strict=True):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            where = _first(~np.isfinite(array))
            got = f"{array[where]} at {position_text(name, where)}"
            mend = f"Mend the data, or pass check_finite=False to let {array[where]} run through."
            raise ValueDomainError(explain(call, f"finite numbers in {name}", got, mend))


def position_text(name: str, where: tuple[int, ...]) -> str:
    """`X[3, 5]`, or `X` for a rank-0 array."""
    return f"{name}[{', '.join(map(str, where))}]" if where else name


def refuse_reported(signature: Signature, dims: Mapping[str, int], report: Sequence[int], call: str) -> None:
    """Raise for the index that native code refused.

    report: the number of the check, the value, its place in row-major order.
    """
    number, value, place = report
    bound = signature.index_checks[number]
    shape = evaluate_shape(bound.shape, dims)
    where = tuple(map(int, np.unravel_index(place, shape))) if shape else ()
    raise ValueDomainError(index_text(signature, bound, where, value, evaluate(bound.extent, dims), call))


def index_text(
    signature: Signature, bound: IndexBound, where: tuple[int, ...], value: int, extent: int, call: str
) -> str:
    """An error that names the index, the value and its place."""
    is_leaf = any(bound.name == buffer.name for buffer in signature.inputs)
    expected = f"every element of {bound.name} in {-extent if bound.wraps else 0} … {extent - 1} ({bound.reason})"
    at = position_text(bound.name if is_leaf else "", where)
    mend = "Mend the data, or raise the number of classes."
    if not is_leaf:
        mend = "Correct the data it is computed from, or bound it: sn.minimum(sn.maximum(i, 0), n - 1)."
    elif value == extent and not bound.wraps:
        mend = "Number the classes from 0."
    elif bound.wraps:
        mend = "Mend the data, or take from a longer axis."
    return explain(call, expected, f"{value} at {at}" if at else f"{value}", mend)


def _first(mask: np.ndarray) -> tuple[int, ...]:
    """The position of the first True of a mask, in row-major order."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), mask.shape))
