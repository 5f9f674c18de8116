"""What vectorizing and emission want to know of a loop body beforehand.

In: a body of the loop language.  Out: `BodyFacts`, gathered in one walk; those of a loop or a condition stay with it,
so that no floor walks it again.  A statement that is made of another has none, unless it is handed them (`hand_over`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from symnet.dtypes import ITEMSIZE, REAL
from symnet.loops.affine import names
from symnet.loops.ir import (
    PLAIN,
    Alloc,
    Body,
    Buffer,
    Enclosing,
    Fail,
    Fetch,
    For,
    FromInt,
    If,
    IntAdd,
    IntConst,
    IntExpr,
    IntFloorDiv,
    IntLoad,
    IntMin,
    IntMod,
    IntMul,
    IntVar,
    Let,
    Load,
    Op,
    Prefetch,
    Stmt,
    Store,
    Value,
    Var,
    children,
)


@dataclass(slots=True)
class BodyFacts:
    """What emission wants to know of one body.

    `stored`: names of buffers written; `names`: of values read; `buffers`: every buffer named, by name; `variables`:
    integer variables read; `itemsize`: bytes of the widest real dtype (of the widest integer where nothing is real,
    else 0); `tiles`: variables that address the last axis of a register buffer; `loops`: holds a loop that may stay a
    loop; `reduces`: holds a Store that combines; `gathered`: variables that address an integer which is an index;
    `fails`: holds a Fail; `chained`: calls a function of `CHAINED` on doubles; `weight`: about how many instructions a
    lane costs; `rows`: for accesses to the workspace, the index along the batch axis, None where there is no such axis;
    `extents`: of the loops, in order; `form`: the statement without names, where it was asked for (`forms.py`).
    """

    stored: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    buffers: dict[str, Buffer] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)
    real: int = 0
    integer: int = 0
    tiles: set[str] = field(default_factory=set)
    loops: bool = False
    reduces: bool = False
    gathered: set[str] = field(default_factory=set)
    fails: bool = False
    chained: bool = False
    weight: int = 0
    rows: set[tuple[str, IntExpr | None]] = field(default_factory=set)
    extents: dict[IntExpr, None] = field(default_factory=dict)
    form: Any = None

    @property
    def itemsize(self) -> int:
        return self.real or self.integer

    def add(self, more: BodyFacts) -> None:
        """Add the facts of a part to those of the whole."""
        self.stored |= more.stored
        self.names |= more.names
        self.buffers |= more.buffers
        self.variables |= more.variables
        self.real, self.integer = max(self.real, more.real), max(self.integer, more.integer)
        self.tiles |= more.tiles
        self.loops, self.reduces = self.loops or more.loops, self.reduces or more.reduces
        self.gathered |= more.gathered
        self.fails, self.weight = self.fails or more.fails, self.weight + more.weight
        self.chained |= more.chained
        self.rows |= more.rows
        self.extents |= more.extents


SHORT = 32  # a vector loop of so few elements has few chunks on every target
MATH_WEIGHT = 24  # instructions of a typical vector math function
CHAINED = frozenset({"pow", "gamma", "loggamma"})  # hundreds of instructions on doubles, most of which wait for others


def gather(body: Body) -> BodyFacts:
    """Walk a body, but not what is inside a statement that has its facts."""
    facts = BodyFacts()
    for stmt in body:
        if isinstance(stmt, Enclosing):
            facts.add(facts_of(stmt))
        else:
            _STATEMENTS[type(stmt)](facts, stmt)
    return facts


def facts_of(stmt: Stmt) -> BodyFacts:
    """The facts of a statement; not to be changed."""
    if not isinstance(stmt, Enclosing):
        return gather((stmt,))
    known: BodyFacts | Callable[[], BodyFacts] | None = getattr(stmt, "facts", None)
    if isinstance(known, BodyFacts):
        return known
    if known is not None:
        found = known()
    else:
        found = BodyFacts()
        _HEADS[type(stmt)](found, stmt)
        for body in children(stmt):
            found.add(gather(body))
        found.weight *= _copies(stmt)
    hand_over(found, stmt)
    return found


def hand_over(facts: BodyFacts | Callable[[], BodyFacts], stmt: Enclosing) -> None:
    """Say the facts of a statement, or what finds them when they are asked for; they stay with it."""
    object.__setattr__(stmt, "facts", facts)  # statements are frozen; what is known of one is no part of it


def _for(facts: BodyFacts, stmt: For) -> None:
    facts.loops = not _is_straight(stmt)
    facts.extents[stmt.extent] = None
    read_int(facts, stmt.extent)


def _is_straight(stmt: For) -> bool:
    """Whether a statement is surely written without a loop."""
    short = isinstance(stmt.extent, IntConst) and stmt.extent.value <= SHORT
    return stmt.kind == "unroll" or (stmt.kind == "vector" and short)


def _copies(stmt: Stmt) -> int:
    """How many times what is inside is surely written at most."""
    if not isinstance(stmt, For) or stmt.kind != "unroll":
        return 1
    return stmt.extent.value if isinstance(stmt.extent, IntConst) else stmt.bound or 1


def _if(facts: BodyFacts, stmt: If) -> None:
    read_int(facts, stmt.condition.left)
    read_int(facts, stmt.condition.right)


def _let(facts: BodyFacts, stmt: Let) -> None:
    _value(facts, stmt.value)


def _fetch(facts: BodyFacts, stmt: Fetch) -> None:
    facts.stored.add(stmt.inside.name)
    facts.buffers[stmt.inside.name] = stmt.inside
    _value(facts, stmt.value)


def _store(facts: BodyFacts, stmt: Store) -> None:
    facts.stored.add(stmt.buffer.name)
    facts.reduces = facts.reduces or stmt.combine is not None
    _access(facts, stmt.buffer, stmt.index)
    _value(facts, stmt.value)


def _alloc(facts: BodyFacts, stmt: Alloc) -> None:
    facts.buffers[stmt.buffer.name] = stmt.buffer


def _prefetch(facts: BodyFacts, stmt: Prefetch) -> None:
    _named(facts, stmt.buffer, stmt.index)  # a hint is no access


def _fail(facts: BodyFacts, stmt: Fail) -> None:
    facts.fails = True
    if stmt.report is not None:
        facts.buffers[stmt.report.name] = stmt.report
    for number in stmt.numbers:
        read_int(facts, number)


_STATEMENTS: dict[type, Callable[[BodyFacts, Any], None]] = {
    Let: _let,
    Fetch: _fetch,
    Store: _store,
    Alloc: _alloc,
    Prefetch: _prefetch,
    Fail: _fail,
}
_HEADS: dict[type, Callable[[BodyFacts, Any], None]] = {For: _for, If: _if}


def _value(facts: BodyFacts, value: Value) -> None:
    stack = [value]
    while stack:
        node = stack.pop()
        _dtype(facts, node.dtype)
        if isinstance(node, Op):
            facts.weight += 1 if node.name in PLAIN else MATH_WEIGHT
            facts.chained |= node.name in CHAINED and node.dtype == "float64"
            stack.extend(node.args)
        elif isinstance(node, Load):
            _access(facts, node.buffer, node.index)
        elif isinstance(node, Var):
            facts.names.add(node.name)
        elif isinstance(node, FromInt):
            read_int(facts, node.value)


def _dtype(facts: BodyFacts, dtype: str) -> None:
    size = ITEMSIZE[dtype]
    if dtype in REAL:
        facts.real = max(facts.real, size)
    else:
        facts.integer = max(facts.integer, size)


def _access(facts: BodyFacts, buffer: Buffer, index: tuple[IntExpr, ...]) -> None:
    if buffer.space == "workspace":
        _row(facts, buffer, index)
    _named(facts, buffer, index)


def _named(facts: BodyFacts, buffer: Buffer, index: tuple[IntExpr, ...]) -> None:
    if buffer.name not in facts.buffers:
        facts.buffers[buffer.name] = buffer
        for extent in buffer.shape:
            read_int(facts, extent)
    facts.weight += 1
    _dtype(facts, buffer.dtype)
    if buffer.space == "register" and index and isinstance(index[-1], IntVar):
        facts.tiles.add(index[-1].name)
    for part in index:
        read_int(facts, part)


def _row(facts: BodyFacts, buffer: Buffer, index: tuple[IntExpr, ...]) -> None:
    facts.rows.add((buffer.name, None if buffer.batch_axis is None else index[buffer.batch_axis]))


def read_int(facts: BodyFacts, expr: IntExpr) -> None:
    """Note the variables and buffers that an integer expression reads."""
    if type(expr) is IntConst:
        return
    if isinstance(expr, IntVar):
        facts.variables.add(expr.name)
    elif isinstance(expr, (IntAdd, IntMul, IntMin)):
        read_int(facts, expr.left)
        read_int(facts, expr.right)
    elif isinstance(expr, (IntFloorDiv, IntMod)):
        read_int(facts, expr.value)
    elif isinstance(expr, IntLoad):
        facts.gathered |= names(expr)
        facts.buffers[expr.buffer.name] = expr.buffer
        if expr.buffer.space == "workspace":
            _row(facts, expr.buffer, expr.index)
        for part in expr.index:
            read_int(facts, part)
