"""Formulas as text become expressions: `mean((X @ w - y)**2)`.  Nothing that is typed is ever evaluated as Python.

In: text, the values of its names, a table of functions.  Out: a node, or an error whose last lines point at the place.

    formula     { name "=" expression ";" } expression [ "where" name "=" expression { "," name "=" expression } ]
    expression  operators by precedence, as in Python: comparisons, |, &, + -, * / @, unary - + ~, **
    postfix     atom { ".T" | "'" | ".shape" | ".name(arguments)" | "[" keys "]" | a superscript such as ² }
    atom        number | name | name "(" arguments ")" | "(" expression ")" | "(" tuple ")" | "[" list "]" | "string"
                | "1[" condition "]"

Printed formulas are in this grammar.  Not handled: `and`, `or`, `not`, chained comparisons, lambdas, attributes other
than those above.
Source: precedence climbing, V. Pratt, "Top down operator precedence", 1973.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import sympy

from symnet.errors import ArgumentError, ShapeError, SymnetError, clipped, explain
from symnet.expr.nodes.constants import as_node, exact
from symnet.expr.nodes.elementwise import elementwise, indicator
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import scalar
from symnet.reading.array_literals import read_array
from symnet.reading.hints import of_call, of_operands
from symnet.reading.tokens import (
    ATTRIBUTES,
    BARS,
    CALLED,
    KEYWORDS,
    TRANSPOSE,
    Token,
    formula_error,
    pointer,
    tokenize,
)

DEEPEST = 60  # nested brackets, signs and powers; deeper text is refused
LONGEST_NUMBER = 400  # digits
LARGEST_POWER = 1024  # bits of a power of plain numbers, beyond which a float64 is infinite

_LITERALS: dict[str, Any] = {"True": True, "False": False, "None": None, "pi": sympy.pi, "E": sympy.E, "π": sympy.pi}
_PREFIXES = ("np", "numpy", "sn", "symnet")  # np.exp(x) reads as exp(x)
_METHODS = ("sum", "mean", "max", "min", "prod", "reshape", "transpose")
_GREEK = {"σ": "sigmoid"}  # functions by the letter that stands for them, where the letter is no name


# --------------------------------------------------------------------------- operators


def _arithmetic(op: str) -> Callable[[Any, Any], Any]:
    plain = {"+": sympy.Add, "*": sympy.Mul, "-": lambda a, b: a - b, "/": lambda a, b: a / b}[op]
    nodes = {"+": Node.__add__, "*": Node.__mul__, "-": Node.__sub__, "/": Node.__truediv__}[op]

    def build(a: Any, b: Any) -> Any:
        if isinstance(a, sympy.Expr) and isinstance(b, sympy.Expr) and not (op == "/" and b == 0):
            return plain(a, b)
        return nodes(as_node(a), as_node(b))

    return build


def _power(a: Any, b: Any) -> Any:
    numbers = isinstance(a, sympy.Expr) and isinstance(b, sympy.Expr) and a.is_number and b.is_number
    if numbers and a.is_Rational and b.is_Rational and a != 0:
        bits = abs(b) * max(a.p.bit_length(), a.q.bit_length())
        if bits > LARGEST_POWER:
            mend = "Use smaller numbers."
            raise ArgumentError(explain(f"{a}**{b}", f"a number below 2**{LARGEST_POWER}", "a larger one", mend))
        return a**b
    return as_node(a) ** as_node(b)


def _compare(op: str) -> Callable[[Any, Any], Any]:
    return lambda a, b: elementwise(op, as_node(a), as_node(b))


# operator → (precedence, how it is built)
_BINARY: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
    **{
        s: (1, _compare(op)) for s, op in {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}.items()
    },
    "|": (2, lambda a, b: as_node(a) | as_node(b)),
    "&": (3, lambda a, b: as_node(a) & as_node(b)),
    "+": (4, _arithmetic("+")),
    "-": (4, _arithmetic("-")),
    "*": (5, _arithmetic("*")),
    "/": (5, _arithmetic("/")),
    "@": (5, lambda a, b: as_node(a) @ as_node(b)),
}
_UNARY: dict[str, Callable[[Any], Any]] = {
    "-": lambda a: -a if isinstance(a, sympy.Expr) else -as_node(a),
    "+": lambda a: a,
    "~": lambda a: ~as_node(a),
}
_COMPARISON, _SIGN = 1, 6


# --------------------------------------------------------------------------- the parser


def parse(text: str, names: Mapping[str, Any] | None, functions: Mapping[str, Callable[..., Any]]) -> Node:
    """The node that a formula says.

    Args:
        text: in the grammar above.
        names: what names stand for: nodes, dims, numbers; None: every name is a scalar.
        functions: what may be called; keyword arguments are checked against the function's own.

    Raises:
        ArgumentError: text outside the grammar, an unknown name, a wrong argument.
        ShapeError, DTypeError, …: operands that do not fit.  Every message ends with the formula and a caret.

    Example:
        >>> import symnet as sn
        >>> from symnet.reading.parsing import parse
        >>> parse("2*x + exp(-x)", {"x": sn.scalar("x")}, {"exp": sn.exp})
        2*x + exp(-x)
    """
    return _Parser(text, names, functions).formula()


class _Parser:
    """Reads tokens from left to right; `position` is the next one."""

    def __init__(self, text: str, names: Mapping[str, Any] | None, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.text = text
        self.names = dict(names or {})
        self.free = names is None
        self.functions = functions
        self.depth = self.position = 0
        self.tokens = tokenize(text)

    # ---- tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def sees(self, *texts: str, ahead: int = 0) -> bool:
        token = self.tokens[min(self.position + ahead, len(self.tokens) - 1)]
        return token.kind in ("sign", "name") and token.text in texts

    def take(self) -> Token:
        token = self.token
        self.position += token.kind != "end"
        return token

    def expect(self, *texts: str) -> Token:
        if not self.sees(*texts):
            raise self.unexpected(" or ".join(map(repr, texts)), closing=texts[-1] if texts[-1] in ")]" else "")
        return self.take()

    def unexpected(self, expected: str, closing: str = "") -> ArgumentError:
        """The error for a token that cannot stand where it does."""
        token = self.token
        before = self.tokens[self.position - 1] if self.position else token
        if token.text in KEYWORDS:
            mend = KEYWORDS[token.text]
        elif token.text == "|" or (token.kind == "end" and before.text == "|"):
            mend = BARS
        elif before.ends_value() and (token.kind in ("name", "number") or token.text == "("):
            left, right = (clipped(t.text, 12) if t.text.isalnum() else "(…)" for t in (before, token))
            mend = f"A product has a sign: write {left}*{right}, or @ for a product of arrays."
        elif token.kind == "end" and closing:
            mend = f"Write {closing!r} here."
        elif token.text in (")", "]"):
            mend = "Drop it, or open it before."
        else:
            mend = "Check the formula."
        return self.error(token.at, expected, token.shown, mend)

    def error(self, at: int, expected: str, got: str, mend: str) -> ArgumentError:
        return formula_error(self.text, at, expected, got, mend)

    def building(self, at: int, build: Callable[..., Any], *args: Any, hint: str = "", **keywords: Any) -> Any:
        """Build a value; an error of the algebra gets the place in the formula, and what the operands are."""
        try:
            return build(*args, **keywords)
        except SymnetError as error:
            said = of_operands(hint, *args) if hint and isinstance(error, ShapeError) else ""
            raise type(error)(f"{error}{said}{pointer(self.text, at)}") from error

    # ---- formulas and definitions

    def formula(self) -> Node:
        while self.token.kind == "name" and self.sees("=", ahead=1):
            name, value = self.definition()
            self.names[name] = value.named(name)
            self.expect(";")
        self.definitions_after()
        at = self.token.at
        if self.token.kind == "end":
            raise self.error(at, "a formula", "nothing", "Write one, such as mean((X @ w - y)**2).")
        value = self.expression()
        if self.token.kind != "end" and not self.at_where():
            raise self.unexpected("an operator or the end")
        if not isinstance(value, (Node, sympy.Expr)):
            mend = "Write an expression with a value, such as sum(x)."
            raise self.error(at, "one expression", f"{type(value).__name__} {clipped(str(value))}", mend)
        return self.building(at, as_node, value)

    def at_where(self) -> bool:
        return self.sees("where") and not self.sees("(", ahead=1)

    def definitions_after(self) -> None:
        """Read what stands behind `where` first; the position comes back to the body."""
        body, starts = self.position, range(self.position, len(self.tokens))
        begin = next((k for k in starts if self._is_where(k)), None)
        if begin is None:
            return
        self.position = begin + 1
        while True:
            name, value = self.definition()
            self.names[name] = value
            if self.sees(","):
                self.take()
            if self.token.kind == "end":
                break
        self.position = body

    def _is_where(self, k: int) -> bool:
        return self.tokens[k].text == "where" and self.tokens[k].kind == "name" and self.tokens[k + 1].text != "("

    def definition(self) -> tuple[str, Node]:
        name = self.take()
        if name.kind != "name":
            raise self.error(name.at, "a name to define", name.shown, "Write t = … here.")
        self.expect("=")
        return name.text, self.building(self.token.at, as_node, self.expression())

    # ---- expressions

    def expression(self, lowest: int = _COMPARISON) -> Any:
        """Operands joined by operators that bind at least as tightly as `lowest`."""
        left = self.signed()
        while self.token.kind == "sign" and self.token.text in _BINARY:
            precedence, build = _BINARY[self.token.text]
            if precedence < lowest:
                break
            sign = self.take()
            right = self.expression(precedence + 1)
            left = self.building(sign.at, build, left, right, hint=sign.text)
            if precedence == _COMPARISON and self.token.kind == "sign" and self.is_comparison():
                mend = "Write (a < b) & (b < c)."
                raise self.error(self.token.at, "one comparison", "a chain of them", mend)
        return left

    def is_comparison(self) -> bool:
        return _BINARY.get(self.token.text, (0, None))[0] == _COMPARISON

    def signed(self) -> Any:
        """A power with its signs; `-x**2` is -(x**2)."""
        signs = []
        while self.token.kind == "sign" and self.token.text in _UNARY:
            signs.append(self.take())
        self.enter(self.token.at)
        value = self.power()
        self.depth -= 1
        for sign in reversed(signs):
            value = self.building(sign.at, _UNARY[sign.text], value)
        return value

    def enter(self, at: int) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            mend = "Name parts of it first: t = …; …"
            raise self.error(at, f"at most {DEEPEST} nested parts", "more", mend)

    def power(self) -> Any:
        base = self.postfix()
        if not self.sees("**"):
            return base
        sign = self.take()
        return self.building(sign.at, _power, base, self.signed())

    def postfix(self) -> Any:
        value = self.atom()
        while self.sees(".", "[", TRANSPOSE) or self.token.kind == "superscript":
            sign = self.take()
            if sign.kind == "superscript":
                value = self.building(sign.at, _power, value, self.number(sign))
            elif sign.text == TRANSPOSE:
                value = self.building(sign.at, as_node, value).T
            else:
                value = self.attribute(value) if sign.text == "." else self.item(value, sign)
        return value

    def attribute(self, value: Any) -> Any:
        name = self.take()
        if name.text in _METHODS and self.sees("("):
            node = self.building(name.at, as_node, value)
            return self.call(getattr(node, name.text), name)
        if name.text not in ("T", "shape"):
            known = ", ".join([".T", ".shape", *(f".{m}(…)" for m in _METHODS)])
            called = (
                f"Write {name.text}(x)." if name.text in self.functions else "Call a function instead, as in exp(x)."
            )
            raise self.error(name.at, f"one of {known}", f".{name.text}", ATTRIBUTES.get(name.text, called))
        node = self.building(name.at, as_node, value)
        return node.T if name.text == "T" else tuple(map(sympy.sympify, node.shape))

    def item(self, value: Any, sign: Token) -> Any:
        if value == 1 and isinstance(value, sympy.Expr):  # 1[x >= 0], as formulas print it
            condition = self.expression()
            self.expect("]")
            return self.building(sign.at, indicator, condition)
        keys = [self.key()]
        while self.sees(","):
            self.take()
            keys.append(self.key())
        self.expect("]")
        if isinstance(value, tuple) and len(keys) == 1 and type(keys[0]) is int and -len(value) <= keys[0] < len(value):
            return value[keys[0]]
        keys = [k.operands[0] if isinstance(k, Node) and k.kind == "one_hot" else k for k in keys]  # labels, as indices
        node = self.building(sign.at, as_node, value)
        return self.building(sign.at, lambda: node[tuple(keys)])

    def key(self) -> Any:
        if self.sees(".") and self.sees(".", ahead=1) and self.sees(".", ahead=2):
            self.position += 3
            return ...
        if self.sees(",", "]"):
            raise self.error(self.token.at, "an index or a slice", repr(self.token.text), "Write x[0] or x[:, 1:].")
        bounds: list[Any] = [self.bound()]
        while self.sees(":") and len(bounds) < 3:
            self.take()
            bounds.append(self.bound())
        return slice(*bounds) if len(bounds) > 1 else bounds[0]

    def bound(self) -> Any:
        if self.sees(":", "]", ","):
            return None
        value = self.expression()
        return int(value) if _whole(value) else value

    # ---- atoms

    def atom(self) -> Any:
        token = self.take()
        read = _ATOMS.get(token.kind if token.kind != "sign" else token.text)
        if read is None:
            self.position -= token.kind != "end"
            raise self.unexpected("a number, a name or a bracket")
        return read(self, token)

    def number(self, token: Token) -> Any:
        if len(token.text) > LONGEST_NUMBER or float(token.text) == float("inf"):
            raise self.error(token.at, "a number that float64 holds", clipped(token.text, 20), "Use a smaller one.")
        return sympy.Integer(int(token.text)) if token.text.isdigit() else exact(float(token.text))

    def name(self, token: Token) -> Any:
        if token.text in _PREFIXES and token.text not in self.names and self.sees("."):
            self.take()
            return self.name(self.take())
        if self.sees("(") and token.text not in self.names:
            name = _GREEK.get(token.text, token.text)
            if name not in self.functions:
                got = clipped(token.text)
                mend = CALLED.get(token.text) or self.near(token.text, self.functions)
                raise self.error(token.at, "a function of symnet", got, mend)
            return read_array(self, token) if name == "array" else self.call(self.functions[name], token)
        if token.text in self.names:
            return self.names[token.text]
        if token.text in _LITERALS:
            return _LITERALS[token.text]
        if self.free and token.text not in KEYWORDS:
            if token.text == "e" and self.sees("**"):
                mend = "Write exp(x) for eˣ; a variable of that name is declared, as --shapes e x."
                raise self.error(token.at, "a name, or a function of symnet", "e as a base", mend)
            return scalar(token.text)
        known = ", ".join(map(str, self.names)) or "no names at all"
        raise self.error(token.at, f"one of {known}", clipped(token.text), self.near(token.text, self.names))

    def near(self, name: str, known: Mapping[str, Any]) -> str:
        if name in KEYWORDS:
            return KEYWORDS[name]
        close = difflib.get_close_matches(name, known, n=1)
        return f"Did you mean {close[0]}?" if close else "Check the name, or declare it."

    def group(self, token: Token) -> Any:
        """(…): an expression, or a tuple where a comma stands in it."""
        values = self.sequence(")")
        trailing = self.tokens[self.position - 2].text == ","
        return values[0] if len(values) == 1 and not trailing else tuple(values)

    def list(self, token: Token) -> Any:
        return self.sequence("]")

    def sequence(self, end: str) -> Any:
        values = []
        while not self.sees(end):
            values.append(self.expression())
            if not self.sees(end):
                self.expect(",", end)
        self.take()
        return values

    def string(self, token: Token) -> str:
        return token.text[1:-1]

    def call(self, function: Callable[..., Any], name: Token) -> Any:
        self.expect("(")
        args: list[Any] = []
        keywords: dict[str, Any] = {}
        while not self.sees(")"):
            if self.token.kind == "name" and self.sees("=", ahead=1):
                key = self.take()
                self.take()
                keywords[key.text] = self.expression()
            else:
                args.append(self.expression())
            if not self.sees(")"):
                self.expect(",", ")")
        self.take()
        self.check_call(function, name, args, keywords)
        return self.building(name.at, function, *args, **keywords)

    def check_call(self, function: Callable[..., Any], name: Token, args: Any, keywords: Any) -> None:
        meant = of_call(name.text, args)
        if meant is not None:
            raise self.error(name.at, "one array", f"{len(args)} values", meant)
        signature = inspect.signature(function)
        try:
            signature.bind(*args, **keywords)
        except TypeError as error:
            expected, got = f"{name.text}({', '.join(signature.parameters)})", str(error).removeprefix("got ")
            raise self.error(name.at, expected, got, "Check the arguments.") from error


def _whole(value: Any) -> bool:
    return isinstance(value, sympy.Integer)


_ATOMS: dict[str, Callable[[_Parser, Token], Any]] = {
    "number": _Parser.number,
    "name": _Parser.name,
    "string": _Parser.string,
    "(": _Parser.group,
    "[": _Parser.list,
}
