"""What shape each piece of a formula has, under NumPy's rules.

In: a form or a node's part.  Out: its shape; None for a form whose shape its notation does not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symnet.expr.nodes.extents import broadcast_shapes
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.printing.forms import Form, FormPart, Ref


class Shapes:
    """The shapes of forms.

    Args:
        shown: the shape of a node's text where broadcasting makes up the rest.
    """

    def __init__(self, shown: Mapping[Node, Shape]) -> None:
        self.shown = shown

    def of(self, part: FormPart) -> Shape | None:
        """The shape of a part."""
        if isinstance(part, Ref):
            return self.shown[part.node] if part.loose else part.node.shape
        if not part.rank:
            return ()
        below = [self.of(p) for p in part.parts]
        known = [s for s in below if s is not None]
        if len(known) < len(below):
            return None
        return _SHAPES.get(part.kind, _unknown)(part, known)


def _unknown(form: Form, below: list[Shape]) -> Shape | None:
    return None


def _broadcast(form: Form, below: list[Shape]) -> Shape | None:
    return broadcast_shapes("printing", *below)


def _first(form: Form, below: list[Shape]) -> Shape | None:
    return below[0]


def _reversed(form: Form, below: list[Shape]) -> Shape | None:
    return below[0][::-1]


def _matmul(form: Form, below: list[Shape]) -> Shape | None:
    if any(len(s) > 2 for s in below):
        return None
    rows = below[0][:-1]
    return (*rows, *below[-1][1:])


def _reduce(form: Form, below: list[Shape]) -> Shape | None:
    axes = form.data[1]
    return () if axes is None else tuple(n for a, n in enumerate(below[0]) if a not in axes)


def _spread(form: Form, below: list[Shape]) -> Shape | None:
    items, _ = form.data
    if items != ("keepdims",):
        supply = iter(below[0])
        return tuple(1 if item == "None" else next(supply) for item in items)
    (reduced,) = form.parts
    whole = reduced.parts[0] if isinstance(reduced, Form) and isinstance(reduced.parts[0], Ref) else None
    if whole is None or not isinstance(reduced, Form):
        return None
    axes = reduced.data[1]
    return tuple(1 if axes is None or a in axes else n for a, n in enumerate(whole.node.shape))


def _call(form: Form, below: list[Shape]) -> Shape | None:
    name, keywords = form.data
    if name in _CALLS:
        return _CALLS[name](dict(keywords), below)
    return broadcast_shapes("printing", *below) if max(map(len, below), default=-1) == form.rank else None


def _diagonal(keywords: dict[str, Any], below: list[Shape]) -> Shape | None:
    return below[0] * 2 if len(below[0]) == 1 else below[0][:1]


def _norm(keywords: dict[str, Any], below: list[Shape]) -> Shape | None:
    axis = keywords.get("axis", tuple(range(len(below[0]))))
    gone = axis if isinstance(axis, tuple) else (axis,)
    if "keepdims" in keywords:
        return tuple(1 if a in gone else n for a, n in enumerate(below[0]))
    return tuple(n for a, n in enumerate(below[0]) if a not in gone)


_CALLS: dict[str, Callable[[dict[str, Any], list[Shape]], Shape | None]] = {
    "diag": _diagonal,
    "norm": _norm,
    "outer": lambda keywords, below: (*below[0], *below[1]),
    "transpose": lambda keywords, below: tuple(below[0][a] for a in keywords["axes"]),
    "broadcast_to": lambda keywords, below: tuple(keywords["shape"]),
    "solve": lambda keywords, below: below[1] if len(below[0]) == 2 else None,
    **dict.fromkeys(("reshape", "place", "pad", "concat", "stack"), lambda keywords, below: None),
}

_SHAPES: dict[str, Callable[[Form, list[Shape]], Shape | None]] = {
    **dict.fromkeys(("sum", "product", "power", "relation", "indicator", "function"), _broadcast),
    **dict.fromkeys(("same", "root"), _first),
    "transpose": _reversed,
    "matmul": _matmul,
    "reduce": _reduce,
    "spread": _spread,
    "call": _call,
    "identity": lambda form, below: (form.data[0], form.data[0]),
    "filled": lambda form, below: tuple(form.data[1]),
    "unit": lambda form, below: (form.data[0],),
    "ramp": lambda form, below: (form.data[0],),
    "array": lambda form, below: form.data[0].array.shape,
}
