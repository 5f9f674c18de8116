"""Register tiles: a matrix product built by hand, its numbers and its inner loop."""

import re

import numpy as np
import pytest

from symnet.backends.llvm.codegen import assembly, emit_ir
from symnet.backends.llvm.targets import target_for
from symnet.loops import ir
from tests.llvm.native import agree, cut
from tests.loops.programs import buffer, load, loop, op, program, store, v


def product(m: int, k: int, n: int, rows: int, columns: int, dtype: str = "float32") -> ir.Program:
    """C = A B: tiles of rows × columns in registers, the last ones exactly as large as what is left."""
    a, b = buffer("A", m, k, dtype=dtype, space="input"), buffer("B", k, n, dtype=dtype, space="input")
    c = buffer("C", m, n, dtype=dtype, space="output")

    def tile(first_row, height, first_column, width):
        acc = buffer("acc", height, width, dtype=dtype, space="register")
        i, j = first_row + v("r"), first_column + v("l")

        def each(*body):
            return loop("r", height, loop("l", width, *body, kind="vector"), kind="unroll")

        step = op("mul", load(a, i, "p"), load(b, "p", j))
        return (
            ir.Alloc(acc),
            each(store(acc, ("r", "l"), ir.Const(0.0, dtype))),
            loop("p", k, each(store(acc, ("r", "l"), step, "add"))),
            each(store(c, (i, j), load(acc, "r", "l"))),
        )

    def panel(first_column, width):
        body = [loop("t", m // rows, *tile(v("t") * rows, rows, first_column, width))]
        return body + ([*tile(ir.IntConst(m // rows * rows), m % rows, first_column, width)] if m % rows else [])

    body = [loop("q", n // columns, *panel(v("q") * columns, columns))]
    body += panel(ir.IntConst(n // columns * columns), n % columns) if n % columns else []
    return program([a, b], [c], *body, name="gemm")


SHAPES = [(8, 16, 64, 8, 48), (13, 21, 100, 6, 64), (5, 7, 10, 8, 64), (9, 3, 49, 4, 48), (16, 5, 33, 8, 32)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_tiled_product_matches_the_interpreter(rng, shape, dtype):
    m, k, n, _, _ = shape
    inputs = {"A": rng.standard_normal((m, k)).astype(dtype), "B": rng.standard_normal((k, n)).astype(dtype)}
    made = agree(product(*shape, dtype=dtype), inputs)
    tolerance = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(made["C"], inputs["A"] @ inputs["B"], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("rows", "vectors"), [(8, 3), (6, 4), (14, 2), (12, 2)])
def test_the_accumulators_of_a_tile_stay_in_registers(rows, vectors):
    target = target_for("x86_64-unknown-linux-gnu", "x86-64-v4")
    columns = 16 * vectors
    text = assembly(emit_ir(cut(product(2 * rows, 100, columns, rows, columns), target), target), target)
    loops = re.findall(r"^(?:\s+.*\n)+", text, re.MULTILINE)
    (tile,) = (body for body in loops if len(re.findall(r"\bvfmadd\w+ps\b", body)) == rows * vectors)
    assert not re.findall(r"%zmm\d+, -?\d*\(%rsp\)|-?\d*\(%rsp\), %zmm", tile)


def test_no_pointer_is_made_from_an_integer():
    assert "inttoptr" not in emit_ir(cut(product(13, 21, 100, 6, 64)))
