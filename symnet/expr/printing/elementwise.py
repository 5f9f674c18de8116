"""How elementwise nodes read: sums with their signs, products over divisors, powers, functions.

In: an `Elementwise` node and a `View`.  Out: its `Form`.  Nested sums and products read as one; `a + (-1)*b` reads as
a - b, `a * b**(-1)` as a/b, a sum over its number of elements as a mean, x - logsumexp(x) as log_softmax(x).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy

from symnet.expr.facts.softmax import terms_of
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.extents import product as number_of_elements
from symnet.expr.nodes.extents import same_extent
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import Reduce
from symnet.expr.nodes.result_dtypes import CASTS
from symnet.expr.printing.contraction import read_einsum
from symnet.expr.printing.forms import Form, FormPart, call, numeral, product, put_number, same
from symnet.expr.printing.linalg import read_norm
from symnet.expr.printing.movement import spread, unit_vector
from symnet.expr.printing.same_sums import is_kept
from symnet.expr.printing.view import View
from symnet.expr.sympy.functions import function_of

MOST_FACTORS = 16  # nested products read as one up to this many factors, so that reading stays linear
_MOST_TERMS = 48
_MOST_TURNED = 6  # terms of a sum that is written negated


def read_elementwise(node: Any, view: View) -> Form:
    """The form of an elementwise node, its operands loose: NumPy broadcasts them."""
    return _OPS.get(node.op, _function)(node, view)


def _function(node: Any, view: View) -> Form:
    return call(node.op, *view.refs(node.operands, loose=True), rank=len(view.shown[node]))


def _renamed(name: str) -> Callable[[Any, View], Form]:
    def read(node: Any, view: View) -> Form:
        return call(name, *view.refs(node.operands, loose=True), rank=len(view.shown[node]))

    return read


def flat_operands(node: Node, op: str, most: int) -> list[Node]:
    """The operands of nested `op` nodes, left to right; an operand used twice is left whole.

    A fill reads as its scalar, and a factor that is an array of ones as nothing.
    """
    flat: list[Node] = []
    stack = list(reversed(node.operands))
    while stack:
        part = stack.pop()
        if part.kind == "expand" and not part.operands[0].rank and any(n != 1 for n in part.shape):
            part = part.operands[0]
            if op == "mul" and number_of(part) == 1 and (flat or stack):
                continue
        nested = is_op(part, op) and len(flat) + len(stack) + len(part.operands) <= most
        if nested and len(set(part.operands)) == len(part.operands) and part not in stack and part not in flat:
            stack.extend(reversed(part.operands))
        else:
            flat.append(part)
    return flat


# --------------------------------------------------------------------------- products


def _read_mul(node: Node, view: View) -> Form:
    """A product that stands alone: its minus sign goes to a sum that reads as well with it and stands nowhere else,
    (b - a)*x.
    """
    return _signed_product(node, view, turns=sign_of(node) < 0)


def _signed_product(node: Node, view: View, negate: bool = False, turns: bool = False) -> Form:
    """The form of a product, or with `negate` of -node; with `turns` one of its sums may take the sign."""
    factors = flat_operands(node, "mul", MOST_FACTORS)
    above: list[FormPart] = []
    below: list[FormPart] = []
    found = [form for form in (_take_mean(factors, view), _take_diagonal(factors, view)) if form is not None]
    sign = 1
    for value in (v for f in factors if (v := number_of(f)) is not None):
        sign *= put_number(value, above, below)
    rest = sorted((f for f in factors if number_of(f) is None), key=view.factor_key)
    turns = turns and (len(rest) > 1 or len(above) + len(below) > 0)  # minus a sum alone stays that
    turning = [f for f in rest if reads_as_well_negated(f, view.uses)] if turns else []
    turned = turning[-1] if turning else None
    for factor in rest:
        exponent = _negative_exponent(factor)
        if factor is turned:
            above.append(_read_add(factor, view, -1))
            sign = -sign
        elif exponent is None:
            above.extend(unit_vector(factor, view) or [view.ref(factor, loose=True)])
        else:
            below.append(_positive_power(factor, -exponent, view))
    above.extend(found)
    return product(-sign if negate else sign, above, below)


def reads_as_well_negated(node: Node, uses: Mapping[Node, int]) -> bool:
    """Whether a sum with its terms negated has no more minus signs than one more than it has; a number stays first, but
    before quotients alone, and a sum that stands in several places keeps its signs: it is to look the same in all.
    """
    return uses[node] <= 1 and negates_well(node)


def negates_well(node: Node) -> bool:
    """As `reads_as_well_negated`, of a sum wherever it stands."""
    if not is_op(node, "add") or len(node.operands) > _MOST_TURNED or is_kept(node):
        return False
    if any(_minus_logsumexp(t)[0] is not None for t in node.operands):
        return False
    signs = [sign_of(t) for t in node.operands]
    others = [t for t in node.operands if number_of(t) is None]
    numbers = len(others) < len(signs) and not all(map(_is_quotient, others))
    return -1 in signs and not numbers and signs.count(1) <= signs.count(-1) + 1


def _is_quotient(term: Node) -> bool:
    """Whether a term is written with a line, x/y, by what is no number."""
    factors = flat_operands(term, "mul", MOST_FACTORS) if is_op(term, "mul") else [term]
    return any(_negative_exponent(f) is not None for f in factors)


def _negative_exponent(node: Node) -> Any:
    if not is_op(node, "pow"):
        return None
    exponent = number_of(node.operands[1])
    return exponent if exponent is not None and exponent.is_negative else None


def _take_mean(factors: list[Node], view: View) -> Form | None:
    """Remove a sum and the reciprocal of its number of elements from `factors`; give the mean."""
    for total in factors:
        inner = total.operands[0] if total.kind == "expand" else total
        if not (isinstance(inner, Einsum) and inner.is_sum):
            continue
        count = number_of_elements(inner.extents[i] for i in inner.contracted)
        divisor = next((f for f in factors if _divides_by(f, count)), None)
        form = read_einsum(inner, view)
        if divisor is None or form.kind != "reduce":
            continue
        factors.remove(total)  # one of each: the same sum, or the same divisor, may stand there again
        factors.remove(divisor)
        left = number_of(divisor)
        factors += [] if left is None or left.p == 1 else [type(divisor)(sympy.Integer(left.p))]
        mean = Form("reduce", form.parts, ("mean", form.data[1], count), form.rank)
        return spread(mean, total) if total.kind == "expand" else mean
    return None


def _take_diagonal(factors: list[Node], view: View) -> Form | None:
    """Remove an identity matrix and the vectors that scale it from `factors`; give diag(v)."""
    arrays = [f for f in factors if number_of(f) is None and view.shown[f]]
    eyes = [f for f in arrays if f.kind == "delta"]
    vectors = [f for f in arrays if f.kind != "delta"]
    if len(eyes) != 1 or not vectors:
        return None
    diagonal = sorted(map(_repeated, vectors), key=view.factor_key)
    if any(f.rank != 1 for f in diagonal):
        return None
    factors[:] = [f for f in factors if f not in arrays]
    above = [f for f in diagonal if _negative_exponent(f) is None]
    below: list[FormPart] = [_positive_power(f, -_negative_exponent(f), view) for f in diagonal if f not in above]
    return call("diag", product(1, view.refs(above), below), rank=2)


def _repeated(factor: Any) -> Node:
    """The vector that a matrix repeats along its rows or columns; any other factor itself."""
    along_one = factor.kind == "expand" and len(factor.axes) == 1 and factor.rank == 2
    return factor.operands[0] if along_one else factor


def _divides_by(node: Node, count: Any) -> bool:
    value = number_of(node)
    if value is not None:
        return bool(value.is_Rational and not value.is_Integer and value.q == count)
    if not is_op(node, "pow") or number_of(node.operands[1]) != -1:
        return False
    base = node.operands[0]
    return base.kind in ("size", "number") and same_extent(base.args[0], count)


# --------------------------------------------------------------------------- sums


def _read_add(node: Node, view: View, sign: int = 1) -> Form:
    """A sum; or with the sign -1 the sum of its terms negated."""
    terms = flat_operands(node, "add", _MOST_TERMS)
    found = _take_log_softmax(terms, view) if sign > 0 else []
    signed = [(sign * sign_of(t), t) for t in terms]
    ups = sorted((t for s, t in signed if s > 0), key=view.term_key)
    downs = sorted((t for s, t in signed if s < 0), key=view.term_key)
    above = [_signed(t, view, sign) for t in _numbers_last(ups)]
    parts: list[FormPart] = [*found, *above, *(_signed(t, view, -sign) for t in downs)]
    signs = (1,) * (len(found) + len(ups)) + (-1,) * len(downs)
    if signs == (1,):
        return same(parts[0])
    return Form("sum", tuple(parts), signs, len(view.shown[node]))


def _numbers_last(terms: list[Node]) -> list[Node]:
    """x**2 + 1, but 1 + exp(x): numbers come first when only functions follow."""
    numbers = [t for t in terms if number_of(t) is not None]
    others = [t for t in terms if number_of(t) is None]
    functions = all(t.kind == "elementwise" and t.args[0].name not in ("mul", "pow", "add") for t in others)
    return numbers + others if functions else others + numbers


def sign_of(node: Node) -> int:
    """-1 for a term that is written after a minus sign, 1 for others."""
    value = number_of(node)
    if value is not None:
        return -1 if value.is_negative else 1
    if not is_op(node, "mul"):
        return 1
    negative = [
        f for f in flat_operands(node, "mul", MOST_FACTORS) if (v := number_of(f)) is not None and v.is_negative
    ]
    return -1 if len(negative) % 2 else 1


def _signed(node: Node, view: View, sign: int) -> FormPart:
    """A term, or the form of minus a term that has a minus sign."""
    if sign > 0:
        return view.ref(node, loose=True)
    value = number_of(node)
    return numeral(-value) if value is not None else _signed_product(node, view, negate=True)


def _take_log_softmax(terms: list[Node], view: View) -> list[Form]:
    """Remove x and -logsumexp(x) from `terms`, for every x that stands there with it."""
    found = []
    for term in list(terms):
        x, axis = _minus_logsumexp(term)
        if x is None:
            continue
        wanted = [x] if x in terms else flat_operands(x, "add", _MOST_TERMS) if is_op(x, "add") else terms_of(x)
        rest = list(terms)
        if _discard(rest, term) and all(_discard(rest, w) for w in wanted):
            terms[:] = rest
            keywords = {} if axis == x.rank - 1 else {"axis": axis}
            found.append(call("log_softmax", view.ref(x), rank=x.rank, **keywords))
    return found


def _discard(nodes: list[Node], node: Node) -> bool:
    present = node in nodes
    if present:
        nodes.remove(node)
    return present


def _minus_logsumexp(term: Node) -> tuple[Any, int]:
    """(x, axis) when the term is -logsumexp(x, axis), repeated along that axis; else (None, 0)."""
    others = [o for o in term.operands if number_of(o) != -1]
    if not is_op(term, "mul") or len(term.operands) != 2 or len(others) != 1:
        return None, 0
    value: Any = others[0]
    inner = value.operands[0] if value.kind == "expand" else value
    if not isinstance(inner, Reduce) or inner.op != "logsumexp" or len(inner.axes) != 1:
        return None, 0
    x, axis = inner.operands[0], inner.axes[0]
    along = value.rank == x.rank and value.new_axes == (axis,) if value.kind == "expand" else x.rank == 1
    return (x, axis) if along else (None, 0)


# --------------------------------------------------------------------------- the rest


def power(base: FormPart, exponent: Any) -> Form:
    """base ** exponent for a SymPy number; a square root where it is one."""
    if exponent == 1:
        return same(base)
    if exponent == sympy.S.Half:
        return Form("root", (base,), (), base.rank)
    return Form("power", (base, numeral(exponent)), (), base.rank)


def _read_pow(node: Node, view: View) -> Form:
    base, exponent = node.operands
    shown = view.ref(base, loose=True)
    value = number_of(exponent)
    if value is None:
        return Form("power", (shown, view.ref(exponent, loose=True)), (), len(view.shown[node]))
    if value.is_negative:
        return product(1, [], [_positive_power(node, -value, view)])
    return _positive_power(node, value, view)


def _positive_power(node: Node, exponent: Any, view: View) -> Form:
    """The base of a power with another exponent; the root of a sum of squares is a norm."""
    norm = read_norm(node, view) if exponent.is_Rational and exponent.q == 2 else None
    if norm is not None:
        return power(norm, 2 * exponent)
    return power(view.ref(node.operands[0], loose=True), exponent)


def _read_maximum(node: Node, view: View) -> Form:
    x, other = node.operands
    if number_of(other) == 0:
        return call("relu", view.ref(x, loose=True), rank=len(view.shown[node]))
    return _function(node, view)


def _read_exp(node: Node, view: View) -> Form:
    x = node.operands[0]
    if is_op(x, "add"):
        inner = _read_add(x, view)
        if inner.kind == "call" and inner.data[0] == "log_softmax":
            return Form("call", inner.parts, ("softmax", inner.data[1]), inner.rank)
    return _function(node, view)


_MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}


def _read_relation(node: Any, view: View) -> Form:
    """a >= b; a leaf stands on the right of a function or product."""
    a, b = node.operands
    op = node.op
    if not view.height[a] and b.kind == "elementwise":
        a, b, op = b, a, _MIRRORED[op]
    return Form("relation", tuple(view.refs((a, b), loose=True)), (op,), len(view.shown[node]))


def _read_indicator(node: Node, view: View) -> Form:
    return Form("indicator", (view.ref(node.operands[0], loose=True),), (), len(view.shown[node]))


def _read_function(node: Node, view: View) -> Form:
    """A function of SymPy's: its name, its numbers and its operands in their places."""
    function = function_of(node)
    assert function is not None, node
    supply = iter(view.refs(node.operands, loose=True))
    parts: list[FormPart] = [next(supply) if a in function.variables else numeral(a) for a in function.application.args]
    return Form("function", tuple(parts), (function,), len(view.shown[node]))


def _read_cast(node: Node, view: View) -> Form:
    """The operand: what dtype it is computed in is no part of the formula."""
    return same(view.ref(node.operands[0], loose=True))


_OPS: dict[str, Callable[[Any, View], Form]] = {
    **dict.fromkeys(CASTS, _read_cast),
    "add": _read_add,
    "mul": _read_mul,
    "pow": _read_pow,
    "maximum": _read_maximum,
    "exp": _read_exp,
    "indicator": _read_indicator,
    "function": _read_function,
    "eq": _renamed("equal"),
    "ne": _renamed("not_equal"),
    "and": _renamed("logical_and"),
    "or": _renamed("logical_or"),
    "not": _renamed("logical_not"),
    **dict.fromkeys(("lt", "le", "gt", "ge"), _read_relation),
}
