"""Divisors of what is joined, taken to the pieces: concat(f(u)·x, …)/u² → concat(f(u)·x/u², …).

In: products in the numeric form, such as the slopes by the elements of a vector.  Out: the same with a divisor beside
the functions of its base in every piece, where what they have in common at 0 can be seen.
Not handled: divisors that vary along the joined axis.
"""

from __future__ import annotations

from collections.abc import Iterable

from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.movement import Concat, concat
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import without_repetition
from symnet.simplify.forms.coefficients import ONE
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.signs import is_negative
from symnet.simplify.numeric.singularities.variables import holds_functions_of
from symnet.simplify.rewrite import GraphRewrite
from symnet.simplify.trace import Step


def divisors_of_what_is_joined(roots: Iterable[Node], trace: list[Step] | None = None) -> list[Node]:
    """concat(sin(u)·x, …)/u → concat(sin(u)·x/u, …), wherever it stands."""
    roots = list(roots)
    order = topological(*roots)
    joined = {n for n in order if is_op(n, "mul") and any(without_repetition(o).kind == "concat" for o in n.operands)}
    if not joined:
        return roots
    new: dict[Node, Node] = {}
    for node in order:
        new[node] = with_operands(node, [new[o] for o in node.operands])
        divided = divide_what_is_joined(new[node]) if node in joined else None
        if divided is not None:
            if trace is not None:
                trace.append(Step(DIVIDED_JOINS, new[node], divided, new[node], divided))
            new[node] = divided
    return [new[root] for root in roots]


def divide_what_is_joined(node: Node) -> Node | None:
    """concat(sin(u)·x, …)/u → concat(sin(u)·x/u, …).

    Condition: a function of the divisor's base stands in a piece, and the divisor does not vary along the joined axis.
    """
    factors = Factors.view(node)
    for (joined, places), exponent in factors.powers.items():
        if exponent != 1 or not isinstance(joined, Concat):
            continue
        axis = places[joined.axis]
        divisors = [base for base, e in factors.powers.items() if is_negative(e) and axis not in base[1]]
        inside = [base for base in divisors if _is_met(base, joined) and set(base[1]) <= set(places)]
        if inside:
            rest = factors.copy()
            for base in ((joined, places), *inside):
                del rest.powers[base]
            pieces = [_divided(piece, inside, factors, places) for piece in joined.operands]
            return rest.times(concat(pieces, joined.axis), places).build()
    return None


def _is_met(divisor: Base, joined: Concat) -> bool:
    base = divisor[0].operands[0] if is_op(divisor[0], "pow") else divisor[0]
    return any(holds_functions_of(piece, {(base, ()): ONE}) for piece in joined.operands)


def _divided(piece: Node, divisors: list[Base], factors: Factors, places: tuple[int, ...]) -> Node:
    """A piece over the divisors, which stand on its axes."""
    product = Factors(piece.shape).times(piece, tuple(range(piece.rank)))
    for core, axes in divisors:
        product.times(core, tuple(places.index(a) for a in axes), factors.powers[core, axes])
    return product.build()


DIVIDED_JOINS = GraphRewrite(divisors_of_what_is_joined, domain="equal", role="stable")
