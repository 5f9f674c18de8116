"""Runs a Program in Python over NumPy buffers: the meaning of the loop language, executable.

In: a `Program`, its inputs as arrays, its run-time extents.  Out: its outputs as arrays.

It is strict where machine code is not: every index is checked (a negative one is an error), every buffer starts
as NaN (integers: a sentinel far out of range), so that reading before writing shows, and the order of units can
be reversed or shuffled, so that units that are not independent show.

Loop nests whose iterations may run together (`lanes.py`) run statement by statement over arrays of lanes, with
reductions and colliding stores in the order of the loops, so that the numbers are those of one iteration after
the other.  A `vector` loop always runs in lanes, as on the machine: one that was vectorised wrongly gives wrong
numbers here too.  One that has a cut adds up in the order of its chunks (`reductions.py`).  So a program has the bits
of machine code, if its operations do: `arithmetic` says whose functions and roundings are meant.

Not handled: speed beyond that; values nested so deep that Python's recursion ends.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from symnet import dtypes
from symnet.errors import CompileError, SingularMatrixError, ValueDomainError, explain
from symnet.loops import affine, ir
from symnet.loops.arithmetic import REFERENCE, Arithmetic
from symnet.loops.fused import multiply_add
from symnet.loops.integer_text import element_text, int_text
from symnet.loops.lanes import is_straight, may_run_at_once
from symnet.loops.memory import ArraysByName, allocate, infer_dims, poisoned
from symnet.loops.operands import contribution, multiply_add_of, taken_in_order
from symnet.loops.order import check_order
from symnet.loops.printer import stmt_line
from symnet.loops.reductions import Combination, Contribution, reduced
from symnet.loops.scalar_ops import cast
from symnet.loops.verifier import verify

Tally = Callable[[ir.Body, int], None]

_ONE = ir.IntConst(1)
LANE_LIMIT = 1 << 18  # lanes of one nest that run together; bounds the memory of temporaries
_CONDITION: dict[str, Callable[[int, int], bool]] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip


def run(
    program: ir.Program,
    inputs: Mapping[str, np.ndarray],
    dims: Mapping[str, int] | None = None,
    *,
    unit_order: str | int = "forward",
    together: bool = True,
    check: bool = True,
    arithmetic: Arithmetic = REFERENCE,
    tally: Tally | None = None,
) -> ArraysByName:
    """The outputs of a program, by name.

    Args:
        program: what to run.
        inputs: one array per input, of the buffer's dtype and shape.
        dims: the run-time extents; those that are a whole axis of an input may be left out.
        unit_order: "forward", "reversed", or the seed of a shuffle of each phase's units.
        together: False runs everything but vector loops one iteration after the other.
        check: verify the program first.
        arithmetic: the functions and roundings, those of the reference or of a machine.
        tally: told of every body that runs, and how many lanes run it together.

    Raises:
        CompileError: from the verifier; for an index out of range, or two lanes that store to one element.
        SingularMatrixError: where the program fails with that code.
        ArgumentError, DTypeError, ShapeError: for inputs and dims that do not fit the program.
    """
    if check:
        verify(program)
        check_order(program)
    machine = _Machine(program, dict(inputs), dims or {}, together, arithmetic, tally)
    with np.errstate(all="ignore"):
        for group in program.groups:
            machine.run_group(group, unit_order)
    return {buffer.name: machine.memory[buffer.name] for buffer in program.outputs}


def _units_in_order(units: int, unit_order: str | int) -> Iterable[int]:
    if isinstance(unit_order, int):
        return [int(unit) for unit in np.random.default_rng(unit_order).permutation(units)]
    return reversed(range(units)) if unit_order == "reversed" else range(units)


class _Machine:
    """Memory, variables, and the lanes that run at the moment.

    The lanes of the innermost loop are the first axis of every array of lanes, so that arrays made outside it
    broadcast as they are.
    """

    def __init__(
        self,
        program: ir.Program,
        inputs: ArraysByName,
        dims: Mapping[str, int],
        together: bool,
        arithmetic: Arithmetic,
        tally: Tally | None,
    ):
        self.program = program
        self.together, self.arithmetic, self.tally = together, arithmetic, tally
        self.env: dict[str, Any] = dict(infer_dims(program, inputs, dims))
        self.lanes: list[ir.For] = []
        self.widths: list[int] = []
        self.in_nest = False
        self.where: ir.Stmt | None = None
        self.phase = ""
        self.verdicts: dict[int, bool] = {}
        self.suspects: dict[int, list[ir.For]] = {}
        self.private: dict[str, tuple[str, ...]] = {}
        self.memory, self.roots = allocate(program, inputs, self.shape)

    def shape(self, buffer: ir.Buffer) -> tuple[int, ...]:
        """A buffer's extents as numbers."""
        return tuple(int(self.integer(extent)) for extent in buffer.shape)

    # ----- integers

    def integer(self, expr: ir.IntExpr) -> Any:
        """A Python int, or an int64 array of lanes."""
        return _INT[type(expr)](self, expr)

    def load_integer(self, expr: ir.IntLoad) -> Any:
        """An integer buffer's element as an index."""
        element = self.load(expr)
        return element.astype(np.int64) if isinstance(element, np.ndarray) else int(element)

    # ----- values

    def value(self, value: ir.Value) -> Any:
        """A NumPy scalar of the value's dtype, or an array of lanes."""
        return _VALUE[type(value)](self, value)

    def load(self, node: ir.Load | ir.IntLoad) -> Any:
        """An element of a buffer, or an array of one for each lane."""
        return self.memory[node.buffer.name][self._positions(node.buffer, node.index)]

    def _positions(self, buffer: ir.Buffer, index: tuple[ir.IntExpr, ...]) -> tuple[Any, ...]:
        """The index, checked; a register buffer made in lanes has an axis for each of their loops before its own."""
        own = self.private.get(buffer.name, ())
        positions = tuple(self.integer(expr) for expr in index)
        extents = self.memory[buffer.name].shape[len(own) :]
        for axis, (position, extent) in enumerate(zip(positions, extents, strict=True)):
            low, high = (position, position) if isinstance(position, int) else (position.min(), position.max())
            if low < 0 or high >= extent:
                self._refuse(
                    f"0 <= index < {extent} on axis {axis} of {element_text(buffer, index)}",
                    f"{low}" if low < 0 else f"{high}",
                    "Guard the access, or mend the index or the extent.",
                )
        return (*(self.env[var] for var in own), *positions)

    def _refuse(self, expected: str, got: str, mend: str) -> None:
        line = stmt_line(self.where) if self.where is not None else "…"
        call = f"program {self.program.name}, phase {self.phase}: `{line}`"
        raise CompileError(explain(call, expected, got, mend))

    # ----- statements

    def run_group(self, group: ir.Group, unit_order: str | int) -> None:
        """Run the phases of a group in order, `repeat` times; the units of a phase in the order asked for."""
        for repetition in range(self.integer(group.repeat)):
            self.env[group.var] = repetition
            for phase in group.phases:
                self.phase = phase.name
                for unit in _units_in_order(self.integer(phase.units), unit_order):
                    self.env[phase.unit_var] = unit
                    self.run_body(phase.body)

    def run_body(self, body: ir.Body) -> None:
        """Run statements in order."""
        if self.tally is not None:
            self.tally(body, math.prod(self.widths))
        for stmt in body:
            self.where = stmt
            _STMT[type(stmt)](self, stmt)

    def let(self, stmt: ir.Let) -> None:
        """Bind a name."""
        self.env[stmt.name] = self.value(stmt.value)

    def fetch(self, stmt: ir.Fetch) -> None:
        """Bind a name to what stands in range; 0 stands in for the rest."""
        buffer, index = stmt.value.buffer, stmt.value.index
        axis = next(number for number, part in enumerate(index) if isinstance(part, ir.IntLoad))
        came = np.asarray(self.integer(index[axis]))
        inside = (came >= 0) & (came < self.integer(buffer.shape[axis]))
        where = np.broadcast_arrays(*self._positions(stmt.inside, (ir.IntConst(0),)), inside)[:-1]
        np.logical_and.at(self.memory[stmt.inside.name], tuple(where), inside)
        found = np.zeros(inside.shape, buffer.dtype)
        if inside.any():
            mark = f"{stmt.name}_index"
            self.env[mark] = np.where(inside, came, came[inside].flat[0])
            found = self.load(ir.Load(buffer, (*index[:axis], ir.IntVar(mark), *index[axis + 1 :])))
        self.env[stmt.name] = np.where(inside, found, np.zeros((), buffer.dtype))

    def alloc(self, stmt: ir.Alloc) -> None:
        """A fresh, poisoned register buffer, one for each lane."""
        self.private[stmt.buffer.name] = tuple(loop.var for loop in self.lanes)
        self.memory[stmt.buffer.name] = poisoned(stmt.buffer.dtype, (*self.widths, *self.shape(stmt.buffer)))

    def branch(self, stmt: ir.If) -> None:
        """Run one of two bodies."""
        test = stmt.condition
        met = _CONDITION[test.op](self.integer(test.left), self.integer(test.right))
        self.run_body(stmt.then if met else stmt.orelse)

    def fail(self, stmt: ir.Fail) -> None:
        """What the native code reports by a return code."""
        call = f"program {self.program.name}, phase {self.phase}"
        if stmt.code == ir.INDEX_OUT_OF_RANGE:
            check, value, place = (self.integer(number) for number in stmt.numbers)
            got = f"{value} at place {place} of check {check}"
            raise ValueDomainError(explain(call, "an index in range", got, "Mend the data."))
        raise SingularMatrixError(explain(call, "a matrix that can be inverted", stmt.code, "Mend the data."))

    def store(self, stmt: ir.Store) -> None:
        """One element, or one per lane in the order of the loops, so that the last one wins."""
        addend, memory = self._addend(stmt), self.memory[stmt.buffer.name]
        index = self._positions(stmt.buffer, stmt.index)
        if self.lanes:
            flat = self._in_loop_order(np.asarray(_flat_index(index, memory.shape)))
            self._store_lanes(stmt, memory.reshape(-1), flat, tuple(map(self._in_loop_order, addend)))
        elif stmt.combine is None:
            memory[index] = addend[0]
        else:
            memory[index] = Combination(stmt.combine, self.arithmetic).of(memory[index], addend)

    def _addend(self, stmt: ir.Store) -> Contribution:
        """What is stored; a product that is rounded with the sum stays two factors."""
        return tuple(map(self.value, contribution(stmt) if self.arithmetic.fused else (stmt.value,)))

    def _in_loop_order(self, lanes: Any) -> np.ndarray:
        return np.broadcast_to(lanes, self.widths[::-1]).T.ravel()

    def _store_lanes(self, stmt: ir.Store, memory: np.ndarray, flat: np.ndarray, addend: Contribution) -> None:
        if stmt.combine is None:
            self._check_collisions(stmt, flat)
            memory[flat] = addend[0]
            return
        combination = Combination(stmt.combine, self.arithmetic)
        place = self._shared_by(stmt)
        if place is not None:
            cut = self.lanes[place].cut
            assert cut is not None
            shape = math.prod(self.widths[:place]), self.widths[place], math.prod(self.widths[place + 1 :])
            lanes = tuple(part.reshape(shape) for part in addend)
            flat, addend = reduced(combination, cut, flat.reshape(shape), lanes, self._moves_within(stmt, place))
        combination.in_order(memory, flat, addend)

    def _shared_by(self, stmt: ir.Store) -> int | None:
        """The place among the loops of the one that is cut and whose lanes all combine into one element."""
        cut = [place for place, loop in enumerate(self.lanes) if loop.cut is not None]
        return next((p for p in cut if not any(self.lanes[p].var in affine.names(i) for i in stmt.index)), None)

    def _moves_within(self, stmt: ir.Store, place: int) -> bool:
        """Whether the element's address changes inside a vector loop, but for copies of statements."""
        repeated = {loop.var for loop in self.lanes[place + 1 :] if loop.kind != "unroll" and loop.extent != _ONE}
        return any(affine.names(expr) & repeated or affine.int_loads(expr) for expr in stmt.index)

    def _check_collisions(self, stmt: ir.Store, flat: np.ndarray) -> None:
        """No element may be stored to by two iterations of a vector loop."""
        for loop in self._suspects(stmt):
            lane = self._in_loop_order(self.env[loop.var])
            elements, one_each = np.unique(flat, return_inverse=True)
            lowest, highest = np.full(elements.size, lane.max()), np.full(elements.size, lane.min())
            np.minimum.at(lowest, one_each, lane)
            np.maximum.at(highest, one_each, lane)
            if (lowest != highest).any():
                element = int((lowest != highest).argmax())
                self._refuse(
                    f"iterations of the vector loop over {loop.var} that store to different elements",
                    f"{loop.var} = {lowest[element]} and {highest[element]} at element {elements[element]}",
                    "Store with `combine`, or make the loop serial.",
                )

    def _suspects(self, stmt: ir.Store) -> list[ir.For]:
        """The vector loops around a store that does not evidently move with them."""
        if id(stmt) not in self.suspects:
            around = [loop for loop in self.lanes if loop.kind == "vector"]
            moves = {loop.var: any(affine.step(expr, loop.var) for expr in stmt.index) for loop in around}
            self.suspects[id(stmt)] = [loop for loop in around if not moves[loop.var]]
        return self.suspects[id(stmt)]

    def loop(self, stmt: ir.For) -> None:
        """All iterations, together where that is asked for or gives the same."""
        extent = self.integer(stmt.extent)
        if stmt.bound is not None and extent > stmt.bound:
            self._refuse(f"an extent of at most {stmt.bound}", f"{int_text(stmt.extent)} = {extent}", "Raise `bound`.")
        if extent <= 0:
            return
        if self.in_nest:
            self._run_lanes(stmt, extent)
        elif self._may_run_at_once(stmt):
            with self._nest():
                self._run_lanes(stmt, extent)
        elif stmt.kind == "vector" and is_straight(stmt.body):
            self._run_lanes(stmt, extent)
        else:
            for iteration in range(extent):
                self.env[stmt.var] = iteration
                self.run_body(stmt.body)

    def _may_run_at_once(self, stmt: ir.For) -> bool:
        if not self.together:
            return False
        if id(stmt) not in self.verdicts:
            self.verdicts[id(stmt)] = may_run_at_once(stmt, self.roots)
        return self.verdicts[id(stmt)] and self._lane_count(stmt) * math.prod(self.widths) <= LANE_LIMIT

    def _lane_count(self, stmt: ir.For) -> int:
        """The elements of the largest temporary or register buffer of the nest."""
        inner = [self._lane_count(child) for child in stmt.body if isinstance(child, ir.For)]
        cells = [math.prod(self.shape(child.buffer)) for child in stmt.body if isinstance(child, ir.Alloc)]
        return max(0, int(self.integer(stmt.extent))) * max([1, *inner, *cells])

    @contextmanager
    def _nest(self) -> Iterator[None]:
        self.in_nest = True
        try:
            yield
        finally:
            self.in_nest = False

    def _run_lanes(self, stmt: ir.For, extent: int) -> None:
        self.env[stmt.var] = np.arange(extent).reshape((extent,) + (1,) * len(self.lanes))
        self.lanes.append(stmt)
        self.widths.append(extent)
        self.run_body(stmt.body)
        self.lanes.pop()
        self.widths.pop()


def _flat_index(index: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    flat: Any = 0
    for position, extent in zip(index, shape, strict=True):
        flat = flat * extent + position
    return flat


# --------------------------------------------------------------------------- one line per node kind


def _int_min(machine: _Machine, expr: ir.IntMin) -> Any:
    left, right = machine.integer(expr.left), machine.integer(expr.right)
    both_plain = isinstance(left, int) and isinstance(right, int)
    return min(left, right) if both_plain else np.minimum(left, right)


def _op(machine: _Machine, node: ir.Op) -> Any:
    if machine.arithmetic.fused:
        factors = node.args if node.name == "fma" and node.dtype in dtypes.REAL else multiply_add_of(node)
        if factors is not None:
            return multiply_add(*map(machine.value, factors))
    args = [machine.value(arg) for arg in taken_in_order(node)]
    return cast(args[0], node.dtype) if node.name == "cast" else machine.arithmetic.meaning[node.name](*args)


def _from_int(machine: _Machine, node: ir.FromInt) -> Any:
    return np.asarray(machine.integer(node.value)).astype(node.dtype)


_INT: dict[type, Callable[[_Machine, Any], Any]] = {
    ir.IntConst: lambda machine, expr: expr.value,
    ir.IntVar: lambda machine, expr: machine.env[expr.name],
    ir.IntAdd: lambda machine, expr: machine.integer(expr.left) + machine.integer(expr.right),
    ir.IntMul: lambda machine, expr: machine.integer(expr.left) * machine.integer(expr.right),
    ir.IntMin: _int_min,
    ir.IntFloorDiv: lambda machine, expr: machine.integer(expr.value) // expr.divisor,
    ir.IntMod: lambda machine, expr: machine.integer(expr.value) % expr.divisor,
    ir.IntLoad: _Machine.load_integer,
}

_VALUE: dict[type, Callable[[_Machine, Any], Any]] = {
    ir.Const: lambda machine, node: np.dtype(node.dtype).type(node.value),
    ir.Var: lambda machine, node: machine.env[node.name],
    ir.Load: _Machine.load,
    ir.FromInt: _from_int,
    ir.Op: _op,
}

_STMT: dict[type, Callable[[_Machine, Any], None]] = {
    ir.For: _Machine.loop,
    ir.Let: _Machine.let,
    ir.Fetch: _Machine.fetch,
    ir.Store: _Machine.store,
    ir.Alloc: _Machine.alloc,
    ir.Prefetch: lambda machine, stmt: None,
    ir.If: _Machine.branch,
    ir.Fail: _Machine.fail,
}
