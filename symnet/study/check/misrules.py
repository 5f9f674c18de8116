"""Rules of differentiation that were got wrong: what a function's derivative becomes where one of them is misapplied.

In: a function and a variable.  Out: `Misrule`s: the rule that was broken and where, with the wrong derivative that
follows from it.
A derivative is taken from the inside out, with the right rule at every node but one, and with a wrong one there.
Between the variable and the value that elementwise operations start from, the true rules of reverse mode are used.
Not handled: functions whose elementwise operations start from several values of the variable; two rules broken at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from symnet import dtypes
from symnet.diff import pullback
from symnet.diff.elementwise import slope
from symnet.errors import SymnetError
from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import Elementwise, elementwise, exp, is_op, log, power
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import depends_on, topological, with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import simplify

MOST_NODES = 40  # of a function in which rules are broken
_LONGEST = 30  # characters of a part that is written out
_OPAQUE = frozenset({"where", "maximum", "minimum"})  # operations that no rule of a textbook is about

Broken = tuple[str, Node]  # (what is said, the wrong derivative of the node)


class Misrule(NamedTuple):
    """A wrong derivative of a function, and the rule that was broken."""

    said: str
    whole: Node


class _Body(NamedTuple):
    """A function as scale·Σ value, and the node z that the elementwise operations of `value` start from."""

    value: Node
    scale: Node
    start: Node


def misrules(function: Node, variable: Node) -> Iterator[Misrule]:
    """Every wrong derivative of a scalar that one broken rule gives, of the variable's shape."""
    body = _body(function, variable)
    if body is None:
        return
    for node in reversed(topological(body.value)):
        if node.kind == "elementwise" and node in depends_on([body.value], [body.start]):
            for said, wrong in _broken(node, body.start):
                whole = _derivative(body.value, body.start, {node: wrong})
                if whole is not None:
                    yield from _carried(said, whole, body, variable)


def _carried(said: str, whole: Node, body: _Body, variable: Node) -> Iterator[Misrule]:
    try:
        cotangent = broadcast_to(whole * body.scale, body.start.shape)
        gradient = pullback(body.start, cotangent, [variable])[variable]
    except SymnetError:
        return
    if gradient is not None:
        yield Misrule(said, gradient)


# --------------------------------------------------------------------------- what is differentiated


def _body(function: Node, variable: Node) -> _Body | None:
    """The elementwise part of a scalar function, without the sums and factors around it."""
    value, scale = function, number(1)
    active = depends_on([function], [variable])
    while True:
        if value.kind == "named" or (isinstance(value, Einsum) and value.is_sum):
            value = value.operands[0]
        elif is_op(value, "mul") and not value.rank and sum(o in active for o in value.operands) == 1:
            scale = elementwise("mul", scale, *(o for o in value.operands if o not in active))
            value = next(o for o in value.operands if o in active)
        else:
            break
    start = _start(value, variable, active)
    return None if start is None or value is start else _Body(value, scale, start)


def _start(value: Node, variable: Node, active: Collection[Node]) -> Node | None:
    """The one node, of the value's shape, from which elementwise operations lead to it."""
    nodes, found, seen = [value], set(), set()
    while nodes:
        node = nodes.pop()
        if node in seen or node not in active:
            continue
        seen.add(node)
        if node is variable or node.kind not in ("elementwise", "named"):
            found.add(node)
        else:
            nodes.extend(node.operands)
    start = found.pop() if len(found) == 1 else None
    fits = start is not None and same_shape(start.shape, value.shape) and len(seen) <= MOST_NODES
    return start if fits else None


def _derivative(value: Node, start: Node, broken: Mapping[Node, Node]) -> Node | None:
    """∂value/∂start, element by element, with the derivatives of some nodes given; None where it is zero."""
    done: dict[Node, Node | None] = {}
    for node in topological(value):
        if node is start:
            done[node] = number(1)
        elif node in broken:
            done[node] = broken[node]
        elif node.kind == "named":
            done[node] = done[node.operands[0]]
        elif isinstance(node, Elementwise):
            done[node] = _chain(node, [done.get(o) for o in node.operands])
    return done.get(value)


def _chain(node: Elementwise, inner: list[Node | None]) -> Node | None:
    """Σₖ ∂node/∂operandₖ · the derivative of operandₖ."""
    terms = [(slope(node, k), d) for k, d in enumerate(inner) if d is not None]
    products = [d * s for s, d in terms if s is not None and d is not None]
    return None if not products else products[0] if len(products) == 1 else elementwise("add", *products)


# --------------------------------------------------------------------------- the rules, broken


def _broken(node: Node, start: Node) -> Iterator[Broken]:
    """The wrong derivatives of one elementwise node."""
    if not isinstance(node, Elementwise) or node.op in _OPAQUE or node.dtype not in dtypes.REAL:
        return
    inner = {o: d for o in node.operands if (d := _derivative(o, start, {})) is not None}
    try:
        if node.op == "mul":
            yield from _products(node, inner)
        elif node.op == "pow":
            yield from _powers(node, inner, start)
        elif len(node.operands) == 1 and inner:
            yield from _functions(node, inner[node.operands[0]], start)
    except SymnetError:  # a rule that the operation does not have
        return


def _at(node: Node) -> str:
    return f" at {node}" if len(str(node)) <= _LONGEST else ""


def _the(node: Node, otherwise: str) -> str:
    return str(node) if len(str(node)) <= _LONGEST else otherwise


def _derivative_of(u: Node, du: Node) -> str:
    """What is missing, and its value."""
    (plain,) = simplify([du])
    value = plain.operands[0] if plain.kind == "expand" else plain
    return f"the derivative of {_the(u, 'what is inside')}{f', {value},' if len(str(value)) <= _LONGEST else ''}"


def _products(node: Elementwise, inner: Mapping[Node, Node]) -> Iterator[Broken]:
    """A product, or a quotient, of the factors that vary; what does not vary stays as it is."""
    above = [o for o in node.operands if o in inner and not _is_reciprocal(o)]
    below = [o for o in node.operands if o in inner and _is_reciprocal(o)]
    fixed = _product([o for o in node.operands if o not in inner])
    if below:
        yield from _quotients(node, above, below, fixed, inner)
    elif len(above) > 1:
        rule = f"the product rule{_at(node)}, (u*v)' = u'*v + u*v',"
        if len(above) == 2:
            (u, v), (du, dv) = above, (inner[o] for o in above)
            yield f"{rule} has a plus", fixed * (du * v - u * dv)
            yield f"{rule} has a plus", fixed * (u * dv - du * v)
            yield f"{rule} has a second term", fixed * du * v
            yield f"{rule} has a second term", fixed * u * dv
        yield f"{rule} multiplies no derivatives with each other", fixed * _product([inner[o] for o in above])
        if len(above) == 2:
            yield f"{rule} does not add the derivatives alone", fixed * (du + dv)


def _is_reciprocal(node: Node) -> bool:
    exponent = number_of(node.operands[1]) if is_op(node, "pow") else None
    return exponent is not None and exponent < 0


def _product(factors: list[Node]) -> Node:
    return elementwise("mul", *factors) if len(factors) > 1 else factors[0] if factors else number(1)


def _quotients(
    node: Elementwise, above: list[Node], below: list[Node], fixed: Node, inner: Mapping[Node, Node]
) -> Iterator[Broken]:
    u, v = _product(above), _product([_denominator(o) for o in below])
    du = _total(above, inner)
    slopes = {_denominator(o): -inner[o] * power(_denominator(o), number(2)) for o in below}  # (1/v)' = -v'/v²
    dv = _total(list(slopes), slopes)
    rule = f"the quotient rule{_at(node)}, (u/v)' = (u'*v - u*v')/v**2,"
    squared = power(v, number(2))
    yield f"{rule} has a minus", fixed * (du * v + u * dv) / squared
    yield f"{rule} has its terms in this order", fixed * (u * dv - du * v) / squared
    yield f"{rule} squares the denominator", fixed * (du * v - u * dv) / v
    yield f"{rule} divides by the square of the denominator", fixed * (du * v - u * dv)
    yield f"{rule} does not divide the derivatives", fixed * du / dv
    yield f"{rule} differentiates the denominator, too", fixed * du / v
    yield f"{rule} multiplies u by the derivative of v", fixed * (du * v - u) / squared


def _denominator(node: Node) -> Node:
    """v of the factor 1/v."""
    base, exponent = node.operands
    p = number_of(exponent)
    return base if p == -1 else power(base, number(-p)) if p is not None else base


def _total(factors: list[Node], inner: Mapping[Node, Node]) -> Node:
    """The derivative of a product."""
    terms = [_product([inner[f] if k == j else f for k, f in enumerate(factors)]) for j in range(len(factors))]
    return elementwise("add", *terms) if len(terms) > 1 else terms[0] if terms else number(0)


def _powers(node: Elementwise, inner: Mapping[Node, Node], start: Node) -> Iterator[Broken]:
    u, n = node.operands
    lowered = power(u, n - 1)
    if n in inner:
        du = inner.get(u, number(1))
        why = f"{_the(node, 'it')} is no power with a fixed exponent: the rule for u**n does not hold"
        yield why, n * lowered * du
        yield why, n * lowered
        if u not in inner:
            rule = f"the rule for exponentials{_at(node)}, (a**u)' = a**u*log(a)*u'"
            yield f"{rule}: the factor {_the(log(u), 'log(a)')} is missing", node * inner[n]
            if n is not start:
                yield f"{rule}: the derivative of {_the(n, 'u')} is missing", node * log(u)
        return
    du = inner[u]
    rule = f"the power rule{_at(node)}, (u**n)' = n*u**(n - 1)*u'"
    yield f"{rule}: the exponent stays as it was", n * node * du
    yield f"{rule}: the factor {_the(n, 'n')} is missing", lowered * du
    yield f"{rule}: the factor is {n}, the exponent before it is lowered", (n - 1) * lowered * du
    yield f"{rule}: the exponent is to be lowered, not raised", n * power(u, n + 1) * du
    integral = log(u) if number_of(n) == -1 else power(u, n + 1) / (n + 1)
    yield f"{_the(node, 'the power')} was integrated, not differentiated", integral
    if u is not start:
        yield f"the chain rule{_at(node)}: {_derivative_of(u, du)} is missing", n * lowered
        yield f"the chain rule{_at(node)}: u' stands where u should, in u**{n}", power(du, n)
        yield f"{rule}: u' stands where u should, and u' is missing", n * power(du, n - 1)
        yield f"{rule}: n*u**(n - 1) and u' were added", n * lowered + du
        yield f"{rule}: the power itself stands where its derivative should", node * du


def _functions(node: Elementwise, du: Node, start: Node) -> Iterator[Broken]:
    u = node.operands[0]
    local = slope(node, 0)
    if local is None:
        return
    if node.op == "exp":
        yield f"{_the(node, 'exp(u)')} is no power: the rule for u**n does not hold", u * exp(u - 1) * du
    if u is start:
        return
    rule = f"the chain rule{_at(node)}, f(u)' = f'(u)*u'"
    yield f"{rule}: {_derivative_of(u, du)} is missing", local
    yield f"{rule}: the derivatives were added", local + du
    moved = with_operands(node, [broadcast_to(du, u.shape)])
    yield f"{rule}: only what is inside was differentiated", moved
    outer = slope(moved, 0) if isinstance(moved, Elementwise) else None
    if outer is not None:
        yield f"{rule}: f' was taken at u', not at u", outer
        yield f"{rule}: f' was taken at u', not at u", outer * du
