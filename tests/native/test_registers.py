"""The inner loops of every product that is chosen keep what they accumulate in registers."""

import re
from collections.abc import Iterator

import pytest

import symnet as sn
from symnet.backends.llvm.targets import target_for

CPUS = ["x86-64-v3", "x86-64-v4"]
STACK = re.compile(r"^\s+v\w+\s.*%[xyz]mm\d+, -?\d*\(%rsp|^\s+v\w+\s.*-?\d+\(%rsp\), %[xyz]mm", re.MULTILINE)
EXTENTS = [(8, 100, 64), (13, 40, 40), (64, 300, 100), (64, 64, 17), (33, 64, 10), (100, 16, 48), (7, 50, 128)]


def inner_loops(text: str) -> Iterator[str]:
    """Blocks that jump to their own beginning."""
    for label, body in re.findall(r"^(\.L\w+):\n((?:(?!\.L\w+:).*\n)*)", text, re.MULTILINE):
        end = re.search(rf"\sj\w+\s+{re.escape(label)}\n", body)
        if end:
            yield body[: end.end()]


def products_with_spills(made: object) -> tuple[int, list[str]]:
    """How many inner loops multiply and add with vectors, and those of them that write or read the stack."""
    loops = [b for b in inner_loops(made.assembly) if len(re.findall(r"vfmadd\w+p[sd]", b)) >= 4]
    return len(loops), [body for body in loops if STACK.search(body)]


@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", ["known", "symbolic"])
@pytest.mark.parametrize("extents", EXTENTS, ids=lambda e: "x".join(map(str, e)))
def test_a_product_and_its_gradients_never_leave_their_registers(extents, rows, dtype, cpu):
    m, k, n = extents
    X, T = (sn.tensor(name, m if rows == "known" else sn.dim("m"), size) for name, size in (("X", k), ("T", n)))
    W = sn.tensor("W", k, n)
    loss = sn.sum((X @ W - T) ** 2)
    made = sn.compile([loss, sn.grad(loss, W)], dtype=dtype, target=target_for("x86_64-unknown-linux-gnu", cpu))
    count, spilled = products_with_spills(made)
    assert count >= 2, "the products of the value and of the slope are loops of their own"
    assert not spilled, spilled[0]
