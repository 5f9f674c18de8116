"""Small programs in the loop language, written by hand, so that the runtime is tested without the floors above."""

from functools import cache

from symnet.backends.llvm import codegen, loading
from symnet.loops.ir import (
    Buffer,
    Const,
    For,
    Group,
    IntConst,
    IntLoad,
    IntVar,
    Load,
    Op,
    Phase,
    Program,
    Stmt,
    Store,
    Value,
    ceil_div,
    int_min,
)
from symnet.loops.signature import IndexBound, Requirement, Signature
from symnet.runtime.function import NativeFunction

m, n = IntVar("m"), IntVar("n")
ROWS = 4  # of a block


def _times(left: Value, right: Value, dtype: str) -> Value:
    return Op("mul", (left, right), dtype)


def affine(dtype: str = "float32") -> tuple[Program, Signature]:
    """Y = a·X + b and s = Σ Y, with X (m, 3): two phases, the first with a unit per row."""
    X = Buffer("X", dtype, (m, IntConst(3)), "input")
    b = Buffer("b", dtype, (IntConst(3),), "input")
    a = Buffer("a", dtype, (), "input")
    Y = Buffer("Y", dtype, (m, IntConst(3)), "output")
    s = Buffer("s", dtype, (), "output")
    u, i, j = IntVar("u"), IntVar("i"), IntVar("j")
    value = Op("add", (_times(Load(a, ()), Load(X, (u, j)), dtype), Load(b, (j,))), dtype)
    rows = Phase("rows", (For("j", IntConst(3), (Store(Y, (u, j), value),)),), units=m)
    total: tuple[Stmt, ...] = (Store(s, (), Load(Y, (i, j)), "add"),)
    sums = Phase("total", (Store(s, (), Const(0.0, dtype)), For("i", m, (For("j", IntConst(3), total),))))
    program = Program("affine", ("m",), (X, b, a), (Y, s), (), (Group((rows, sums)),))
    needs = (Requirement(m, 1, "mean over m"),)
    return program, Signature("affine", ("m",), (X, b, a), (Y, s), requirements=needs)


def column_sums() -> tuple[Program, Signature]:
    """G = Σ over rows of X², with X (m, n) float64, streamed over blocks of four rows: two phases a block."""
    X = Buffer("X", "float64", (m, n), "input")
    G = Buffer("G", "float64", (n,), "output")
    W = Buffer("W", "float64", (IntConst(ROWS), n), "workspace")
    u, i, j, block = IntVar("u"), IntVar("i"), IntVar("j"), IntVar("block")
    start = Phase("start", (Store(G, (u,), Const(0.0, "float64")),), units=n)
    rows = int_min(ROWS, m - block * ROWS)
    element = Load(X, (block * ROWS + u, j))
    square = Phase("square", (For("j", n, (Store(W, (u, j), _times(element, element, "float64")),)),), units=rows)
    add = Phase("add", (For("i", rows, (Store(G, (u,), Load(W, (i, u)), "add"),)),), units=n)
    groups = (Group((start,)), Group((square, add), repeat=ceil_div(m, ROWS)))
    program = Program("column_sums", ("m", "n"), (X,), (G,), (W,), groups)
    return program, Signature("column_sums", ("m", "n"), (X,), (G,))


def gather(dtype: str = "int32") -> tuple[Program, Signature]:
    """p[i] = table[t[i]] with labels t (m,) below 10."""
    table = Buffer("table", "float64", (IntConst(10),), "input")
    t = Buffer("t", dtype, (m,), "input")
    p = Buffer("p", "float64", (m,), "output")
    i = IntVar("i")
    body = (For("i", m, (Store(p, (i,), Load(table, (IntLoad(t, (i,)),))),)),)
    program = Program("gather", ("m",), (table, t), (p,), (), (Group((Phase("gather", body),)),))
    bounds = (IndexBound("t", IntConst(10), "labels of 10 classes"),)
    return program, Signature("gather", ("m",), (table, t), (p,), index_bounds=bounds)


def iota() -> tuple[Program, Signature]:
    """r = a, a, … (m,): no array says m."""
    a = Buffer("a", "float64", (), "input")
    r = Buffer("r", "float64", (m,), "output")
    body = (For("i", m, (Store(r, (IntVar("i"),), Load(a, ())),)),)
    program = Program("iota", ("m",), (a,), (r,), (), (Group((Phase("fill", body),)),))
    return program, Signature("iota", ("m",), (a,), (r,))


def scaled(dtype: str = "float64") -> tuple[Program, Signature]:
    """y = 2·x with x (2·m + 1,): an extent that is not a bare dim."""
    x = Buffer("x", dtype, (m * 2 + 1,), "input")
    k = Buffer("k", "int64", (), "input")
    flag = Buffer("flag", "bool", (), "input")
    y = Buffer("y", dtype, (m * 2 + 1,), "output")
    i = IntVar("i")
    body = (For("i", m * 2 + 1, (Store(y, (i,), _times(Load(x, (i,)), Const(2, dtype), dtype)),)),)
    program = Program("scaled", ("m",), (x, k, flag), (y,), (), (Group((Phase("scale", body),)),))
    return program, Signature("scaled", ("m",), (x, k, flag), (y,), unused=frozenset({"k", "flag"}))


PROGRAMS = {"affine": affine, "column_sums": column_sums, "gather": gather, "iota": iota, "scaled": scaled}


@cache
def _object(name: str, arguments: tuple[str, ...]) -> tuple[bytes, Signature]:
    program, signature = PROGRAMS[name](*arguments)
    return codegen.compile_object(codegen.emit_ir(program)), signature


def native(name: str, *arguments: str, **options: object) -> NativeFunction:
    """One of the programs, compiled; object code is made once per test session."""
    code, signature = _object(name, arguments)
    return NativeFunction(signature, loading.load(code), **options)
