"""The inputs of a function stand in the order in which a reader meets them, whatever the algebra does."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symnet as sn
from symnet.expr.nodes.node import Node

z, y, x, w = (sn.tensor(name, 4) for name in "zyxw")
B, A = sn.tensor("B", 4, 4), sn.tensor("A", 4, 4)
P, s = sn.tensor("P", 4, 4, positive=True), sn.scalar("s")
i, t, c = sn.tensor("i", 4, dtype="int64"), sn.labels("t", 4, classes=4), sn.tensor("c", 4, dtype="bool")
READ: dict[str, tuple[Node, str]] = {  # as a user wrote it, and the names in the order of the line
    "z > y": (sn.where(z > y, x, w), "z y x w"),
    "z <= y": (sn.where(z <= y, x, w), "z y x w"),
    "z - y": (z - y, "z y"),
    "1/z - y": (1 / z - y, "z y"),
    "z**y": (z**y, "z y"),
    "z @ A @ y": (z @ A @ y, "z A y"),
    "B.T @ A": (B.T @ A, "B A"),
    "solve": (sn.solve(B, z), "B z"),
    "take": (sn.take(A, i), "A i"),
    "atan2": (sn.atan2(z, y), "z y"),
    "maximum": (sn.maximum(z, y), "z y"),
    "outer": (sn.outer(z, y), "z y"),
    "einsum": (sn.einsum("i,ij,j->", z, A, y), "z A y"),
    "stack": (sn.stack([z, y]), "z y"),
    "norm": (sn.norm(z - y), "z y"),
    "and": (sn.where(sn.logical_and(c, z > 0), y, x), "c z y x"),
    "np.where": (np.where(z > y, x, w), "z y x w"),
    "a product that is sorted when printed": (w * x * A * s, "w x A s"),
    "l2": (sn.l2(z, y), "z y"),
    "cross-entropy": (sn.cross_entropy(P, B), "P B"),
    "cross-entropy of logits": (sn.cross_entropy(B, A, from_logits=True), "B A"),
    "cross-entropy of labels": (sn.cross_entropy(P, t), "P t"),
    "divergence": (sn.kl_div(P, B), "P B"),
    "divergence of logits": (sn.kl_div(B, A, from_logits=True), "B A"),
    "binary": (sn.binary_cross_entropy(sn.sigmoid(z), y), "z y"),
    "binary, of logits": (sn.binary_cross_entropy(z, y, from_logits=True), "z y"),
}


@pytest.mark.parametrize("line", READ)
def test_leaves_come_as_they_are_read(line: str) -> None:
    root, names = READ[line]
    f = sn.compile(root)
    assert " ".join(f.inputs) == names
    assert " ".join(re.findall(r"(\w+): ", str(f.signature).split(" -> ")[0])) == names


@pytest.mark.parametrize("params", ["x z", "z x", "z", "w x"])
def test_parameters_come_after_the_data_as_they_were_given(params: str) -> None:
    """Of x·(z - y)·w: the data that are left, then the parameters."""
    leaves = {leaf.name: leaf for leaf in (x, z, y, w)}
    f = sn.value_and_grad(sn.sum(x * (z - y) * w), [leaves[name] for name in params.split()])
    data = [name for name in "xzyw" if name not in params]
    assert f.inputs == (*data, *params.split())


def test_an_intermediate_is_no_input() -> None:
    hidden = x * z
    f = sn.value_and_grad(sn.sum(hidden * y), [hidden, z])
    assert f.inputs == ("x", "y", "z")


def test_an_order_that_is_asked_for_holds_in_c_too(tmp_path: object) -> None:
    f = sn.value_and_grad(sn.sum(x * (z - y) * w), [x, z], inputs=[z, w, x])
    assert f.inputs == ("z", "w", "x", "y")
    values = dict(zip("zwxy", np.arange(16.0).reshape(4, 4), strict=True))
    np.testing.assert_array_equal(
        f(values["z"], values["w"], values["x"], y=values["y"])[0],
        (values["x"] * (values["z"] - values["y"]) * values["w"]).sum(),
    )
    files = f.export(f"{tmp_path}/ordered", library=False)
    header = files.header.read_text()
    places = [header.index(f"const double *{name}") for name in "zwxy"]
    assert places == sorted(places)


def test_what_is_listed_is_an_input_though_nothing_reads_it() -> None:
    f = sn.compile(sn.hessian(x @ x, x), inputs=[x, y])
    assert (f.inputs, f.signature.unused) == (("x", "y"), {"x", "y"})
    assert str(f.signature) == (
        "symnet_function(x: float64[4] (unused), y: float64[4] (unused)) -> out0: float64[4, 4]"
    )


def test_the_order_is_part_of_what_is_cached(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMNET_CACHE", "1")
    monkeypatch.setenv("SYMNET_CACHE_DIR", str(tmp_path))
    for _ in range(2):
        for order in ([x, y], [y, x]):
            f = sn.compile(x - 2 * y, inputs=order)
            assert f.inputs == tuple(leaf.name for leaf in order)
            np.testing.assert_array_equal(f(x=np.ones(4), y=np.ones(4)), -np.ones(4))
    assert f.from_cache


def test_a_leaf_is_listed_once() -> None:
    with pytest.raises(sn.ArgumentError, match=r"inputs=\[…\]\): expected every leaf once; got x twice\. List it"):
        sn.compile(x - y, inputs=[x, y, x])
