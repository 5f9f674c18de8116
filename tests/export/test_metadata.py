import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symnet.backends.c99.names import c_names
from symnet.export.extents import c_count, c_text, python_text, read
from symnet.export.metadata import find_metadata, from_metadata, metadata_text, to_metadata
from symnet.loops.ir import IntConst, IntVar, int_add, int_floordiv, int_min, int_mod, int_mul
from symnet.runtime.extents import evaluate
from tests.runtime.programs import PROGRAMS

DIMS = {"m": 7, "n": 3}

extents = st.recursive(
    st.one_of(st.integers(0, 9).map(IntConst), st.sampled_from(sorted(DIMS)).map(IntVar)),
    lambda inner: st.one_of(
        st.builds(int_add, inner, inner),
        st.builds(int_mul, inner, inner),
        st.builds(int_min, inner, inner),
        st.builds(int_floordiv, inner, st.integers(1, 5)),
        st.builds(int_mod, inner, st.integers(1, 5)),
    ),
    max_leaves=6,
)


@given(extents)
def test_python_text_means_the_expression_and_can_be_read_back(expr):
    text = python_text(expr)
    assert eval(text, {}, DIMS) == evaluate(expr, DIMS)
    assert python_text(read(text)) == text
    assert evaluate(read(text), DIMS) == evaluate(expr, DIMS)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (IntVar("m"), "M"),
        (IntVar("m") * 2 + 1, "(M * 2) + 1"),
        (int_floordiv(IntVar("m") + 3, 4), "(M + 3) / 4"),
        (int_mod(IntVar("m"), 4), "M % 4"),
        (int_min(IntVar("m"), 4), "M < 4 ? M : 4"),
        (IntVar("m") - 1, "M + -1"),
    ],
)
def test_extents_in_c(expr, text):
    assert c_text(expr, {"m": "M"}) == text


def test_counts_in_c():
    m = IntVar("m")
    assert c_count((), {}) == "1"
    assert c_count((m, IntConst(3)), {}) == "m * 3"
    assert c_count((m + 1, IntConst(3)), {}) == "(m + 1) * 3"


@pytest.mark.parametrize("name", PROGRAMS)
def test_metadata_says_the_whole_signature(name):
    _, signature = PROGRAMS[name]()
    metadata = to_metadata(signature, {"loss": 0, 5: [0, (0,)]}, ("X",))
    found = find_metadata(f"import os\nMETADATA = {metadata_text(metadata)}\n")
    assert found == metadata
    assert from_metadata(found) == signature
    assert found["template"] == {"loss": 0, 5: [0, (0,)]}


def test_keys_of_a_structure_become_literals():
    _, signature = PROGRAMS["affine"]()
    key = ctypes.c_int  # any object that is no literal
    assert to_metadata(signature, {key: 0})["template"] == {str(key): 0}


def test_a_stub_without_metadata_has_none():
    assert find_metadata("x = 1\n") == {}


def test_names_become_distinct_c_identifiers():
    names = ("W₁", "θ", "Θ", "float", "2x", "a b", "a_b", "in", "ŷ", "x", "x", "")
    expected = ("W1", "theta", "Theta", "float_", "v2x", "a_b", "a_b_", "in_", "v_", "x", "x_", "v")
    assert c_names(names) == expected
    assert c_names(["m"], ["m"]) == ("m_",)
