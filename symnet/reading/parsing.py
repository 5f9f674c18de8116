"""Formulas as text become expressions: `mean((X @ w - y)**2)`.  Nothing that is typed is ever evaluated as Python.

In: text, the values of its names, a table of functions.  Out: a node, or an error whose last lines point at the place.

    formula     { definition ";" } ( expression | definition ) [ "where" definition { "," definition } ]
    definition  name [ "(" names ")" ] ( "=" | ":=" ) expression
    expression  operators by precedence, as in Python: comparisons, |, &, + -, * / // % @, unary - + ~, **
    postfix     atom { "." attribute | "." name "(" arguments ")" | "'" | "[" keys "]" | a superscript such as ² }
    attribute   "T" | "shape" | "size" | "ndim"
    atom        number | name | name "(" arguments ")" | "(" expression ")" | "(" tuple ")" | "[" list "]" | "string"
                | "1[" condition "]"

A value that is only named is that value: L = x**2.  Printed formulas are in this grammar.  Not handled: `and`, `or`,
`not`, chained comparisons, lambdas, attributes other than those above.
Source: precedence climbing, V. Pratt, "Top down operator precedence", 1973.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import sympy

from symnet.errors import clipped
from symnet.expr.nodes.constants import as_node, exact
from symnet.expr.nodes.elementwise import indicator
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import scalar
from symnet.reading.array_literals import read_array
from symnet.reading.cursor import Cursor
from symnet.reading.hints import ATTRIBUTES, KEYWORDS, of_call, of_name, of_product
from symnet.reading.operators import BINARY, COMPARISON, UNARY, power
from symnet.reading.tokens import TRANSPOSE, Token

LONGEST_NUMBER = 400  # digits

_LITERALS: dict[str, Any] = {"True": True, "False": False, "None": None, "pi": sympy.pi, "E": sympy.E, "π": sympy.pi}
_NUMPY = ("np", "numpy", "jnp")
_PREFIXES = (*_NUMPY, "sn", "symnet", "math")  # np.exp(x) reads as exp(x)
_CONSTANTS: dict[str, Any] = {"pi": sympy.pi, "e": sympy.E, "inf": sympy.oo, "newaxis": None}  # behind a prefix
_METHODS = ("sum", "mean", "max", "min", "prod", "reshape", "transpose", "cumsum", "cumprod")
_OF_ARRAYS = {
    **{name: f"np.{name}" for name in ("all", "any", "argmax", "argmin", "clip", "dot", "ravel", "squeeze", "std")},
    **{name: f"np.{name}" for name in ("swapaxes", "take", "trace", "var")},
    "flatten": "np.ravel",
}  # NumPy's other methods
_ATTRIBUTES: dict[str, Callable[[Node], Any]] = {
    "T": lambda x: x.T,
    "shape": lambda x: tuple(map(sympy.sympify, x.shape)),
    "ndim": lambda x: sympy.Integer(x.rank),
    "size": lambda x: sympy.prod(map(sympy.sympify, x.shape)),
}
_GREEK = {"σ": "sigmoid"}  # functions by the letter that stands for them, where the letter is no name


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


class _Parser(Cursor):
    """Reads a formula from left to right."""

    def __init__(self, text: str, names: Mapping[str, Any] | None, functions: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(text, functions)
        self.names = dict(names or {})
        self.free = names is None
        self.parameters: dict[str, tuple[Any, ...]] = {}

    # ---- formulas and definitions

    def formula(self) -> Node:
        while self.tokens[-2:-1] and self.tokens[-2].text == ";":
            del self.tokens[-2]
        last = max((k for k, token in enumerate(self.tokens) if token.text == ";"), default=-1)
        while self.position <= last and self.at_definition():
            name, value = self.named_value()
            self.names[name] = value.named(name)
            self.expect(";")
        self.definitions_after()
        at = self.token.at
        if self.token.kind == "end":
            raise self.error(at, "a formula", "nothing", "Write one, such as mean((X @ w - y)**2).")
        name, value = self.named_value() if self.at_definition() else ("", self.expression())
        if self.token.kind != "end" and not self.at_where():
            raise self.unexpected("an operator or the end")
        if not isinstance(value, (Node, sympy.Expr)):
            mend = "Write an expression with a value, such as sum(x)."
            raise self.error(at, "one expression", f"{type(value).__name__} {clipped(str(value))}", mend)
        node = self.building(at, as_node, value)
        return node.named(name) if name else node

    def at_definition(self) -> bool:
        """Whether `L =`, `L :=` or `f(x, y) =` comes next."""
        if self.token.kind != "name":
            return False
        behind = 1
        if self.sees("(", ahead=1):
            behind = next((k for k in range(2, len(self.tokens)) if not self.is_parameter(k)), 1) + 1
            if not self.sees(")", ahead=behind - 1):
                return False
        return self.sees("=", ahead=behind) or (self.sees(":", ahead=behind) and self.sees("=", ahead=behind + 1))

    def is_parameter(self, ahead: int) -> bool:
        token = self.tokens[min(self.position + ahead, len(self.tokens) - 1)]
        return token.kind == "name" or token.text == ","

    def named_value(self) -> tuple[str, Node]:
        """A definition of which the name stays on the value: it may not have that name inside."""
        at = self.token.at
        name, value = self.definition()
        if any(getattr(node, "name", None) == name for node in topological(value)):
            mend = "Give one of the two another name."
            raise self.error(at, f"a name that is not in its own definition, as L = {name}**2", repr(name), mend)
        return name, value

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
        """`t = …`, `t := …`, or `f(x) = …`: the x of the formula itself, which a call `f(x)` later on repeats."""
        name = self.take()
        if name.kind != "name":
            raise self.error(name.at, "a name to define", name.shown, "Write t = … here.")
        if self.sees("("):
            self.take()
            self.parameters[name.text] = self.arguments(name)
        if self.sees(":"):
            self.take()
        self.expect("=")
        return name.text, self.building(self.token.at, as_node, self.expression())

    def arguments(self, name: Token) -> tuple[Any, ...]:
        """What stands in the parentheses of a function that the formula defines."""
        values = tuple(self.sequence(")"))
        if name.text in self.parameters and values != self.parameters[name.text]:
            mend = f"Call it as {name.text} was defined, or write the formula out for other values."
            defined = ", ".join(map(str, self.parameters[name.text]))
            got = clipped(", ".join(map(str, values))) or "none"
            raise self.error(name.at, f"{name.text}({defined}), as it is defined", got, mend)
        return values

    # ---- expressions

    def expression(self, lowest: int = COMPARISON) -> Any:
        """Operands joined by operators that bind at least as tightly as `lowest`."""
        since, left = self.token.at, self.signed()
        while self.token.kind == "sign" and self.token.text in BINARY:
            precedence, build = BINARY[self.token.text]
            if precedence < lowest:
                break
            sign = self.take()
            right = self.expression(precedence + 1)
            left = self.building(sign.at, build, left, right, hint=sign.text, since=since)
            if precedence == COMPARISON and self.token.kind == "sign" and self.is_comparison():
                mend = "Write (a < b) & (b < c)."
                raise self.error(self.token.at, "one comparison", "a chain of them", mend)
        return left

    def is_comparison(self) -> bool:
        return BINARY.get(self.token.text, (0, None))[0] == COMPARISON

    def signed(self) -> Any:
        """A power with its signs; `-x**2` is -(x**2)."""
        signs = []
        while self.token.kind == "sign" and self.token.text in UNARY:
            signs.append(self.take())
        self.enter(self.token.at)
        value = self.power()
        self.depth -= 1
        for sign in reversed(signs):
            value = self.building(sign.at, UNARY[sign.text], value, since=sign.at)
        return value

    def power(self) -> Any:
        since, base = self.token.at, self.postfix()
        if not self.sees("**"):
            return base
        sign = self.take()
        return self.building(sign.at, power, base, self.signed(), since=since)

    def postfix(self) -> Any:
        since, value = self.token.at, self.atom()
        while self.sees(".", "[", TRANSPOSE) or self.token.kind == "superscript":
            sign = self.take()
            if sign.kind == "superscript":
                value = self.building(sign.at, power, value, self.number(sign), since=since)
            elif sign.text == TRANSPOSE:
                value = self.building(sign.at, as_node, value).T
            else:
                value = self.attribute(value, since) if sign.text == "." else self.item(value, sign, since)
        return value

    def attribute(self, value: Any, since: int) -> Any:
        name = self.take()
        called = _OF_ARRAYS.get(name.text, "") in self.functions or name.text in _METHODS
        if called and self.sees("("):
            node = self.building(name.at, as_node, value)
            function = getattr(node, name.text) if name.text in _METHODS else self.functions[_OF_ARRAYS[name.text]]
            return self.call(function if name.text in _METHODS else partial(function, node), name, since)
        if name.text not in _ATTRIBUTES:
            known = ", ".join([*(f".{n}" for n in _ATTRIBUTES), *(f".{m}(…)" for m in _METHODS)])
            hint = f"Write {name.text}(x)." if name.text in self.functions else "Call a function instead, as in exp(x)."
            raise self.error(name.at, f"one of {known}", f".{name.text}", ATTRIBUTES.get(name.text, hint))
        return _ATTRIBUTES[name.text](self.building(name.at, as_node, value))

    def item(self, value: Any, sign: Token, since: int) -> Any:
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
        return self.building(sign.at, lambda: node[tuple(keys)], since=since)

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
            return self.behind_prefix(token)
        if token.text in self.parameters and self.sees("("):
            self.take()
            self.arguments(token)
            return self.names[token.text]
        if self.sees("(") and token.text not in self.names:
            name = _GREEK.get(token.text, token.text)
            if name not in self.functions:
                mend = of_name(token.text, self.functions, called=True)
                raise self.error(token.at, "a function of symnet", clipped(token.text), mend)
            return read_array(self, token) if name == "array" else self.call(self.functions[name], token, token.at)
        if token.text in self.names:
            return self.names[token.text]
        if token.text in _LITERALS:
            return _LITERALS[token.text]
        if self.free and token.text not in KEYWORDS:
            if token.text == "e" and self.sees("**"):
                mend = "Write exp(x) for eˣ; a variable of that name is declared, as --shapes e x."
                raise self.error(token.at, "a name, or a function of symnet", "e as a base", mend)
            return scalar(token.text)
        known, mend = ", ".join(map(str, self.names)) or "no names at all", of_name(token.text, self.names)
        if token.text in self.functions:
            mend = of_product(token.text, self.token.text if self.token.kind in ("name", "number") else "x", True)
        raise self.error(token.at, f"one of {known}", clipped(token.text), mend)

    def behind_prefix(self, prefix: Token) -> Any:
        """`np.exp(x)`, `np.linalg.norm(x)`, `np.pi`: NumPy's meaning where it is another."""
        self.take()
        name = self.take()
        if not self.sees("(", "."):
            return _CONSTANTS[name.text] if name.text in _CONSTANTS else self.name(name)
        word = name.text
        while self.sees(".") and word != "array":
            self.take()
            word += f".{self.take().text}"
        theirs = self.functions.get(f"np.{word}") if prefix.text in _NUMPY else None
        if theirs is not None and word != "array":
            return self.call(theirs, name, prefix.at)
        if "." in word:
            mend = of_name(word, self.functions, called=True)
            raise self.error(name.at, "a function of symnet", clipped(f"{prefix.text}.{word}"), mend)
        return self.name(name)

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

    def call(self, function: Callable[..., Any], name: Token, since: int) -> Any:
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
        return self.building(name.at, function, *args, since=since, **keywords)

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
