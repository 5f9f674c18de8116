"""Abstract functions have no value: evaluating one is refused.

In: a node of `expr/nodes/abstract.py`.  Out: nothing but an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from symnet.arrays import Array
from symnet.expr.nodes.abstract import Application, refuse
from symnet.reference.context import Context


def no_value(node: Application, operands: Sequence[Array], context: Context) -> NoReturn:
    """Refused.

    Raises:
        MissingRuleError: naming the function.
    """
    refuse("evaluate(…)", node)
