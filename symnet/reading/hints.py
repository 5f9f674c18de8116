"""What was meant, where a formula cannot be read as it is: @ for *, maximum for max, sigmoid for sigma.

In: a word, an operator and its operands, or a function and its arguments.  Out: a sentence that is added to an error,
or None.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from typing import Any

import sympy

from symnet.errors import ShapeError, clipped
from symnet.expr.nodes.node import Node, name_of

KEYWORDS = {
    "and": "Write (a < b) & (b < c).",
    "or": "Write (a < b) | (b < c).",
    "not": "Write ~(a < b).",
    "if": "Write where(condition, a, b).",
    "else": "Write where(condition, a, b).",
    "lambda": "Write the formula itself; as a name write lam, or λ.",
    "for": "Write sums over axes, as sum(x, axis=0).",
    "in": "Write sums over axes, as sum(x, axis=0).",
}
ATTRIBUTES = {"I": "Write inv(A).", "H": "Write .T: the arrays are real."}
BARS = "Write abs(x) for |x|, or norm(x) for the length of a vector."
_DECLARED = "A name needs no call: its shape is declared beside the formula, as X:m,n."
_ASKED = "Write the function itself; what it is differentiated by is asked for beside it."
# Other names of functions, and how they are written here; of those without a counterpart, what says the same.
CALLED = {
    "tr": "trace(A)", "ln": "log(x)", "lg": "log10(x)", "ld": "log2(x)", "lb": "log2(x)", "sgn": "sign(x)",
    "inverse": "inv(A)", "pinv": "inv(A.T @ A) @ A.T", "identity": "eye(n)", "determinant": "det(A)",
    "sigma": "sigmoid(x)", "logistic": "sigmoid(x)", "expit": "sigmoid(x)", "logit": "log(x/(1 - x))",
    "phi": "0.5*(1 + erf(x/sqrt(2)))", "heaviside": "indicator(x > 0)", "step": "indicator(x > 0)",
    "tg": "tan(x)", "arctg": "atan(x)", "cot": "1/tan(x)", "ctg": "1/tan(x)", "sec": "1/cos(x)", "csc": "1/sin(x)",
    "sh": "sinh(x)", "ch": "cosh(x)", "th": "tanh(x)", "sech": "1/cosh(x)", "csch": "1/sinh(x)", "coth": "1/tanh(x)",
    "arsinh": "asinh(x)", "arcosh": "acosh(x)", "artanh": "atanh(x)",
    "sqr": "x**2", "root": "sqrt(x)", "rsqrt": "1/sqrt(x)", "fabs": "abs(x)", "exp10": "10**x",
    "gammaln": "loggamma(x)", "lgamma": "loggamma(x)", "psi": "digamma(x)", "swish": "silu(x)",
    "softsign": "x/(1 + abs(x))", "lse": "logsumexp(x)", "entropy": "-sum(xlogy(x, x))", "mse": "mean((x - y)**2)",
    "vec": "ravel(A)", "diagonal": "diag(A)", "hstack": "concat([x, y])", "frobenius": "norm(A)",
}  # fmt: skip
_SAID = {
    **dict.fromkeys(("tensor", "scalar", "dim", "labels", "symbol", "symbols"), _DECLARED),
    **dict.fromkeys(("grad", "gradient", "derivative", "jacobian", "hessian"), _ASKED),
}
_LARGER = {"max": "maximum", "min": "minimum"}
_LONGEST = 40  # characters of an operand that is written out


def of_name(name: str, known: Collection[str], called: bool = False) -> str:
    """What an unknown name may mean: another notation of a function, or a name that is spelled almost alike.

    Args:
        name: as it was typed.
        known: the names that there are.
        called: whether it stands before arguments.
    """
    if name in KEYWORDS:
        return KEYWORDS[name]
    word, small = name.rpartition(".")[2], {each.lower(): each for each in known if "." not in each}
    if called and (word in _SAID or word.lower() in CALLED):
        return _SAID.get(word) or f"Write {CALLED[word.lower()]}."
    if 1 < len(word) <= 4 and all(letter in known for letter in word):
        return f"{word} is one name: write {' @ '.join(word)}, or {'*'.join(word)}."
    close = difflib.get_close_matches(word.lower(), small, n=1)
    return f"Did you mean {small[close[0]]}?" if close else "Check the name, or declare it."


def of_product(left: str, right: str, is_function: bool) -> str:
    """Two values without a sign between them; `sin x` means `sin(x)`."""
    if is_function and left in CALLED:
        meant = re.sub(r"\b[xA]\b", clipped(right, 12), CALLED[left])
        return f"Write {meant}."
    if is_function:
        return f"A function has its arguments in parentheses: write {clipped(left, 12)}({clipped(right, 12)})."
    left, right = (clipped(word, 12) if word.isalnum() else "(…)" for word in (left, right))
    return f"A product has a sign: write {left}*{right}, or @ for a product of arrays."


def of_operands(op: str, a: Any, b: Any) -> str:
    """Two arrays that do not fit, by what was typed, and the product that they have."""
    if not isinstance(a, Node) or not isinstance(b, Node):
        return ""
    left, right = _shown(a, "the left operand"), _shown(b, "the right one")
    said = f"\n    {left} has shape {a.shape}, {right} has shape {b.shape}"
    turned = b.T if b.rank > 1 else b
    meant = next((pair for pair in ((a, b), (turned, a)) if op == "*" and _fits(*pair)), None)
    if meant is None:
        return said
    first, second = (a, b) if meant[0] is a else (b, a)
    turn = ".T" if first is b and turned is not b else ""
    return f"{said}: {_in_product(first)}{turn} @ {_in_product(second)} may be meant, the product of arrays"


def _in_product(node: Node) -> str:
    text = _shown(node, "…")
    return text if text.isidentifier() else f"({text})"


def _fits(a: Node, b: Node) -> bool:
    try:
        return (a @ b).rank >= 0
    except ShapeError:
        return False


def _shown(node: Node, otherwise: str) -> str:
    text = name_of(node, "") or str(node)
    return text if len(text) <= _LONGEST else otherwise


def of_call(name: str, args: Sequence[Any]) -> str | None:
    """`max(0, x)` means `maximum(0, x)`."""
    if name not in _LARGER or len(args) < 2:
        return None
    first, second = args[:2]
    scalar = not isinstance(first, Node) or not first.rank
    if len(args) > 2 and all(not isinstance(each, Node) or not each.rank for each in args):
        return f"Write {_LARGER[name]}(a, {_LARGER[name]}(b, c)) for the {name[:3]}imum of several values."
    if isinstance(second, Node) or (isinstance(second, sympy.Expr) and not second.is_Integer) or scalar:
        return f"Write {_LARGER[name]}(a, b) for the {name[:3]}imum of two values; {name}(x) is that of an array."
    return None
