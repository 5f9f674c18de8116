"""Every kind of node and every primitive stands in every table that must know of it, and has a case.

`docs/add-an-op.md` leans on this: a new operation makes these tests fail until the last table has it.
"""

import numpy as np
import pytest
import sympy

import symnet as sn
from symnet import dtypes
from symnet.compare import straight
from symnet.compare.scalars.program import SCALARS
from symnet.compare.tape import elementwise as tape_elementwise
from symnet.compare.tape import program as tape_program
from symnet.compare.tape.var import Tape, TapeValue
from symnet.diff import elementwise as diff_elementwise
from symnet.diff import tables as diff_tables
from symnet.expr.nodes import composed
from symnet.expr.nodes.elementwise import Elementwise, elementwise
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.primitives import PRIMITIVES, functions
from symnet.expr.printing.layout import READERS
from symnet.expr.sympy import to_sympy
from symnet.lower import axes as lower_axes
from symnet.lower import elementwise as lower_elementwise
from symnet.lower import point
from symnet.lower import program as lower_program
from symnet.reference import elementwise as reference_elementwise
from symnet.reference import evaluation
from symnet.simplify.algebra.elementwise import FUNCTION_REWRITES, repeat_after_computing
from symnet.source import elementwise as source_elementwise
from symnet.source import module as source_module
from symnet.source.dialects import DIALECTS
from tests.cases import CASES
from tests.kinds import KINDS, NUMERIC, ON_PAPER

NODES = sorted({n for c in CASES for n in topological(*c.roots)}, key=lambda n: n.digest)
LEAVES = {n.kind for n in NODES if not n.operands}  # the kinds without operands
BY_ITS_BODY = {"function"}  # replaced by its body before these floors see it: expr/sympy/bodies.py
ARITHMETIC = {"add", "mul", "pow"}  # the algebra has files of its own for these: terms.py, factors.py
REFUSED_BY_SYMPY = {"take", "one_hot"}  # SymPy has no index that is looked up

READ_BY_COMPARE = {*straight.CONSTANTS, *straight.TRANSPARENT, *straight.ON_PAPER, "tensor"}
TABLES_OF_KINDS = {
    "expr/printing": set(READERS),
    "reference": {*evaluation.MEANING, "tensor"},
    "diff, VJP": set(diff_tables.VJP),
    "diff, JVP": set(diff_tables.JVP),
    "diff, BATCH": set(diff_tables.BATCH),
    "lower": {*point.INLINE, *lower_program._NESTS, "tensor", "array", "reshape"},
    "lower/axes": {*lower_axes._LINKS, *LEAVES},
    "source": set(source_module.WRITERS),
    "expr/sympy/to_sympy": {*to_sympy._KINDS, *REFUSED_BY_SYMPY},
    "compare/scalars": {*SCALARS.operations, *straight.CONSTANTS, *straight.TRANSPARENT, *straight.ON_PAPER, "tensor"},
    "compare/tape": {
        *tape_program.OPERATIONS,
        *straight.CONSTANTS,
        *straight.TRANSPARENT,
        *straight.ON_PAPER,
        "tensor",
    },
}
TABLES_OF_PRIMITIVES = {
    "reference": set(reference_elementwise.MEANING),
    "diff, reverse": {*diff_elementwise.PARTIALS, *diff_elementwise.VJP},
    "diff, forward": {*diff_elementwise.PARTIALS, *diff_elementwise.JVP},
    "simplify": ARITHMETIC.union(*(r.on for r in FUNCTION_REWRITES if r.apply is repeat_after_computing)),
    "lower": BY_ITS_BODY | set(lower_elementwise._EMIT),
    "expr/sympy/to_sympy": BY_ITS_BODY | set(to_sympy._SCALARS),
    **{
        f"source, {name}": BY_ITS_BODY | {*source_elementwise._SPECIAL, *dialect.functions} & set(PRIMITIVES)
        for name, dialect in DIALECTS.items()
    },
}


@pytest.mark.parametrize("table", TABLES_OF_KINDS)
def test_every_kind_of_node_stands_in_the_table(table: str) -> None:
    computed = table in ("expr/printing", "reference", "lower", "lower/axes")
    assert TABLES_OF_KINDS[table] == (KINDS | NUMERIC if computed else KINDS) | ON_PAPER


@pytest.mark.parametrize("table", TABLES_OF_PRIMITIVES)
def test_every_primitive_stands_in_the_table(table: str) -> None:
    assert TABLES_OF_PRIMITIVES[table] == set(PRIMITIVES)


def has_slope(op: str, k: int) -> bool:
    """Whether `diff` has a slope by operand k that is not zero by declaration; what has no partials has rules."""
    return op not in diff_elementwise.PARTIALS or diff_elementwise.PARTIALS[op][k] is not diff_elementwise.ZERO


@pytest.mark.parametrize("op", sorted(set(PRIMITIVES) - BY_ITS_BODY))
def test_the_tape_computes_a_primitive_and_pulls_back_where_it_has_a_slope(op: str) -> None:
    node = next(n for n in NODES if isinstance(n, Elementwise) and n.op == op)
    varies = [dtypes.is_real(o.dtype) for o in node.operands]
    kinds = {"bool": np.array([True, False]), "int32": np.array([1, 2]), "int64": np.array([1, 2])}
    values = [kinds.get(o.dtype, np.array([1.25, 1.5])) for o in node.operands]
    xs = [TapeValue(*given) for given in zip(values, varies, strict=True)]
    tape = Tape()
    with np.errstate(invalid="ignore"):  # acos(1.25)
        y = tape_elementwise.elementwise(tape, *xs, op=op, dtype="float64")
        tape.backward(y)
    assert np.shape(y.value) == (2,)
    assert [x.bar is not None for x in xs] == [real and has_slope(op, k) for k, real in enumerate(varies)]


@pytest.mark.parametrize("op", sorted(p.name for p in functions()))
def test_a_function_has_one_meaning_however_it_is_called(op: str) -> None:
    """sn.f, np.f and SymPy's f of an expression are the primitive, and no formula that was there before it."""
    x, s = sn.tensor("x", 3), sympy.Symbol("x")
    node, primitive = elementwise(op, x), PRIMITIVES[op]
    assert getattr(sn, op)(x) is node
    assert not primitive.numpy or getattr(np, primitive.numpy)(x) is node
    assert primitive.read is None or sn.from_sympy(primitive.read(s), leaves={s: x}) is node
    assert op not in vars(composed), "a formula of that name stands in symnet/expr/nodes/composed.py"


def test_a_partial_stands_for_every_operand_of_a_primitive() -> None:
    counts = {name: len(entries) for name, entries in diff_elementwise.PARTIALS.items()}
    assert counts == {name: PRIMITIVES[name].arity for name in counts}


def test_every_kind_of_node_has_a_case() -> None:
    assert {n.kind for n in NODES} == KINDS


def test_every_primitive_has_a_case() -> None:
    assert {n.op for n in NODES if isinstance(n, Elementwise)} == set(PRIMITIVES)


def test_every_node_rebuilds_from_its_arguments() -> None:
    for node in NODES:
        assert node.func(*node.args) is node
