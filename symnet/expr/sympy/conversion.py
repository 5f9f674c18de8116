"""What the forms of SymPy's classes ask of the conversion that they are part of (`from_sympy.py`).

In: a part of a SymPy expression, and the ranges of the sums it stands under.  Out: its value, a shape, a leaf, or the
error that names the part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from sympy import Basic

from symnet.errors import ArgumentError
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.node import Extent, Node, Shape
from symnet.expr.sympy.labelled import SumRange

Ranges = tuple[SumRange, ...]
Converted = Any  # a Node, a Labelled inside a sum, or what a scalar's builder passes between its entries
Build = Callable[..., Any]  # (conversion, part, ranges, *values)


class Conversion(Protocol):
    """One conversion of a SymPy expression, as the builders of its parts see it.

    Attributes:
        names: the symbols in shapes and limits, as dims by name.
        given: what stands for symbols, matrix symbols and indexed bases.
        bases: what every indexed base became.
    """

    names: Mapping[str, Dim]
    given: Mapping[Any, Node]
    bases: dict[Any, Node]

    def convert(self, expr: Basic, ranges: Ranges, /) -> Converted:
        """The value of a part under sums over these ranges."""

    def plain(self, part: Basic, value: Converted, /) -> Node:
        """A value that depends on no index of a sum."""

    def atom(self, part: Basic, ranges: Ranges, /) -> Any:
        """The value of a part that has no parts of its own, such as a symbol or a number; None for others."""

    def leaf(self, name: str, shape: Shape, /) -> Node:
        """The leaf of this name and shape."""

    def extent(self, value: Any, /) -> Extent:
        """A size, with the symbols of sizes as dims."""

    def shape(self, shape: Iterable[Any], /) -> Shape:
        """Sizes, with the symbols of sizes as dims."""

    def refuse(self, part: Any, expected: str, why: str, mend: str, /) -> ArgumentError:
        """The error that names a part, and says why it has no meaning here."""
