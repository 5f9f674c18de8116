"""Checks the values of arguments: labels in range, extents that a mean needs, and, on request, finiteness.

In: a `Signature`, checked arrays, the run-time extents.  Out: nothing, or an error that names the argument,
the first wrong value and its position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from symnet.errors import ValueDomainError, explain
from symnet.loops.printer import int_text
from symnet.loops.signature import IndexBound, Signature
from symnet.runtime.extents import evaluate


def check_requirements(signature: Signature, dims: Mapping[str, int], call: str) -> None:
    """Extents are as large as the mathematics needs: a mean over nothing is an error."""
    for requirement in signature.requirements:
        extent = evaluate(requirement.extent, dims)
        if extent < requirement.at_least:
            text = int_text(requirement.extent)
            expected = f"{text} >= {requirement.at_least} for the {requirement.reason}"
            mend = f"Pass at least {requirement.at_least} along {text}."
            raise ValueDomainError(explain(call, expected, f"{text} = {extent}", mend))


def check_indices(signature: Signature, arrays: Mapping[str, np.ndarray], dims: Mapping[str, int], call: str) -> None:
    """Integers that are used as indices lie in range."""
    for bound in signature.index_bounds:
        array = arrays[bound.name]
        extent = evaluate(bound.extent, dims)
        if array.size and (array.min() < 0 or array.max() >= extent):
            _refuse_index(bound, array, extent, call)


def check_finite(names: Sequence[str], arrays: Sequence[np.ndarray], call: str) -> None:
    """No argument holds NaN or infinity."""
    for name, array in zip(names, arrays, strict=True):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            where = _first(~np.isfinite(array))
            got = f"{array[where]} at {position_text(name, where)}"
            mend = f"Mend the data, or pass check_finite=False to let {array[where]} run through."
            raise ValueDomainError(explain(call, f"finite numbers in {name}", got, mend))


def position_text(name: str, where: tuple[int, ...]) -> str:
    """`X[3, 5]`, or `X` for a rank-0 array."""
    return f"{name}[{', '.join(map(str, where))}]" if where else name


def _refuse_index(bound: IndexBound, array: np.ndarray, extent: int, call: str) -> None:
    where = _first((array < 0) | (array >= extent))
    expected = f"every element of {bound.name} in 0 … {extent - 1} ({bound.reason})"
    got = f"{array[where]} at {position_text(bound.name, where)}"
    mend = "Number the classes from 0." if array[where] == extent else "Mend the data, or raise the number of classes."
    raise ValueDomainError(explain(call, expected, got, mend))


def _first(mask: np.ndarray) -> tuple[int, ...]:
    """The position of the first True, in row-major order."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), mask.shape))
