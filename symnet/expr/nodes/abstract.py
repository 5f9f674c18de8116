"""Abstract functions: names without a definition, for chain rules on paper, and their derivatives by name.

In: a name, whether it is of elements or of arrays, and what it is applied to.  Out: an `Application` node; its
derivatives are the same node with the positions of the arguments that it was differentiated by.
Of arrays, the derivative is the Jacobian: of h(z, θ) by z it has the axes of h, then those of z.  Positions stand in
rising order; axes by another order are transposed (`diff/abstract.py`).
Such a node has no value: what would compute it refuses it (`refuse`).  `sn.define` puts a definition in its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from sympy import Tuple
from sympy.core.symbol import Str

from symnet.errors import ArgumentError, MissingRuleError, explain
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.extents import as_extent, broadcast_shapes, ints_arg, ints_of, shape_arg, shape_of
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node, Shape, static_name
from symnet.expr.nodes.operand_dtypes import check_one_real
from symnet.expr.nodes.result_dtypes import RESULT

OF_ELEMENTS = static_name("elementwise")


class Application(Node):
    """f(x, y, …), or a derivative of f at (x, y, …), of an abstract function f.

    args are (name, latex, value, orders, *operands).  `value` is `OF_ELEMENTS`, or the extents of f's value; `orders`
    are the positions of the arguments that f was differentiated by, none for f itself.
    """

    __slots__ = ()
    kind = "abstract"

    @classmethod
    def _derive(cls, name: Str, latex: Str, value: Any, orders: Tuple, *operands: Node) -> tuple[Shape, str | None]:
        places = ints_of(orders)
        assert operands and places == tuple(sorted(places)) and all(0 <= k < len(operands) for k in places), (
            name,
            places,
        )
        dtype = RESULT["real"](*operands)
        if isinstance(value, Str):
            return broadcast_shapes(f"{name.name}(…)", *(o.shape for o in operands)), dtype
        return (*shape_of(value), *(n for k in places for n in operands[k].shape)), dtype

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    title = name  # as functions of SymPy's call it

    @property
    def latex(self) -> str:
        """The name in LaTeX, as it was given."""
        return str(self.args[1].name)

    @property
    def is_elementwise(self) -> bool:
        """Whether the function is one of elements, its operands broadcast."""
        return isinstance(self.args[2], Str)

    @property
    def orders(self) -> tuple[int, ...]:
        """The positions of the arguments that the function was differentiated by."""
        return ints_of(self.args[3])

    @property
    def value_shape(self) -> Shape:
        """The shape of the function's value."""
        return self.shape if self.is_elementwise else shape_of(self.args[2])

    @property
    def function(self) -> tuple[Any, ...]:
        """What makes two applications ones of the same function."""
        return self.args[:3]

    def by(self, orders: tuple[int, ...]) -> Application:
        """The function's derivative, at these operands, by the arguments at some positions in rising order."""
        return Application(*self.args[:3], ints_arg(orders), *self.operands)


@dataclass(frozen=True)
class AbstractFunction:
    """A function that has a name and no definition; call it with its arguments.

    Attributes:
        name: as it is printed.
        shape: of its value; None where it is a function of elements.
        latex: its name in LaTeX.
    """

    name: str
    shape: Shape | None = None
    latex: str = ""

    def __call__(self, *arguments: Any) -> Application:
        """The value at some arguments: nodes or numbers.

        Raises:
            ArgumentError: without an argument.
            DTypeError: float32 beside float64.
            ShapeError: of a function of elements, arguments that do not broadcast.
        """
        call = f"{self.name}(…)"
        if not arguments:
            raise ArgumentError(explain(f"{self.name}()", "at least one argument", "none", f"Write {self.name}(x)."))
        operands = tuple(map(as_node, arguments))
        check_one_real(call, operands)
        value = OF_ELEMENTS if self.shape is None else shape_arg(self.shape)
        return Application(static_name(self.name), static_name(self.latex), value, ints_arg(()), *operands)

    def __repr__(self) -> str:
        return self.name

    @property
    def key(self) -> tuple[Any, ...]:
        """`Application.function` of its applications."""
        value = OF_ELEMENTS if self.shape is None else shape_arg(self.shape)
        return static_name(self.name), static_name(self.latex), value


def function(name: str, *, shape: Any = None, latex: str | None = None) -> AbstractFunction:
    """An abstract function: a name without a definition, for chain rules on paper.

    Its derivatives are named: g'(x) of a function of elements of one argument, the Jacobian ∂h/∂z of others.  Formulas
    of it can be differentiated, derived step by step and printed; they have no values until `define` puts a definition
    in its place.

    Args:
        name: a word.
        shape: of its value, () for a scalar, (m,) for a vector; None for a function of elements, whose arguments
            broadcast.
        latex: its name in LaTeX.

    Returns:
        what is called with its arguments, any number of them.

    Raises:
        ArgumentError: a name that is no word.
        ShapeError: a shape that is no list of extents.

    Example:
        >>> import symnet as sn
        >>> f, u, x = sn.function("f"), sn.function("u"), sn.scalar("x")
        >>> sn.grad(f(u(x)), x)
        f'(u(x))*u'(x)
        >>> h = sn.function("h", shape=(3,))
        >>> z, W = sn.tensor("z", 4), sn.tensor("W", 4, 2)
        >>> v = sn.tensor("v", 2)
        >>> sn.jacobian(h((W @ v).named("z")), v)
        (∂h/∂z) @ W
    """
    call = f"function({name!r})"
    if not isinstance(name, str) or not name.isidentifier():
        raise ArgumentError(explain(call, "a word", repr(name), 'Write sn.function("g").'))
    if latex is not None and not isinstance(latex, str):
        raise ArgumentError(explain(call, "text as latex", f"latex={latex!r}", r'Write latex=r"\varphi".'))
    if shape is None:
        return AbstractFunction(name, None, latex or "")
    extents = shape if isinstance(shape, (tuple, list)) else (shape,)
    call = f"function({name!r}, shape={shape!r})"
    return AbstractFunction(name, tuple(as_extent(n, call) for n in extents), latex or "")


def applications(roots: Iterable[Node]) -> list[Application]:
    """The applications of abstract functions under the roots, and their derivatives, operands first."""
    return [node for node in topological(*roots) if isinstance(node, Application)]


def refuse(call: str, node: Application) -> NoReturn:
    """Say of an abstract function that it has no value.

    Raises:
        MissingRuleError: naming it.
    """
    body = "sn.tanh" if node.is_elementwise and len(node.operands) == 1 else "lambda z: …"
    mend = f"Put a definition in its place, as in sn.define(y, {{{node.name!r}: {body}}})."
    got = f"the abstract function {node.name}, which has a name only"
    raise MissingRuleError(explain(call, "functions that have a definition", got, mend))


def refuse_abstract(call: str, roots: Iterable[Node]) -> None:
    """Refuse expressions with an abstract function in them, before anything is done with them.

    Raises:
        MissingRuleError: naming the first.
    """
    for node in applications(roots):
        refuse(call, node)
