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

from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import consumers, topological, unwrapped, wrapped
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Sealed
from symnet.simplify.rewrite import Rewrite

OPEN = 2  # steps of a recurrence, counted from the root, that are opened


def sealed(roots: Sequence[Node], of: Sequence[Node] | None = None) -> list[Node]:
    """The roots with the steps of their recurrences sealed, those of `of` (of all roots) alone being looked for."""
    return wrapped(roots, _far_steps(roots if of is None else of), Sealed)


def unsealed(roots: Iterable[Node]) -> list[Node]:
    """The roots without `Sealed` nodes."""
    return unwrapped(roots, Sealed.kind)


def _far_steps(roots: Sequence[Node]) -> set[Node]:
    """The steps with `OPEN` steps or more between them and every root."""
    users = consumers(*roots)
    behind = dict.fromkeys(roots, 0)  # the most steps on a way from a root
    found: set[Node] = set()
    for node in reversed(topological(*roots)):
        far = behind.setdefault(node, 0)
        if _is_step(node, users):
            if far >= OPEN:
                found.add(node)
            far += 1
        for operand in node.operands:
            behind[operand] = max(behind.get(operand, 0), far)
    return found


def _is_step(node: Node, users: dict[Node, list[Node]]) -> bool:
    """Whether a sum or product is used more than once, and opened where it is."""
    if not is_op(node, "add", "mul"):
        return False
    takers = _takers(node, users)
    return len(takers) > 1 and any(_opens(user, node) for user in takers)


def _takers(node: Node, users: dict[Node, list[Node]]) -> list[Node]:
    """The users of a value and of its repetitions."""
    takers: list[Node] = []
    stack = list(users[node])
    while stack:
        user = stack.pop()
        if user.kind == "expand":
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
    """Sealed(x) → x.  Condition: x is no sum and no product, or one of leaves only: nothing grows when it is opened."""
    (x,) = node.operands
    return x if not is_op(x, "add", "mul") or not any(o.operands for o in x.operands) else None


SEALS: tuple[Rewrite, ...] = (Rewrite(unseal_what_does_not_open, ("sealed",), domain="equal", role="spelling"),)
