"""Facts: what is known of a node's elements, from the assumptions on leaves upward.

In: a node.  Out: `facts(node)`, a frozenset of names from `VOCABULARY`, closed under `IMPLIES`, kept on the node.
A fact holds wherever the node is defined and has elements (the sum of no positives is 0; an extent is taken as
positive, as the mean that divides by it needs).
Not handled: upper bounds other than 1, signs below zero, relations between two nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from symnet.expr.facts.array_facts import array_facts
from symnet.expr.facts.softmax import reciprocal_total, softmax_axes, sums_last_axis
from symnet.expr.facts.symmetry import is_symmetric
from symnet.expr.nodes.abstract import Application
from symnet.expr.nodes.constants import Number, is_product_of_roots, number_of
from symnet.expr.nodes.contraction import Einsum, transpose
from symnet.expr.nodes.elementwise import Elementwise, elementwise, is_op
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.extents import same_extent, same_shape
from symnet.expr.nodes.indexing import Take
from symnet.expr.nodes.movement import Concat, Slice
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.nodes.recurrence import LinearRecurrence
from symnet.expr.nodes.reduction import Reduce
from symnet.expr.nodes.result_dtypes import CASTS, COUNTED
from symnet.expr.nodes.symbols import Tensor

VOCABULARY = {
    "positive": "every element > 0",
    "nonnegative": "every element >= 0",
    "nonzero": "no element is 0",
    "unit": "every element in [0, 1]",
    "open_unit": "every element in (0, 1)",
    "integer": "every element is a whole number",
    "one_hot": "the last axis holds one 1 and zeros",
    "simplex": "the last axis is nonnegative and sums to one",
    "symmetric": "equal to its transpose (last two axes)",
}

IMPLIES = {
    "positive": ("nonnegative", "nonzero"),
    "open_unit": ("unit", "positive", "nonnegative", "nonzero"),
    "unit": ("nonnegative",),
    "one_hot": ("simplex", "unit", "nonnegative", "integer"),
    "simplex": ("unit", "nonnegative"),
}

# Facts about single elements: they survive any rearrangement of elements.
_ELEMENTS = frozenset({"positive", "nonnegative", "nonzero", "unit", "open_unit", "integer"})
_ROWS = frozenset({"one_hot", "simplex"})

Facts = frozenset[str]
_NOTHING: Facts = frozenset()
# A derivative by a computed value y makes y a free variable (a `Barrier`).  What confines y to a range, such as y > 0,
# holds of the variable too, near y.  What is an equation does not (rows of y sum to one, y = yᵀ, y is whole): the
# variable may leave the set on which it holds, and rewrites by it would give the derivative along that set alone.
_RANGES = frozenset({"positive", "nonnegative", "nonzero", "unit", "open_unit"})
_BOUNDED_ZERO = frozenset({"nonnegative", "unit", "integer"})  # an array keeps these when zeros are mixed in


def facts(node: Node) -> Facts:
    """What is known of the node; memoised, linear, without recursion."""
    if node._facts is None:
        _fill(node)
    return _of(node)


def known(node: Node, *names: str) -> bool:
    """Whether all of these facts hold."""
    return facts(node).issuperset(names)


def _fill(root: Node) -> None:
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [o for o in node.operands if o._facts is None]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        if node._facts is None:
            found = _close(_BY_KIND.get(node.kind, _nothing)(node))
            node._facts = found - _SIGNS if node.dtype in COUNTED and _may_wrap(node) else found


_SIGNS = frozenset({"positive", "nonnegative", "nonzero", "unit", "open_unit"})
_WRAPPING = frozenset({"add", "mul", "pow", "abs", "einsum", "cumsum", "cumprod", "linear_recurrence", "reduce"})
_SMALL_FACTS = frozenset({"unit", "one_hot"})


def _may_wrap(node: Node) -> bool:
    """Whether arithmetic on integers from data may overflow, which changes signs: |-2³¹| is -2³¹ in int32."""
    name = node.op if isinstance(node, Elementwise) else node.kind
    if name not in _WRAPPING or (isinstance(node, Reduce) and node.op != "prod"):
        return False
    return not all(_is_count(o) for o in node.operands)


def _is_count(node: Node) -> bool:
    """Whether a node is a position, a size or a truth value: arithmetic on these cannot overflow int64."""
    return node.dtype in ("bool", None) or node.kind == "iota" or bool(_of(node) & _SMALL_FACTS)


def _close(found: Iterable[str]) -> Facts:
    closed = set(found)
    for name in tuple(closed):
        closed.update(IMPLIES.get(name, ()))
    return frozenset(closed)


def _nothing(node: Node) -> Iterable[str]:
    return _NOTHING


def _of(node: Node) -> Facts:
    """What was found before of a node, as of every operand when its user's turn comes."""
    assert node._facts is not None
    return node._facts


def _common(nodes: Iterable[Node]) -> Facts:
    return frozenset.intersection(*map(_of, nodes))


# --------------------------------------------------------------------------- leaves and constants


def _tensor_facts(node: Tensor) -> Iterable[str]:
    return node.assumptions


_OF_NUMBERS = ("positive", "nonnegative", "nonzero", "integer", "unit", "open_unit")


def _number_facts(node: Number) -> Iterable[str]:
    """Those of rational numbers and of roots without SymPy, which derives every assumption of each new number."""
    value = node.value
    if value.is_Rational:
        p, q = int(value.p), int(value.q)
        return _holding(p > 0, p >= 0, p != 0, q == 1, 0 <= p <= q, 0 < p < q)
    about = value.evalf()  # the first difference of irrational numbers loads SymPy's tensors and groups
    if is_product_of_roots(value):  # a whole one would stand there as a whole number
        return _holding(about > 0, about > 0, True, False, 0 < about < 1, 0 < about < 1)
    positive, natural = value.is_positive, value.is_nonnegative
    unit, open_unit = natural and bool(about <= 1), positive and bool(about < 1)
    return _holding(positive, natural, value.is_nonzero, value.is_integer, unit, open_unit)


def _holding(*holds: object) -> list[str]:
    return [name for name, each in zip(_OF_NUMBERS, holds, strict=True) if each]


# --------------------------------------------------------------------------- elementwise

# f keeps the sign of its operand: f(x) > 0 exactly where x > 0, and f(0) = 0.
_SIGN = frozenset({"positive", "nonnegative", "nonzero"})


def _same_sign(node: Node) -> set[str]:
    return set(_of(node.operands[0]) & _SIGN)


def _same_sign_below_one(node: Node) -> set[str]:
    held = _same_sign(node)
    return held | ({"unit"} if "nonnegative" in held else set()) | ({"open_unit"} if "positive" in held else set())


def _add_facts(node: Node) -> set[str]:
    held = set(_common(node.operands) & {"nonnegative", "integer"})
    if "nonnegative" in held and any("positive" in _of(o) for o in node.operands):
        held.add("positive")
    return held | _complement_facts(node) | _mixture_facts(node)


def _complement_facts(node: Node) -> set[str]:
    """1 - y lies where y does, when y is in [0, 1] or (0, 1)."""
    if len(node.operands) != 2:
        return set()
    one, rest = node.operands if isinstance(node.operands[0], Number) else node.operands[::-1]
    if number_of(one) != 1 or not is_op(rest, "mul"):
        return set()
    factors = [o for o in rest.operands if number_of(o) != -1]
    if len(factors) != len(rest.operands) - 1:
        return set()
    return {name for name in ("unit", "open_unit") if all(name in _of(f) for f in factors)}


def _mixture_facts(node: Node) -> set[str]:
    """c + (1 - Kc)·D over K classes stays on the simplex: label smoothing with a number c."""
    if len(node.operands) != 2 or not node.shape or not isinstance(node.shape[-1], int):
        return set()
    floor, rest = node.operands if isinstance(node.operands[0], Number) else node.operands[::-1]
    c = number_of(floor)
    if c is None or not is_op(rest, "mul") or len(rest.operands) != 2:
        return set()
    scale, rows = rest.operands if isinstance(rest.operands[0], Number) else rest.operands[::-1]
    if "simplex" not in _of(rows) or not same_shape(rows.shape, node.shape) or number_of(scale) is None:
        return set()
    close = abs(float(1 - node.shape[-1] * c - scale.args[0])) < 1e-12
    inside = bool(c >= 0) and bool(scale.args[0] >= 0)
    return ({"simplex"} | ({"positive"} if c > 0 else set())) if close and inside else set()


def _mul_facts(node: Node) -> set[str]:
    return set(_common(node.operands) & _ELEMENTS) | _normalised_facts(node)


def _normalised_facts(node: Node) -> set[str]:
    """E / Σ E over the last axis is a distribution when no element of E is negative."""
    for place, factor in enumerate(node.operands):
        total = reciprocal_total(factor)
        if total is None or not sums_last_axis(total):
            continue
        rest = node.operands[:place] + node.operands[place + 1 :]
        whole = total.operands[0]
        if rest == (whole,) or (is_op(whole, "mul") and rest == whole.operands):
            held = _of(whole) & {"nonnegative", "positive"}
            return {"simplex", *held} if held else set()
    return set()


def _pow_facts(node: Node) -> set[str]:
    base, power = _of(node.operands[0]), node.operands[1]
    exponent = _of(power)
    value = number_of(power)
    negative = value is not None and not exponent & {"nonnegative"}
    held: set[str] = set()
    if negative:
        held |= {"nonzero"} | ({"positive"} if "nonnegative" in base else set())
    if "positive" in base:
        held.add("positive")
    if value is not None and not negative:
        held |= base & {"nonnegative", "nonzero", "unit"}
        held |= base & {"open_unit"} if "positive" in exponent else set()
        held |= base & {"integer"} if "integer" in exponent else set()
    if value is not None and "integer" in exponent and value % 2 == 0:
        held |= {"nonnegative"} | ({"positive"} if "nonzero" in base or "nonzero" in held else set())
    return held


def _exp_facts(node: Node) -> set[str]:
    held = {"positive"}
    for axes in softmax_axes(node):
        held |= {"unit"} | ({"simplex"} if axes == (node.rank - 1,) else set())
    return held


def _maximum_facts(node: Node) -> set[str]:
    either = _of(node.operands[0]) | _of(node.operands[1])
    return set(_common(node.operands) & _ELEMENTS) | set(either & {"positive", "nonnegative"})


def _abs_facts(node: Node) -> set[str]:
    operand = _of(node.operands[0])
    return {"nonnegative"} | set(operand & _ELEMENTS) | ({"positive"} if "nonzero" in operand else set())


def _where_facts(node: Node) -> set[str]:
    return set(_common(node.operands[1:]) & _ELEMENTS)


def _sign_facts(node: Node) -> set[str]:
    return {"integer"} | _same_sign(node) | ({"unit"} if "nonnegative" in _of(node.operands[0]) else set())


def _floor_facts(node: Node) -> set[str]:
    return {"integer"} | set(_of(node.operands[0]) & {"nonnegative", "unit"})


def _mod_facts(node: Node) -> set[str]:
    """a % b has the sign of b or is 0, and is whole where both operands are."""
    held = set(_common(node.operands) & {"integer"})
    return held | ({"nonnegative"} if "nonnegative" in _of(node.operands[1]) else set())


def _function_facts(node: Node) -> set[str]:
    """What SymPy knows of the values of a function of real variables."""
    application = node.args[0].application
    known = {"positive": application.is_positive, "nonnegative": application.is_nonnegative}
    return {name for name, holds in known.items() if holds}


_BY_PRIMITIVE: dict[str, Callable[[Node], Iterable[str]]] = {
    "add": _add_facts,
    "mul": _mul_facts,
    "pow": _pow_facts,
    "exp": _exp_facts,
    "tanh": _same_sign_below_one,
    "erf": _same_sign_below_one,
    "gamma": lambda node: _of(node.operands[0]) & {"positive"},
    "function": _function_facts,
    "sign": _sign_facts,
    "floor": _floor_facts,
    "maximum": _maximum_facts,
    "minimum": lambda node: _common(node.operands) & _ELEMENTS,
    "abs": _abs_facts,
    "where": _where_facts,
    "mod": _mod_facts,
    "floor_divide": lambda node: {"integer"} | (_common(node.operands) & {"nonnegative"}),
    **dict.fromkeys(CASTS, lambda node: _of(node.operands[0])),
    "indicator": lambda node: {"unit", "integer"},
}


def _by_traits(node: Node) -> set[str]:
    """What the primitive itself says of its values."""
    primitive = PRIMITIVES[node.op]  # an elementwise node
    return {*primitive.facts, *(_same_sign(node) if primitive.keeps_sign else ())}


def _elementwise_facts(node: Elementwise) -> Iterable[str]:
    found = _BY_PRIMITIVE.get(node.op, _by_traits)(node)
    if node.rank < 2 or not same_extent(*node.shape[-2:]) or not _is_symmetric_elementwise(node):
        return found
    return {*found, "symmetric"}


def _is_symmetric_elementwise(node: Elementwise) -> bool:
    """Every operand is a scalar or symmetric, or an operand of a sum or product has its transpose beside it."""
    odd = [o for o in node.operands if o.rank and not (o.rank == node.rank and "symmetric" in _of(o))]
    if not odd:
        return True
    if node.op not in ("add", "mul") or len(odd) % 2 or any(o.rank != 2 for o in odd):
        return False
    counts = Counter(odd)
    return all(counts[_turned(o)] == n for o, n in counts.items())


def _turned(x: Node) -> Node:
    """xᵀ; of a number times x, that number times xᵀ."""
    if is_op(x, "mul") and len(x.operands) == 2 and isinstance(x.operands[0], Number):
        return elementwise("mul", x.operands[0], _turned(x.operands[1]))
    if isinstance(x, Einsum) and x.is_transpose:
        return x.operands[0]
    return transpose(x)


# --------------------------------------------------------------------------- contraction, reduction


def _einsum_facts(node: Einsum) -> set[str]:
    held = set(_common(node.operands) & {"positive", "nonnegative", "integer"})
    if not node.contracted:
        held |= _common(node.operands) & _ELEMENTS
    if node.is_transpose and node.inputs[0][-1:] == node.output[-1:]:
        held |= _of(node.operands[0]) & _ROWS
    if is_symmetric(node, lambda operand: "symmetric" in _of(operand)):
        held.add("symmetric")
    return held


_REDUCE_KEEPS = {
    "max": _ELEMENTS,
    "min": _ELEMENTS,
    "prod": _ELEMENTS,
    "logsumexp": frozenset({"positive", "nonnegative"}),
}


def _reduce_facts(node: Reduce) -> Iterable[str]:
    if node.op == "argmax":
        return {"integer", "nonnegative"}
    return _of(node.operands[0]) & _REDUCE_KEEPS[node.op]


def _recurrence_facts(node: LinearRecurrence) -> set[str]:
    """Nonnegative factors keep the sign of what is added; exclusive ones begin with 0."""
    a, b = map(_of, node.operands)
    held = set(a & b & {"nonnegative", "integer"})
    if "nonnegative" in a and "positive" in b and not node.exclusive:
        held.add("positive")
    return held


# --------------------------------------------------------------------------- movement, indexing


def _expand_facts(node: Expand) -> set[str]:
    inner = _of(node.operands[0])
    held = set(inner & _ELEMENTS)
    if node.operands[0].rank and node.axes[-1] == node.rank - 1:
        held |= inner & _ROWS
    if node.axes[-2:] == (node.rank - 2, node.rank - 1):
        held |= inner & {"symmetric"}
    return held


def _slice_facts(node: Slice) -> set[str]:
    inner = _of(node.operands[0])
    held = set(inner & _ELEMENTS)
    whole = node.rank and node.starts[-1] == 0 and node.steps[-1] == 1
    if whole and same_shape(node.shape[-1:], node.operands[0].shape[-1:]):
        held |= inner & _ROWS
    return held


def _concat_facts(node: Concat) -> Facts:
    return _common(node.operands) & (_ELEMENTS if node.axis == node.rank - 1 else _ELEMENTS | _ROWS)


def _take_facts(node: Take) -> Facts:
    x = node.operands[0]
    return _of(x) & (_ELEMENTS if node.axis == x.rank - 1 else _ELEMENTS | _ROWS)


def _abstract_facts(node: Application) -> set[str]:
    """A function's second derivative by one vector is symmetric."""
    twice = not node.is_elementwise and len(node.orders) > 1 and node.orders[-1] == node.orders[-2]
    return {"symmetric"} if twice and node.operands[node.orders[-1]].rank == 1 else set()


_BY_KIND: dict[str, Callable[..., Iterable[str]]] = {
    "tensor": _tensor_facts,
    "named": lambda node: _of(node.operands[0]),
    "barrier": lambda node: _of(node.operands[0]) & _RANGES,
    "sealed": lambda node: _of(node.operands[0]),
    "number": _number_facts,
    "size": lambda node: {"positive", "integer"},
    "array": lambda node: array_facts(node.contents),
    "delta": lambda node: {"one_hot", "symmetric"},
    "iota": lambda node: {"integer", "nonnegative"},
    "one_hot": lambda node: {"one_hot"},
    "elementwise": _elementwise_facts,
    "einsum": _einsum_facts,
    "reduce": _reduce_facts,
    "expand": _expand_facts,
    "reshape": lambda node: _of(node.operands[0]) & _ELEMENTS,
    "slice": _slice_facts,
    "place": lambda node: _of(node.operands[0]) & _BOUNDED_ZERO,
    "concat": _concat_facts,
    "take": _take_facts,
    "cumsum": lambda node: _of(node.operands[0]) & {"positive", "nonnegative", "integer"},
    "cumprod": lambda node: _of(node.operands[0]) & _ELEMENTS - ({"open_unit"} if node.exclusive else set()),
    "linear_recurrence": _recurrence_facts,
    "abstract": _abstract_facts,
    "solve": lambda node: _of(node.matrix) & {"symmetric"} if node.is_inverse else _NOTHING,
}
