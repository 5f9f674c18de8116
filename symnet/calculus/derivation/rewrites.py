"""The rewrites that a reader needs, out of all that the simplifier fired.

In: the simplifier's trace.  Out: `Rewriting`s: those that change what is written and are not mere tidying, each once,
consecutive ones of one name joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from symnet.calculus.derivation.model import Rewriting
from symnet.calculus.names import attach
from symnet.calculus.problem import strip_barriers
from symnet.expr.graph import topological
from symnet.expr.node import Node
from symnet.expr.symbols import Named, Tensor
from symnet.simplify.engine import Step as Fired

# Rewrites that only bring a formula to its canonical order or spelling: a reader sees nothing happen.
_TIDYING = (
    "order_",
    "open_",
    "spell_",
    "repeat_",
    "move_",
    "drop_idle",
    "take_scalars_out",
    "take_sign_out",
    "take_unsummed",
    "sum_lonely",
    "sum_a_sum",
    "sum_terms_apart",
    "multiply_operands",
    "product_instead",
    "contract_through",
    "contract_repeated",
    "reduce_repeated",
    "compare_with",
    "distribute_number",
    "evaluate_at_number",
    "gather_terms",
)
_ONE = re.compile(r"\b1\*")
_MOST = 6  # rewrites shown of one step
_LARGEST = 60  # nodes of a formula shown


def readable(trace: Iterable[Fired], names: Mapping[Node, Named] | None = None) -> tuple[Rewriting, ...]:
    """The rewrites worth showing, with names put on their formulas."""
    shown: list[Rewriting] = []
    seen: set[tuple[str, str]] = set()
    for name, before, after in trace:
        if name.startswith(_TIDYING) or not _speaks(before):
            continue
        old, new = attach(strip_barriers([before, after]), names or {})
        texts = str(old), str(new)
        if _ONE.sub("", texts[0]) == texts[1] or texts in seen:
            continue
        seen.add(texts)
        sentence = name.replace("_", " ")
        if shown and shown[-1].name == sentence and str(shown[-1].after) == texts[0]:
            shown[-1] = Rewriting(sentence, shown[-1].before, new)
        else:
            shown.append(Rewriting(sentence, old, new))
    return tuple(shown[:_MOST])


def _speaks(before: Node) -> bool:
    """Whether a formula is of a size to be shown, and more than numbers."""
    nodes = topological(before)
    return len(nodes) <= _LARGEST and any(isinstance(n, Tensor) for n in nodes)
