"""Fetches: loads that look at their index.

In: a `Fetch`.  Out: lines that read the index once, note where it lies outside, and load what is inside.  One
comparison without signs says which, as a negative index is very large.
"""

from __future__ import annotations

from symnet.backends.c99.emitter import CEmitter
from symnet.backends.c99.integers import element, text_of
from symnet.backends.c99.memory import load, note_of
from symnet.backends.c99.ops import number
from symnet.backends.c99.types import LOCAL_TYPE, SUM, atom
from symnet.loops.ir import Fetch, IntConst, IntLoad, IntVar

_INDEX = "%index"  # the name that stands for the index in the place of what is fetched


def emit_fetch(e: CEmitter, stmt: Fetch) -> None:
    """Bind the name of a fetch; where nothing is inside, it is 0."""
    buffer, index = stmt.value.buffer, stmt.value.index
    axis, read = next((axis, part) for axis, part in enumerate(index) if isinstance(part, IntLoad))
    name = e.unit.names.of("value", stmt.name)
    place, inside = (e.unit.names.of("value", f"{stmt.name}_{word}") for word in ("index", "inside"))
    e.line(f"const int64_t {place} = {text_of(e, read)};")
    e.line(f"const bool {inside} = (uint64_t){place} < (uint64_t)({text_of(e, buffer.shape[axis])});")
    e.bind(_INDEX, place)
    found = load(element(e, buffer, (*index[:axis], IntVar(_INDEX), *index[axis + 1 :])), buffer.dtype)
    otherwise = number(e.unit, 0, buffer.dtype)
    note = note_of(buffer, index)
    e.line(f"const {LOCAL_TYPE[buffer.dtype]} {name} = {inside} ? {found.within(SUM)} : {otherwise.text};{note}")
    noted = element(e, stmt.inside, (IntConst(0),))
    e.line(f"{noted} = (uint8_t)({noted} & {inside});")
    e.values[stmt.name] = atom(name, buffer.dtype)
