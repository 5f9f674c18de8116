"""Is a Program well formed?  Run between floors, so that a wrong pass is caught where it was wrong.

In: a `Program`.  Out: nothing, or a `CompileError` that quotes the offending statement.

Checked: names (undefined, bound twice), declarations (dtypes, spaces, views), index ranks, constant and affine
indices out of range, the dtypes of values and stores, loop kinds, and the rules of vector loops, register buffers
and units (`vector_rules.py`).  Whether a program writes before it reads is `order.py`.

Not handled: indices whose range depends on data or on extents in a way that is not affine; the interpreter
checks those as it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from symnet import dtypes
from symnet.errors import CompileError, explain
from symnet.loops import affine, ir, vector_rules
from symnet.loops.integer_text import buffer_text, element_text, int_text
from symnet.loops.op_types import TYPING, kind, mismatch
from symnet.loops.printer import stmt_line, value_text

KINDS = ("serial", "unroll", "vector")
SPACES = ("input", "output", "workspace", "register", "constant")
CONDITIONS = ir.COMPARISON
_INTEGER_LIMIT = {"int32": 2**31, "int64": 2**63}


def verify(program: ir.Program) -> None:
    """Check a whole program.

    Raises:
        CompileError: at the first thing that is wrong; the message quotes the statement.
    """
    _Verifier(program).program_rules()


class _Verifier:
    """The rules of the language, with the names in scope and the place that is examined."""

    def __init__(self, program: ir.Program):
        self.program = program
        self.phase: ir.Phase | None = None
        self.stmt: ir.Stmt | None = None
        self.buffers: dict[str, ir.Buffer] = {}
        self.values: dict[str, str] = {}  # Let names → dtype
        self.extents: dict[str, ir.IntExpr] = {}  # loop, unit and repeat variables, outermost first
        self.dims: frozenset[str] = frozenset()
        self.guards = 0

    # ----- where an error is

    def refuse(self, expected: str, got: str, mend: str, stmt: ir.Stmt | None = None) -> NoReturn:
        """Raise, quoting the statement."""
        place = f"program {self.program.name}"
        if self.phase is not None:
            place += f", phase {self.phase.name}"
        stmt = stmt or self.stmt
        raise CompileError(explain(place if stmt is None else f"{place}: `{stmt_line(stmt)}`", expected, got, mend))

    # ----- declarations

    def program_rules(self) -> None:
        """Examine the declarations, then every phase."""
        for name in self.program.dims:
            if name in self.dims:
                self.refuse("run-time extents of different names", f"{name} twice in dims", "Rename one.")
            self.dims |= {name}
        constants = tuple(constant.buffer for constant in self.program.constants)
        sections = ((self.program.inputs, "input"), (self.program.outputs, "output"), (constants, "constant"))
        for buffers, space in (*sections, (self.program.workspace, "workspace")):
            for buffer in buffers:
                self.declare(buffer)
                if buffer.view_of is None and buffer.space != space:
                    self.refuse(f"{buffer_text(buffer)} in space {space}", buffer.space, "Declare it where it belongs.")
        for buffer in list(self.buffers.values()):
            self.view_rules(buffer)
        for group in self.program.groups:
            self.group_rules(group)
        self.outputs_are_stored()

    def declare(self, buffer: ir.Buffer) -> None:
        """Examine a buffer's own rules, and note its name."""
        if buffer.name in self.buffers:
            got = f"{buffer.name} declared twice, as {buffer_text(self.buffers[buffer.name])} before"
            self.refuse(f"a new name for {buffer_text(buffer)}", got, "Rename one of them.")
        if buffer.dtype not in dtypes.ALL:
            self.refuse(f"{buffer.name} of a dtype among {', '.join(dtypes.ALL)}", repr(buffer.dtype), "Retype it.")
        if buffer.space not in SPACES:
            self.refuse(f"{buffer.name} in a space among {', '.join(SPACES)}", repr(buffer.space), "Mend the space.")
        for extent in buffer.shape:
            foreign = affine.names(extent) - self.dims
            if foreign or affine.int_loads(extent):
                got = f"{int_text(extent)} in {buffer_text(buffer)}"
                self.refuse(f"extents made of {', '.join(sorted(self.dims)) or 'constants'}", got, "Name it in dims.")
        self.buffers[buffer.name] = buffer

    def view_rules(self, buffer: ir.Buffer) -> None:
        """Views name a buffer of the same dtype and the same number of elements, without going in circles."""
        if buffer.view_of is None:
            return
        source = self.buffers.get(buffer.view_of)
        if source is None:
            known = ", ".join(self.buffers)
            self.refuse(f"{buffer_text(buffer)} to view one of {known}", buffer.view_of, "Declare it, or mend view_of.")
        if source.dtype != buffer.dtype:
            self.refuse(f"{buffer_text(buffer)} with the dtype of {buffer_text(source)}", buffer.dtype, "Retype it.")
        mine, theirs = affine.element_count(buffer.shape), affine.element_count(source.shape)
        if mine != theirs and affine.is_plain(mine) and affine.is_plain(theirs):
            expected = f"{buffer_text(buffer)} to have as many elements as {buffer_text(source)}"
            self.refuse(expected, f"{_count_text(buffer)} and {_count_text(source)}", "A view only reshapes.")
        self.root(buffer)

    def root(self, buffer: ir.Buffer) -> ir.Buffer:
        """The buffer whose memory this one is."""
        seen = [buffer.name]
        while buffer.view_of is not None:
            buffer = self.buffers[buffer.view_of]
            if buffer.name in seen:
                self.refuse("views that end at a buffer", " → ".join([*seen, buffer.name]), "Break the circle.")
            seen.append(buffer.name)
        return buffer

    def outputs_are_stored(self) -> None:
        """Every output is stored to by some statement."""
        stores = [s for _, phase in self.program.phases() for s in ir.walk(phase.body) if isinstance(s, ir.Store)]
        stored = {self.root(store.buffer).name for store in stores if store.buffer.space != "register"}
        for output in self.program.outputs:
            if self.root(output).name not in stored:
                self.phase = self.stmt = None
                self.refuse(f"a Store to the output {buffer_text(output)}", "none", "Store it, or drop the output.")

    # ----- scopes

    @contextmanager
    def scope(self, var: str | None = None, extent: ir.IntExpr | None = None) -> Iterator[None]:
        """Names bound inside are gone outside; `var` runs over `extent`."""
        before = dict(self.buffers), dict(self.values), dict(self.extents), self.guards
        if var is not None and extent is not None:
            self.bind(var)
            if extent == ir.IntConst(0) or affine.names(extent) & self.extents.keys():
                self.guards += 1  # an empty or uneven loop: ranges are not judged inside
            self.extents[var] = extent
        yield
        self.buffers, self.values, self.extents, self.guards = before

    def bind(self, name: str) -> None:
        """A name must be new in its scope."""
        for what, names in (("extent", self.dims), ("loop variable", self.extents), ("value", self.values)):
            if name in names:
                self.refuse(f"a new name instead of {name}", f"the {what} {name} in scope", "Rename one of them.")

    def group_rules(self, group: ir.Group) -> None:
        """Examine the repeat count, then the phases."""
        self.phase = self.stmt = None
        self.integer(group.repeat)
        with self.scope(group.var, group.repeat):
            for self.phase in group.phases:
                self.stmt = None
                self.integer(self.phase.units)
                with self.scope(self.phase.unit_var, self.phase.units):
                    self.body(self.phase.body)
                vector_rules.check_units(self.phase, self.refuse)

    def body(self, body: ir.Body) -> None:
        """Examine statements in order, in a scope of their own."""
        with self.scope():
            for stmt in body:
                self.stmt = stmt
                if type(stmt) not in _STMT:
                    self.refuse("a statement of ir.py", type(stmt).__name__, "See the grammar in loops/ir.py.")
                _STMT[type(stmt)](self, stmt)

    # ----- statements

    def loop(self, stmt: ir.For) -> None:
        """Examine a loop: a known kind, an extent that can be computed, and the rules of that kind."""
        if stmt.kind not in KINDS:
            self.refuse("a loop kind among " + ", ".join(KINDS), repr(stmt.kind), "Mend the kind.")
        self.integer(stmt.extent)
        constant = stmt.extent.value if isinstance(stmt.extent, ir.IntConst) else None
        if stmt.bound is not None and constant is not None and constant > stmt.bound:
            self.refuse(f"an extent of at most its bound {stmt.bound}", str(constant), "Raise `bound`, or drop it.")
        if stmt.kind == "unroll" and constant is None and stmt.bound is None:
            got = f"{int_text(stmt.extent)} without a bound"
            self.refuse("a constant extent, or a bound, to unroll", got, "Give `bound`, or make the loop serial.")
        with self.scope(stmt.var, stmt.extent):
            self.body(stmt.body)
        if stmt.kind == "vector":
            vector_rules.check_vector_loop(stmt, self.refuse)
        if stmt.cut is not None:
            self.cut(stmt, stmt.cut)

    def cut(self, stmt: ir.For, cut: ir.LaneCut) -> None:
        """Of a vector loop, into chunks of a power of two of lanes."""
        if stmt.kind != "vector":
            self.refuse("a cut of vector loops only", f"one of the {stmt.kind} loop over {stmt.var}", "Drop it.")
        if cut.lanes < 2 or cut.lanes & (cut.lanes - 1) or cut.row < 0 or cut.tail not in ir.TAILS:
            mend = "Let schedule/vectorize.py decide it."
            self.refuse(f"a power of two of lanes, rows, and a tail among {', '.join(ir.TAILS)}", str(cut), mend)

    def let(self, stmt: ir.Let) -> None:
        """Examine a value, and note its new name."""
        self.value(stmt.value)
        self.bind(stmt.name)
        self.values[stmt.name] = stmt.value.dtype

    def fetch(self, stmt: ir.Fetch) -> None:
        """Examine a fetch: one index is an integer load, no other holds one; a truth value notes it."""
        self.value(stmt.value)
        bare = [isinstance(part, ir.IntLoad) for part in stmt.value.index]
        loads = [bool(affine.int_loads(part)) for part in stmt.value.index]
        if bare.count(True) != 1 or loads.count(True) != 1:
            got = element_text(stmt.value.buffer, stmt.value.index)
            self.refuse("an element of which one index is an integer load, and nothing but that", got, "Use a Let.")
        self.element(stmt.inside, (ir.IntConst(0),))
        if stmt.inside.dtype != "bool" or stmt.inside.space != "register":
            got = f"{buffer_text(stmt.inside)}, space {stmt.inside.space}"
            self.refuse("a register of bool that says whether indices are inside", got, "Alloc one.")
        self.bind(stmt.name)
        self.values[stmt.name] = stmt.value.dtype

    def store(self, stmt: ir.Store) -> None:
        """Examine a store: dtypes agree, the combine is known, inputs are not written."""
        self.element(stmt.buffer, stmt.index)
        self.value(stmt.value)
        space = self.root(stmt.buffer).space
        if space in ("input", "constant"):
            got = f"the {space} {stmt.buffer.name}"
            self.refuse("stores to outputs, workspace and registers", got, "Copy it first.")
        if stmt.value.dtype != stmt.buffer.dtype:
            got = f"{value_text(stmt.value)} of {stmt.value.dtype}"
            self.refuse(f"a value of {stmt.buffer.dtype} for {stmt.buffer.name}", got, "Cast it.")
        if stmt.combine not in ir.COMBINES:
            known = ", ".join(str(combine) for combine in ir.COMBINES)
            self.refuse(f"combine among {known}", repr(stmt.combine), "Mend the combine.")
        if stmt.combine in ("add", "mul") and stmt.buffer.dtype == "bool":  # max is or, min is and
            self.refuse("numbers to combine", f"{stmt.buffer.name} of bool", "Combine truth values by max or min.")

    def alloc(self, stmt: ir.Alloc) -> None:
        """Examine a register buffer: its extents are constant, its memory is its own."""
        buffer = stmt.buffer
        if buffer.space != "register" or buffer.view_of is not None:
            got = f"space {buffer.space}" + (f", a view of {buffer.view_of}" if buffer.view_of else "")
            self.refuse("a register buffer that is no view", got, "Declare other buffers in the program's workspace.")
        if not all(isinstance(extent, ir.IntConst) for extent in buffer.shape):
            self.refuse("constant extents in registers", buffer_text(buffer), "Tile first, or use a workspace buffer.")
        self.declare(buffer)

    def prefetch(self, stmt: ir.Prefetch) -> None:
        """Examine a hint: of memory that is declared; anywhere in it or beside it, since nothing is read."""
        if stmt.buffer.space == "register":
            self.refuse("a hint about memory", element_text(stmt.buffer, stmt.index), "Leave it out.")
        self.guards += 1
        self.element(stmt.buffer, stmt.index)
        self.guards -= 1

    def branch(self, stmt: ir.If) -> None:
        """Integer operands; what is inside is guarded, so that ranges are not judged there."""
        if stmt.condition.op not in CONDITIONS:
            self.refuse("a condition among " + ", ".join(CONDITIONS), repr(stmt.condition.op), "Mend the condition.")
        self.integer(stmt.condition.left)
        self.integer(stmt.condition.right)
        for body in (stmt.then, stmt.orelse):
            with self.scope():
                self.guards += 1
                self.body(body)

    def fail(self, stmt: ir.Fail) -> None:
        """Examine a failure: callers know its code."""
        if stmt.code not in ir.FAILURES:
            self.refuse("a code among " + ", ".join(ir.FAILURES), repr(stmt.code), "Add it to ir.FAILURES.")
        for place, number in enumerate(stmt.numbers):
            self.integer(number)
            if stmt.report is None:
                self.refuse("a report for a failure's numbers", "none", "Give it the first buffer of the workspace.")
            self.element(stmt.report, (ir.IntConst(place),))

    # ----- integers and elements

    def integer(self, expr: ir.IntExpr) -> None:
        """Examine an integer expression: every name is in scope, every divisor positive, every load of integers."""
        for node in affine.walk_int(expr):
            if isinstance(node, ir.IntVar) and node.name not in self.extents and node.name not in self.dims:
                known = ", ".join((*sorted(self.dims), *self.extents)) or "none"
                self.refuse(f"integer names in scope ({known})", f"{node.name} in {int_text(expr)}", "Bind it outside.")
            if isinstance(node, ir.IntFloorDiv | ir.IntMod) and node.divisor < 1:
                self.refuse(f"a positive divisor in {int_text(expr)}", str(node.divisor), "Divide by a constant >= 1.")
            if isinstance(node, ir.IntLoad):
                self.element(node.buffer, node.index)
                if node.buffer.dtype not in dtypes.INTEGER:
                    got = f"{buffer_text(node.buffer)}"
                    self.refuse(f"an integer buffer in {int_text(expr)}", got, "Index with int32 or int64.")

    def element(self, buffer: ir.Buffer, index: tuple[ir.IntExpr, ...]) -> None:
        """Examine an access: a declared buffer, one index per axis, in range where that can be decided.

        Whose memory it is, the declaration alone says.
        """
        declared = self.buffers.get(buffer.name)
        if declared is None:
            known = ", ".join(self.buffers) or "none"
            self.refuse(f"buffers in scope ({known})", element_text(buffer, index), "Declare it, or Alloc it before.")
        if declared is not buffer and declared != replace(buffer, view_of=declared.view_of):
            got = f"{buffer_text(buffer)}, space {buffer.space}"
            self.refuse(f"the declared {buffer_text(declared)}, space {declared.space}", got, "Rebuild the statement.")
        if len(index) != len(buffer.shape):
            got = f"{len(index)} in {element_text(buffer, index)}"
            self.refuse(f"{len(buffer.shape)} indices for {buffer_text(buffer)}", got, "Give one index per axis.")
        for axis, (expr, extent) in enumerate(zip(index, buffer.shape, strict=True)):
            self.integer(expr)
            if not self.guards:  # every iteration of the loops around is reached
                self.in_range(buffer, axis, expr, extent)

    def in_range(self, buffer: ir.Buffer, axis: int, expr: ir.IntExpr, extent: ir.IntExpr) -> None:
        """0 <= index < extent, where both ends are constants or a constant apart."""
        lowest, highest = (affine.extreme(expr, self.extents, highest) for highest in (False, True))
        below = affine.constant_difference(lowest, ir.IntConst(0)) if lowest else None
        above = affine.constant_difference(highest, extent) if highest else None
        expected = f"0 <= {int_text(expr)} < {int_text(extent)} on axis {axis} of {buffer_text(buffer)}"
        if below is not None and below < 0:
            self.refuse(expected, f"an index of {below}", "Mend the index or the loop's extent.")
        if above is not None and above >= 0:
            got = f"an index as high as {_end_text(extent, above)}"
            self.refuse(expected, got, "Mend the index or the loop's extent.")

    # ----- values

    def value(self, value: ir.Value) -> None:
        """Examine a value: its operands first, then the rule of its own kind."""
        if type(value) not in _VALUE:
            self.refuse("a value of ir.py", type(value).__name__, "See the grammar in loops/ir.py.")
        _VALUE[type(value)](self, value)

    def const(self, node: ir.Const) -> None:
        """Examine a constant: its value is one of its dtype."""
        if not _is_of_its_dtype(node):
            self.refuse(f"a constant of {node.dtype}", repr(node.value), "Mend its value or its dtype.")

    def var(self, node: ir.Var) -> None:
        """Examine a name: a Let in scope has bound it, under the same dtype."""
        if node.name not in self.values:
            known = ", ".join(self.values) or "none"
            self.refuse(f"values in scope ({known})", node.name, "Bind it with Let before.")
        if self.values[node.name] != node.dtype:
            got = f"a Var of {node.dtype}"
            self.refuse(f"{node.name} as bound, {self.values[node.name]}", got, "Retype the Var, or cast it.")

    def load(self, node: ir.Load) -> None:
        """Examine the element that is loaded."""
        self.element(node.buffer, node.index)

    def from_int(self, node: ir.FromInt) -> None:
        """Examine an integer that becomes a number."""
        self.integer(node.value)
        if kind(node.dtype) not in ("integer", "real"):
            self.refuse("a number's dtype for an index", repr(node.dtype), "Use an integer or real dtype.")

    def op(self, node: ir.Op) -> None:
        """Examine an operation by its signature."""
        for arg in node.args:
            self.value(arg)
        if node.name not in TYPING:
            mend = "Add it to loops/ir.py, loops/op_types.py and loops/scalar_ops.py."
            self.refuse("an operation of the loop language", repr(node.name), mend)
        arity = TYPING[node.name].arity
        if len(node.args) != arity:
            got = f"{len(node.args)} in {value_text(node)}"
            self.refuse(f"{arity} operand{'s' * (arity > 1)} of {node.name}", got, "Mend the operands.")
        expected = mismatch(node)
        if expected:
            got = f"({', '.join(arg.dtype for arg in node.args)}) -> {node.dtype} in {value_text(node)}"
            self.refuse(f"{node.name} of {expected}", got, "Insert a cast, or retype the Op.")


# --------------------------------------------------------------------------- tables


_VALUE: dict[type, Callable[[_Verifier, Any], None]] = {
    ir.Const: _Verifier.const,
    ir.Var: _Verifier.var,
    ir.Load: _Verifier.load,
    ir.FromInt: _Verifier.from_int,
    ir.Op: _Verifier.op,
}

_STMT: dict[type, Callable[[_Verifier, Any], None]] = {
    ir.For: _Verifier.loop,
    ir.Let: _Verifier.let,
    ir.Fetch: _Verifier.fetch,
    ir.Store: _Verifier.store,
    ir.Alloc: _Verifier.alloc,
    ir.Prefetch: _Verifier.prefetch,
    ir.If: _Verifier.branch,
    ir.Fail: _Verifier.fail,
}


def _is_of_its_dtype(node: ir.Const) -> bool:
    if isinstance(node.value, bool) or node.dtype == "bool":
        return isinstance(node.value, bool) and node.dtype == "bool"
    if kind(node.dtype) == "integer":
        limit = _INTEGER_LIMIT[node.dtype]
        return isinstance(node.value, int) and -limit <= node.value < limit
    return kind(node.dtype) == "real" and isinstance(node.value, int | float)


def _count_text(buffer: ir.Buffer) -> str:
    return "·".join(int_text(extent) for extent in buffer.shape) or "1"


def _end_text(extent: ir.IntExpr, above: int) -> str:
    return int_text(extent + above)
