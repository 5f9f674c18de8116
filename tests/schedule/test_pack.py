"""Packing: which operands get a transposed copy, and that the product is the same."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node
from symnet.loops.ir import IntConst, IntVar
from symnet.schedule.access import CONTIGUOUS, STRIDED, inner_loads, stride, without_unit_axes
from symnet.schedule.pack import all_packed, packed
from tests.schedule.nests import check_step, last_nest, lowered, plain, values

m = sn.dim("m")
A, B, C = sn.tensor("A", m, 3), sn.tensor("B", 5, 3), sn.tensor("C", 3, 5)
PACKED = {
    "rows of a layer": A @ B.T,
    "a backward pass": sn.tensor("G", m, 5) @ C.T,
    "both orders at once": sn.einsum("ik,jk->ij", A, B) * 2.0,
    "a stack of matrices": sn.einsum("sik,sjk->sij", sn.tensor("P", 2, 4, 3), sn.tensor("Q", 2, 5, 3)),
}
PLAIN = {
    "lanes read neighbours": A @ C,
    "no row reads the operand again": B @ sn.tensor("v", 3),
    "one lane": A @ sn.tensor("one", 1, 3).T,
    "nothing is multiplied": sn.tensor("S", 5, 3).sum(axis=1),
    "nothing is summed": sn.einsum("ik,jk->ijk", sn.tensor("D", 4, 3), B),
    "the operand is a diagonal": sn.einsum("ik,jj->ij", A, sn.tensor("E", 5, 5)),
    "no product at all": sn.tanh(A),
}


@pytest.mark.parametrize("name", PACKED)
def test_an_operand_that_lanes_would_gather_is_copied_once(name: str, rng: np.random.Generator) -> None:
    whole = lowered(PACKED[name])
    nest = whole.nests[-1]
    lane = nest.parallel[-1].var
    copies, after, buffers = packed(nest, "packed")
    assert [copy.name for copy in copies] == [buffer.name for buffer in buffers]
    assert [name.split(".")[1] for name in (buffer.name for buffer in buffers)] == ["packed"]
    assert STRIDED in {stride(load, lane) for load in inner_loads(nest)}
    assert STRIDED not in {stride(load, lane) for load in inner_loads(after)}
    assert CONTIGUOUS in {stride(load, lane) for load in inner_loads(after)}
    before = values(plain(whole, whole.nests), np.random.default_rng(1), m=6)
    changed = plain(whole, [*whole.nests[:-1], *copies, after], buffers)
    for wanted, got in zip(before, values(changed, np.random.default_rng(1), m=6), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", PLAIN)
def test_nothing_is_copied_where_nothing_is_gained(name: str) -> None:
    nest = without_unit_axes(last_nest(PLAIN[name]))
    assert packed(nest, "packed") == ([], nest, [])


def test_packing_reads_as_it_did() -> None:
    whole = lowered(A @ B.T)
    copies, after, buffers = packed(whole.nests[-1], "packed")
    check_step("packed", plain(whole, whole.nests), plain(whole, [*copies, after], buffers))


def test_the_copy_has_the_lanes_last() -> None:
    (buffer,) = packed(last_nest(A @ B.T), "packed")[2]
    assert buffer.shape == (IntConst(3), IntConst(5))
    assert (buffer.dtype, buffer.space, buffer.batch_axis) == ("float64", "workspace", None)


@pytest.mark.parametrize("formula", [sn.tensor("F", 5, 4) @ sn.tensor("R", m, 4).T])
def test_a_copy_of_rows_of_the_batch_knows_its_batch_axis(formula: Node) -> None:
    (buffer,) = packed(last_nest(formula), "packed")[2]
    assert buffer.batch_axis is not None
    assert buffer.shape[buffer.batch_axis] == IntVar("m")


def test_an_input_is_copied_once_for_all_who_read_it(rng: np.random.Generator) -> None:
    G, H = sn.tanh(A), sn.sin(A)
    once, both, two = (lowered(*roots) for roots in ([G @ B.T], [G @ B.T, H @ B.T], [G @ B.T, H @ sn.tanh(B).T]))
    assert [len(all_packed(whole.nests)[1]) for whole in (once, both, two)] == [1, 1, 2]
    nests, buffers = all_packed(both.nests)
    assert [nest.name for nest in nests].count(buffers[0].name) == 1
    before = values(plain(both, both.nests), np.random.default_rng(1), m=6)
    for wanted, got in zip(before, values(plain(both, nests, buffers), np.random.default_rng(1), m=6), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_what_is_stored_may_change_and_is_copied_for_each() -> None:
    K = sn.tanh(sn.tensor("K", 5, 3)) * 2
    whole = lowered(A @ K.T, sn.tanh(A) @ K.T)
    assert len(all_packed(whole.nests)[1]) == 2


@pytest.mark.parametrize("heads", [1, 2, 3, 5, sn.dim("h")])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_matrices_of_a_short_stack_are_turned_in_squares(heads, dtype, rng):
    """The scores of an attention: however few the heads, a copy that exchanges two long axes is one of squares."""
    Q, K = (sn.tensor(name, sn.dim("m"), heads, 11, 16) for name in "QK")
    scores = sn.einsum("mhic,mhjc->mhij", Q, K)
    text = str(sn.compile(scores, dtype=dtype, target="x86-64-v4", stop_after="schedule"))
    assert re.search(r"packed1\[.*l \+ (16|8)\*l_block", text) or re.search(
        r"for k in \d+ \(unroll\):\n +packed1", text
    )
    count = heads if isinstance(heads, int) else 4
    q, k = (rng.standard_normal((6, count, 11, 16)).astype(dtype) for _ in "QK")
    found = sn.compile(scores, dtype=dtype)(Q=q, K=k)
    np.testing.assert_allclose(found, np.einsum("mhic,mhjc->mhij", q, k), rtol=1e-4, atol=1e-4)
