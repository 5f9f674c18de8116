"""Products with S^(-n/2), S a sum of squares, in an order that stays in the range: `scaled_squares.py` has the scales.

In: products in the numeric form, such as the slopes of norms, of atan2 and of log(1 + x²).  Out: the same with the
squares of s·x in S and s beside every x.  S^(-n/2) is taken apart into reciprocals of S', each of which stands after
the two factors x that it belongs to: (x·s)·(x·s)/S' is of the size 1, where x², S'² and g·s leave the range by
themselves.  What has nothing to do with S comes late, before the last s, which may take the whole to its small size.
Where no factor belongs to S, the first leads with one s, as in g·s/S'·h·s.
Not handled: a scalar product x·y that overflows where no norm of x or y stands beside it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import elementwise, is_op, operands_of, where
from symnet.expr.nodes.expansion import Expand
from symnet.expr.nodes.graph import with_operands
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.exposing import DEEPEST, expose
from symnet.simplify.algebra.hoisting import moves_of
from symnet.simplify.algebra.joined_choices import choice_of_moved
from symnet.simplify.algebra.placing import is_zero
from symnet.simplify.forms.broadcast import cover, without_repetition
from symnet.simplify.forms.coefficients import ONE, product, sum_of_all
from symnet.simplify.forms.factors import Factors, power_of, split_power
from symnet.simplify.forms.signs import is_negative
from symnet.simplify.numeric.scaled_squares import degree_of, places_of, scale_of, scaled
from symnet.simplify.rewrite import Rewrite

MOST = 8  # of n in S^(-n/2)
LEVELS = 6  # of sums, products and choices in which squares are looked for
MODERATE = sympy.Integer(2) ** 20  # numbers in front that are no farther from 1 change no range


def quotient_by_squares(node: Node) -> Node | None:
    """x·y·S^(-n/2) → ((x·s)·(y·s)/S')·…·s, S a sum of squares, S' that of s·x, n factors s in all.

    Condition: n > 1, and n is odd, or two factors stand above it, or S is a sum over an axis, or of two terms or more
    (as in the slopes of atan2, and in x/(1 + x²)).
    """
    for found in negative_powers(node):
        count = found.count
        above = sum(len(_parts(o)) for o in found.others if number_of(o) is None)
        if (
            count > 1
            and above
            and (count % 2 or above > 1 or isinstance(found.base, Einsum) or is_op(found.base, "add"))
        ):
            return _interleaved(found, count)
    return None


def multiply_into_choice_of_quotient(node: Node) -> Node | None:
    """x·where(c, y/S², 0) → where(c, x·y/S², 0), and x·(where(c, y/S², 0) + z) so too, S = 1 + x² or another sum of
    squares, moved or not.

    Condition: x or what it is moved from is squared in S, which divides twice: y/S² by itself leaves the range.
    """
    for factor in node.operands:
        squared = set(_squared_in_choices(factor)) if factor.shape == node.shape else set()
        taken = [o for o in node.operands if o.rank == node.rank and moves_of(split_power(o)[0])[1] in squared]
        if taken:
            terms = [_multiplied(t, taken) for t in operands_of("add", factor)]
            rest = [o for o in node.operands if o is not factor and o not in taken]
            return broadcast_to(product(ONE, (*rest, sum_of_all(terms))), node.shape)
    return None


def _multiplied(term: Node, taken: list[Node]) -> Node:
    """A term times factors, which go into its choice."""
    factors = [choice_of_moved(f) for f in operands_of("mul", term)]
    choices = [f for f in factors if is_op(f, "where") and is_zero(f.operands[2])]
    if not choices:
        return elementwise("mul", *taken, term)
    condition, inside, zero = choices[0].operands
    whole = Factors.of(elementwise("mul", *taken, expose(inside, DEEPEST))).build()
    chosen = where(condition, broadcast_to(whole, choices[0].shape), zero)
    return product(ONE, (*(f for f in factors if f is not choices[0]), chosen))


def _squared_in_choices(x: Node) -> Iterator[Node]:
    """What is squared in the sums of squares that divide twice in a branch of a choice, or in one of the terms: a value
    is looked at once, for a graph that shares is no tree, and none deep inside sums of products.
    """
    seen: set[Node] = set()
    level = [x]
    for _ in range(LEVELS):
        below: list[Node] = []
        for node in level:
            if node in seen:
                continue
            seen.add(node)
            if is_op(node, "add", "mul"):
                below += node.operands
            choice = choice_of_moved(node)
            if is_op(choice, "where") and is_zero(choice.operands[2]):
                below.append(choice.operands[1])
                for factor in operands_of("mul", choice.operands[1]):
                    yield from _squared_below(factor)
        level = below


def _squared_below(factor: Node) -> Iterator[Node]:
    base, exponent = split_power(without_repetition(factor))
    total = moves_of(base)[1]
    if not isinstance(exponent, Node) and is_negative(exponent + 1) and degree_of(total) == 2:
        yield from (moves_of(x)[1] for x in _bases(total))


def scalar_product_over_norm(node: Node) -> Node | None:
    """(x·y)·(Σx²)^(-1/2) → ((s·x)·y)·(Σ(s·x)²)^(-1/2).  Always: x·y overflows where the cosine is a number."""
    for found in negative_powers(node):
        one = found.degree == 2 and found.exponent == -sympy.S.Half
        if one and any(_operand_of(o, found) is not None for o in found.others):
            return _interleaved(found, 1)
    return None


def slope_of_norm_of_order(node: Node) -> Node | None:
    """x·|x|^(q-2)·(Σ|x|^q)^(1/q - 1) → (s·x)·(s·|x|)^(q-2)·(Σ(s·|x|)^q)^(1/q - 1).

    Condition: the powers of x beside the sum have the sum's degree, so that the scale cancels.
    """
    for found in negative_powers(node):
        if found.degree == 2:
            continue
        powers = [(o, *split_power(o)) for o in found.others]
        mine = {o: e for o, base, e in powers if base in found.bases}
        if mine and abs(sum(mine.values()) + found.degree * found.exponent) < 1e-15:
            scale, (root, _) = found.scale, found.roots(0)[0]
            rest = [power_of(elementwise("mul", scale, b), e) if o in mine else o for o, b, e in powers]
            return elementwise("mul", *rest, root)
    return None


# --------------------------------------------------------------------------- what divides


@dataclass(frozen=True)
class Quotient:
    """A factor base^exponent of a product, guarded at zero and repeated or not, and the factors beside it."""

    factor: Node
    guard: Node | None
    base: Node
    exponent: Expr
    degree: Expr
    others: list[Node]

    @property
    def count(self) -> int:
        """n of S^(-n/2), S a sum of squares; 0 where it is none, or large."""
        count = -2 * self.exponent if self.degree == 2 else sympy.S.Zero
        return int(count) if count.is_Integer and count <= MOST else 0

    @property
    def scale(self) -> Node:
        """The scale s of the sum of squares, repeated to where the factor stands."""
        return self._repeated(scale_of(self.base, self.degree, 1, self._highest))

    @property
    def bases(self) -> frozenset[Node]:
        """What is squared in the sum."""
        return frozenset(_bases(self.base))

    @property
    def _highest(self) -> int:
        """n of the highest of the powers that S^(-n/2) is taken apart into."""
        return 3 if self.count > 1 and self.count % 2 else 2

    def roots(self, count: int) -> list[tuple[Node, int]]:
        """The powers of the sum of (s·x)² whose product is the factor, each with the number of its factors s."""
        total = scaled(self.base, self.degree, self._highest)
        if count < 2:
            return [(self._guarded(power_of(total, self.exponent), first=True), count)]
        first = self._highest
        counts = [first, *(2 for _ in range((count - first) // 2))]
        powers = [power_of(total, sympy.Rational(-n, 2)) for n in counts]
        return [(self._guarded(p, first=k == 0), n) for k, (p, n) in enumerate(zip(powers, counts, strict=True))]

    def _guarded(self, power: Node, first: bool) -> Node:
        """A power of the sum where the factor stands; what it is at zero is the first one's."""
        if self.guard is not None:
            condition, at_zero, _ = self.guard.operands
            power = with_operands(self.guard, [condition, at_zero if first else number(1), power])
        return self._repeated(power)

    def _repeated(self, x: Node) -> Node:
        return with_operands(self.factor, [x]) if isinstance(self.factor, Expand) else x


def negative_powers(node: Node) -> Iterator[Quotient]:
    """The factors (Σ|x|^q)^e of a product, e negative."""
    for place, factor in enumerate(node.operands):
        inner = factor.operands[0] if isinstance(factor, Expand) else factor
        root = inner.operands[2] if is_op(inner, "where") else inner
        exponent = number_of(root.operands[1]) if is_op(root, "pow") else None
        total = expose(root.operands[0], DEEPEST) if is_negative(exponent) else root
        degree = degree_of(total) if is_negative(exponent) else None
        if exponent is not None and degree is not None:
            others = [_with_power_outside(o) for k, o in enumerate(node.operands) if k != place]
            yield Quotient(factor, None if root is inner else inner, total, exponent, degree, others)


def _with_power_outside(x: Node) -> Node:
    """x[k:]² for (x²)[k:]: the power outside the move; other nodes as they are."""
    return expose(x, DEEPEST) if is_op(moves_of(x)[1], "pow") else x


def _bases(total: Node) -> Iterator[Node]:
    """x and |x| for a sum of |x|^q."""
    if isinstance(total, Einsum) and len(total.operands) == 2:
        yield total.operands[0]
    elif is_op(total, "add", "mul") or isinstance(total, Einsum):
        for each in total.operands:
            yield from _bases(each)
    elif is_op(total, "pow"):
        yield total.operands[0]
        yield from total.operands[0].operands[:1] if is_op(total.operands[0], "abs") else ()


# --------------------------------------------------------------------------- what is multiplied, and in which order


@dataclass(frozen=True)
class Unit:
    """A factor, and the number of its parts that can be scaled one by one."""

    parts: int
    scaled: Callable[[int], Node]


def _interleaved(found: Quotient, count: int) -> Node:
    """x·s·y·s·S'⁻¹·…·s, from left to right: no product on the way leaves the range if the whole does not."""
    numbers = [o for o in found.others if number_of(o) is not None]
    factors = [o for o in found.others if number_of(o) is None]
    mine = [o for o in factors if _belongs(o, found)]
    lead = mine or [next((o for o in factors if not is_negative(_exponent(o))), factors[0])]
    rest = [o for o in factors if o not in lead]
    quotients = [o for o in rest if is_negative(_exponent(o))]  # they meet what is theirs inside the product
    units = [unit for o in lead for unit in _units(o, found, count if mine else 1)]
    chain: list[Node] = []
    roots = found.roots(count)
    if numbers and _is_reduced(found) and all(map(_is_moderate, numbers)):  # a number meets the fewest elements there
        roots[0] = (_times(numbers, roots[0][0]), roots[0][1])
        numbers = []
    for k, (root, left) in enumerate(roots):
        before = left if mine else 1  # g·s·s/S' is 0 where g is an ordinary number, g·s/S'·s is g/S
        while before and units:
            unit = units.pop(0)
            used = min(before, unit.parts)
            chain.append(unit.scaled(used))
            before, left = before - used, left - used
        chain += [*(quotients if k == 0 else ()), root, *[found.scale] * left]
    chain += [unit.scaled(0) for unit in units]
    late = [part for o in rest if o not in quotients for part in (_parts(o) if is_op(o, "pow") else (o,))]
    half = len(late) if count == 1 else (len(late) + 1) // 2 if chain[-1] is found.scale else 0
    chain = [*chain[:-1], *late[:half], chain[-1], *late[half:]]
    whole = functools.reduce(lambda a, b: elementwise("mul", a, b), chain)
    return product(ONE, (*numbers, whole))


def _is_reduced(found: Quotient) -> bool:
    """Whether the sum has fewer elements than what it divides."""
    return isinstance(found.factor, Expand) or any(o.rank > found.factor.rank for o in found.others)


def _is_moderate(x: Node) -> bool:
    """Whether this is a number, not far from 1 and no sign, of which a sum makes a difference."""
    value = number_of(x)
    return value is not None and abs(value) != 1 and 1 / MODERATE <= abs(value) <= MODERATE


def _times(numbers: Sequence[Node], x: Node) -> Node:
    """A number of times a node, inside its repetition."""
    inner = without_repetition(x)
    new = elementwise("mul", *numbers, inner)
    return with_operands(x, [new]) if inner is not x else new


def _belongs(factor: Node, found: Quotient) -> bool:
    """Whether a factor is a power or product of what is squared in the sum, or a scalar product with it."""
    parts = map(without_repetition, _parts(factor))
    return _operand_of(factor, found) is not None or any(part in found.bases for part in parts)


def _exponent(factor: Node) -> Expr | None:
    """The exponent of a power, guarded or repeated or not."""
    inner = without_repetition(factor)
    root = inner.operands[2] if is_op(inner, "where") else inner
    return number_of(root.operands[1]) if is_op(root, "pow") else None


def _units(factor: Node, found: Quotient, count: int) -> list[Unit]:
    """A power as `count` factors and the rest of it, an outer product by its vectors, anything else as it is."""
    scale, place = found.scale, _operand_of(factor, found)
    if place is not None:
        return [Unit(1, lambda used: _scaled_operand(factor, place, found) if used else factor)]
    parts = _parts(factor)
    if is_op(factor, "pow") and len(parts) > 1:
        alone = [Unit(1, lambda used: product(ONE, (*[scale] * used, parts[0]))) for _ in parts[:count]]
        left = len(parts) - count
        return [*alone, *([Unit(0, lambda used: power_of(parts[0], sympy.Integer(left)))] if left > 0 else ())]
    parts = parts if not scale.rank else (factor,)
    return [Unit(len(parts), lambda used: _scaled_parts(factor, parts, scale, used))]


def _parts(factor: Node) -> tuple[Node, ...]:
    """The vectors of an outer product, or x and x of x², each of which can be scaled; otherwise the factor itself."""
    if _is_outer(factor):
        return factor.operands
    base, exponent = split_power(factor)
    whole = not isinstance(exponent, Node) and exponent.is_Integer and 1 < exponent <= MOST
    return (base,) * int(exponent) if whole else (factor,)


def _is_outer(x: Node) -> bool:
    """Whether x is a product of several arrays without an index in common."""
    return isinstance(x, Einsum) and len(x.operands) > 1 and sum(map(len, x.inputs)) == len(x.output)


def _scaled_parts(factor: Node, parts: Sequence[Node], scale: Node, count: int) -> Node:
    if not count:
        return factor
    new = [elementwise("mul", scale, p) if k < count else p for k, p in enumerate(parts)]
    return with_operands(factor, new) if len(parts) > 1 and _is_outer(factor) else new[0]


def _operand_of(dot: Node, found: Quotient) -> int | None:
    """Where the x of S = Σx² stands in a scalar product of x and something else, one for each value of S."""
    inner = without_repetition(dot)
    total = found.base
    x = _squared(total) if isinstance(total, Einsum) else None
    if x is None or not isinstance(inner, Einsum) or inner.shape != total.shape:
        return None
    for k, (operand, indices) in enumerate(zip(inner.operands, inner.inputs, strict=True)):
        inside = is_op(operand, "mul") and operand.shape == x.shape and x in operand.operands
        alike = (inside or (operand is x and len(inner.operands) > 1)) and len(set(indices)) == len(indices)
        if alike and tuple(indices.index(i) for i in inner.output if i in indices) == places_of(total):
            return k
    return None


def _squared(total: Einsum) -> Node | None:
    """x of Σx², one sum over an array or a contraction with itself."""
    if len(total.operands) == 2:
        return total.operands[0]
    return total.operands[0].operands[0] if is_op(total.operands[0], "pow") else None


def _scaled_operand(dot: Node, place: int, found: Quotient) -> Node:
    """The scalar product of s·x."""
    inner = without_repetition(dot)
    total = found.base
    assert isinstance(total, Einsum) and isinstance(inner, Einsum)
    x, operand, scale = _squared(total), inner.operands[place], scale_of(total, found.degree, 1)
    assert x is not None
    larger = elementwise("mul", cover(scale, places_of(total), x.shape) if scale.rank else scale, x)
    within = larger if operand is x else with_operands(operand, [larger if o is x else o for o in operand.operands])
    new = with_operands(inner, [within if k == place else o for k, o in enumerate(inner.operands)])
    return with_operands(dot, [new]) if isinstance(dot, Expand) else new


SCALAR_PRODUCTS = (
    Rewrite(multiply_into_choice_of_quotient, ("mul",), below=("where",), domain="extends", role="stable"),
    Rewrite(scalar_product_over_norm, ("mul",), below=("einsum",), domain="equal", role="stable"),
)
QUOTIENTS_BY_SQUARES = (
    Rewrite(quotient_by_squares, ("mul",), below=("pow",), needs=("positive",), domain="equal", role="stable"),
    Rewrite(slope_of_norm_of_order, ("mul",), below=("pow",), needs=("positive",), domain="equal", role="stable"),
)
