"""Functions of a length that are divided by it, kept whole: a·sin(t)/t with t = ‖w‖ is a·S(Σw²).

In: expressions as written, before they are differentiated.  Out: the same, each product with such functions of one
length written as one function of its square (`expr/sympy/whole.py`) times the rest: sin(t)/t, (1 - cos t)/t², their
likes of t/2 and of a·t, and beside them cos t.  Derivatives are then sums of products of functions that are finite at
0, whatever these stand in: nothing has to be brought together again afterwards (`removable.py`), in rotations, products
of many of them, and second derivatives.
All functions of a length are kept whole, or none: what would stay beside them might have to cancel with them.
Not handled: functions that are not even (a corner at 0); lengths that divide what is left, as in w/‖w‖ alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import sympy
from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.elementwise import Elementwise, is_op
from symnet.expr.nodes.graph import rebuild, topological, with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node, kept_on_node
from symnet.expr.nodes.primitives import PRIMITIVES
from symnet.expr.sympy.whole import ROOT, formula_of, whole
from symnet.simplify.algebra.table import simplify
from symnet.simplify.forms.broadcast import align, trailing
from symnet.simplify.forms.coefficients import sum_of_all
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.signs import is_negative
from symnet.simplify.numeric.singularities.expansions import (
    BasePowers,
    Expander,
    order_in,
    primitive_of,
    restricted,
)
from symnet.simplify.numeric.singularities.function_parts import FunctionPart, function_parts_of
from symnet.simplify.numeric.singularities.lengths_in_front import LengthsInFront, new_axes_last
from symnet.simplify.numeric.singularities.power_series import SERIES_OF
from symnet.simplify.numeric.singularities.variables import arguments_near, monomial_of

COEFFICIENTS = 16  # of a series that show whether it is even


def whole_functions(roots: Iterable[Node]) -> list[Node]:
    """sin(‖w‖)/‖w‖·w → S(Σw²)·w, wherever all functions of a length are such."""
    roots = list(roots)
    if not _lengths(topological(*roots)):
        return roots
    plain = rebuild(roots, new_axes_last)
    new, lost = _kept_whole(plain)
    if lost:
        others, still_lost = _kept_whole(LengthsInFront(lost).of(plain))
        new, lost = (others, still_lost) if len(still_lost) < len(lost) else (new, lost)
    return new if any(formula_of(node) is not None for node in topological(*new)) else roots


def _kept_whole(roots: list[Node]) -> tuple[list[Node], set[Node]]:
    """The roots with functions of lengths kept whole, and the squares of the lengths of which none are."""
    lengths, lost = _lengths(topological(*roots)), set[Node]()
    while lengths:
        found = WholeFunctions(lengths)
        new = [found.of(root) for root in roots]
        given_up = found.lost(new)
        if not given_up:
            return new, lost
        lost |= given_up
        lengths = lengths - given_up
    return roots, lost


def _lengths(nodes: Iterable[Node]) -> set[Node]:
    """The nodes whose roots are the arguments of functions."""
    found = set()
    for node in nodes:
        if is_op(node, *SERIES_OF):
            u = monomial_of(*align(node.operands[0], node.shape))
            square = None if u is None else square_in(u)
            if square is not None:
                found.add(square)
    return found


def square_in(u: BasePowers) -> Node | None:
    """s of u = a·√s, the square of a length; None where there is none."""
    roots = [core for (core, _), e in u.items() if e == sympy.S.Half]
    others = [e for e in u.values() if e != sympy.S.Half]
    if len(roots) != 1 or not all(e.is_Integer for e in others) or not _is_square(roots[0]):
        return None
    return roots[0]


@kept_on_node
def _is_square(x: Node) -> bool:
    """Whether a node is never negative, as w*w is where it is written so."""
    return known(x, "nonnegative") or known(simplify([x])[0], "nonnegative")


@dataclass
class WholeFunctions:
    """The nodes of a graph with functions of some lengths kept whole.

    Attributes:
        lengths: the squares of the lengths.
        look: the expansions made so far.
        squares: the squares of the lengths in the new graph, by what they are in the old one.
        divided: the functions kept whole that are divided by their length.
    """

    lengths: set[Node]
    look: Expander = field(default_factory=lambda: Expander(COEFFICIENTS))
    squares: dict[Node, Node] = field(default_factory=dict)
    divided: set[Node] = field(default_factory=set)
    _new: dict[Node, Node] = field(default_factory=dict)

    def of(self, node: Node) -> Node:
        """The node with its functions kept whole."""
        for each in topological(node, opens=lambda n: n not in self._new):
            if each not in self._new:
                self._new[each] = self._changed(each)
        return self._new[node]

    def lost(self, new: list[Node]) -> set[Node]:
        """The squares of the lengths that are to be left as they are written.

        They have functions that were not kept whole, or none that is divided, or one alone that stands beside no other
        factor: that is no harder than a function of a number, and reads as one.
        """
        lengths = {self.squares.get(s, s): s for s in self.lengths}
        formulas: dict[Node, set[Expr]] = defaultdict(set)
        left, divided, beside = set[Node](), set[Node](), set[Node]()
        for node in topological(*new):
            if (formula := formula_of(node)) is not None:
                here = _lengths_of(node.operands[0], lengths)
                divided |= here if node in self.divided else set()
                for length in here:
                    formulas[length].add(formula)
            elif is_op(node, *SERIES_OF):
                left |= _lengths_of(node.operands[0], lengths, whole=False)
            elif is_op(node, "pow") and is_negative(number_of(node.operands[1])):
                left |= _lengths_of(node.operands[0], lengths)
            elif is_op(node, "mul"):
                cores = {core for core, _ in Factors.view(node).powers}
                for core in cores if len(cores) > 1 else ():
                    beside |= _lengths_of(core.operands[0], lengths) if formula_of(core) is not None else set()
        alone = {length for length, found in formulas.items() if len(found) < 2 and length not in beside}
        return left | (self.lengths - divided) | alone

    def _changed(self, node: Node) -> Node:
        found = None
        if isinstance(node, Elementwise) and is_op(node, "add", "mul", "pow", *SERIES_OF):
            found = next((f for u in self._variables(node) if (f := self._by(node, u)) is not None), None)
        return with_operands(node, [self._new[o] for o in node.operands]) if found is None else found

    def _variables(self, node: Node) -> Iterator[BasePowers]:
        seen = []
        for argument, axes in arguments_near(node, inside=False):
            u = monomial_of(argument, axes)
            if u is not None and u not in seen and square_in(u) in self.lengths:
                seen.append(u)
                yield u

    def _by(self, node: Node, u: BasePowers) -> Node | None:
        """A sum or product with the functions of u in it kept whole; None where there are none."""
        parts = [(part, self._formula(part)) for part in function_parts_of(node, u, self.look)]
        if all(formula is None for _, formula in parts):
            return None
        terms = []
        for part, formula in parts:
            if formula is None:
                terms += [self.of(term) for term in part.terms]
            else:
                terms.append(self._times_rest(part, *formula))
        return broadcast_to(sum_of_all(terms), node.shape)

    def _times_rest(self, part: FunctionPart, formula: Expr, is_divided: bool) -> Node:
        """A function of u kept whole, times what stands beside it."""
        u = part.u
        live = tuple(sorted({a for _, axes in u for a in axes}))
        square = Factors(tuple(part.node.shape[a] for a in live))
        for (core, axes), e in u.items():
            square.times(self.of(core), tuple(live.index(a) for a in axes), 2 * e)
        length = square_in(u)
        assert length is not None
        self.squares[length] = self.of(length)
        rest = self.of(part.rest.build())
        product = Factors(part.node.shape).times(rest, trailing(rest.rank, part.node.rank))
        coefficient, formula = formula.as_content_primitive() if formula.is_Add else formula.as_coeff_Mul()
        product.coefficient *= coefficient
        kept = whole(formula, square.build())
        if is_divided:
            self.divided.add(kept)
        return product.times(kept, live).build()

    def _formula(self, part: FunctionPart) -> tuple[Expr, bool] | None:
        """The function of a part as a formula in t, and whether something in it is infinite at 0; None where it is not
        even, not finite at 0, or no function.
        """
        expansion = part.expansion(self.look) if part.within == float("inf") else None
        if expansion is None or expansion.series.start < 0 or expansion.series.start % 2:
            return None
        if any(expansion.series.coefficients[1::2]):
            return None
        terms = [_formula_of_piece(piece, order, part.u) for piece, order in part.pieces]
        if any(term is None for term in terms):
            return None
        formula = sympy.Add(*terms)
        if not formula.has(sympy.Function, sympy.exp):
            return None
        return formula, expansion.pole < 0


def _lengths_of(argument: Node, lengths: dict[Node, Node], whole: bool = True) -> set[Node]:
    """The squares of lengths in an argument; or those to a power that is no whole one."""
    powers = primitive_of(argument)[1].items()
    return {
        lengths[core]
        for (core, _), e in powers
        if core in lengths and (whole or not (isinstance(e, Expr) and e.is_Integer))
    }


def _formula_of_piece(piece: Factors, order: int, u: BasePowers) -> Expr | None:
    found = [_formula_of_power(piece, base, u) for base in piece.powers]
    if any(f is None for f in found):
        return None
    return sympy.Mul(piece.coefficient, ROOT**order, *found)


def _formula_of_power(factors: Factors, base: Base, u: BasePowers) -> Expr | None:
    exponent = factors.powers[base]
    inner = None if isinstance(exponent, Node) else _formula_on(*base, u)
    return None if inner is None else inner**exponent


def _formula_on(core: Node, axes: tuple[int, ...], u: BasePowers) -> Expr | None:
    inside = restricted(u, axes)
    if inside is None:
        return number_of(core)
    return formula_in(core, inside)


def formula_in(node: Node, u: BasePowers) -> Expr | None:
    """A function of u as a formula in t = u; None for what is none."""
    value = number_of(node)
    if value is not None:
        return value
    k = order_in(node, u)
    if k is not None:
        return primitive_of(node)[0] * ROOT**k
    if not isinstance(node, Elementwise) or not is_op(node, "add", "mul", "pow", *SERIES_OF):
        return None
    if is_op(node, "mul"):
        part = function_parts_of(node, u, Expander(COEFFICIENTS))[0]
        return _formula_of_piece(*part.pieces[0], u) if not part.rest.powers else None
    found = [_formula_on(*align(o, node.shape), u) for o in node.operands]
    if any(f is None for f in found):
        return None
    if is_op(node, "add"):
        return sympy.Add(*found)
    if is_op(node, "pow"):
        return sympy.Pow(*found)
    function = PRIMITIVES[node.op].sympy
    return None if function is None else function(*found)
