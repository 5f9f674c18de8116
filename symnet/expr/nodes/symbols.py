"""Leaves: tensors by name, and the transparent nodes `Named`, `Barrier` and `Sealed`.

In: a name, a shape, a dtype, assumptions.  Out: leaf nodes; `check_leaves` refuses two leaves of one name with
different specifications in one expression.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import Dummy, Symbol, Tuple
from sympy.core.symbol import Str

from symnet import dtypes
from symnet.errors import ArgumentError, AssumptionError, explain, truth
from symnet.expr.nodes.constants import ConstantArray
from symnet.expr.nodes.extents import as_extent, same_extent, shape_arg, shape_of
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node, Shape, static_name

# The assumptions a leaf may carry, and what each says of its elements.
LEAF_ASSUMPTIONS = {
    "positive": "every element > 0",
    "nonnegative": "every element >= 0",
    "nonzero": "no element is 0",
    "integer": "every element is a whole number",
    "symmetric": "equal to its transpose (last two axes)",
    "one_hot": "the last axis holds one 1 and zeros",
    "simplex": "the last axis is nonnegative and sums to one",
    "unit": "every element in [0, 1]",
}
EQUALITIES = frozenset({"one_hot", "simplex"})


class Tensor(Node):
    """A leaf: args are (name, shape, dtype, assumptions, latex)."""

    __slots__ = ()
    kind = "tensor"

    @classmethod
    def _derive(cls, name: Str, shape: Tuple, dtype: Str, assumptions: Tuple, latex: Str) -> tuple[Shape, str | None]:
        return shape_of(shape), dtypes.check(dtype.name, f"tensor({name.name!r}, …)")

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def assumptions(self) -> frozenset[str]:
        return frozenset(a.name for a in self.args[3].args if a.name in LEAF_ASSUMPTIONS)

    @property
    def dummy(self) -> str:
        """What tells the leaf of a `sympy.Dummy` from others of its name; the empty string for any other leaf."""
        return next((str(a.name) for a in self.args[3].args if a.name not in LEAF_ASSUMPTIONS), "")

    @property
    def latex(self) -> str:
        """The LaTeX given by the user, or the empty string."""
        return str(self.args[4].name)

    @property
    def symbol(self) -> Symbol:
        """The SymPy symbol that stands for this leaf in a scalar SymPy expression."""
        return Symbol(self.name)

    def retyped(self, dtype: str) -> Tensor:
        """The same leaf with another dtype."""
        name, shape, _, assumptions, latex = self.args
        return Tensor(name, shape, static_name(dtype), assumptions, latex)


class Named(Node):
    """A value with a name for formulas: transparent to every stage, stripped when one begins."""

    __slots__ = ()
    kind = "named"

    @classmethod
    def _derive(cls, x: Node, name: Str, latex: Str) -> tuple[Shape, str | None]:
        return x.shape, x.dtype

    @property
    def name(self) -> str:
        return str(self.args[1].name)

    @property
    def latex(self) -> str:
        return str(self.args[2].name)


class Barrier(Node):
    """The same value, which no rewrite looks through: the variable of a derivative by an intermediate node."""

    __slots__ = ()
    kind = "barrier"

    @classmethod
    def _derive(cls, x: Node) -> tuple[Shape, str | None]:
        return x.shape, x.dtype


class Sealed(Node):
    """The same value, a step of a recurrence: no rewrite opens it into the sums and products where it stands.

    It is transparent to everything else, and reads as what it holds (`simplify/sealing.py` says where it is put).
    """

    __slots__ = ()
    kind = "sealed"

    @classmethod
    def _derive(cls, x: Node) -> tuple[Shape, str | None]:
        return x.shape, x.dtype


TRANSPARENT = frozenset({Named.kind, Barrier.kind, Sealed.kind})  # the value of such a node is its operand's


def tensor(
    name: str, *shape: Any, dtype: Any = dtypes.DEFAULT_REAL, latex: str | None = None, **assumptions: bool
) -> Tensor:
    """A leaf: an array known by name, given when the compiled function is called.

    Args:
        name: an identifier; the keyword of the compiled function.
        *shape: an int or a `dim` for each axis; none for a scalar.
        dtype: float64 (the default), float32, int64, int32 or bool.
        latex: how LaTeX output writes it; the name otherwise.
        **assumptions: facts the algebra may use, as `positive=True`: one of positive, nonnegative, nonzero,
            integer, symmetric, one_hot, simplex, unit.

    Raises:
        ArgumentError: for a name that is not an identifier.
        AssumptionError: for an unknown assumption, or one that does not fit the shape.

    Example:
        >>> import symnet as sn
        >>> sn.tensor("W", 64, 10).shape
        (64, 10)
    """
    call = f"tensor({', '.join([repr(name), *map(str, shape)])})"
    if not isinstance(name, str) or not name.isidentifier():
        raise ArgumentError(explain(call, "an identifier as the name", repr(name), 'Write tensor("W", 64, 10).'))
    if len(shape) == 1 and isinstance(shape[0], (tuple, list, Tuple)):
        shape = tuple(shape[0])
    extents = tuple(as_extent(e, call) for e in shape)
    held = _checked_assumptions(call, extents, assumptions)
    if latex is not None and not isinstance(latex, str):
        raise ArgumentError(explain(call, "text as latex", f"latex={latex!r}", r'Write latex=r"\hat{x}".'))
    return Tensor(
        static_name(name),
        shape_arg(extents),
        static_name(dtypes.check(dtype, call)),
        Tuple(*map(static_name, held)),
        static_name(latex or ""),
    )


def scalar(name: str, **options: Any) -> Tensor:
    """A leaf of rank 0: `tensor(name)`.  `sympy.Symbol(name)` in an expression is the same leaf."""
    return tensor(name, **options)


def symbol_leaf(symbol: Symbol, **assumptions: bool) -> Tensor:
    """The leaf of a SymPy symbol, by its name; that of a Dummy is no other leaf of the same name."""
    leaf = scalar(symbol.name, **assumptions)
    if not isinstance(symbol, Dummy):
        return leaf
    name, shape, dtype, held, latex = leaf.args
    return Tensor(name, shape, dtype, Tuple(*held.args, static_name(f"dummy {symbol.dummy_index}")), latex)


class SymbolNames:
    """The symbols of one conversion by the names of their leaves: two of one name are refused, not made one."""

    def __init__(self, expr: Any) -> None:
        self.expr = expr
        self.known: dict[str, Symbol] = {}

    def add(self, symbol: Symbol) -> None:
        """Remember a symbol that becomes a leaf.

        Raises:
            ArgumentError: another symbol of that name became one before.
        """
        other = self.known.setdefault(symbol.name, symbol)
        if other != symbol:
            expected, got = f"one symbol called {symbol.name!r}", f"{_told(other)} and {_told(symbol)}"
            raise ArgumentError(
                explain(f"from_sympy({self.expr})", expected, got, "Rename one of them: an input is known by its name.")
            )


def _told(symbol: Symbol) -> str:
    said = ", ".join([repr(symbol.name), *(f"{k}={v}" for k, v in sorted(symbol._assumptions_orig.items()))])
    return f"{type(symbol).__name__}({said})"


def _checked_assumptions(call: str, shape: Shape, assumptions: dict[str, bool]) -> list[str]:
    for name in assumptions:
        if name not in LEAF_ASSUMPTIONS:
            raise AssumptionError(
                explain(
                    call, "assumptions among " + ", ".join(LEAF_ASSUMPTIONS), name, "Remove it or correct the name."
                )
            )
    held = sorted(name for name, wanted in assumptions.items() if truth(call, name, wanted))
    if EQUALITIES & set(held) and not shape:
        raise AssumptionError(
            explain(call, "a last axis for one_hot and simplex", "a scalar", "Give it an axis of classes.")
        )
    if "symmetric" in held and (len(shape) < 2 or not same_extent(shape[-1], shape[-2])):
        raise AssumptionError(
            explain(call, "a square matrix for symmetric", f"shape {shape}", "Make the last extents equal.")
        )
    return held


def named(x: Node, name: str, latex: str | None = None) -> Node:
    """`x` under a name for printing; see `Node.named`."""
    if not isinstance(name, str) or not name:
        raise ArgumentError(explain(f"named({name!r})", "a non-empty string", repr(name), 'Write y.named("Y").'))
    return Named(x, static_name(name), static_name(latex or ""))


def reals(*roots: Node) -> list[Tensor | ConstantArray]:
    """The leaves and the constant arrays of a real dtype: what `compile(dtype=…)` retypes."""
    found = (node for node in topological(*roots) if isinstance(node, (Tensor, ConstantArray)))
    return [node for node in found if node.dtype in dtypes.REAL]


def leaves(*roots: Node) -> list[Tensor]:
    """The tensors under the roots, depth-first from left to right."""
    return [node for node in topological(*roots) if isinstance(node, Tensor)]


def check_leaves(call: str, roots: Iterable[Node]) -> list[Tensor]:
    """The leaves, once it is sure that no two share a name.

    Raises:
        ArgumentError: two leaves of one name differ in shape, dtype or assumptions.
    """
    by_name: dict[str, Tensor] = {}
    found = leaves(*roots)
    for leaf in found:
        other = by_name.setdefault(leaf.name, leaf)
        if other is not leaf:
            raise ArgumentError(
                explain(
                    call,
                    f"one tensor called {leaf.name!r}",
                    f"two: {describe(other)} and {describe(leaf)}",
                    "Rename one, or build it once and use it everywhere.",
                )
            )
    return found


def describe(leaf: Tensor) -> str:
    """`dtype[shape] assumptions`, for messages."""
    extents = ", ".join(map(str, leaf.shape))
    return " ".join([f"{leaf.dtype}[{extents}]", *sorted(leaf.assumptions), *filter(None, [leaf.dummy])])
