"""Recurrences keep their steps: where sums and products are not opened.

In: expressions as written.  Out: the same with `Sealed` around the steps of recurrences, and back.

`u = u + f(u)` and `u = a*u*(1 - u)`, many times over, are opened by the algebra form into a term, or a factor, for
every step before.  That reads well for a few steps.  For many the work of a derivative grows with their square, for
what reverse mode shares is pulled apart, and digits are lost, for the derivative becomes a difference of large paths.
So a sum or product that has several users, one of which would open it, is sealed, where `OPEN` such steps or more lie
between it and the root: the last steps, and with them every loss and every formula of a textbook, are opened as ever.
A cotangent that comes through a seal is sealed too (`diff/symbols.py`).  The numeric form takes the seals off.
Not handled: products of all elements, and sums that share parts which no node of the graph is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symnet.expr.nodes.elementwise import elementwise, is_op
from symnet.expr.nodes.graph import consumers, rebuild, topological, unwrapped, with_operands, wrapped
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Sealed
from symnet.simplify.rewrite import Rewrite

MOVES = frozenset({"expand", "reshape", "slice", "place", "concat"})
ENOUGH = 8  # users that are looked at: whether there are several, and what opens the value
OPEN = 2  # steps of a recurrence, counted from the root, that are opened


def sealed(roots: Sequence[Node], of: Sequence[Node] | None = None, far: int = OPEN) -> list[Node]:
    """The roots with the steps of their recurrences sealed, those of `of` (of all roots) alone being looked for.

    far: how many steps, counted from the root, are left open.
    """
    return wrapped(roots, _far_steps(roots if of is None else of, far), Sealed)


def unsealed(roots: Iterable[Node]) -> list[Node]:
    """The roots without `Sealed` nodes."""
    return unwrapped(roots, Sealed.kind)


def in_pairs(roots: Iterable[Node]) -> list[Node]:
    """The roots with every product of several factors as products of two, sealed: the product rule of n factors gives
    n products of n, that of a tree of pairs three times as many products as the tree has.
    """
    return rebuild(roots, _paired)


def _paired(node: Node) -> Node:
    """A number in front, a tree of what is a scalar, and one of the arrays."""
    if not is_op(node, "mul") or sum(not _is_constant(o) for o in node.operands) < 3:
        return node
    constants = [o for o in node.operands if _is_constant(o)]
    scalars = [o for o in node.operands if not o.rank and not _is_constant(o)]
    trees = [_tree(part) for part in (scalars, [o for o in node.operands if o.rank]) if part]
    return trees[0].operands[0] if len(trees) == 1 and not constants else elementwise("mul", *constants, *trees)


def _tree(factors: list[Node]) -> Node:
    """The product of factors, two by two."""
    while len(factors) > 1:
        pairs = zip(factors[::2], factors[1::2], strict=False)
        factors = [Sealed(elementwise("mul", *pair)) for pair in pairs] + factors[len(factors) & ~1 :]
    return factors[0]


def _far_steps(roots: Sequence[Node], open_steps: int) -> set[Node]:
    """The steps with so many steps or more between them and every root."""
    users = consumers(*roots)
    behind = dict.fromkeys(roots, 0)  # the most steps on a way from a root
    found: set[Node] = set()
    for node in reversed(topological(*roots)):
        far = behind.setdefault(node, 0)
        if _is_step(node, users):
            if far >= open_steps:
                found.add(node)
            far += 1
        for operand in node.operands:
            behind[operand] = max(behind.get(operand, 0), far)
    return found


def _is_step(node: Node, users: dict[Node, list[Node]]) -> bool:
    """Whether a sum or product is used more than once, and opened where it is."""
    if not _is_of_several(node):
        return False
    takers = _takers(node, users)
    return len(takers) > 1 and any(_opens(user, node) or _squares(user, takers) for user in takers)


def _squares(user: Node, takers: list[Node]) -> bool:
    """Whether a contraction, with those that it opens, takes a value twice: a number in front leaves it squared."""
    if user.kind != "einsum":
        return False
    return takers.count(user) + sum(o.kind == "einsum" and o in takers for o in user.operands) > 1


def _takers(node: Node, users: dict[Node, list[Node]]) -> list[Node]:
    """The users of a value, of what it is moved to, and of its multiples: one entry for each use."""
    takers: list[Node] = []
    stack = list(users[node])
    while stack and len(takers) < ENOUGH:
        user = stack.pop()
        if user.kind in MOVES or (is_op(user, "mul") and not _is_of_several(user)):
            stack.extend(users[user])
        else:
            takers.append(user)
    return takers


def _opens(user: Node, node: Node) -> bool:
    """Whether the algebra form opens a sum or product into this user of it."""
    if is_op(node, "mul"):
        return is_op(user, "mul", "pow")
    return is_op(user, "add") or (is_op(user, "mul") and sum(o.rank > 0 for o in user.operands) <= (node.rank > 0))


def unseal_what_does_not_open(node: Node) -> Node | None:
    """Sealed(x) → x, Sealed(2·(x + y)) → 2·Sealed(x + y).  Condition: x is no sum and no product, or one of constants
    with one other operand: nothing grows when it is opened.
    """
    (x,) = node.operands
    if _is_of_several(x):
        return None
    inside = [o for o in x.operands if _is_of_several(o)] if is_op(x, "mul") else []
    return with_operands(x, (Sealed(o) if o in inside else o for o in x.operands)) if inside else x


def _is_of_several(node: Node) -> bool:
    """Whether a node is a sum or product of two values or more that are no constants."""
    return is_op(node, "add", "mul") and sum(not _is_constant(o) for o in node.operands) > 1


def _is_constant(node: Node) -> bool:
    """Whether a node is a number, an extent, or a power of one."""
    return node.kind in ("number", "size") or (is_op(node, "pow") and all(map(_is_constant, node.operands)))


SEALS: tuple[Rewrite, ...] = (Rewrite(unseal_what_does_not_open, ("sealed",), domain="equal", role="spelling"),)
