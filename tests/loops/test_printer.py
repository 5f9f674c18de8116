"""What users read under `f.loops`."""

from dataclasses import replace
from textwrap import dedent

import pytest

from symnet.loops import ir
from symnet.loops.affine import operands
from symnet.loops.integer_text import int_text
from symnet.loops.printer import stmt_line, to_text, value_text
from tests.loops.programs import buffer, load, loop, op, program, store, tiled_gemm, v

X, Y = ir.Var("x", "float64"), ir.Var("y", "float64")
P, Q = ir.Var("p", "bool"), ir.Var("q", "bool")
Z = buffer("Z", "m", 3)


def test_a_tiled_product_reads_as_pseudo_code() -> None:
    whole = replace(tiled_gemm(), notes=("2 k m n flops",))
    assert to_text(whole) == dedent("""\
        program gemm(m, k, n):
          # 2 k m n flops
          in   A: float32[m, k]
          in   B: float32[k, n]
          out  C: float32[m, n]
          phase only, units u in ceil(m/4):
            for t in ceil(n/8):
              register acc: float32[4, 8]
              for r in min(4, m - 4*u) (unroll, at most 4):
                for l in min(8, n - 8*t) (vector, at most 8):
                  acc[r, l] = 0.0
              for p in k:
                for r in min(4, m - 4*u) (unroll, at most 4):
                  for l in min(8, n - 8*t) (vector, at most 8):
                    acc[r, l] += A[4*u + r, p] * B[p, 8*t + l]
              for r in min(4, m - 4*u) (unroll, at most 4):
                for l in min(8, n - 8*t) (vector, at most 8):
                  C[4*u + r, 8*t + l] = acc[r, l]""")


def test_groups_views_conditions_and_combines_are_shown() -> None:
    y, w = buffer("y", space="output"), buffer("w", 4, 2, dtype="int32")
    flat = replace(buffer("flat", 8, dtype="int32"), view_of="w")
    guard = ir.If(
        ir.IntCondition("ge", v("u"), v("m") - 1),
        (store(y, (), ir.Const(-1.0, "float64"), "max"),),
        (ir.Let("t", ir.FromInt(v("block"), "float64")), store(y, (), ir.Var("t", "float64"), "mul")),
    )
    rows = ir.For("i", ir.int_min(4, v("m")), (store(y, (), load(Z, "i", 0), "min"),), axis="m")
    first, second = ir.Phase("forward", (guard,), ir.IntConst(4)), ir.Phase("weights", (rows,))
    groups = (ir.Group((first, second), ir.ceil_div(v("m"), 256)), ir.Group((second,)))
    whole = ir.Program("grad", ("m",), (replace(Z, space="input"),), (y,), (w, flat), groups)
    assert to_text(whole) == dedent("""\
        program grad(m):
          in   Z: float64[m, 3]
          out  y: float64[]
          work w: int32[4, 2]
          work flat: int32[8] = view of w
          repeat block in ceil(m/256):
            phase forward, units u in 4:
              if u >= m - 1:
                y[] max= -1.0
              else:
                let t = float64(block)
                y[] *= t
            phase weights:
              for i in min(4, m) (along m):
                y[] min= Z[i, 0]
          phase weights:
            for i in min(4, m) (along m):
              y[] min= Z[i, 0]""")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (op("sub", X, op("sub", X, Y)), "x - (x - y)"),
        (op("sub", op("sub", X, Y), Y), "x - y - y"),
        (op("add", X, op("add", X, Y)), "x + (x + y)"),
        (op("mul", op("add", X, Y), op("neg", X)), "(x + y) * -x"),
        (op("neg", op("add", X, Y)), "-(x + y)"),
        (op("neg", op("neg", X)), "-(-x)"),
        (op("div", X, op("mul", X, Y)), "x / (x * y)"),
        (op("and", op("or", P, Q), op("not", P)), "(p or q) and not p"),
        (op("or", op("lt", X, Y, dtype="bool"), P), "x < y or p"),
        (op("eq", op("add", X, Y), ir.Const(2, "float64"), dtype="bool"), "x + y == 2"),
        (op("select", P, X, op("exp", Y)), "select(p, x, exp(y))"),
        (op("cast", X, dtype="float32"), "float32(x)"),
        (op("fma", X, Y, ir.Const(-0.5, "float64")), "fma(x, y, -0.5)"),
        (op("mul", X, ir.Const(-0.5, "float64")), "x * -0.5"),
        (load(Z, v("i") + 1, ir.IntLoad(buffer("t", 3, dtype="int32"), (v("j"),))), "Z[i + 1, t[j]]"),
        (ir.Const(True, "bool"), "True"),
        (ir.Const(float("inf"), "float32"), "inf"),
    ],
)
def test_a_value_keeps_the_parentheses_that_matter(value: ir.Value, text: str) -> None:
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (v("i") * 4 + v("j"), "4*i + j"),
        ((v("i") + v("j")) * 4, "4*(i + j)"),
        (v("i") - 3, "i - 3"),
        (3 - v("i"), "3 - i"),
        (v("i") * -2 - 3, "-2*i - 3"),
        (v("n") - v("i") * 8, "n - 8*i"),
        (v("n") - v("i"), "n - i"),
        (v("n") - (v("i") + v("j")), "n - (i + j)"),
        (v("i") * -2 + v("j"), "j - 2*i"),
        (ir.IntMul(v("i"), v("n")), "i*n"),
        (ir.ceil_div(v("m"), 16), "ceil(m/16)"),
        (ir.ceil_div(v("m") + v("n"), 16), "ceil((m + n)/16)"),
        ((v("m") + v("n")) // 4 * 4, "4*((m + n)//4)"),
        ((v("m") // 4) % 3, "(m//4) % 3"),
        ((v("m") % 4) * v("n"), "(m % 4)*n"),
        (ir.int_min(v("m"), v("n") + 1), "min(m, n + 1)"),
    ],
)
def test_an_integer_reads_as_arithmetic(expr: ir.IntExpr, text: str) -> None:
    assert int_text(expr) == text


def test_integer_texts_mean_what_they_say() -> None:
    exprs = [(v("m") + 2) // 4 * 4, (v("m") * 3 // 2) * 5, ((v("m") + 1) % 4) * 3 + 1, (v("m") % 5) // 2]
    for expr in exprs:
        for m in range(7):
            scope = {"m": m, "min": min}
            assert eval(int_text(expr), scope) == _evaluate(expr, m)


def _evaluate(expr: ir.IntExpr, m: int) -> int:
    inner = [_evaluate(operand, m) for operand in operands(expr)]
    meaning = {
        ir.IntConst: lambda e: e.value,
        ir.IntVar: lambda e: m,
        ir.IntAdd: lambda e: inner[0] + inner[1],
        ir.IntMul: lambda e: inner[0] * inner[1],
        ir.IntFloorDiv: lambda e: inner[0] // e.divisor,
        ir.IntMod: lambda e: inner[0] % e.divisor,
    }
    return meaning[type(expr)](expr)


def test_the_first_line_of_a_statement_is_what_errors_quote() -> None:
    inner = store(Z, ("i", 0), X)
    assert stmt_line(loop("i", 8, inner, kind="vector")) == "for i in 8 (vector):"
    assert stmt_line(inner) == "Z[i, 0] = x"


def test_the_text_is_the_same_every_time() -> None:
    whole = program([], [Z], loop("i", "m", store(Z, ("i", 0), X)), dims=("m",))
    assert to_text(whole) == to_text(whole)


def test_a_program_shows_itself_as_text() -> None:
    assert repr(tiled_gemm()) == str(tiled_gemm()) == to_text(tiled_gemm())
