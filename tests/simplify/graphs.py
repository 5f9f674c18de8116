"""Random well-typed graphs for the laws of simplification, with data for their leaves."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import sympy

from symnet.expr.nodes.constants import identity, number, size
from symnet.expr.nodes.contraction import contract, transpose
from symnet.expr.nodes.contraction import sum as sum_over
from symnet.expr.nodes.elementwise import elementwise
from symnet.expr.nodes.expansion import expand
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.graph import topological, with_operands
from symnet.expr.nodes.movement import concat, pad, reshape
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.reduction import along, reduce, softmax
from symnet.expr.nodes.symbols import tensor

m = dim("m")
M = 3  # the value of m
SHAPES: list[tuple[Any, ...]] = [(), (m,), (2,), (m, 2), (2, 2), (2, m), (m, 1), (m, 2, 2)]
NAMES = {shape: "abcdefgh"[k] for k, shape in enumerate(SHAPES)}
UNARY = ("exp", "tanh", "sigmoid", "softplus", "sin", "cos", "abs", "sign", "log", "log1p", "expm1")
NUMBERS = (-2, -1, sympy.Rational(1, 2), 0, 1, 2, 3)


def leaf(shape: tuple[Any, ...], rng: random.Random) -> Node:
    """A leaf of the shape; some carry an assumption."""
    kind = rng.choice(["", "", "", "positive", "simplex", "one_hot", "symmetric"])
    if kind in ("simplex", "one_hot") and (not shape or shape[-1] == 1):
        kind = ""
    if kind == "symmetric" and shape != (2, 2):
        kind = ""
    name = (
        NAMES[shape]
        + {"": "", "positive": "p", "simplex": "s", "one_hot": "o", "symmetric": "y"}[kind]
        + str(rng.randint(0, 1))
    )
    return tensor(name, *shape, **({kind: True} if kind else {}))


class Grower:
    """Grows a pool of nodes step by step."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.pool: list[Node] = [leaf(self.rng.choice(SHAPES), self.rng) for _ in range(5)]

    def grow(self, steps: int) -> Node:
        for _ in range(steps):
            make = self.rng.choice(self.MOVES)
            new = make(self)
            if new is not None and new.rank <= 3:
                self.pool.append(new)
        return self.pool[-1]

    def any(self) -> Node:
        return self.rng.choice(self.pool[-8:])

    def like(self, x: Node) -> Node:
        """A node that broadcasts with x: of its shape, a suffix of it, or a scalar."""
        fits = [n for n in self.pool if n.shape == x.shape or n.shape == x.shape[x.rank - n.rank :]]
        return self.rng.choice([*fits, number(self.rng.choice(NUMBERS)), 1 / size(m)])

    def add(self) -> Node:
        x = self.any()
        terms = [x, *(self.like(x) for _ in range(self.rng.randint(1, 2)))]
        self.rng.shuffle(terms)
        return elementwise("add", *terms)

    def mul(self) -> Node:
        x = self.any()
        factors = [x, *(self.like(x) for _ in range(self.rng.randint(1, 2)))]
        self.rng.shuffle(factors)
        return elementwise("mul", *factors)

    def power(self) -> Node:
        if self.rng.random() < 0.2:
            base, exponent = self.any(), self.any()
            if base.shape == exponent.shape:
                return elementwise("pow", elementwise("softplus", base), elementwise("tanh", exponent))
        return elementwise("pow", self.any(), number(self.rng.choice([-2, -1, 2, 3, sympy.Rational(1, 2)])))

    def unary(self) -> Node:
        return elementwise(self.rng.choice(UNARY), self.any())

    def choose(self) -> Node:
        x = self.any()
        y = self.like(x)
        if self.rng.random() < 0.5:
            return elementwise(self.rng.choice(["maximum", "minimum"]), x, y)
        condition = elementwise(self.rng.choice(["lt", "ge"]), x, self.like(x))
        return elementwise("where", condition, x, y) if self.rng.random() < 0.5 else elementwise("indicator", condition)

    def total(self) -> Node | None:
        x = self.any()
        axes = self._axes(x)
        return sum_over(x, axes, keepdims=self.rng.random() < 0.3) if axes else None

    def reduction(self) -> Node | None:
        x = self.any()
        axes = self._axes(x)
        return reduce(self.rng.choice(["max", "min", "logsumexp", "prod"]), x, axes) if axes else None

    def repeat(self) -> Node | None:
        x = self.any()
        axes = self._axes(x)
        return along(x, sum_over(x, axes), axes) if axes else expand(x, (m, *x.shape), tuple(range(1, x.rank + 1)))

    def contraction(self) -> Node:
        x, y = self.any(), self.any()
        free: dict[Any, list[int]] = {}
        indices = []
        for node in (x, y):
            mine = []
            for n in node.shape:
                choices = free.setdefault(n, [])
                if not choices or self.rng.random() < 0.5:
                    choices.append(sum(map(len, free.values())) + 100 * len(free))
                mine.append(self.rng.choice(choices))
            indices.append(mine)
        present = list(dict.fromkeys(i for mine in indices for i in mine))
        output = [i for i in present if self.rng.random() < 0.5][:3]
        self.rng.shuffle(output)
        return contract(indices, output, x, y)

    def move(self) -> Node | None:
        x = self.any()
        if not x.rank:
            return None
        kind = self.rng.choice(["T", "pad", "slice", "concat", "reshape", "eye"])
        if kind == "T":
            return transpose(x)
        if kind == "pad":
            return pad(x, [(1, 0)] * x.rank)
        if kind == "slice":
            return x[..., ::-1] if self.rng.random() < 0.5 else x[:1]
        if kind == "concat":
            return concat([x, self.rng.choice([n for n in self.pool if n.shape == x.shape])], x.rank - 1)
        if kind == "eye" and x.shape[-1] == 2:
            return elementwise("mul", x, identity(2)) if x.shape == (2, 2) else x @ identity(2)
        return reshape(x, -1) if isinstance(x.shape[-1], int) else None

    def distribution(self) -> Node | None:
        x = self.any()
        if not x.rank:
            return None
        if self.rng.random() < 0.5:
            return softmax(x, axis=-1)
        powers = elementwise("exp", x)
        return powers / sum_over(powers, x.rank - 1, keepdims=True)

    def _axes(self, x: Node) -> tuple[int, ...]:
        return tuple(a for a in range(x.rank) if self.rng.random() < 0.6)

    MOVES = (
        add,
        add,
        add,
        mul,
        mul,
        mul,
        power,
        unary,
        unary,
        choose,
        total,
        total,
        reduction,
        repeat,
        contraction,
        contraction,
        move,
        distribution,
    )


ANCHOR = tensor("anchor", m)  # evaluated beside a graph, so that m is known where the graph has lost it


def data_for(*roots: Node, seed: int) -> dict[str, np.ndarray]:
    """Arrays that satisfy the leaves' assumptions."""
    rng = np.random.default_rng(seed)
    found = {n for n in topological(*roots, ANCHOR) if n.kind == "tensor"}
    return {n.name: _draw(n, rng) for n in sorted(found, key=lambda n: n.name)}  # type: ignore[attr-defined]


def _draw(node: Any, rng: np.random.Generator) -> np.ndarray:
    shape = tuple(M if n == m else n for n in node.shape)
    x = rng.normal(size=shape)
    for assumption in node.assumptions:
        if assumption == "positive":
            x = np.exp(x)
        elif assumption == "simplex":
            x = np.exp(x)
            x = x / x.sum(-1, keepdims=True)
        elif assumption == "one_hot":
            x = np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
        elif assumption == "integer":
            x = np.round(3 * x)
        elif assumption == "symmetric":
            x = x + np.swapaxes(x, -1, -2)
    return x


def shuffled(root: Node, seed: int) -> Node:
    """The same graph with the operands of every sum and product in another order."""
    rng = random.Random(seed)
    new: dict[Node, Node] = {}
    for node in topological(root):
        operands = [new[o] for o in node.operands]
        if node.kind == "elementwise" and str(node.args[0]) in ("add", "mul"):
            rng.shuffle(operands)
        new[node] = with_operands(node, operands)
    return new[root]


def rebracketed(root: Node, seed: int) -> Node:
    """The same graph with sums and products of three or more operands bracketed in pairs, at random."""
    rng = random.Random(seed)
    new: dict[Node, Node] = {}
    for node in topological(root):
        operands = [new[o] for o in node.operands]
        fresh = with_operands(node, operands)
        if node.kind == "elementwise" and str(node.args[0]) in ("add", "mul"):
            while len(operands) > 2:
                first = operands.pop(rng.randrange(len(operands)))
                second = operands.pop(rng.randrange(len(operands)))
                operands.append(elementwise(str(node.args[0]), first, second))
            fresh = elementwise(str(node.args[0]), *operands)
        new[node] = fresh
    return new[root]
