"""A text that is compiled in pieces gives what it gives as a whole: the same functions, the same bits, on any number of
processors, and one object that linkers and loaders take.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

import symnet as sn
from symnet import processors
from symnet.backends.llvm import assembling, codegen, elf, elf_format, elf_joined, loading, pieces
from symnet.backends.llvm.targets import host_target, portable_target
from symnet.runtime.function import NativeFunction

pytestmark = pytest.mark.skipif(not elf.is_possible(), reason="objects of Linux for x86-64")

m, k = sn.dim("m"), sn.dim("k")
X, W, V, b = sn.tensor("X", m, 5), sn.tensor("W", 5, 12), sn.tensor("V", 12, 4), sn.tensor("b", 12)
x, t, i = sn.tensor("x", 40), sn.labels("t", m, classes=4), sn.tensor("i", k, dtype="int64")
LOSS = sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W + b) @ V), t))
TABLE = np.arange(5 * 300.0).reshape(5, 300)
OUTPUTS = {
    "network": [LOSS, *sn.grad(LOSS, [W, V, b])],
    "functions": [f(x) for f in (sn.exp, sn.tanh, sn.sin, sn.erf, sn.log1p, sn.loggamma, sn.gelu)],
    "constants": [X @ TABLE, sn.sum(sn.tanh(X @ (TABLE[:, :12] / 700))), X * np.arange(5.0), sn.take(TABLE[0], i)],
    "indices": [sn.take(sn.cumsum(x), i), sn.sum(sn.take(W, i % 5)), sn.argmax(X, axis=1)],
}
TARGETS = {"host": host_target(), "portable": portable_target(host_target().triple)}


def arguments(names, rng):
    data = {name: rng.standard_normal(size) for name, size in {"X": (7, 5), "W": (5, 12), "V": (12, 4)}.items()}
    data |= {"b": rng.standard_normal(12), "x": np.linspace(0.1, 4, 40), "t": rng.integers(0, 4, 7)}
    return {name: (data | {"i": rng.integers(0, 5, 9)})[name] for name in names}


@cache
def made(name, target):
    """The stages of some outputs, the pieces of their text, and the objects of the whole and of the pieces."""
    s = sn.compile(OUTPUTS[name], target=None if target == "host" else TARGETS[target]).stages
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE", 10**9)
        whole = codegen.compile_object(s.llvm_ir, s.target, s.program.constants)
        patch.setattr(pieces, "PIECE", 2000)
        texts = pieces.pieces(s.llvm_ir)
        return s, texts, whole, codegen.compile_object(s.llvm_ir, s.target, s.program.constants)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", OUTPUTS)
def test_the_pieces_give_the_bits_of_the_whole(name, target, monkeypatch, rng):
    s, texts, whole, joined = made(name, target)
    assert len(texts) > 1
    answers = []
    for loaded in (elf.Image(whole), elf.Image(joined), loading._Engine(joined)):
        f = NativeFunction(s.lowered.signature, loaded, template=tuple(range(len(s.outputs))))
        given = arguments([leaf.name for leaf in s.leaves], np.random.default_rng(5))
        answers.append(f(**given))
    for expected, *others in zip(*answers, strict=True):
        for other in others:
            np.testing.assert_array_equal(other, expected)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", OUTPUTS)
def test_every_function_is_in_one_piece_and_no_more_is_exported(name, target, monkeypatch):
    s, texts, whole, joined = made(name, target)
    of_the_whole, of_the_joined = map(elf_format.ObjectTables, (whole, joined))
    exported = [{o.text(symbol) for symbol in o.symbols[o.defined()]} for o in (of_the_whole, of_the_joined)]
    assert exported[0] == exported[1]
    kept = re.findall(r'^define (?!.* alwaysinline).*?@"?([\w.]+)', s.llvm_ir, re.M)
    found = [name for text in texts for name in re.findall(r'^define (?!.* alwaysinline).*?@"?([\w.]+)', text, re.M)]
    assert sorted(found) == sorted(kept)
    undefined = (of_the_joined.symbols["section"] == 0)[1:]
    assert not undefined.any()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", OUTPUTS)
def test_what_is_compiled_while_it_is_written_has_the_bytes_of_the_text(name, target, monkeypatch):
    s, _, _, joined = made(name, target)
    monkeypatch.setattr(pieces, "PIECE", 2000)
    chunks = codegen.emitted(s.program, s.target, s.lowered.signature.donated, s.higher)
    assert codegen.compile_emitted(chunks, s.target, s.program.constants) == (s.llvm_ir, joined)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", OUTPUTS)
def test_a_piece_is_there_before_the_rest_is_written(name, target, monkeypatch):
    s, texts, _, _ = made(name, target)
    monkeypatch.setattr(pieces, "PIECE", 2000)
    written = []

    def noted(chunks):
        for chunk in chunks:
            written.append(chunk)
            yield chunk

    chunks = noted(codegen.emitted(s.program, s.target, s.lowered.signature.donated, s.higher))
    lengths = [len(written) for _ in pieces.pieces_of(chunks)]
    assert len(lengths) == len(texts)
    assert lengths == sorted(lengths)
    assert lengths[0] < len(written) / 2  # it waits for the function that the next one begins with, no more
    assert lengths[-1] == len(written)


def test_the_bytes_do_not_depend_on_the_number_of_processors(monkeypatch):
    objects = set()
    for count in (1, 2, 3, 16):
        monkeypatch.setattr(processors, "usable_processors", lambda count=count: count)
        objects.add(made.__wrapped__("network", "host")[-1])
    assert len(objects) == 1


def test_linkers_take_the_object(monkeypatch, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    _, texts, _, joined = made("network", "host")
    assert len(texts) > 2
    (tmp_path / "f.o").write_bytes(joined)
    command = [compiler, "-shared", "-Wl,--fatal-warnings", "-Wl,-z,defs", "-o", "f.so", "f.o"]
    subprocess.run(command, cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "f.so"))
    library.symnet_function_workspace_bytes.restype = ctypes.c_size_t
    image = elf.Image(joined)
    direct = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p)(image.address("symnet_function_workspace_bytes"))
    dims = (ctypes.c_int64 * 1)(1000)
    assert library.symnet_function_workspace_bytes(dims) == direct(dims) > 0


def test_an_exported_function_in_pieces_passes_its_own_test(monkeypatch, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    monkeypatch.setattr(pieces, "PIECE", 2000)
    sn.compile(OUTPUTS["network"], dtype="float32").export(tmp_path / "model")
    (test,) = tmp_path.glob("*test*.c")
    subprocess.run([compiler, "-o", "run", test.name, "model.o"], cwd=tmp_path, check=True)
    subprocess.run([str(tmp_path / "run")], cwd=tmp_path, check=True, capture_output=True)


def test_a_short_text_and_one_with_something_else_in_it_stay_whole(monkeypatch):
    text = sn.compile(OUTPUTS["network"]).llvm_ir
    monkeypatch.setattr(pieces, "PIECE", 10 * len(text))
    assert pieces.pieces(text) == [text]
    monkeypatch.setattr(pieces, "PIECE", 2000)
    assert len(pieces.pieces(text)) > 1
    for more in ("; a comment\n", "@other = alias i32, ptr @symnet_function_abi\n"):
        assert pieces.pieces(text + more) == [text + more]


def test_two_definitions_of_one_name_are_refused():
    target = host_target()
    text = f'target triple = "{target.triple}"\ndefine i32 @f() {{\n  ret i32 1\n}}\n'
    code = codegen.compile_object(text, target)
    with pytest.raises(elf_format.UnsupportedObject, match="two definitions of f"):
        elf_joined.joined([code, code])


def test_an_error_of_one_piece_is_the_errors_of_the_whole(monkeypatch):
    s = made("network", "host")[0]
    with pytest.raises(RuntimeError, match="parsing error"):
        codegen.compile_object(s.llvm_ir.replace("ret i32 0", "ret i32 zero"), s.target, s.program.constants)
    assert codegen.compile_object(s.llvm_ir, s.target, s.program.constants)


def test_llvms_own_lock_is_where_it_was(monkeypatch):
    """llvmlite keeps other threads out; the pieces go around its lock, and it is neither held nor gone afterwards."""
    from llvmlite.binding import ffi

    made.__wrapped__("functions", "host")
    assert not ffi.lib._lock._lock._is_owned()
    assert ffi.lib.LLVMPY_TargetMachineEmitToMemory._lock is ffi.lib._lock


def test_every_piece_is_for_the_processors_of_the_whole(monkeypatch):
    s, texts, _, _ = made("network", "portable")
    words = re.findall(r"^(?:target|attributes) .*", s.llvm_ir, re.M)
    assert len(words) == 7  # the triple, and two sets of attributes of three levels
    assert [re.findall(r"^(?:target|attributes) .*", text, re.M) for text in texts] == [words] * len(texts)


# --------------------------------------------------------------------------- interrupts

_PROLOGUE = """
import faulthandler, gc, random, signal, sys, threading
faulthandler.dump_traceback_later(100, exit=True)
import symnet as sn
from symnet import processors
from symnet.backends.llvm import assembling, codegen, pieces
processors.usable_processors = lambda: 3
pieces.PIECE = 1500
m = sn.dim("m")
X, W, V = sn.tensor("X", m, 5), sn.tensor("W", 5, 12), sn.tensor("V", 12, 4)
L = sn.mean((sn.tanh(X @ W) @ V) ** 2)
s = sn.compile([L, *sn.grad(L, [W, V])]).stages
make = lambda: codegen.compile_object(s.llvm_ir, s.target, s.program.constants)
assert len(pieces.pieces(s.llvm_ir)) > 2
right = make()
"""
INTERRUPTED = {
    "at random": """
def interrupt(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
rng, kept, caught = random.Random(0), [], 0
for k in range(30):
    try:
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, 0.1))
        make()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt as error:
        ring = [error]
        ring.append(ring)
        caught += 1
    ring = None
    gc.collect()
assert caught > 5
""",
    "in a call, whose lock it leaves taken": """
from llvmlite.binding import ffi
emitted = assembling._emitted
def interrupted(*given):
    if threading.current_thread() is threading.main_thread():
        ffi.lib._lock.__enter__()
        raise KeyboardInterrupt
    return emitted(*given)
assembling._emitted = interrupted
try:
    make()
    sys.exit("no interrupt")
except KeyboardInterrupt:
    assembling._emitted = emitted
""",
    "while a module is there, and kept in a ring": """
improve = assembling._improve
def interrupted(module, machine):
    held = module, module._context
    raise KeyboardInterrupt
assembling._improve = interrupted
for k in range(20):
    try:
        make()
        sys.exit("no interrupt")
    except KeyboardInterrupt as error:
        ring = [error]
        ring.append(ring)
    error = ring = None
    gc.collect()
assembling._improve = improve
""",
}


@pytest.mark.parametrize("when", INTERRUPTED)
def test_after_an_interrupt_the_next_compilation_is_as_ever(when):
    """In a process of its own: what goes wrong here ends it, or never ends."""
    script = _PROLOGUE + INTERRUPTED[when] + "assert make() == right\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_two_at_once_have_two_machines():
    """However a thread comes to work beside another: after interrupts, in handlers of signals."""
    with assembling.target_machine(host_target()) as one, assembling.target_machine(host_target()) as other:
        assert one is not other
    with assembling.target_machine(host_target()) as again:
        assert again in (one, other)


def test_a_machine_that_was_left_half_way_is_not_used_again():
    with pytest.raises(KeyboardInterrupt), assembling.target_machine(host_target()) as left:
        raise KeyboardInterrupt
    with assembling.target_machine(host_target()) as one, assembling.target_machine(host_target()) as other:
        assert left not in (one, other)


def test_objects_that_cannot_be_joined_are_made_of_the_whole(monkeypatch):
    def refuse(objects):
        raise elf.UnsupportedObject("groups of sections")

    s, _, whole, _ = made("network", "host")
    monkeypatch.setattr(pieces, "PIECE", 2000)
    monkeypatch.setattr(codegen, "joined", refuse)
    assert codegen.compile_object(s.llvm_ir, s.target, s.program.constants) == whole
