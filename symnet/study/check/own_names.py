"""What is said of a formula, in the names that its author gave: P for softmax(Q @ K.T/sqrt(d)).

In: a sentence, and the function that was differentiated.  Out: the sentence with names in the place of what they stand
for.  Only a value written as a call, or one in brackets, is replaced, so that nothing around it reads otherwise.
"""

from __future__ import annotations

import re

from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import simplify

_CALL = re.compile(r"\w+\([^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*\)")  # of brackets at most three deep


def with_names(said: str, function: Node) -> str:
    """A sentence with the names of values.

    Args:
        said: what is said.
        function: the node whose named values are used.
    """
    named = [node for node in topological(function) if node.kind == "named"]
    texts = {str(form): node.name for node in named for form in simplify([node.operands[0]])}
    for text in sorted(texts, key=len, reverse=True):
        name = texts[text]
        if _CALL.fullmatch(text):
            said = re.sub(rf"(?<![\w.]){re.escape(text)}(?![\w(])", name, said)
        elif not text.isidentifier():
            said = re.sub(rf"(?<=\w)\({re.escape(text)}\)", f"({name})", said)
            said = re.sub(rf"(?<!\w)\({re.escape(text)}\)", name, said)
    return said
