"""The loop language: everything that can stand between a graph and machine code.

In: built by `lower/`, rewritten by `schedule/`.  Out: run by `loops/interpreter.py`, printed by
`loops/printer.py`, checked by `loops/verifier.py`, emitted by `backends/`.

The whole language, each thing with its fields in order::

    Program      ::= Program(name, dims, inputs, outputs, workspace, groups, notes, constants, streamed)
    Group        ::= Group(phases, repeat, var)              -- its phases in order, `repeat` times; var = 0, 1, …
    Phase        ::= Phase(name, body, units, unit_var)      -- units are independent: they may run in parallel
    Buffer       ::= Buffer(name, dtype, shape, space, view_of, batch_axis, batch)
    space        ::= input | output | workspace | register | constant
    Constant     ::= Constant(buffer, contents)              -- an array that is part of the program

    Stmt         ::= For(var, extent, body, kind, bound, axis, cut)               -- var = 0 … extent-1
                   | Let(name, value)                        -- single assignment, visible in the rest of the body
                   | Fetch(name, value, inside)              -- a Let of a Load, whose index from memory is checked
                   | Store(buffer, index, value, combine)
                   | Alloc(buffer)                           -- a register buffer, live in the rest of the body
                   | Prefetch(buffer, index)                 -- a hint: its line is read soon, or outside it none is
                   | If(condition, then, orelse)             -- condition is an IntCondition
                   | Fail(code, report, numbers)             -- the call returns this code; outputs mean nothing
    kind         ::= serial | unroll | vector
    LaneCut      ::= LaneCut(lanes, row, tail)               -- of a vector loop, once a target is chosen
    combine      ::= None (overwrite) | add | mul | max | min

    Value        ::= Const(value, dtype) | Var(name, dtype) | Load(buffer, index)
                   | FromInt(value, dtype)                   -- an IntExpr as a number
                   | Op(name, args, dtype)
    IntExpr      ::= IntConst(value) | IntVar(name) | IntAdd(left, right) | IntMul(left, right) | IntMin(left, right)
                   | IntFloorDiv(value, divisor) | IntMod(value, divisor)         -- by a positive constant
                   | IntLoad(buffer, index)                  -- an element of an integer buffer, used as an index
    IntCondition ::= IntCondition(op, left, right)           -- op: lt | le | gt | ge | eq | ne

Shapes, indices, extents, `units` and `repeat` are of IntExpr.

Supported: indices that are affine or loaded from a buffer, parallel units.  Not supported: recursion, allocation
whose size depends on data, pointers.

A `vector` loop holds Let, Fetch, Store, and loops of other kinds whose extents do not depend on its variable.  Its
iterations are independent but for Stores with `combine` into an element that does not depend on the loop variable:
those are reductions, in the order of the loop's `cut` (`loops/chunks.py`), or without one in that of the iterations.
A `register` Buffer has constant extents.  In a vector loop its index mentions the loop variable not at all, or as the
whole of its last axis, so that it lives in vector registers.

`bound`, when given, is an upper bound of the extent known at compile time; emitters use it to unroll.  `axis` is the
name of the symbolic extent that the loop runs over, where it runs over the batch; it is for readers of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from symnet.loops.abi import INDEX_OUT_OF_RANGE, SINGULAR_MATRIX
from symnet.loops.integers import (
    ONE,
    Buffer,
    IntAdd,
    IntConst,
    IntExpr,
    IntFloorDiv,
    IntLoad,
    IntMin,
    IntMod,
    IntMul,
    IntVar,
    as_int,
    ceil_div,
    int_add,
    int_floordiv,
    int_min,
    int_mod,
    int_mul,
)

__all__ = [  # beside what is defined here: the whole language has one door
    "INDEX_OUT_OF_RANGE",
    "SINGULAR_MATRIX",
    "Buffer",
    "IntAdd",
    "IntConst",
    "IntExpr",
    "IntFloorDiv",
    "IntLoad",
    "IntMin",
    "IntMod",
    "IntMul",
    "IntVar",
    "as_int",
    "ceil_div",
    "int_add",
    "int_floordiv",
    "int_min",
    "int_mod",
    "int_mul",
]

# --------------------------------------------------------------------------- values


class Value:
    """A scalar (a lane, inside a vector loop) of some dtype."""

    __slots__ = ()
    dtype: str


@dataclass(frozen=True, slots=True)
class Const(Value):
    value: float | int | bool
    dtype: str


@dataclass(frozen=True, slots=True)
class Var(Value):
    """A value bound by Let."""

    name: str
    dtype: str


@dataclass(frozen=True, slots=True)
class Load(Value):
    buffer: Buffer
    index: tuple[IntExpr, ...]

    @property
    def dtype(self) -> str:  # type: ignore[override]  # a field of the other values
        return self.buffer.dtype


@dataclass(frozen=True, slots=True)
class FromInt(Value):
    """An index or an extent as a number."""

    value: IntExpr
    dtype: str


@dataclass(frozen=True, slots=True)
class Op(Value):
    """A scalar operation by name (`OPS` of `op_types.py`)."""

    name: str
    args: tuple[Value, ...]
    dtype: str


ARITHMETIC = (
    "add", "sub", "mul", "div", "neg", "abs", "maximum", "minimum", "fma", "floor", "sign", "sqrt", "rsqrt", "mod",
    "floor_divide",
)  # fmt: skip
COMPARISON = ("lt", "le", "gt", "ge", "eq", "ne")  # of numbers, gives bool; NaN compares false but for ne
LOGICAL = ("and", "or", "not")
OTHER = ("select", "cast")  # select(bool, a, b); cast changes dtype
PLAIN = frozenset((*ARITHMETIC, *COMPARISON, *LOGICAL, *OTHER))
# Functions of reals are operations too: pow, xlogy, atan2, and those of one variable by their names (`op_types.py`).

COMBINES = (None, "add", "mul", "max", "min")  # of Store.combine
TAILS = ("narrow", "rounded", "whole", "single")  # of LaneCut.tail

# --------------------------------------------------------------------------- statements


class Stmt:
    """A step of a phase."""

    __slots__ = ()


class Enclosing(Stmt):
    """A statement with others inside; what is asked of those again and again stays with it (`facts.py`).

    `later` makes the body of a loop that has none yet.
    """

    __slots__ = ("facts", "later")


Body = tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class LaneCut:
    """How a vector loop is cut into chunks, and so in which order it adds up: `loops/chunks.py` defines the fields."""

    lanes: int
    row: int
    tail: str


@dataclass(frozen=True, slots=True)
class For(Enclosing):
    var: str
    extent: IntExpr
    body: Body
    kind: str = "serial"
    bound: int | None = None
    axis: str | None = None
    cut: LaneCut | None = None

    if not TYPE_CHECKING:  # or every name would be an attribute

        def __getattr__(self, name: str) -> Body:
            """Called for what is not there: the body of a loop that was made without it, which stays from then on."""
            if name != "body":
                raise AttributeError(name)
            body: Body = self.later()
            object.__setattr__(self, "body", body)
            return body

    @classmethod
    def deferred(cls, like: For, extent: IntExpr, later: Callable[[], Body]) -> For:
        """A loop like another one, of another extent, whose body is made when it is asked for: most never are."""
        made = object.__new__(cls)
        for name in _OF_LOOPS:
            object.__setattr__(made, name, getattr(like, name))
        object.__setattr__(made, "extent", extent)
        object.__setattr__(made, "later", later)
        return made


_OF_LOOPS = ("var", "kind", "bound", "axis", "cut")  # beside its extent and its body


@dataclass(frozen=True, slots=True)
class Let(Stmt):
    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Fetch(Stmt):
    """A Let of a Load whose index on one axis is an IntLoad and nothing else, which is read once.

    Where it is not inside the axis, the name means nothing, and the element of the register `inside` becomes false.
    """

    name: str
    value: Load
    inside: Buffer


@dataclass(frozen=True, slots=True)
class Store(Stmt):
    buffer: Buffer
    index: tuple[IntExpr, ...]
    value: Value
    combine: str | None = None


@dataclass(frozen=True, slots=True)
class Alloc(Stmt):
    buffer: Buffer


@dataclass(frozen=True, slots=True)
class Prefetch(Stmt):
    """A hint that the line of an element is read soon, outside vector loops; the index may lie outside the buffer."""

    buffer: Buffer
    index: tuple[IntExpr, ...]


@dataclass(frozen=True, slots=True)
class IntCondition:
    op: str
    left: IntExpr
    right: IntExpr


@dataclass(frozen=True, slots=True)
class If(Enclosing):
    condition: IntCondition
    then: Body
    orelse: Body = ()


FAILURES = (SINGULAR_MATRIX, INDEX_OUT_OF_RANGE)  # the codes that a program can end with


@dataclass(frozen=True, slots=True)
class Fail(Stmt):
    """The call's return code is `code`.  The phase runs on to its end; later phases do not run.

    `numbers` say more (which index, its value, its place): they are stored at the begin of the buffer `report`, the
    first of the workspace, unless an earlier failure in the same run of the phase's units has stored its own.
    """

    code: str
    report: Buffer | None = None
    numbers: tuple[IntExpr, ...] = ()


# --------------------------------------------------------------------------- programs


@dataclass(frozen=True, slots=True)
class Phase:
    """`units` independent pieces of work; `unit_var` is the piece's number inside `body`."""

    name: str
    body: Body
    units: IntExpr = ONE
    unit_var: str = "u"


@dataclass(frozen=True, slots=True)
class Group:
    """Phases run in order, the whole list `repeat` times; `var` numbers the repetition inside bodies."""

    phases: tuple[Phase, ...]
    repeat: IntExpr = ONE
    var: str = "block"


@dataclass(frozen=True, slots=True)
class Constant:
    """A read-only array that is part of the program: a buffer of the space "constant", and its elements.

    `contents.array` is the array, contiguous; contents are equal where their elements are, bit for bit.
    """

    buffer: Buffer
    contents: Any


@dataclass(frozen=True, slots=True)
class Program:
    """A whole function; `dims`, which are the run-time extents, `inputs` and `outputs` are in the order of the C ABI.

    `notes` say why; the object file holds `constants`; `streamed` names what holds a superblock of rows.
    """

    name: str
    dims: tuple[str, ...]
    inputs: tuple[Buffer, ...]
    outputs: tuple[Buffer, ...]
    workspace: tuple[Buffer, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = field(default=())
    constants: tuple[Constant, ...] = ()
    streamed: frozenset[str] = frozenset()

    def phases(self) -> Iterator[tuple[Group, Phase]]:
        for group in self.groups:
            for phase in group.phases:
                yield group, phase


# --------------------------------------------------------------------------- walking


def children(stmt: Stmt) -> tuple[Body, ...]:
    """The bodies inside a statement."""
    return (stmt.body,) if isinstance(stmt, For) else (stmt.then, stmt.orelse) if isinstance(stmt, If) else ()


def walk(body: Body) -> Iterator[Stmt]:
    """Every statement, outer before inner."""
    stack = list(reversed(body))
    while stack:
        stmt = stack.pop()
        yield stmt
        for inner in reversed(children(stmt)):
            stack.extend(reversed(inner))
