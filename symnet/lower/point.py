"""The value of a node at one point of its index space: lets in flat form, without recursion.

In: a node and the integer index of one of its elements.  Out: a `Value`, with the lets it needs.
A node that is stored reads its buffer; any other node is computed in place from its operands' points, by the
table of its kind.  Each (node, index) is computed once in a nest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from symnet.errors import MissingRuleError, explain
from symnet.expr.nodes.node import Extent, Node
from symnet.loops.ir import Buffer, Const, FromInt, IntExpr, Let, Load, Op, Value, Var

Index = tuple[IntExpr, ...]
NodeAt = tuple[Node, Index]
Use = tuple[Node, Extent, bool]  # indices, the extent that they must stay below, whether negative ones wrap


@dataclass(frozen=True)
class Inline:
    """How one kind of node is computed in place: the operand points it reads, and its value from theirs."""

    points: Callable[[Points, Node, Index], list[NodeAt]]
    value: Callable[[Points, Node, Index, list[Value]], Value]


INLINE: dict[str, Inline] = {}


def wrapped_integer(value: int, dtype: str) -> int:
    """An integer modulo 2^32 or 2^64, as the dtype holds it."""
    half = 2**31 if dtype == "int32" else 2**63
    return (value + half) % (2 * half) - half


def constant(value: int, dtype: str) -> Const:
    """A whole number in a dtype."""
    return Const(float(value) if dtype.startswith("float") else value, dtype)


@dataclass
class Points:
    """Computes points for one nest; `computing` is the stored node that it computes, which is not there to be read."""

    stored: Mapping[Node, Buffer]
    real: str
    prefix: str
    computing: Node | None = None
    lets: list[Let] = field(default_factory=list)
    known: dict[NodeAt, Value] = field(default_factory=dict)
    checked: Mapping[Use, Buffer] = field(default_factory=dict)  # copies of indices

    def dtype(self, node: Node) -> str:
        """A node's dtype; weak ones take the program's."""
        return node.dtype or self.real

    def let(self, value: Value) -> Value:
        """Bind an operation to a name; constants and loads of nothing stay as they are."""
        if isinstance(value, (Const, Var)):
            return value
        name = f"{self.prefix}{len(self.lets)}"
        self.lets.append(Let(name, value))
        return Var(name, value.dtype)

    def op(self, name: str, *args: Value, dtype: str | None = None) -> Value:
        """A let-bound operation; the dtype is the first operand's unless given."""
        return self.let(Op(name, args, dtype or args[0].dtype))

    def cast(self, value: Value, dtype: str) -> Value:
        if value.dtype == dtype:
            return value
        if isinstance(value, Const) and dtype != "bool":
            return Const(
                float(value.value) if dtype.startswith("float") else wrapped_integer(int(value.value), dtype), dtype
            )
        made = self.bound_to(value)
        if isinstance(made, FromInt) and dtype != "bool":
            return self.let(FromInt(made.value, dtype))  # an extent has all its digits in every dtype
        return self.op("cast", value, dtype=dtype)

    def bound_to(self, value: Value) -> Value | None:
        """What a variable of this nest was bound to."""
        name = value.name if isinstance(value, Var) else ""
        number = name.removeprefix(self.prefix) if name.startswith(self.prefix) else ""
        return self.lets[int(number)].value if number.isdecimal() and int(number) < len(self.lets) else None

    def at(self, node: Node, index: Index) -> Value:
        """The value of `node[index]`."""
        stack: list[tuple[NodeAt, list[NodeAt] | None]] = [((node, index), None)]
        while stack:
            point, operands = stack.pop()
            if point in self.known:
                continue
            if operands is None:
                direct = self._stored(point)
                if direct is not None:
                    self.known[point] = direct
                    continue
                operands = _rule(point[0]).points(self, *point)
                stack.append((point, operands))
                stack.extend((p, None) for p in reversed(operands) if p not in self.known)
            else:
                values = [self.known[p] for p in operands]
                self.known[point] = _rule(point[0]).value(self, *point, values)
        return self.known[node, index]

    def buffer(self, node: Node) -> Buffer | None:
        """Where a node is read from."""
        return None if node is self.computing else self.stored.get(node)

    def _stored(self, point: NodeAt) -> Value | None:
        node, index = point
        buffer = self.buffer(node)
        return None if buffer is None else self.let(Load(buffer, index))


def _rule(node: Node) -> Inline:
    rule = INLINE.get(node.kind)
    if rule is None:
        raise MissingRuleError(
            explain(
                f"lower({node.kind})",
                "a rule in symnet.lower.point.INLINE, or a stored value",
                f"none for {type(node).__name__}",
                f"Add one in symnet/lower/ beside the rule for {type(node).__name__} in symnet/reference/.",
            )
        )
    return rule
