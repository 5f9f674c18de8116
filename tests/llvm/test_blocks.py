"""Where instructions land: value numbering and hoisting while writing."""

from symnet.backends.llvm.blocks import FunctionText
from symnet.backends.llvm.types import V, constant, literal

COUNT = V("%n", "i64")


def lines(text: FunctionText) -> list[str]:
    return text.regions[0].lines


def position(text: FunctionText, part: str) -> int:
    (found,) = [number for number, line in enumerate(lines(text)) if part in line]
    return found


def test_an_instruction_is_written_once():
    text = FunctionText({})
    a, b = V("%a", "float"), V("%b", "float")
    assert text.binary("fadd", a, b) == text.binary("fadd", a, b)
    assert len(lines(text)) == 1


def test_what_does_not_depend_on_the_loop_stands_before_it():
    text = FunctionText({})

    def body(i):
        inside = text.binary("add", i, constant(1, "i64"))
        outside = text.binary("mul", COUNT, constant(3, "i64"))
        assert (inside.depth, outside.depth) == (1, 0)

    text.loop(COUNT, True, frozenset(), True, body)
    assert position(text, "mul i64 %n, 3") < position(text, "phi") < position(text, "add i64 %i")


def load_in_loop(surely: bool, stored: frozenset[str], innermost: bool = True) -> bool:
    """Whether a load of x leaves the loop."""
    text = FunctionText({})

    def body(i):
        text.load("float", 0, "load float, ptr %x", 0, "x")

    text.loop(COUNT, surely, stored, innermost, body)
    return position(text, "load float") < position(text, "phi")


def test_a_load_leaves_a_loop_that_does_not_store_there():
    assert load_in_loop(True, frozenset())
    assert load_in_loop(True, frozenset({"y"}))
    assert not load_in_loop(True, frozenset({"x"}))


def test_a_load_stays_inside_a_loop_around_others_where_it_would_only_hold_a_register():
    assert not load_in_loop(True, frozenset(), innermost=False)


def test_a_load_leaves_a_loop_that_may_not_run_only_as_far_as_its_guard():
    text = FunctionText({})

    def body(i):
        text.load("float", 0, "load float, ptr %x", 0, "x")

    text.loop(COUNT, False, frozenset(), True, body)
    assert position(text, "br i1 %t") < position(text, "load float") < position(text, "phi")


def test_a_load_in_an_arm_stays_there():
    text = FunctionText({})
    condition = V("%c", "i1")
    text.branch(condition, lambda: text.load("float", 0, "load float, ptr %x", 0, "x"))
    assert position(text, "br i1 %c") < position(text, "load float")


def test_a_load_is_repeated_after_a_store():
    text = FunctionText({})
    first = text.load("float", 0, "load float, ptr %x", 0, "x")
    assert text.load("float", 0, "load float, ptr %x", 0, "x") == first
    text.wrote("y")
    assert text.load("float", 0, "load float, ptr %x", 0, "x") == first
    text.wrote("x")
    assert text.load("float", 0, "load float, ptr %x", 0, "x") != first


def test_a_load_before_a_loop_is_repeated_in_it_where_the_loop_stores():
    text = FunctionText({})
    first = text.load("float", 0, "load float, ptr %x", 0, "x")

    def body(i):
        assert text.load("float", 0, "load float, ptr %x", 0, "x") != first

    text.loop(COUNT, True, frozenset({"x"}), True, body)


def test_scalars_are_spread_beside_vectors_and_constants_written_out():
    text = FunctionText({})
    total = text.binary("fadd", V("%v", "float", 4), V("%s", "float"))
    assert total.lanes == 4
    assert "insertelement" in lines(text)[0] and "shufflevector" in lines(text)[1]
    assert text.splat(constant(2, "i32"), 2).text == "splat (i32 2)"


def test_a_branch_that_is_likely_says_so_and_the_module_says_what_that_means():
    for likely in (False, True):
        text = FunctionText({})
        text.branch(V("%c", "i1"), lambda: None, likely=likely)
        (line,) = [line for line in lines(text) if line.startswith("br i1")]
        assert ("!prof !0" in line) == likely == ("branch_weights" in text.declarations.get("!0", ""))


def test_a_zero_keeps_its_sign_whichever_came_first():
    """What is remembered of one is not taken for the other: they are equal."""
    assert literal(0.0, "double") == "0x0000000000000000"
    assert literal(-0.0, "double") == "0x8000000000000000"
    assert literal(0.0, "double") == "0x0000000000000000"
