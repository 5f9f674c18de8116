"""Products and quotients of gamma functions beyond the range, where the whole is an ordinary number: passes of the
numeric form.

In: Γ(a + b)/(Γ(a)·Γ(b)) and its slopes, logarithms of such products.  Out: the same bits where every argument is small;
by log Γ where one is large and all are positive.
Not handled: gamma functions of large negative arguments, powers of them that are not whole.
"""

from __future__ import annotations

from functools import reduce

from symnet.expr.nodes.constants import number, number_of
from symnet.expr.nodes.elementwise import elementwise, is_op, where
from symnet.expr.nodes.movement import broadcast_to
from symnet.expr.nodes.node import Node
from symnet.simplify.forms.broadcast import spread, trailing
from symnet.simplify.forms.coefficients import sum_of_all
from symnet.simplify.forms.factors import Factors
from symnet.simplify.forms.signs import is_whole
from symnet.simplify.rewrite import Rewrite

# The logarithm of a product of all of them that is in range, whatever the order in which it is multiplied.
LARGEST = {"float32": 80, "float64": 690}


def gammas_by_their_logarithms(node: Node) -> Node | None:
    """Γ(a + b)/(Γ(a)·Γ(b)) → where(a is large, exp(log Γ(a + b) - log Γ(a) - log Γ(b)), as it is).

    Condition: two gamma functions to whole powers.
    """
    found = _split(node)
    if found is None:
        return None
    large, logs, rest = found
    size = elementwise("exp", where(large, logs, 0))
    return where(large, elementwise("mul", rest, size), _of_small(node, large))


def _of_small(product: Node, large: Node) -> Node:
    """The product with 1 in the place of the arguments where one is large."""
    small = Factors(product.shape, Factors.view(product).coefficient)
    for (core, axes), e in Factors.view(product).powers.items():
        if is_op(core, "gamma") and is_whole(e):
            argument = broadcast_to(core.operands[0], core.shape)
            wide = spread(argument, axes, product.shape) if argument.rank else argument
            small.times(elementwise("gamma", where(large, 1, wide)), trailing(product.rank, product.rank), e)
        else:
            small.times(core, axes, e)
    return small.build()


def log_of_gammas(node: Node) -> Node | None:
    """log(Γ(a)·y) → where(a is large, log Γ(a) + log y, as it is).  Always, also of one gamma function."""
    inner = node.operands[0]
    found = _split(inner, 1)
    if found is None or inner.shape != node.shape:
        return None
    large, logs, rest = found
    plain = elementwise("log", where(large, 1, inner))
    if number_of(rest) == 1:
        return where(large, logs, plain)
    return where(large, elementwise("add", logs, elementwise("log", rest)), plain)


def _split(product: Node, fewest: int = 2) -> tuple[Node, Node, Node] | None:
    """Whether an argument is large and all are positive; the logarithm of the gamma functions; the other factors."""
    if not is_op(product, "mul", "gamma"):
        return None
    factors = Factors.of(product)
    bases = [b for b, e in factors.powers.items() if is_op(b[0], "gamma") and is_whole(e)]
    if len(bases) < fewest or any(_is_small(core) for core, _ in bases) or str(product.dtype) not in LARGEST:
        return None
    arguments, logs, sizes = [], [], []
    for core, axes in bases:
        exponent = factors.powers.pop((core, axes))
        argument = broadcast_to(core.operands[0], core.shape)
        wide = spread(argument, axes, product.shape) if argument.rank else argument
        log = elementwise("loggamma", wide)
        arguments.append(wide)
        logs.append(elementwise("mul", number(exponent), log))
        sizes.append(elementwise("mul", number(abs(exponent)), log))
    positive = [elementwise("lt", 0, a) for a in arguments]
    beyond = elementwise("lt", number(LARGEST[str(product.dtype)]), sum_of_all(sizes))
    large = reduce(lambda a, b: elementwise("and", a, b), positive, beyond)
    return broadcast_to(large, product.shape), broadcast_to(sum_of_all(logs), product.shape), factors.build()


def _is_small(gamma: Node) -> bool:
    """Whether the argument of a gamma function is one that this pass has made small."""
    (argument,) = gamma.operands
    return is_op(argument, "where") and number_of(argument.operands[1]) == 1


LOGARITHMS_OF_FACTORIALS = (Rewrite(log_of_gammas, ("log",), domain="equal", role="stable"),)
FACTORIALS = (Rewrite(gammas_by_their_logarithms, ("mul",), below=("gamma",), domain="equal", role="stable"),)
