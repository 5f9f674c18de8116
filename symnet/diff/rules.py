"""What a rule is, and how one is found.

A rule is *present* (a named function), *zero by declaration* (`ZERO`: the derivative is known to vanish), or
*missing*: then `find` raises and says which table to extend.

In: a table and a node.  Out: its rule.  The tables stand in the files named as in `expr/`, gathered in `tables.py`.

    vjp rule     (node, y_bar, k) -> cotangent of operand k, of that operand's shape
    guarded rule (node, y_bar, support, k) -> the same, where y_bar is 0 outside its support (`support.py`)
    support rule (node, support, k) -> the support of operand k's cotangent
    jvp rule     (node, x_dots)   -> tangent of the node, of its shape
    batch rule   (node, batched operands or None, batch shape) -> the node with extra leading axes

A cotangent or tangent of None is a symbolic zero: no zeros are built for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from symnet.diff.support import Where
from symnet.errors import MissingRuleError, explain
from symnet.expr.nodes.node import Node, Shape

Maybe = Node | None
VjpRule = Callable[[Any, Node, int], Maybe]
GuardedRule = Callable[[Any, Node, Where, int], Maybe]
SupportRule = Callable[[Any, Where, int], Where]
JvpRule = Callable[[Any, Sequence[Maybe]], Maybe]
BatchRule = Callable[[Any, Sequence[Maybe], Shape], Node]


class Declared(Enum):
    """A word that stands in a table in the place of a function: `ZERO` or `LEAF`."""

    ZERO = "the derivative is zero everywhere it is defined"
    LEAF = "no operands, so nothing to pass on"


ZERO, LEAF = Declared.ZERO, Declared.LEAF


def find(table: Mapping[str, Any], key: str, node: Node, name: str, file: str) -> Any:
    """The entry of `table` for `key`.

    Raises:
        MissingRuleError: naming the node, the table and the file to edit.
    """
    if key not in table:
        raise MissingRuleError(
            explain(
                f"differentiating {key} ({type(node).__name__} of shape {node.shape})",
                f"a rule in {name}",
                f"rules for {', '.join(sorted(table))}",
                f"Add one to {name} in {file}; docs/add-an-op.md shows how.",
            )
        )
    return table[key]
