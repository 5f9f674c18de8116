"""Programs built by hand, and small words to build more: floor 3 is tested without the floors above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from symnet.loops import ir


def v(name: str) -> ir.IntVar:
    """A loop variable or a run-time extent."""
    return ir.IntVar(name)


def buffer(name: str, *shape: ir.IntExpr | int | str, dtype: str = "float64", space: str = "workspace") -> ir.Buffer:
    """A buffer; a string in its shape is a run-time extent."""
    extents = tuple(v(e) if isinstance(e, str) else ir.as_int(e) for e in shape)
    return ir.Buffer(name, dtype, extents, space)


def loop(
    var: str, extent: ir.IntExpr | int | str, *body: ir.Stmt, kind: str = "serial", bound: int | None = None
) -> ir.For:
    """A loop over 0 … extent-1."""
    return ir.For(var, v(extent) if isinstance(extent, str) else ir.as_int(extent), body, kind, bound)


def load(source: ir.Buffer, *index: ir.IntExpr | int | str) -> ir.Load:
    """An element; a string in its index is a loop variable."""
    return ir.Load(source, places(index))


def store(
    target: ir.Buffer, index: Sequence[ir.IntExpr | int | str], value: ir.Value, combine: str | None = None
) -> ir.Store:
    """A store, the index written as in `load`."""
    return ir.Store(target, places(index), value, combine)


def places(index: Sequence[ir.IntExpr | int | str]) -> tuple[ir.IntExpr, ...]:
    """Index expressions from names, numbers and expressions."""
    return tuple(v(e) if isinstance(e, str) else ir.as_int(e) for e in index)


def op(name: str, *args: ir.Value, dtype: str | None = None) -> ir.Op:
    """An operation whose result has its last operand's dtype, unless said otherwise."""
    return ir.Op(name, args, dtype or args[-1].dtype)


def program(
    inputs: Sequence[ir.Buffer],
    outputs: Sequence[ir.Buffer],
    *body: ir.Stmt,
    dims: Sequence[str] = (),
    workspace: Sequence[ir.Buffer] = (),
    units: ir.IntExpr | int = 1,
    repeat: ir.IntExpr | int = 1,
    name: str = "p",
) -> ir.Program:
    """One phase."""
    phase = ir.Phase("only", body, ir.as_int(units))
    return ir.Program(
        name, tuple(dims), tuple(inputs), tuple(outputs), tuple(workspace), (ir.Group((phase,), ir.as_int(repeat)),)
    )


def naive_gemm(dtype: str = "float64") -> ir.Program:
    """C = A B, three loops."""
    a, b = buffer("A", "m", "k", dtype=dtype, space="input"), buffer("B", "k", "n", dtype=dtype, space="input")
    c = buffer("C", "m", "n", dtype=dtype, space="output")
    product = op("mul", load(a, "i", "p"), load(b, "p", "j"))
    clear = store(c, ("i", "j"), ir.Const(0.0, dtype))
    nest = loop("i", "m", loop("j", "n", clear, loop("p", "k", store(c, ("i", "j"), product, "add"))))
    return program([a, b], [c], nest, dims=("m", "k", "n"), name="gemm")


def tiled_gemm(rows: int = 4, columns: int = 8, dtype: str = "float32") -> ir.Program:
    """C = A B in register tiles: a unit per tile of rows, tails by run-time extents."""
    a, b = buffer("A", "m", "k", dtype=dtype, space="input"), buffer("B", "k", "n", dtype=dtype, space="input")
    c = buffer("C", "m", "n", dtype=dtype, space="output")
    acc = buffer("acc", rows, columns, dtype=dtype, space="register")
    tall = ir.int_min(rows, v("m") - v("u") * rows)
    wide = ir.int_min(columns, v("n") - v("t") * columns)
    i, j = v("u") * rows + v("r"), v("t") * columns + v("l")
    product = op("mul", load(a, i, "p"), load(b, "p", j))

    def tile(*body: ir.Stmt) -> ir.For:
        return loop("r", tall, loop("l", wide, *body, kind="vector", bound=columns), kind="unroll", bound=rows)

    body = loop(
        "t",
        ir.ceil_div(v("n"), columns),
        ir.Alloc(acc),
        tile(store(acc, ("r", "l"), ir.Const(0.0, dtype))),
        loop("p", "k", tile(store(acc, ("r", "l"), product, "add"))),
        tile(store(c, (i, j), load(acc, "r", "l"))),
    )
    return program([a, b], [c], body, dims=("m", "k", "n"), units=ir.ceil_div(v("m"), rows), name="gemm")


def map_body(body: ir.Body, change: Callable[[ir.Stmt], ir.Stmt | tuple[ir.Stmt, ...]]) -> ir.Body:
    """Rebuild a body, inner statements first; `change` may return one statement or several."""
    out: list[ir.Stmt] = []
    for stmt in body:
        if isinstance(stmt, ir.For):
            stmt = replace(stmt, body=map_body(stmt.body, change))
        elif isinstance(stmt, ir.If):
            stmt = replace(stmt, then=map_body(stmt.then, change), orelse=map_body(stmt.orelse, change))
        changed = change(stmt)
        out.extend(changed if isinstance(changed, tuple) else (changed,))
    return tuple(out)
