"""Inputs that a program makes by a formula, and so need not be written down: what an export is tested on.

In: a `Signature`, extents.  Out: arrays, and the same formulas as C.

Element i of input k is ((37·i + 11·k) mod 101 + 1)/1024: exact in every real dtype, positive, small enough to leave
activations unsaturated.  Integers are i mod 7, labels i mod their bound, booleans i mod 2.  A `Fill` changes that where
a function takes no such inputs: square matrices with a dominant diagonal are regular.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symnet.backends.c99.types import C_TYPE
from symnet.export.extents import c_text
from symnet.loops.ir import Buffer
from symnet.loops.signature import Signature
from symnet.runtime.extents import Dims, evaluate, evaluate_shape


@dataclass(frozen=True, slots=True)
class Fill:
    """How inputs are filled.

    Attributes:
        more: what is added to every real number.
        dominant: add the number of rows to the diagonal of square matrices.
        modulus: of integers without a bound.
    """

    more: int = 0
    dominant: bool = False
    modulus: int = 7


PLAIN = Fill()


def pattern(signature: Signature, dims: Dims, fill: Fill = PLAIN) -> dict[str, np.ndarray]:
    """The inputs, by name."""
    bounds = {bound.name: evaluate(bound.extent, dims) for bound in signature.index_bounds + signature.index_checks}
    found = {}
    for number, buffer in enumerate(signature.inputs):
        shape = evaluate_shape(buffer.shape, dims)
        i = np.arange(int(np.prod(shape)))
        values: np.ndarray
        if buffer.dtype.startswith("float"):
            values = ((37 * i + 11 * number) % 101 + 1) / 1024 + fill.more
            if fill.dominant and _is_square(buffer):
                values = values + np.where(i % shape[-1] == i // shape[-1] % shape[-1], shape[-1], 0)
        else:
            values = i % bounds.get(buffer.name, _modulus(buffer, fill))
        found[buffer.name] = values.astype(buffer.dtype).reshape(shape)
    return found


def pattern_text(signature: Signature, number: int, names: Mapping[str, str], fill: Fill = PLAIN) -> str:
    """Element i of an input, in C; names: the identifier of each dim."""
    buffer = signature.inputs[number]
    kind = C_TYPE[buffer.dtype]
    if buffer.dtype.startswith("float"):
        text = f"({kind})((37 * i + {11 * number}) % 101 + 1) / 1024"
        text += f" + {fill.more}" * bool(fill.more)
        if fill.dominant and _is_square(buffer):
            rows = c_text(buffer.shape[-1], names)
            rows = f"({rows})" if " " in rows else rows
            text += f" + ({kind})(i % {rows} == i / {rows} % {rows} ? {rows} : 0)"
        return text
    bounds = {bound.name: c_text(bound.extent, names) for bound in signature.index_bounds + signature.index_checks}
    return f"({kind})(i % ({bounds.get(buffer.name, str(_modulus(buffer, fill)))}))"


def pattern_words(fill: Fill) -> str:
    """The formula in words."""
    more = f" + {fill.more}" * bool(fill.more)
    diagonal = ", on the diagonal of a square matrix its number of rows more" * fill.dominant
    return (
        f"element i of input k is ((37 i + 11 k) mod 101 + 1)/1024{more}{diagonal}; integers are i mod {fill.modulus},"
        " labels i mod their bound, booleans i mod 2"
    )


def _modulus(buffer: Buffer, fill: Fill) -> int:
    return 2 if buffer.dtype == "bool" else fill.modulus


def _is_square(buffer: Buffer) -> bool:
    return len(buffer.shape) > 1 and buffer.shape[-1] == buffer.shape[-2]
