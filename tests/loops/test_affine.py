"""Integer expressions as polynomials, checked by evaluating them."""

from hypothesis import given
from hypothesis import strategies as st

from symnet.loops import affine, ir
from tests.loops.programs import buffer, v

LEAVES = st.one_of(st.integers(-3, 3).map(ir.IntConst), st.sampled_from([v("i"), v("j"), v("n")]))
AFFINE = st.recursive(
    LEAVES, lambda inner: st.builds(ir.IntAdd, inner, inner) | st.builds(ir.IntMul, inner, inner), max_leaves=6
)
NUMBERS = st.fixed_dictionaries({name: st.integers(-4, 4) for name in "ijn"})


def evaluate(expr: ir.IntExpr, env: dict[str, int]) -> int:
    meaning = {
        ir.IntConst: lambda e: e.value,
        ir.IntVar: lambda e: env[e.name],
        ir.IntAdd: lambda e: evaluate(e.left, env) + evaluate(e.right, env),
        ir.IntMul: lambda e: evaluate(e.left, env) * evaluate(e.right, env),
    }
    return meaning[type(expr)](expr)


@given(expr=AFFINE, env=NUMBERS)
def test_a_polynomial_has_the_value_of_its_expression(expr: ir.IntExpr, env: dict[str, int]) -> None:
    total = 0
    for monomial, factor in affine.polynomial(expr).items():
        term = factor
        for atom in monomial:
            term *= evaluate(atom, env)
        total += term
    assert total == evaluate(expr, env)


@given(expr=AFFINE, env=NUMBERS)
def test_a_step_is_the_difference_of_neighbours(expr: ir.IntExpr, env: dict[str, int]) -> None:
    step = affine.step(expr, "i")
    if step is not None:
        assert evaluate(expr, {**env, "i": env["i"] + 1}) - evaluate(expr, env) == step


@given(left=AFFINE, right=AFFINE, env=NUMBERS)
def test_a_constant_difference_is_that_difference(left: ir.IntExpr, right: ir.IntExpr, env: dict[str, int]) -> None:
    apart = affine.constant_difference(left, right)
    if apart is not None:
        assert evaluate(left, env) - evaluate(right, env) == apart


@given(expr=AFFINE, n=st.integers(-4, 4), highest=st.booleans())
def test_an_extreme_is_reached_and_not_passed(expr: ir.IntExpr, n: int, highest: bool) -> None:
    found = affine.extreme(expr, {"i": ir.IntConst(3), "j": ir.IntConst(2)}, highest)
    if found is not None:
        values = [evaluate(expr, {"i": i, "j": j, "n": n}) for i in range(3) for j in range(2)]
        assert evaluate(found, {"i": 99, "j": 99, "n": n}) == (max if highest else min)(values)


def test_names_inside_integer_loads_are_indirect() -> None:
    table = buffer("t", "n", dtype="int32")
    expr = ir.IntLoad(table, (v("i") + 1,)) + v("j")
    assert affine.names(expr) == {"i", "j"}
    assert affine.direct_names(expr) == {"j"}
    assert [load.buffer.name for load in affine.int_loads(expr)] == ["t"]


def test_floors_remainders_and_minima_are_opaque() -> None:
    for expr in (v("i") // 2, v("i") % 2, ir.int_min(v("i"), 3)):
        assert affine.step(expr, "i") is None
        assert affine.step(expr, "j") == 0
        assert affine.constant_difference(expr + 5, expr) == 5


def test_element_counts_compare_whatever_the_order_of_the_axes() -> None:
    assert affine.element_count((v("m"), ir.IntConst(4))) == affine.element_count((ir.IntConst(2), v("m") * 2))
    assert affine.is_plain(affine.element_count((v("m"), v("n"))))
    assert not affine.is_plain(affine.element_count((v("m") // 2,)))
