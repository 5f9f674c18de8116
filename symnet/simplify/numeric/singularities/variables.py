"""Which variables the functions close to a node are of.

In: a sum, a product or a logarithm.  Out: powers of bases, the arguments of functions near its top; whether functions
of one stand near a node, and which powers do.  Where something may be divided by 0 contractions and what is rearranged
are looked into: what stands in front of their terms varies along the axes of the result alone.
Not handled: functions that vary along an axis that is summed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sympy import Expr

from symnet.expr.facts.assumptions import known
from symnet.expr.nodes.constants import number_of
from symnet.expr.nodes.contraction import Einsum
from symnet.expr.nodes.elementwise import Elementwise, is_op
from symnet.expr.nodes.node import Axes, Node, kept_on_node
from symnet.expr.nodes.symbols import Sealed
from symnet.simplify.algebra.moved_axes import MOVED, axes_after, is_laid_out
from symnet.simplify.forms.broadcast import align
from symnet.simplify.forms.coefficients import ONE
from symnet.simplify.forms.factors import Base, Factors
from symnet.simplify.forms.shifted import is_total
from symnet.simplify.forms.signs import is_negative, is_positive
from symnet.simplify.numeric.singularities.expansions import BasePowers, argument_of, is_function, primitive_of

NEAR, MOST_CLOSE = 7, 80  # levels, and nodes, in which variables are looked for
LINEAR_LEVELS = 6  # of sums, products and contractions inside a contraction
LEVELS_OF_TERMS = 4  # sums of products of sums that are looked into


def possible_variables(node: Node) -> list[BasePowers]:
    """What functions near the top of a node are of, on its axes, the nearest first; x before x², which is one in x."""
    if not _may_meet(node):
        return []
    found: dict[frozenset[tuple[Base, Expr]], BasePowers] = {}
    inside = may_divide_by_zero(node)
    for argument, axes in arguments_near(node, inside):
        monomial = monomial_of(argument, axes)
        if monomial is not None:
            if len(monomial) == 1 and next(iter(monomial.values())) == 2:
                base = dict.fromkeys(monomial, ONE)
                found.setdefault(frozenset(base.items()), base)
            found.setdefault(frozenset(monomial.items()), monomial)
    for u in _variables_in_sums(node, inside) if inside else ():
        found.setdefault(frozenset(u.items()), u)
    vanish = {base for u in found.values() for base, e in u.items() if is_positive(e)}
    some = [u for u in found.values() if not any(is_negative(e) and base in vanish for base, e in u.items())]
    return [u for u in some if _meets(node, u, inside)]


def _variables_in_sums(node: Node, inside: bool) -> Iterator[BasePowers]:
    """Terms of arguments that hold a divisor: k of sin(h + k)/k."""
    divisors = {core for (core, _), e in close_powers(node) if is_negative(e)}
    for argument, axes in arguments_near(node, inside):
        for term in argument.operands if is_op(argument, "add") else ():
            core, places = align(term, argument.shape)
            u = monomial_of(core, tuple(axes[a] for a in places)) if number_of(term) is None else None
            if u is not None and any(base in divisors and is_positive(e) for (base, _), e in u.items()):
                yield u


@kept_on_node
def may_divide_by_zero(node: Node) -> bool:
    """Whether anything close divides that may be 0."""
    return any(is_negative(e) and may_be_zero(core) for (core, _), e in close_powers(node))


def may_be_zero(core: Node) -> bool:
    """Whether a divisor may be 0, for all that is known of it."""
    return core.kind not in ("number", "size") and not known(core, "positive") and not is_total(core)


def _may_meet(node: Node) -> bool:
    """Whether anything may cancel in a node, by whichever variable: what `_meets` needs of all of them."""
    if is_op(node, "add"):
        terms = [o for o in node.operands if number_of(o) is None]
        return len(terms) > 1 or any(_may_meet(align(o, node.shape)[0]) for o in terms if is_op(o, "mul"))
    if is_op(node, "log"):
        return _may_meet(align(node.operands[0], node.shape)[0])
    if not is_op(node, "mul"):
        return False
    powers = Factors.view(node).powers
    divides = any(is_negative(e) and may_be_zero(core) for (core, _), e in powers.items())
    return (divides and len(powers) > 1) or any(has_divisors(core) for core, _ in powers)


def _meets(node: Node, u: BasePowers, inside: bool) -> bool:
    """Whether something may cancel: two terms with u, or a quotient by u in a product with more functions of u."""
    bases = {core for core, _ in u}
    if is_op(node, "add"):
        terms = [o for o in node.operands if stands_near(o, bases, inside)]
        return len(terms) > 1 or any(_meets(align(o, node.shape)[0], u, inside) for o in terms if is_op(o, "mul"))
    if is_op(node, "log"):
        return _meets(align(node.operands[0], node.shape)[0], u, inside)
    if not is_op(node, "mul"):
        return False
    powers = Factors.view(node).powers
    held = [(core, e) for (core, _), e in powers.items() if core in bases or stands_near(core, bases, inside)]
    return any(has_divisors(core) for core, _ in held) or (len(held) > 1 and any(is_negative(e) for _, e in held))


@kept_on_node
def has_divisors(total: Node) -> bool:
    """Whether what may be 0 divides in a term of a sum, or of a sum close below that is a factor there: 1 + 1/x."""
    sums = [total] if is_op(total, "add") else []
    for each in sums:  # which grows while it is walked
        for term in each.operands:
            for (core, _), e in Factors.view(term).powers.items():
                if is_negative(e) and may_be_zero(core):
                    return True
                if e in (1, 2) and is_op(core, "add") and len(sums) < MOST_CLOSE and core not in sums:
                    sums.append(core)
    return False


@kept_on_node
def _near(node: Node) -> frozenset[Node]:
    """The node and the cores close below it, sums also as they are without their number: a + b for -a - b."""
    return _with_primitives(_close(node, inside=False))


@kept_on_node
def _near_inside(node: Node) -> frozenset[Node]:
    """The same, with what contractions hold."""
    return _with_primitives(_close(node, inside=True))


def _with_primitives(close: Iterable[tuple[Node, Axes]]) -> frozenset[Node]:
    cores = {core for core, _ in close}
    sums = [core for core in cores if is_op(core, "add")]
    return frozenset(cores.union(*(_cores_without_number(core) for core in sums)))


@kept_on_node
def _cores_without_number(total: Node) -> frozenset[Node]:
    """The cores of a sum whose number is taken out of it."""
    return frozenset(core for core, _ in primitive_of(total)[1])


def stands_near(node: Node, bases: set[Node], inside: bool = True) -> bool:
    """Whether one of the bases is close below a node."""
    return not bases.isdisjoint(_near_inside(node) if inside else _near(node))


def holds_functions_of(node: Node, u: BasePowers) -> bool:
    """Whether a function of the bases of u stands close below a node, or is it."""
    bases = {core for core, _ in u}
    return any(is_function(core) and stands_near(core, bases) for core in _near_inside(node))


def _close(node: Node, inside: bool) -> Iterator[tuple[Node, Axes]]:
    """The cores close below a node with the axes that they vary along, level after level, each once."""
    level = [align(node, node.shape)]
    seen = dict.fromkeys(level)
    for _ in range(NEAR):
        below = []
        for each, axes in level:
            if len(seen) < MOST_CLOSE:
                below += [(core, _composed(axes, places)) for core, places in _operands(each, inside)]
        level = [each for each in dict.fromkeys(below) if each not in seen]
        seen.update(dict.fromkeys(level))
    yield from seen


def _composed(axes: Axes, places: Axes) -> Axes:
    return tuple(MOVED if a == MOVED else axes[a] for a in places)


def _operands(x: Node, inside: bool) -> list[Base]:
    """What a node is made of; of what is contracted or rearranged, if asked, all factors of its terms."""
    linear = _is_linear(x)
    below = _parts(x) if inside or not linear else []
    if not linear:
        return below
    found: list[Base] = []
    for _ in range(LINEAR_LEVELS):
        opened = []
        for base in below:
            if is_op(base[0], "add", "mul") or base[0].kind == "einsum" or _is_linear(base[0]):
                opened += [(core, _composed(base[1], places)) for core, places in _parts(base[0])]
            else:
                found.append(base)
        below = opened[:MOST_CLOSE]
    return [base for base in found + below if MOVED not in base[1]]  # what varies along such an axis stays inside


def _parts(x: Node) -> list[Base]:
    """What an elementwise node, a product or a contraction is made of; of a choice without its condition."""
    if isinstance(x, Elementwise):
        return [align(o, x.shape) for o in x.operands[x.op == "where" :]]
    if isinstance(x, Sealed):
        return [(x.operands[0], tuple(range(x.rank)))]
    if is_laid_out(x):
        return [(x.operands[0], axes_after(x))]
    if isinstance(x, Einsum) and (len(x.operands) > 1 or x.contracted):
        place = {i: x.output.index(i) if i in x.output else MOVED for at in x.inputs for i in at}
        return [(o, tuple(place[i] for i in at)) for o, at in zip(x.operands, x.inputs, strict=True)]
    return []


def _is_linear(x: Node) -> bool:
    return is_laid_out(x) or (isinstance(x, Einsum) and bool(x.contracted))


def monomial_of(argument: Node, axes: Axes) -> BasePowers | None:
    """The variable part of an argument: x of 1 + 2·x, a·x/s of a·x/s, x - y of 2·x - 2·y."""
    if is_op(argument, "add"):
        rest = [o for o in argument.operands if number_of(o) is None]
        if len(rest) == 1 and len(rest) < len(argument.operands):
            core, places = align(rest[0], argument.shape)
            return monomial_of(core, tuple(axes[a] for a in places))
    powers = primitive_of(argument)[1]
    if any(isinstance(e, Node) for e in powers.values()) or not any(is_positive(e) for e in powers.values()):
        return None
    return {(core, tuple(axes[a] for a in places)): e for (core, places), e in powers.items()}


def arguments_near(node: Node, inside: bool) -> Iterator[tuple[Node, Axes]]:
    """The arguments of functions close below, with the axes along which they vary."""
    for each, axes in _close(node, inside):
        if is_function(each):
            core, places = align(argument_of(each), each.shape)
            yield core, tuple(axes[a] for a in places)


def close_powers(node: Node) -> Iterator[tuple[Base, Expr | Node]]:
    """The factors of a node, of the terms of sums among them, and so on."""
    level = [node]
    for _ in range(LEVELS_OF_TERMS):
        powers = [item for n in level for item in Factors.view(n).powers.items()]
        yield from powers
        level = [align(o, core.shape)[0] for (core, _), _ in powers if is_op(core, "add") for o in core.operands]
