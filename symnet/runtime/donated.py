"""Inputs whose arrays may hold an output: pairs as a caller writes them.

In: `donate={"W": "W_new"}`, the names of inputs and outputs, how a call hands outputs back.  Out: pairs of an input's
name and an output's position; an error for what is none.  Whether a pair is possible, the program decides
(`schedule/donation.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from symnet.errors import ArgumentError, explain
from symnet.runtime.template import Template

Donated = tuple[tuple[str, int], ...]  # an input's name, an output's position


def donated(given: Any, inputs: Sequence[str], outputs: Sequence[str], template: Template, call: str) -> Donated:
    """The pairs, in the order of the outputs.

    Args:
        given: a mapping of inputs, as leaves or names, to outputs, as keys of the result, names, or positions.
        inputs: names of the function's inputs.
        outputs: names of its outputs.
        template: how a call hands them back; the keys of a dict name them, too.
        call: for messages, without its end: `compile(…`.

    Raises:
        ArgumentError: for no mapping, an input or output that is none, one that is named twice.
    """
    call = f"{call}, donate={given!r})" if isinstance(given, Mapping) else f"{call}, donate=…)"
    if not isinstance(given, Mapping):
        expected, mend = "a dict of inputs and the outputs in their place", 'Write donate={"W": "W_new"}.'
        raise ArgumentError(explain(call, expected, type(given).__name__, mend))
    keys = {k: p for k, p in template.items() if type(p) is int} if isinstance(template, dict) else {}
    places: dict[Any, int] = {**{k: k for k in range(len(outputs))}, **{n: k for k, n in enumerate(outputs)}, **keys}
    found: dict[int, str] = {}
    for source, result in given.items():
        name: Any = getattr(source, "name", source)
        if name not in inputs:
            raise ArgumentError(explain(call, f"inputs among {', '.join(inputs)}", repr(name), _near(name, inputs)))
        position = places.get(result) if isinstance(result, (str, int)) and not isinstance(result, bool) else None
        if position is None:
            names = [key for key in places if isinstance(key, str)]
            raise ArgumentError(explain(call, f"outputs among {', '.join(names)}", repr(result), _near(result, names)))
        if position in found or name in found.values():
            raise ArgumentError(explain(call, "each input and output once", f"{name} and {result} again", "Drop one."))
        found[position] = name
    return tuple((found[position], position) for position in sorted(found))


def refuse_constant(pairs: Donated, constants: Iterable[str], call: str) -> None:
    """Refuse a constant in the place of a donated input: what has no array can hold no output.

    Raises:
        ArgumentError: naming the first of them.
    """
    fixed = set(constants)
    name = next((source for source, _ in pairs if source in fixed), None)
    if name is not None:
        expected = f"{', '.join(source for source, _ in pairs)} as inputs, in whose arrays outputs are computed"
        mend = f"Leave {name!r} out of constants=, or out of donate= (donate={{}} donates nothing)."
        raise ArgumentError(explain(call, expected, f"a constant for {name}", mend))


def _near(given: object, known: Sequence[str]) -> str:
    close = get_close_matches(str(given), known, 1, 0.0)
    return f"Did you mean {close[0]!r}?" if close else "Leave donate= out."
