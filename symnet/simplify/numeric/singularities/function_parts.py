"""Terms and products as functions of one variable: f(u)·rest.

In: a sum or a product, and the variable u as powers of bases.  Out: its `FunctionPart`s: terms in which the
same factors stand beside functions of u are one part, and each part has its expansion.
Not handled: a term whose functions are of several variables; it is a part of its own, and has no expansion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import sympy

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import is_op, operands_of
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import align, trailing
from symnet.simplify.forms.coefficients import ONE
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.signs import is_negative, is_positive
from symnet.simplify.numeric.singularities.expansions import BasePowers, Expander, Expansion, logarithm, product
from symnet.simplify.numeric.singularities.variables import may_divide_by_zero, possible_variables


@dataclass
class FunctionPart:
    """Terms of a sum, or a whole product: `rest` times one function of u.

    Attributes:
        node: the sum or product.
        u: the variable.
        rest: the factors that are no functions of it.
        terms: those operands of the sum that are meant.
        pieces: for each the number in front with the factors that are functions of u, and a power of u.
        within: where |u| is below this, the branches that the pieces took of choices are those that count.
    """

    node: Node
    u: BasePowers
    rest: Factors
    terms: list[Node] = field(default_factory=list)
    pieces: list[tuple[Factors, int]] = field(default_factory=list)
    within: float = math.inf

    def expansion(self, expander: Expander) -> Expansion | None:
        """The expansion of the part's function of u."""
        found = [_expanded(*p, self.u, expander) for p in self.pieces]
        whole = None if any(f is None for f in found) else expander.total([f for f in found if f is not None])
        return None if whole is None else replace(whole, within=min(whole.within, self.within))

    @cached_property
    def apart(self) -> Node | None:
        """What stands beside the function, as one node, where it may be 0/0 by another variable."""
        whole = self.rest.build()
        return whole if may_divide_by_zero(whole) and possible_variables(whole) else None

    @property
    def boundary(self) -> list[Node]:
        """The nodes that the function does not look into."""
        if self.apart is not None:
            return [*(core for core, _ in self.u), self.apart]
        powers = (*self.u.items(), *self.rest.powers.items())
        return [n for (core, _), e in powers for n in (core, e) if isinstance(n, Node)]


def _expanded(piece: Factors, order: int, u: BasePowers, expander: Expander) -> Expansion | None:
    whole = expander.of(number(piece.coefficient), {})
    if whole is not None and order:
        whole = product(whole, expander.variable(order))
    for base in piece.powers:
        factor = expander.of_factor(piece, base, u)
        whole = None if whole is None or factor is None else product(whole, factor)
    return whole


def function_parts_of(node: Node, u: BasePowers, expander: Expander) -> list[FunctionPart]:
    """The terms of a node by what stands beside functions of u in them."""
    found: dict[object, FunctionPart] = {}
    for term in operands_of("add", node):
        rest, piece = Factors(node.shape), Factors(node.shape)
        factors, within = _opened(Factors(node.shape).times(term, trailing(term.rank, node.rank)), u, expander)
        piece.coefficient = factors.coefficient
        for base, exponent in factors.powers.items():
            inside = expander.of_factor(factors, base, u) is not None
            (piece if inside else rest).powers[base] = exponent
        order = _variable_in(rest, u)
        part = found.setdefault(frozenset(rest.powers.items()), FunctionPart(node, u, rest))
        part.within = min(part.within, within)
        part.terms.append(term)
        part.pieces.append((piece, order))
    return list(found.values())


def _opened(factors: Factors, u: BasePowers, expander: Expander) -> tuple[Factors, float]:
    """The factors, d·log(x) in the place of xlogy(d, x) where both agree near 0, and the branch that is taken near 0 in
    the place of a choice, and how near; only of factors that are no function of u as they stand.
    """
    within = math.inf
    tried: set[Base] = set()
    while waiting := [b for b, e in factors.powers.items() if is_op(b[0], "xlogy", "where") and b not in tried]:
        core, axes = waiting[0]
        tried.add((core, axes))
        e = factors.powers[core, axes]
        if isinstance(e, Node) or expander.of_core(core, axes, u) is not None:
            continue
        inside = [(x, tuple(axes[a] for a in places)) for x, places in (align(o, core.shape) for o in core.operands)]
        if is_op(core, "xlogy"):
            opened = _log_factors(inside, u, expander)
        else:
            opened, near = _branch(inside, u, expander)
            within = min(within, near)
        if opened:
            del factors.powers[core, axes]
            for each in opened:
                factors.times(*each, e)
    return factors, within


def _log_factors(operands: list[Base], u: BasePowers, expander: Expander) -> list[Base]:
    """The factors d·log(x) of xlogy(d, x), where d is not 0 near 0, or log x is finite there."""
    weight, (x, axes) = operands
    log = (logarithm(x), axes)
    if _is_finite(log, u, expander):
        return [weight, log]
    found = expander.of_core(*weight, u)
    return [weight, log] if found is not None and found.series.start == 0 else []


def _branch(operands: list[Base], u: BasePowers, expander: Expander) -> tuple[list[Base], float]:
    """The branch of where(c, x, y) that is taken near 0, and how near: c is settled there, or guards what is finite, as
    in where(d = 0, 0, d·x).
    """
    condition, *branches = operands
    holds, within = expander.settled_around_zero(*condition, u)
    if holds is not None:
        return [branches[0 if holds else 1]], within
    core, axes = branches[1]
    guarded = is_op(condition[0], "eq") and number_of(branches[0][0]) == 0 and number_of(condition[0].operands[1]) == 0
    if not guarded or not is_op(core, "mul"):
        return [], math.inf
    weight, places = align(condition[0].operands[0], condition[0].shape)
    beside = Factors(core.shape).times(core, tuple(range(core.rank)))
    beside.times(weight, tuple(axes.index(condition[1][a]) for a in places), -ONE)
    others = [(c, tuple(axes[a] for a in at)) for c, at in beside.powers]
    finite = all(not is_negative(e) for e in beside.powers.values()) and all(_is_finite(b, u, expander) for b in others)
    return [branches[1]] if finite else [], math.inf


def _is_finite(base: Base, u: BasePowers, expander: Expander) -> bool:
    if base in u:
        return True  # where it is infinite, u is not near 0
    found = expander.of_core(*base, u)
    return found is not None and found.pole == 0


def _variable_in(rest: Factors, u: BasePowers) -> int:
    """Take a power of u = a·x out of a²·x⁻¹ = a³·(a·x)⁻¹: the one that leaves no negative power of its bases."""
    held = {base: rest.powers.get(base, sympy.S.Zero) for base in u}
    if any(isinstance(e, Node) for e in held.values()):
        return 0
    count = min(math.floor(e / u[base]) for base, e in held.items() if is_positive(u[base]))
    for base, exponent in u.items() if count else ():
        left = rest.powers.pop(base, sympy.S.Zero) - count * exponent
        if left != 0:
            rest.powers[base] = left
    return count
