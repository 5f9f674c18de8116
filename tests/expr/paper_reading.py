r"""Reading LaTeX back under the rules of paper: shapes must fit, nothing is repeated; numbers only in functions.

A vector is a matrix of one column; `\mathbf{1}` is as long as its place wants.  Juxtaposition is the product of
matrices, or by a number; sums, ⊙, quotients and functions want matrices of one shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import special

_TOKEN = re.compile(r"\s*(\\operatorname\{\w+\}|\\mathbf\{1\}|\\text\{\w+\}|\\\\|\\[a-zA-Z]+|\d+(?:\.\d+)?|[A-Za-z]|.)")


class DoesNotFit(Exception):
    """Shapes that no reader of the formula could multiply or add."""


class Value(NamedTuple):
    """A matrix, or a number; along a free axis it has one element that stands for any number of them."""

    array: np.ndarray
    free: tuple[bool, bool] = (False, False)

    @property
    def is_number(self) -> bool:
        return self.array.ndim == 0

    def stretched(self, shape: tuple[int, int]) -> Value:
        wanted = tuple(n if free else have for n, have, free in zip(shape, self.array.shape, self.free, strict=True))
        left = tuple(free and n == 1 for n, free in zip(shape, self.free, strict=True))
        return Value(np.broadcast_to(self.array, wanted), left)

    @property
    def shape(self) -> tuple[int, int]:
        return self.array.shape


def number(value: float) -> Value:
    return Value(np.array(float(value)))


def matrix(array: np.ndarray) -> Value:
    """A leaf's value: a vector is a column."""
    return Value(array[:, None] if array.ndim == 1 else array)


def added(function: Callable[..., Any], a: Value, b: Value) -> Value:
    """A sum: of two numbers, or of two matrices."""
    if a.is_number != b.is_number and max(a.array.size, b.array.size, any(a.free), any(b.free) and 2) > 1:
        raise DoesNotFit("a number and a matrix added")
    return together(function, a, b)


def together(function: Callable[..., Any], *values: Value) -> Value:
    """A function element by element: of numbers, and of matrices of one shape."""
    matrices = [v for v in values if not v.is_number]
    if not matrices:
        return Value(np.asarray(function(*(v.array for v in values))))
    shape = tuple(max(v.shape[a] for v in matrices) for a in range(2))
    stretched = [v if v.is_number else v.stretched(shape) for v in values]
    for v in stretched:
        if not v.is_number and v.shape != shape:
            raise DoesNotFit(f"{[m.shape for m in matrices]} element by element")
    free = tuple(all(v.free[a] for v in matrices) for a in range(2))
    return Value(np.asarray(function(*(v.array for v in stretched))), free)


def beside(a: Value, b: Value) -> Value:
    """Juxtaposition."""
    if a.is_number or b.is_number:
        return together(np.multiply, a, b)
    if a.free[1] and b.free[0]:
        raise DoesNotFit("ones by ones of no length")
    a, b = a.stretched((a.shape[0], b.shape[0])), b.stretched((a.shape[1], b.shape[1]))
    if a.shape[1] != b.shape[0]:
        raise DoesNotFit(f"{a.shape} times {b.shape}")
    product, free = a.array @ b.array, (a.free[0], b.free[1])
    return Value(product.reshape(()), (False, False)) if product.size == 1 and not any(free) else Value(product, free)


def whole(function: Callable[[np.ndarray], Any], x: Value) -> Value:
    """A function of all elements, which must be known."""
    if any(x.free):
        raise DoesNotFit("a matrix of no size")
    found = np.asarray(function(x.array))
    return Value(found.reshape(()) if found.size == 1 else found)


def _softmax(x: np.ndarray, axis: int | None) -> np.ndarray:
    """Of a vector along it, of a matrix along its rows, unless the formula says along which axis."""
    if x.ndim == 0:
        return np.ones(())
    return special.softmax(x, axis=axis if axis is not None else int(x.shape[1] > 1))


def _reduced(reduce: Callable[..., Any], x: Value, axis: int | None) -> Value:
    """Along an axis of a matrix; of a vector, all of it."""
    if axis is None or x.is_number:
        return whole(reduce, x)
    return whole(lambda array: matrix(reduce(array, axis=axis)).array, x)


FUNCTIONS = {
    r"\exp": np.exp, r"\log": np.log, r"\tanh": np.tanh, r"\sin": np.sin, r"\sigma": special.expit,
    r"\operatorname{relu}": lambda x: np.maximum(x, 0),
}  # fmt: skip
RELATIONS = {"<": np.less, ">": np.greater, r"\leq": np.less_equal, r"\geq": np.greater_equal}


class Reader:
    """One formula, read from left to right."""

    def __init__(self, latex: str, values: Mapping[str, Value]) -> None:
        plain = (
            latex.replace(r"\left\|", r"\norm ")
            .replace(r"\right\|", r"\endnorm ")
            .replace(r"\left", "")
            .replace(r"\right", "")
        )
        self.tokens = [*(t for t in _TOKEN.findall(plain) if t.strip()), ""]
        self.values = values
        self.after_total = -1  # how many tokens were left after the last Σ and what it sums

    def whole(self) -> Value:
        value = self.relation()
        assert self.tokens == [""], self.tokens
        return value

    def next(self, wanted: str | None = None) -> str:
        token = self.tokens.pop(0)
        assert wanted in (None, token), (wanted, token, self.tokens)
        return token

    def met(self, token: str) -> bool:
        if self.tokens[0] != token:
            return False
        self.next()
        return True

    def braced(self) -> Value:
        self.next("{")
        value = self.relation()
        self.next("}")
        return value

    def relation(self) -> Value:
        value = self.sum()
        if self.tokens[0] in RELATIONS:
            return together(RELATIONS[self.next()], value, self.sum())
        return value

    def sum(self) -> Value:
        value = together(np.negative, self.term()) if self.met("-") else self.term()
        while self.tokens[0] in ("+", "-"):
            operation = np.add if self.next() == "+" else np.subtract
            after_total, left = len(self.tokens) + 1 == self.after_total, len(self.tokens)
            value = added(operation, value, self.term())
            if after_total and left - len(self.tokens) == 1:
                raise DoesNotFit("what is summed")
        return value

    def term(self) -> Value:
        value = self.factors()
        while self.tokens[0] in (r"\odot", "/"):
            operation = np.multiply if self.next() == r"\odot" else np.divide
            value = together(operation, value, self.factors())
        return value

    def factors(self) -> Value:
        value = self.power()
        number_made = False
        while self.tokens[0] not in (
            "",
            "+",
            "-",
            r"\odot",
            "/",
            ")",
            "}",
            "]",
            "&",
            ",",
            r"\\",
            r"\endnorm",
            r"\end",
            *RELATIONS,
        ):
            self.met(r"\cdot")
            factor = self.power()
            if number_made and not factor.is_number:
                raise DoesNotFit("a product of vectors before another factor")
            number_made = not value.is_number and not factor.is_number
            value = beside(value, factor)
            number_made = number_made and value.is_number
        return value

    def power(self) -> Value:
        value = self.atom()
        while self.tokens[0] in ("^", "["):
            if self.next() == "[":
                value = self.indexed(value)
                continue
            self.next("{")
            if self.met(r"\top"):
                value = Value(value.array.T, value.free[::-1])
            else:
                self.met(r"\odot")
                value = together(np.power, value, self.sum())
            self.next("}")
        return value

    def indexed(self, x: Value) -> Value:
        """x[0, :], which is a vector; in braces what LaTeX should set without space."""
        items = "".join(iter(self.next, "]")).replace("{", "").replace("}", "").replace("\\,", "").split(",")
        if x.is_number:
            return x
        found = x.array[tuple(slice(None) if item == ":" else int(item) for item in items)]
        return Value(found.reshape(-1, 1) if found.size > 1 else found.reshape(()))

    def atom(self) -> Value:
        token = self.next()
        if token == "(":
            value = self.relation()
            self.next(")")
            return value
        if token == r"\mathbf{1}":
            return self.ones()
        if token == r"\frac":
            return together(np.divide, self.braced(), self.braced())
        if token == r"\sqrt":
            return together(np.sqrt, self.braced())
        if token == r"\sum":
            value = whole(np.sum, self.term())
            self.after_total = len(self.tokens)
            return value
        if token == r"\norm":
            value = whole(lambda x: np.sqrt(np.sum(x**2)), self.relation())
            self.next(r"\endnorm")
            return value
        if token == r"\begin":
            return self.cases()
        if token in self.values:
            return self.values[token]
        if token in FUNCTIONS:
            return together(FUNCTIONS[token], *self.arguments())
        if token[0] == "\\":
            return self.call(token)
        if token == "I":
            for wanted in "_{":
                self.next(wanted)
            size = int(self.next())
            self.next("}")
            return matrix(np.eye(size))
        return number(float(token))

    def ones(self) -> Value:
        if self.met("["):
            value = together(lambda x: np.asarray(x, float), self.relation())
            self.next("]")
            return value
        if not self.met("_"):
            return Value(np.ones((1, 1)), (True, False))
        self.next("{")
        shape = [int(self.next())]
        while self.met(r"\times"):
            shape.append(int(self.next()))
        self.next("}")
        return matrix(np.ones(shape)) if np.prod(shape) > 1 else number(1)

    def arguments(self) -> list[Value]:
        self.next("(")
        found = [self.relation()]
        while self.met(","):
            found.append(self.relation())
        self.next(")")
        return found

    def call(self, name: str) -> Value:
        axis = None
        if self.met("_"):
            self.next("{")
            axis = int(self.next())
            self.next("}")
        args = self.arguments()
        if name in (r"\max", r"\min"):
            if len(args) > 1:
                return together(np.maximum if name == r"\max" else np.minimum, *args)
            reduce = np.max if name == r"\max" else np.min
            return _reduced(reduce, args[0], axis)
        if name == r"\operatorname{logsumexp}":
            return _reduced(special.logsumexp, args[0], axis)
        if name == r"\operatorname{diag}":
            if args[0].is_number:
                return args[0]
            assert args[0].shape[1] == 1
            return whole(lambda x: np.diag(x[:, 0]), args[0])
        assert name == r"\operatorname{softmax}", name
        return whole(lambda x: _softmax(x, axis), args[0])

    def cases(self) -> Value:
        for token in "{cases}":
            self.next(token)
        a = self.sum()
        self.next("&")
        condition = self.relation()
        self.next(r"\\")
        b = self.sum()
        self.next("&")
        self.next(r"\text{otherwise}")
        self.next(r"\end")
        for token in "{cases}":
            self.next(token)
        return together(np.where, condition, a, b)


_BROKEN = re.compile(r"\\[Bb]igg?[lr]|\\q?quad|\{\}|(?<!\\)&")  # what breaking a line puts there


def equations(latex: str) -> tuple[str, list[tuple[str, str]]]:
    """A formula, and the names that are defined below it, in order; lines that were broken in one."""
    if r"\text{where}" not in latex:
        return latex, []
    inner = latex.removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}")
    body, below = (_BROKEN.sub(" ", part) for part in inner.split(r"\text{where}"))
    found: list[tuple[str, str]] = []
    for row in filter(str.strip, below.split(r"\\")):
        name, sign, formula = row.partition(" = ")
        if sign:
            found.append((name.strip(), formula))
        else:
            found[-1] = (found[-1][0], found[-1][1] + " " + row)
    return body.replace(r"\\", " "), found


def read_on_paper(latex: str, leaves: Mapping[str, np.ndarray], rank: int) -> np.ndarray:
    """The value of a formula in LaTeX; a vector of rank 1 as such.

    Raises:
        DoesNotFit: where shapes do not fit as they are written.
    """
    values = {name: matrix(x) if x.ndim else number(x) for name, x in leaves.items()}
    body, definitions = equations(latex)
    for name, formula in definitions:
        values[name] = Reader(formula, values).whole()
    value = Reader(body, values).whole()
    if any(value.free):
        raise DoesNotFit("the size of the result")
    return value.array[:, 0] if rank == 1 and not value.is_number else value.array
