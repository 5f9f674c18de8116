"""Output arrays: fresh ones, or the caller's own after checks.

In: a `Signature`, the run-time extents, `out=` of the caller.  Out: one array per output.

Refused: arrays that are read-only, not contiguous, of another dtype or shape, and those that overlap an input that is
not donated to them, or each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symnet.errors import ArgumentError, DTypeError, ShapeError, explain, refuse_mask
from symnet.loops.integers import Buffer
from symnet.loops.signature import Signature
from symnet.runtime.arguments import given_text, shape_text
from symnet.runtime.native import allocated

NamedArray = tuple[str, np.ndarray]


def bound_outputs(
    signature: Signature, shapes: Sequence[tuple[int, ...]], out: Any, inputs: Sequence[np.ndarray], call: str
) -> list[np.ndarray]:
    """The outputs of a bound step: the caller's, else the arrays of donated inputs, else fresh ones."""
    held = dict(zip([buffer.name for buffer in signature.inputs], inputs, strict=True))
    own = {result: held[source] for source, result in signature.donated}
    chosen = {} if out is None else {n: a for n, a in _by_name(signature, out, call).items() if a is not None}
    arrays = [
        np.empty(0) if buffer.name in own | chosen else allocated(shape, buffer.dtype, f"output {buffer.name}")
        for buffer, shape in zip(signature.outputs, shapes, strict=True)
    ]
    return _checked(signature, own | chosen, arrays, shapes, inputs, call)


def fresh_outputs(signature: Signature, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Uninitialised arrays of the outputs' shapes."""
    pairs = zip(signature.outputs, shapes, strict=True)
    return [allocated(shape, buffer.dtype, f"output {buffer.name}") for buffer, shape in pairs]


def given_outputs(
    signature: Signature, out: Any, fresh: Sequence[np.ndarray], inputs: Sequence[np.ndarray], call: str
) -> list[np.ndarray]:
    """The caller's arrays where there are some, fresh ones elsewhere.

    out: an array (of one output), a sequence in the order of the outputs, or a mapping by output name; None in
        a sequence asks for a fresh array.
    """
    return _checked(signature, _by_name(signature, out, call), fresh, [array.shape for array in fresh], inputs, call)


def _checked(
    signature: Signature,
    chosen: Mapping[str, Any],
    fresh: Sequence[np.ndarray],
    shapes: Sequence[tuple[int, ...]],
    inputs: Sequence[np.ndarray],
    call: str,
) -> list[np.ndarray]:
    """The chosen arrays, once they are found to be right, fresh ones elsewhere."""
    arrays = list(fresh)
    for position, buffer in enumerate(signature.outputs):
        array = chosen.get(buffer.name)
        if array is not None:
            _check(buffer, array, shapes[position], call)
            arrays[position] = array
    outputs = list(zip([buffer.name for buffer in signature.outputs], arrays, strict=True))
    taken = list(zip([buffer.name for buffer in signature.inputs], inputs, strict=True))
    _refuse_overlaps(outputs, taken, call, signature.donated)
    return arrays


def _by_name(signature: Signature, out: Any, call: str) -> dict[str, Any]:
    names = [buffer.name for buffer in signature.outputs]
    if isinstance(out, np.ndarray):
        out = (out,)
    if isinstance(out, Mapping):
        unknown = [str(name) for name in out if name not in names]
        if unknown:
            expected = f"outputs named {', '.join(names)}"
            raise ArgumentError(explain(call, expected, repr(unknown[0]), f"Did you mean {names[0]!r}?"))
        return dict(out)
    if not isinstance(out, tuple | list) or len(out) != len(names):
        count = f"{len(out)} values" if isinstance(out, tuple | list) else given_text(out)
        expected = f"out= one array for each of {', '.join(names)}"
        raise ArgumentError(explain(call, expected, count, "Pass a tuple in that order, or a dict by name."))
    return dict(zip(names, out, strict=True))


def _check(buffer: Buffer, array: Any, shape: tuple[int, ...], call: str) -> None:
    name = buffer.name
    refuse_mask(call, name, array)
    if not isinstance(array, np.ndarray):
        mend = f'Pass {name} as np.empty({shape}, "{buffer.dtype}").'
        raise ArgumentError(explain(call, f"an array for output {name}", given_text(array), mend))
    if array.dtype != np.dtype(buffer.dtype):
        mend = f'Allocate it as np.empty({shape}, "{buffer.dtype}").'
        raise DTypeError(explain(call, f"output {name} of dtype {buffer.dtype}", given_text(array), mend))
    if array.shape != shape:
        mend = f'Allocate it as np.empty({shape}, "{buffer.dtype}").'
        expected = f"output {name} of shape {shape_text(buffer)} = {shape}"
        raise ShapeError(explain(call, expected, str(array.shape), mend))
    if not array.flags.writeable:
        mend = "Pass a writable array, or leave out= away."
        raise ArgumentError(explain(call, f"a writable array for output {name}", "a read-only array", mend))
    if not (array.flags.c_contiguous and array.flags.aligned):
        got, mend = f"strides {array.strides} for shape {array.shape}", "Pass a fresh array and copy from it."
        raise ArgumentError(explain(call, f"a C-contiguous, aligned array for output {name}", got, mend))


def _refuse_overlaps(
    outputs: Sequence[NamedArray], inputs: Sequence[NamedArray], call: str, donated: Sequence[tuple[str, str]]
) -> None:
    """Contiguous arrays overlap exactly where their bounds do; one of a donated input may be that of its output."""
    for position, (name, array) in enumerate(outputs):
        for kind, others in (("input", inputs), ("output", outputs[:position])):
            for other, memory in others:
                if kind == "input" and (other, name) in donated and array.ctypes.data == memory.ctypes.data:
                    continue
                if np.may_share_memory(array, memory):
                    expected = f"output {name} in memory of its own"
                    got, mend = f"memory shared with {kind} {other}", f"Pass a separate array for {name}."
                    raise ArgumentError(explain(call, expected, got, mend))
