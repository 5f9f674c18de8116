import threading

import numpy as np
import pytest

from symnet.errors import ArgumentError, ShapeError
from symnet.runtime.extents import solve
from symnet.runtime.template import arrange, default_template
from tests.runtime.programs import m, n, native

x = np.arange(12, dtype=np.float32).reshape(4, 3)
b = np.array([1, 10, 100], np.float32)


def test_a_function_shows_its_signature():
    f = native("affine")
    inputs, outputs = "X: (m, 3) float32, b: (3,) float32, a: () float32", "Y: (m, 3) float32, s: () float32"
    assert repr(f) == f"<native function affine({inputs}) -> ({outputs})>"
    assert f.name == "affine"
    assert f.inputs == ("X", "b", "a")
    assert f.outputs == ("Y", "s")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (0, 10),
        ((0, (1, 2)), (10, (11, 12))),
        ([0, 2], [10, 12]),
        ((0, {"W": 1, "b": 2}), (10, {"W": 11, "b": 12})),
        ((), ()),
    ],
)
def test_outputs_are_arranged_by_a_template(template, expected):
    assert arrange(template, [10, 11, 12]) == expected


def test_one_output_stands_alone_and_several_make_a_tuple():
    assert default_template(1) == 0
    assert default_template(2) == (0, 1)
    f = native("affine", template={"loss": 1, "rows": [0]})
    result = f(X=x, b=b, a=1)
    np.testing.assert_array_equal(result["rows"][0], x + b)
    assert result["loss"] == (x + b).sum()


def test_workspace_is_known_before_a_call():
    f = native("column_sums")
    assert f.workspace_bytes(m=1000, n=16) == f.workspace_bytes(m=10**6, n=16) == 4 * 16 * 8
    with pytest.raises(ArgumentError, match=r"column_sums.workspace_bytes\(…\): expected the extents m, n; got no n"):
        f.workspace_bytes(m=3)
    with pytest.raises(ArgumentError, match=r"expected the extents m, n; got 'k'. Write column_sums.workspace_bytes"):
        f.workspace_bytes(m=3, n=2, k=1)
    with pytest.raises(ShapeError, match=r"expected an extent of 0 or more; got -3"):
        f.workspace_bytes(m=-3, n=2)


def test_linear_extents_are_solved():
    assert solve(m, 7) == ("m", 7)
    assert solve(m * 2 + 1, 7) == ("m", 3)
    assert solve(m * 2, 7) is None
    assert solve(m + 8, 7) is None
    assert solve(m * n, 8) is None
    assert solve(m + n, 8) is None


def test_many_shapes_may_follow_each_other():
    f = native("column_sums")
    for rows in (*range(100), *range(100)):
        X = np.ones((rows, 2))
        assert f(X=X).tolist() == [rows, rows]


def test_several_python_threads_may_call_one_function():
    f = native("column_sums")
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(50 + k, 17)) for k in range(4)]
    expected = [f(X=X) for X in arrays]
    wrong = []

    def work(k):
        for _ in range(200):
            if not np.array_equal(f(X=arrays[k]), expected[k]):
                wrong.append(k)

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
