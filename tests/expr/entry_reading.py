r"""Reading arrays by their entries back from LaTeX: \left[\delta_{ik} \left(s_{k} - \sum_{l} X_{kl}\right)\right]_{ij}.

An entry is a scalar; every index stands for an axis.  What stands in brackets with indices below it, inside an entry,
is an array on paper (`paper_reading.py`), of which an element is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from tests.expr.paper_reading import FUNCTIONS, equations, read_on_paper

_TOKEN = re.compile(r"\s*(\\mathbf\{1\}|\\operatorname\{\w+\}|\\[a-zA-Z]+|\d+(?:\.\d+)?|[A-Za-z]|.)")
_ENDS = ("", "+", "-", ")", "}", "]")


class Entry(NamedTuple):
    """A value for all indices: one axis for each of them, in this order."""

    array: np.ndarray
    at: tuple[str, ...] = ()

    def along(self, at: tuple[str, ...]) -> np.ndarray:
        """The array with axes for these indices."""
        order = np.transpose(self.array, [self.at.index(i) for i in at if i in self.at])
        return order[tuple(slice(None) if i in self.at else None for i in at)]


def together(function: Callable[..., Any], *values: Entry) -> Entry:
    at = tuple(dict.fromkeys(i for v in values for i in v.at))
    return Entry(np.asarray(function(*(v.along(at) for v in values))), at)


def diagonal(array: np.ndarray, at: str) -> Entry:
    """The elements of an array at indices; one that stands twice takes a diagonal, the digit 1 the first."""
    first = array[tuple(0 if i == "1" else slice(None) for i in at)]
    left = [i for i in at if i != "1"]
    names = dict(zip(dict.fromkeys(left), "abcdefgh", strict=False))
    found = np.einsum(f"{''.join(names[i] for i in left)}->{''.join(names.values())}", first)
    return Entry(found, tuple(names))


_OF_ARRAYS: dict[str, Callable[[Entry], Entry]] = {
    r"\max": lambda x: Entry(np.max(x.array)),
    r"\operatorname{softmax}": lambda x: Entry(special.softmax(x.array, axis=-1), x.at),
}


class EntryReader:
    """One formula of an entry, read from left to right."""

    def __init__(self, latex: str, leaves: Mapping[str, np.ndarray], extents: dict[str, int]) -> None:
        self.tokens = [*(t for t in _TOKEN.findall(latex) if t.strip()), ""]
        self.leaves, self.extents = leaves, extents
        for name, letters in re.findall(r"(\w+)_\{(\w+)\}", latex):
            if np.ndim(leaves.get(name, 0)) == len(letters):
                extents.update(zip(letters, np.shape(leaves[name]), strict=True))

    def next(self, wanted: str | None = None) -> str:
        token = self.tokens.pop(0)
        assert wanted in (None, token), (wanted, token, self.tokens)
        return token

    def met(self, token: str) -> bool:
        if self.tokens[0] == token:
            self.next()
            return True
        return False

    def whole(self) -> Entry:
        value = self.sum()
        assert self.tokens == [""], self.tokens
        return value

    def sum(self) -> Entry:
        value = together(np.negative, self.product()) if self.met("-") else self.product()
        while self.tokens[0] in ("+", "-"):
            value = together(np.add if self.next() == "+" else np.subtract, value, self.product())
        return value

    def product(self) -> Entry:
        value = self.power()
        while self.tokens[0] not in _ENDS:
            self.met(r"\cdot")
            value = together(np.multiply, value, self.power())
        return value

    def power(self) -> Entry:
        value = self.atom()
        while self.met("^"):
            value = together(np.power, value, self.braced())
        return value

    def braced(self) -> Entry:
        self.next("{")
        value = self.sum()
        self.next("}")
        return value

    def letters(self) -> str:
        self.next("_")
        self.next("{")
        return "".join(iter(self.next, "}"))

    def within(self, closing: str) -> str:
        """The LaTeX up to the bracket that ends here."""
        opening, depth, found = {"]": "[", ")": "("}[closing], 1, list[str]()
        while depth:
            found.append(self.next())
            depth += (found[-1] == opening) - (found[-1] == closing)
        return " ".join(found[:-1])

    def summed(self, over: str) -> Entry:
        value = self.product()
        for i in over:
            value = (
                Entry(value.array.sum(value.at.index(i)), tuple(j for j in value.at if j != i))
                if i in value.at
                else Entry(value.array * self.extents[i], value.at)
            )
        return value

    def reduced(self, function: Callable[..., Any]) -> Entry:
        over = self.letters()
        self.next("(")
        value = self.sum()
        self.next(")")
        axes = tuple(value.at.index(i) for i in over)
        return Entry(np.asarray(function(value.array, axis=axes)), tuple(i for i in value.at if i not in over))

    def atom(self) -> Entry:
        token = self.next()
        if token == "(":
            inner = self.within(")")
            if r"\top" in inner and not re.search(r"_\s*\{\s*[a-z]", inner):  # a product of vectors
                return Entry(read_on_paper(inner, self.leaves, 0))
            return EntryReader(inner, self.leaves, self.extents).whole()
        if token == "[":
            inner = self.within("]")
            letters = self.letters()
            found = read_array(inner, self.leaves, len(letters))
            self.extents.update(zip(letters, found.shape, strict=True))
            return diagonal(found, letters)
        if token == r"\frac":
            return together(np.divide, self.braced(), self.braced())
        if token == r"\sqrt":
            return together(np.sqrt, self.braced())
        if token == r"\sum":
            return self.summed(self.letters()) if self.tokens[0] == "_" else Entry(np.sum(self.product().array))
        if token == r"\delta":
            letters = self.letters()
            return diagonal(np.eye(self.extents[letters[0]]), letters)
        if token in (r"\max", r"\operatorname{logsumexp}") and self.tokens[0] == "_":
            return self.reduced(np.max if token == r"\max" else special.logsumexp)
        if token in _OF_ARRAYS or (token in FUNCTIONS and token not in self.leaves):
            self.next("(")
            value = EntryReader(self.within(")"), self.leaves, self.extents).whole()
            return _OF_ARRAYS[token](value) if token in _OF_ARRAYS else together(FUNCTIONS[token], value)
        if token[0].isdigit():
            return Entry(np.array(float(token)))
        x = self.leaves[token]
        return diagonal(x, self.letters() if self.tokens[0] == "_" else "ijkl"[: np.ndim(x)])


def read_array(latex: str, leaves: Mapping[str, np.ndarray], rank: int, shape: tuple[int, ...] = ()) -> np.ndarray:
    """An array on paper, or by its entries where all of it stands in brackets with indices below."""
    plain = latex.replace(r"\left", "").replace(r"\right", "")
    written = re.fullmatch(r"\s*\[(.*)\]\s*_\s*\{\s*((?:\w\s*)+)\}\s*", plain)
    if written is None or not _is_one_bracket(written[1]):
        if rank in (1, 2) or not re.search(r"_\{[a-z]|T", plain):
            return read_on_paper(latex, leaves, rank)
        return by_entries(plain, "ijkl"[:rank], leaves, {})
    at = "".join(written[2].split())
    return by_entries(written[1], at, leaves, dict(zip(at, shape, strict=True)) if shape else {})


def _is_one_bracket(inner: str) -> bool:
    depths = [0]
    for character in inner:
        depths.append(depths[-1] + (character == "[") - (character == "]"))
    return min(depths) >= 0


def by_entries(entry: str, at: str, leaves: Mapping[str, np.ndarray], extents: dict[str, int]) -> np.ndarray:
    value = EntryReader(entry, leaves, extents).whole()
    extents.update(zip(value.at, value.array.shape, strict=True))
    shape = tuple(extents[i] for i in at)
    return np.broadcast_to(value.along(tuple(at)), shape)


def read_entries(latex: str, leaves: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """The value of a formula in LaTeX, with names defined below it."""
    values = dict(leaves)
    body, definitions = equations(latex)
    for name, formula in definitions:
        values[name] = read_array(formula, values, 1)
    return read_array(body, values, len(shape), shape)
