"""Objects that are loaded without LLVM: the same bits as LLVM's loader gives, pages with the rights they need and no
more, and errors for what is beyond this loader.
"""

from __future__ import annotations

import ctypes
import gc
import re
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.backends.llvm import codegen, elf, loading
from symnet.backends.llvm.targets import host_target, portable_target
from symnet.errors import CompileError
from symnet.runtime.function import NativeFunction
from symnet.runtime.support import support_object

pytestmark = pytest.mark.skipif(not elf.is_possible(), reason="objects of Linux for x86-64")

m = sn.dim("m")
X, W, x = sn.tensor("X", m, 5), sn.tensor("W", 5, 4), sn.tensor("x", 40)
t, A = sn.labels("t", m, classes=4), sn.tensor("A", 4, 4)
OUTPUTS = {
    "network": [sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W)), t))],
    "functions": [f(x) for f in (sn.exp, sn.tanh, sn.sin, sn.erf, sn.log1p, sn.loggamma, sn.gelu)],
    "constants": [X @ np.arange(5 * 300.0).reshape(5, 300)],
    "matrices": [sn.inv(A + 3 * sn.eye(4)), sn.det(A)],
    "nothing": [x],
}


def as_code(text: str) -> bytes:
    target = host_target()
    return codegen.compile_object(f'target triple = "{target.triple}"\n{text}', target)


def rights(address: int) -> str:
    """What the system lets one do with memory, as in "r-x"; empty where nothing is mapped."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        begin, end, allowed = re.match(r"(\w+)-(\w+) (...)", line).groups()  # type: ignore[union-attr]  # it has these
        if int(begin, 16) <= address < int(end, 16):
            return allowed
    return ""


@pytest.mark.parametrize("target", [None, "x86-64-portable"])
@pytest.mark.parametrize("name", OUTPUTS)
def test_code_gives_the_bits_that_it_gives_with_llvms_loader(name, target, rng):
    f = sn.compile(OUTPUTS[name])
    code = f.object_code
    if target:  # it keeps a variable: the level of the processor
        portable = portable_target(host_target().triple)
        code = sn.compile(OUTPUTS[name], target=portable).object_code
    given = {
        "X": rng.standard_normal((7, 5)),
        "W": rng.standard_normal((5, 4)),
        "x": np.linspace(0.1, 4, 40),
        "t": rng.integers(0, 4, 7),
        "A": rng.standard_normal((4, 4)),
    }
    given = {each: given[each] for each in f.inputs}
    answers = []
    for loaded in (elf.Image(code), loading._Engine(code)):
        answers.append(NativeFunction(f.signature, loaded, template=tuple(range(len(f.outputs))))(**given))
    for one, other in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_runtimes_own_code_needs_no_llvm():
    image = elf.Image(support_object(host_target()))
    assert all(image.address(f"symnet_{name}") for name in ("step", "arrays", "sequence", "pool_run", "pool_worker"))


VARIABLES = """
@count = global i64 40
@zeros = global [5000 x i64] zeroinitializer
@table = constant [3 x i64] [i64 5, i64 6, i64 7]
@pointers = global [2 x ptr] [ptr @count, ptr getelementptr (i64, ptr @table, i64 2)]

define i64 @add(i64 %more) {
  %old = load i64, ptr @count
  %new = add i64 %old, %more
  store i64 %new, ptr @count
  %last = getelementptr i64, ptr @zeros, i64 4999
  store i64 %new, ptr %last
  %second = getelementptr ptr, ptr @pointers, i64 1
  %at = load ptr, ptr %second
  %seven = load i64, ptr %at
  %kept = load i64, ptr %last
  %sum = add i64 %kept, %seven
  ret i64 %sum
}
"""


def internal(text: str) -> str:
    """The same with names that no other library may replace, as all of ours are."""
    return re.sub(r"= (global|constant)", r"= dso_local \1", text)


def test_variables_constants_and_pointers_to_them():
    image = elf.Image(as_code(internal(VARIABLES)))
    add = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(image.address("add"))
    assert [add(2), add(3)] == [49, 52]
    count = ctypes.c_int64.from_address(image.address("count"))
    count.value = -7
    assert add(0) == 0
    assert ctypes.cast(image.address("pointers"), ctypes.POINTER(ctypes.c_void_p))[0] == image.address("count")


def test_no_page_can_be_written_and_run():
    image = elf.Image(as_code(internal(VARIABLES)))
    allowed = {name: rights(image.address(name)) for name in ("add", "table", "count", "zeros")}
    assert allowed == {"add": "r-x", "table": "r--", "count": "rw-", "zeros": "rw-"}


def test_memory_is_given_back():
    image = elf.Image(as_code(internal(VARIABLES)))
    address = image.address("add")
    assert rights(address) == "r-x"
    del image
    gc.collect()
    assert rights(address) != "r-x"


BEYOND = {
    "another library": "declare double @cos(double)\n"
    "define double @f(double %x) {\n  %y = call double @cos(double %x)\n  ret double %y\n}\n",
    "another kind": "@shown = global i64 5\n"  # one that another library may replace: its address stands in a table
    "define i64 @f() {\n  %x = load i64, ptr @shown\n  ret i64 %x\n}\n",
    "sections of another kind": "@own = internal thread_local global i64 5\n"
    "define i64 @f() {\n  %x = load i64, ptr @own\n  ret i64 %x\n}\n",
}


@pytest.mark.parametrize("what", BEYOND)
def test_what_this_loader_does_not_know_is_refused(what):
    with pytest.raises(CompileError, match=f"expected object code that refers to nothing but itself; got .*{what}"):
        loading.load(as_code(BEYOND[what]))


def test_a_system_that_refuses_to_run_new_code_is_named(monkeypatch):
    def refused(base: int, groups: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(elf, "_protect", refused)
    with pytest.raises(CompileError, match=r"got .*Permission denied.*execmem"):
        loading.load(as_code(internal(VARIABLES)))


@pytest.mark.parametrize("code", [b"", b"no object", bytes(64)])
def test_what_is_no_object_is_refused(code):
    with pytest.raises(elf.UnsupportedObject):
        elf.Image(code)


def test_a_name_that_is_not_there_has_no_address():
    code = as_code(internal(VARIABLES))
    assert elf.Image(code).address("subtract") == 0
    with pytest.raises(CompileError, match=r'address\("subtract"\)'):
        loading.load(code).address("subtract")
