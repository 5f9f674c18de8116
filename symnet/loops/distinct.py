"""Which operations a body runs: a value that stands in it several times is computed once.

In: the body of a phase.  Out: a `CountedBody`: the operations of one run of the body, and those of the bodies in it.

As in machine code (`backends/llvm/blocks.py`), a value is computed where the deepest of its operands is known: outside
of loops that change none of them, and once for all who need it there and further inside.  An element of an array is the
same as long as nothing is stored to that array; it is read outside of a loop where no other loop stands in that one.
A product that is added in the same expression is one operation with the sum, and not shared (`operands.py`).
Copies of an unrolled body are told from each other as iterations are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from symnet.dtypes import REAL
from symnet.loops import ir
from symnet.loops.affine import int_loads, names
from symnet.loops.operands import contribution, multiply_add_of
from symnet.loops.weights import MULTIPLY_ADD, NOTHING, ONE, Operations, weight_of

Known = tuple[int, int]  # a value's number, and the depth of the region that computes it


@dataclass(slots=True)
class CountedBody:
    """The operations of one run of a body, without those of the bodies in it, which are beside their statements."""

    body: ir.Body
    own: Operations = NOTHING
    loops: list[tuple[ir.For, CountedBody]] = field(default_factory=list)
    branches: list[tuple[ir.If, CountedBody, CountedBody]] = field(default_factory=list)

    def all_bodies(self) -> Iterator[CountedBody]:
        """The body and every one inside it."""
        yield self
        inner = [body for _, body in self.loops] + [arm for _, *arms in self.branches for arm in arms]
        for each in inner:
            yield from each.all_bodies()


def counted(body: ir.Body, roots: Mapping[str, str]) -> CountedBody:
    """What one run of a phase's body takes.

    Args:
        body: of a unit of a phase.
        roots: the name of the array whose memory each has; one without an entry has its own.
    """
    return _Numbering(roots).of_body(body, None)


@dataclass(slots=True)
class _Region:
    """An open body: the values that it has computed, and whether loads in it may be made before it."""

    counted: CountedBody
    loads_leave: bool
    stored: frozenset[str]
    known: dict[tuple[Any, ...], int] = field(default_factory=dict)


class _Numbering:
    """Numbers for values, equal ones for equal values."""

    def __init__(self, roots: Mapping[str, str]) -> None:
        self.roots = roots
        self.regions: list[_Region] = []
        self.versions: Counter[str] = Counter()
        self.values: dict[str, Known] = {}
        self.depths: dict[str, int] = {}  # of loop variables
        self.last = 0

    # ----- statements

    def of_body(self, body: ir.Body, loop: ir.For | None) -> CountedBody:
        """One run of a body, of a loop or of a branch."""
        stored = frozenset(self._stored(body))
        innermost = loop is not None and not any(isinstance(s, ir.For) and s.kind != "unroll" for s in ir.walk(body))
        self.regions.append(_Region(CountedBody(body), innermost, stored if loop is not None else frozenset()))
        for name in stored:
            self.versions[name] += loop is not None
        for stmt in body:
            _STATEMENTS[type(stmt)](self, stmt)
        for name in stored:
            self.versions[name] += 1
        return self.regions.pop().counted

    def _stored(self, body: ir.Body) -> Iterator[str]:
        for stmt in ir.walk(body):
            if isinstance(stmt, (ir.Store, ir.Alloc)):
                yield self.root(stmt.buffer)
            elif isinstance(stmt, ir.Fetch):
                yield self.root(stmt.inside)

    def root(self, buffer: ir.Buffer) -> str:
        return self.roots.get(buffer.name, buffer.name)

    def loop(self, stmt: ir.For) -> None:
        self.depths[stmt.var] = len(self.regions)
        self._here.loops.append((stmt, self.of_body(stmt.body, stmt)))

    def branch(self, stmt: ir.If) -> None:
        self._here.branches.append((stmt, self.of_body(stmt.then, None), self.of_body(stmt.orelse, None)))

    def let(self, stmt: ir.Let) -> None:
        self.values[stmt.name] = self.value(stmt.value)

    def fetch(self, stmt: ir.Fetch) -> None:
        self.values[stmt.name] = self._fresh(), len(self.regions) - 1
        self.versions[self.root(stmt.inside)] += 1

    def store(self, stmt: ir.Store) -> None:
        parts = contribution(stmt)
        for part in parts:
            self.value(part)
        if stmt.combine is not None and stmt.buffer.dtype in REAL:
            self._here.own += ONE if len(parts) == 1 else MULTIPLY_ADD  # a product that is added is not shared
        self.versions[self.root(stmt.buffer)] += 1

    def alloc(self, stmt: ir.Alloc) -> None:
        self.versions[stmt.buffer.name] += 1

    @property
    def _here(self) -> CountedBody:
        return self.regions[-1].counted

    # ----- values

    def value(self, value: ir.Value) -> Known:
        """The number of a value, whose operations are counted where they run for the first time."""
        return _VALUES[type(value)](self, value)

    def constant(self, value: ir.Const) -> Known:
        return self._numbered((repr(value.value), value.dtype), 0)[0]

    def variable(self, value: ir.Var) -> Known:
        return self.values[value.name]

    def from_integer(self, value: ir.FromInt) -> Known:
        return self._read((value.dtype, value.value), (value.value,), ())

    def load(self, value: ir.Load) -> Known:
        root = self.root(value.buffer)
        return self._read((root, value.buffer.name, value.index), value.index, (root,))

    def op(self, value: ir.Op) -> Known:
        factors = multiply_add_of(value)
        if factors is not None:
            value = ir.Op("fma", factors, value.dtype)
        operands = [self.value(arg) for arg in value.args]
        depth = max(depth for _, depth in operands)
        known, is_new = self._numbered((value.name, value.dtype, *(number for number, _ in operands)), depth)
        if is_new:
            self.regions[depth].counted.own += weight_of(value)
        return known

    def _read(self, key: tuple[Any, ...], integers: Iterable[ir.IntExpr], roots: tuple[str, ...]) -> Known:
        """What stands in memory or follows from integers: once, as far out as it is the same."""
        integers = tuple(integers)
        roots = (*roots, *(self.root(load.buffer) for each in integers for load in int_loads(each)))
        least = max((self.depths.get(name, 0) for each in integers for name in names(each)), default=0)
        place = least
        if roots:
            place = len(self.regions) - 1
            while place > least and self.regions[place].loads_leave and not self.regions[place].stored & set(roots):
                place -= 1
        key = (*key, *(self.versions[root] for root in roots))
        for depth in range(least, place + 1):
            if key in self.regions[depth].known:
                return self.regions[depth].known[key], depth
        return self._numbered(key, place)[0]

    def _numbered(self, key: tuple[Any, ...], depth: int) -> tuple[Known, bool]:
        """The number of what a key describes in a region, and whether it is new there."""
        known = self.regions[depth].known
        is_new = key not in known
        if is_new:
            known[key] = self._fresh()
        return (known[key], depth), is_new

    def _fresh(self) -> int:
        self.last += 1
        return self.last


_STATEMENTS: dict[type, Callable[[_Numbering, Any], None]] = {
    ir.For: _Numbering.loop,
    ir.If: _Numbering.branch,
    ir.Let: _Numbering.let,
    ir.Fetch: _Numbering.fetch,
    ir.Store: _Numbering.store,
    ir.Alloc: _Numbering.alloc,
    ir.Prefetch: lambda numbering, stmt: None,
    ir.Fail: lambda numbering, stmt: None,
}

_VALUES: dict[type, Callable[[_Numbering, Any], Known]] = {
    ir.Const: _Numbering.constant,
    ir.Var: _Numbering.variable,
    ir.Load: _Numbering.load,
    ir.FromInt: _Numbering.from_integer,
    ir.Op: _Numbering.op,
}
