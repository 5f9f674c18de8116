"""What vectorizing and emission want to know of a loop body beforehand.

In: a body of the loop language.  Out: `BodyFacts`, gathered in one walk and remembered for every loop and condition.
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
    lane costs.
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


SHORT = 32  # a vector loop of so few elements has few chunks on every target
MATH_WEIGHT = 24  # instructions of a typical vector math function
CHAINED = frozenset({"pow", "gamma", "loggamma"})  # hundreds of instructions on doubles, most of which wait for others


FactsByStatement = dict[int, tuple[Stmt, BodyFacts]]
"""The facts of loops and conditions, by their identity (they are kept beside them, so that it stays their own)."""


def gather(body: Body, known: FactsByStatement) -> BodyFacts:
    """Walk a body; what is in `known` is not walked again."""
    facts = BodyFacts()
    for stmt in body:
        walk = _STATEMENTS.get(type(stmt))
        if walk is not None:
            walk(facts, stmt)
        else:
            facts.add(_inside(stmt, known))
    return facts


def _inside(stmt: Stmt, known: FactsByStatement) -> BodyFacts:
    """The facts of a loop or of a condition."""
    found = known.get(id(stmt))
    if found is None:
        facts = BodyFacts()
        _HEADS[type(stmt)](facts, stmt)
        for body in children(stmt):
            facts.add(gather(body, known))
        facts.weight *= _copies(stmt)
        found = known[id(stmt)] = stmt, facts
    return found[1]


def _for(facts: BodyFacts, stmt: For) -> None:
    facts.loops = not _is_straight(stmt)
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
    _access(facts, stmt.buffer, stmt.index)


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
        for part in expr.index:
            read_int(facts, part)
