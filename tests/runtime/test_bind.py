import gc

import numpy as np
import pytest

from symnet.errors import ArgumentError, CompileError, DTypeError, ShapeError, ValueDomainError
from symnet.runtime import bind as binding
from symnet.runtime.native import refuse_code
from tests.runtime.programs import native


@pytest.fixture
def x():
    return np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.fixture
def b():
    return np.array([1, 10, 100], np.float32)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_step_sees_updates_in_place(x, b, threads):
    step = native("affine", threads=threads).bind(X=x, b=b, a=2)
    Y, s = step()
    np.testing.assert_array_equal(Y, 2 * x + b)
    x += 1
    b[:] = 0
    again, _ = step()
    assert again is Y
    np.testing.assert_array_equal(Y, 2 * x)
    assert s.shape == ()
    assert s == Y.sum()
    assert step.outputs[0] is Y


def test_the_bound_arrays_cannot_be_exchanged_as_a_whole(x, b):
    step = native("affine").bind(X=x, b=b, a=2)
    with pytest.raises(ArgumentError, match=r"affine.bind\(…\).inputs = ….*values put into the bound arrays"):
        step.inputs = {"X": x, "b": b, "a": np.array(3)}
    np.testing.assert_array_equal(step()[0], 2 * x + b)


def test_a_bound_number_may_be_changed_through_inputs(x, b):
    step = native("affine").bind(X=x, b=b, a=2)
    step.inputs["a"][...] = 3
    np.testing.assert_array_equal(step()[0], 3 * x + b)
    assert step.inputs["X"] is x


def test_a_step_keeps_its_arrays_alive(b):
    step = native("affine").bind(X=np.ones((4, 3), np.float32), b=b.copy(), a=np.ones((), np.float32))
    gc.collect()
    np.testing.assert_array_equal(step()[0], 1 + np.broadcast_to(b, (4, 3)))


def test_a_step_may_write_into_the_callers_arrays(x, b):
    Y = np.empty((4, 3), np.float32)
    step = native("affine").bind(X=x, b=b, a=1, out={"Y": Y})
    assert step()[0] is Y
    np.testing.assert_array_equal(Y, x + b)


def test_a_step_shows_its_buffers(x, b):
    step = native("affine").bind(X=x, b=b, a=1)
    assert repr(step) == "<bound step of affine(X: float32[4, 3], b: float32[3], a: float32[])>"


def test_what_would_need_a_copy_is_refused(x, b):
    f = native("affine")
    with pytest.raises(
        ArgumentError, match=r"affine.bind\(X=float32\[4, 3\], …\).*keeps a reference.*strides \(4, 16\)"
    ):
        f.bind(X=np.asfortranarray(x), b=b, a=1)


def test_arguments_are_checked_when_they_are_bound(x, b):
    f = native("affine")
    with pytest.raises(DTypeError, match=r"affine.bind\(X=float64\[4, 3\], …\): expected dtype float32"):
        f.bind(X=x.astype(float), b=b, a=1)
    with pytest.raises(ArgumentError, match=r"affine.bind\(X=…, b=…, a=…\).*without b"):
        f.bind(X=x, a=1)
    with pytest.raises(ShapeError, match=r"affine.bind\(b=float32\[2\], …\).*got 2 in shape \(2,\)"):
        f.bind(X=x, b=b[:2], a=1)
    with pytest.raises(ValueDomainError, match=r"affine.bind\(…\).*m = 0"):
        f.bind(X=x[:0], b=b, a=1)
    with pytest.raises(ValueDomainError, match=r"affine.bind\(…\): expected finite numbers in b; got nan at b\[1\]"):
        f.bind(X=x, b=np.array([0, np.nan, 0], np.float32), a=1, check_finite=True)
    with pytest.raises(ArgumentError, match=r"affine.bind\(…, out=…\).*shared with input X"):
        f.bind(X=x, b=b, a=1, out={"Y": x})


def test_bound_arrays_are_not_exchanged(x, b):
    step = native("affine").bind(X=x, b=b, a=2)
    with pytest.raises(ArgumentError, match=r"\.inputs\['X'\] = …: expected values put into .* Write step"):
        step.inputs["X"] = x.copy()
    with pytest.raises(ArgumentError, match=r"inputs\['new'\]"):
        step.inputs["new"] = x
    with pytest.raises(ArgumentError, match=r"del affine\.bind\(…\)\.inputs\['X'\]"):
        del step.inputs["X"]
    with pytest.raises(AttributeError):
        step.inputs.update(X=x.copy())
    with pytest.raises(AttributeError):
        step.outputs = ()
    step.inputs["X"] += 1  # in place
    assert step.inputs["X"] is x and dict(step.inputs) == step.inputs._arrays
    np.testing.assert_array_equal(step()[0], 2 * x + b)


def test_what_a_caller_does_to_a_result_stays_with_the_caller(x, b):
    step = native("affine", template={"Y": 0, "rest": (1, [0])}).bind(X=x, b=b, a=2)
    first = step()
    Y = first["Y"]
    first["rest"][1][0] = None
    first.clear()
    again = step()
    assert again["Y"] is Y and again["rest"][1][0] is Y
    assert step.outputs["Y"] is Y and step.outputs is not again


@pytest.mark.parametrize("which", ["input", "view", "view of a view", "output", "number"])
def test_bound_memory_is_not_moved_while_the_step_lives(x, b, which):
    owner = x.copy()
    bound = {"view": owner[:2], "view of a view": owner[1:][:2]}.get(which, owner)
    step = native("affine").bind(X=bound, b=b, a=np.ones((), np.float32))
    array = {"output": step()[0], "number": step.inputs["a"]}.get(which, owner)
    with pytest.raises(ValueError, match="cannot resize"):
        array.resize(100_000, refcheck=False)
    np.testing.assert_array_equal(step()[0], bound + b)
    if which == "input":
        del step
        array.resize(5, refcheck=False)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("how", ["native", "threads", "plain"])
def test_labels_are_checked_at_every_step(dtype, how, monkeypatch):
    f = native("gather", dtype, threads=2 if how == "threads" else 1)
    if how == "plain":
        monkeypatch.setattr(binding, "at_hand", lambda: False)
    table, t = np.linspace(0, 1, 10), np.array([3, 9, 0], dtype)
    step = f.bind(table=table, t=t)
    np.testing.assert_array_equal(step(), table[[3, 9, 0]])
    for wrong in (10, -1, np.iinfo(dtype).min, np.iinfo(dtype).max):
        t[1] = wrong
        with pytest.raises(ValueDomainError, match=rf"gather.bind\(…\)\(\).*in 0 … 9.*got {wrong} at t\[1\]"):
            step()
    t[1] = 5
    np.testing.assert_array_equal(step(), table[[3, 5, 0]])


def test_steps_without_rows_run():
    step = native("gather").bind(table=np.zeros(10), t=np.zeros(0, np.int32))
    assert step().shape == (0,)


def test_an_unexpected_return_code_is_an_error():
    with pytest.raises(CompileError, match=r"mlp\(…\): expected native code to return 0; got code 1: the workspace"):
        refuse_code("mlp", 1)
