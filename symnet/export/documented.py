"""What the header says of every argument: its C type, its shape, what it holds.

In: a `Signature`, the formulas of its outputs as text, the constants that are part of the code.  Out: the lines of a
comment; a formula of many lines is cut, as `NAME.json` has it whole.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from symnet.export.extents import python_text
from symnet.export.typed_call import Parameters
from symnet.loops.affine import names
from symnet.loops.integers import Buffer
from symnet.loops.signature import IndexBound, Requirement, Signature
from symnet.runtime.baked import Baked

WIDTH = 112  # letters of a line
LONGEST = 720  # letters of a formula that is written whole


def documented(signature: Signature, formulas: Sequence[str] = (), baked: Baked = ()) -> str:
    """The comment's text: one paragraph for each argument, in the order of the call."""
    parameters = Parameters.of(signature)
    said = list(_said(signature, parameters, formulas))
    said += [(name, f"{_kind(str(each.dtype), each.shape)}, a constant of the code") for name, each in baked]
    column = min(20, max((len(name) for name, _ in said), default=0) + 2)
    return "\n".join(line for name, words in said for line in _paragraph(name, words, column))


def _said(signature: Signature, parameters: Parameters, formulas: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The identifier of each argument, and what is to be said of it."""
    for buffer, name in zip(signature.inputs, parameters.inputs, strict=True):
        bounds = [
            _bound(each) for each in (*signature.index_bounds, *signature.index_checks) if each.name == buffer.name
        ]
        unused = ["never read"] * (buffer.name in signature.unused)
        yield name, ", ".join([_kind(buffer.dtype, _extents(buffer)), *dict.fromkeys(bounds), *unused])
    spelled = dict(zip([b.name for b in signature.inputs], parameters.inputs, strict=True))
    donors = [(spelled[source], result) for source, result in signature.donated]
    known = [*formulas, *[""] * (len(signature.outputs) - len(formulas))]
    for buffer, name, formula in zip(signature.outputs, parameters.outputs, known, strict=True):
        text = formula if len(formula) <= LONGEST else f"{formula[:LONGEST]} … (whole in {signature.name}.json)"
        place = [
            f"; may be the array of {source}" for source, result in donors if buffer.shape and result == buffer.name
        ]
        yield (
            name,
            _kind(buffer.dtype, _extents(buffer)) + f" = {text}" * bool(text) + "".join(place),
        )
    for dim, name in zip(signature.dims, parameters.dims, strict=True):
        needs = [_need(each) for each in signature.requirements if dim in names(each.extent)]
        yield name, ", ".join(["extent", *dict.fromkeys(needs)])


def _need(requirement: Requirement) -> str:
    return f"{python_text(requirement.extent)} >= {requirement.at_least} for the {requirement.reason}"


def _extents(buffer: Buffer) -> list[str]:
    return [python_text(extent) for extent in buffer.shape]


def _kind(dtype: str, extents: Sequence[object]) -> str:
    """`float32 [m, 64]`; a number has no brackets."""
    return f"{dtype} [{', '.join(map(str, extents))}]" if extents else dtype


def _bound(bound: IndexBound) -> str:
    end = python_text(bound.extent)
    last = str(int(end) - 1) if end.isdecimal() else f"{end} - 1"
    return f"each in {f'-{end}' if bound.wraps else '0'} .. {last} ({bound.reason})"


def _paragraph(name: str, words: str, column: int) -> list[str]:
    """The lines of one argument, with nothing in them that ends or begins a comment."""
    plain = words.replace("*/", "* /").replace("/*", "/ *").replace("\\", " ")
    indent = " " * (3 + column)
    first = f"   {name:{column}}" if len(name) < column else f"   {name}  "
    return textwrap.wrap(first + plain, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
