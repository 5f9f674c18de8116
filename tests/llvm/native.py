"""Programs compiled for this machine and called through ctypes: what the runtime does, without its floor."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from symnet.backends.llvm.codegen import compile_object, emit_ir
from symnet.backends.llvm.loading import NativeModule, load
from symnet.backends.llvm.targets import host_target
from symnet.loops import interpreter, ir
from symnet.loops.arithmetic import Arithmetic, of_machine
from symnet.loops.memory import ArraysByName, infer_dims, poisoned
from symnet.schedule.target import Target
from symnet.schedule.vectorize import vectorized

_RUN = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)
_UNITS = ctypes.CFUNCTYPE(ctypes.c_int32, *_RUN._argtypes_, ctypes.c_int32, ctypes.c_int64, ctypes.c_int64)
_SIZE = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p)
_PHASES = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)
_COUNT = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int32)


@dataclass
class Native:
    """A program's machine code."""

    program: ir.Program
    module: NativeModule

    def call(self, inputs: Mapping[str, np.ndarray], dims: Mapping[str, int] | None = None) -> Call:
        return Call(self, inputs, infer_dims(self.program, inputs, dims or {}))

    def run(self, inputs: Mapping[str, np.ndarray], dims: Mapping[str, int] | None = None) -> ArraysByName:
        """All phases, serially."""
        call = self.call(inputs, dims)
        assert call.run() == 0
        return call.outputs


class Call:
    """Buffers bound to a program."""

    def __init__(self, native: Native, inputs: Mapping[str, np.ndarray], dims: Mapping[str, int]) -> None:
        program, self.module = native.program, native.module
        self.name = program.name
        self.inputs = [np.ascontiguousarray(inputs[b.name]).reshape(inputs[b.name].shape) for b in program.inputs]
        self.outputs = {b.name: poisoned(b.dtype, shape_of(b, dims)) for b in program.outputs}
        self.dims = np.array([dims[name] for name in program.dims], np.int64)
        self._in = pointers(self.inputs)
        self._out = pointers(list(self.outputs.values()))
        self._dims = self.dims.ctypes.data
        self.bytes = self.function("_workspace_bytes", _SIZE)(self._dims)
        room = np.full(self.bytes + 64, 0xA5, np.uint8)
        self._room, self.workspace = room, room.ctypes.data + -room.ctypes.data % 64

    def function(self, suffix: str, kind: type) -> ctypes._CFuncPtr:
        return kind(self.module.address(self.name + suffix))

    def arguments(self) -> tuple:
        return self._in, self._out, self._dims, self.workspace

    def run(self, workspace_bytes: int | None = None) -> int:
        size = self.bytes if workspace_bytes is None else workspace_bytes
        return self.function("_run", _RUN)(*self.arguments(), size)

    def units(self, phase: int, begin: int, end: int) -> int:
        return self.function("", _UNITS)(*self.arguments(), self.bytes, phase, begin, end)

    def phases(self) -> Iterator[tuple[int, int]]:
        """Every phase, and its number of units."""
        for phase in range(self.function("_phases", _PHASES)(self._dims)):
            yield phase, self.function("_units", _COUNT)(self._dims, phase)


def pointers(arrays: list[np.ndarray]) -> ctypes.Array:
    return (ctypes.c_void_p * max(1, len(arrays)))(*(array.ctypes.data for array in arrays))


def shape_of(buffer: ir.Buffer, dims: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(extent_of(extent, dims) for extent in buffer.shape)


def extent_of(extent: ir.IntExpr, dims: Mapping[str, int]) -> int:
    """Extents are numbers, names, sums and products."""
    if isinstance(extent, ir.IntConst):
        return extent.value
    if isinstance(extent, ir.IntVar):
        return dims[extent.name]
    left, right = extent_of(extent.left, dims), extent_of(extent.right, dims)
    return left + right if isinstance(extent, ir.IntAdd) else left * right


def cut(program: ir.Program, target: Target | None = None) -> ir.Program:
    """A program written by hand, its vector loops cut for the target."""
    return vectorized(program, target or host_target())


def native(program: ir.Program, target: Target | None = None) -> Native:
    """Machine code for this machine; a narrower target of the same architecture will run here too."""
    program = cut(program, target)
    text = emit_ir(program, target)
    return Native(program, load(compile_object(text, target, program.constants)))


def arithmetic_of(target: Target | None = None) -> Arithmetic:
    """How a target computes, this machine or another; for the interpreter."""
    chosen = target or host_target()
    return of_machine(chosen.fma, chosen.native_maximum)


def meant(
    program: ir.Program,
    inputs: Mapping[str, np.ndarray],
    dims: Mapping[str, int] | None = None,
    target: Target | None = None,
) -> ArraysByName:
    """What a scheduled program gives in the interpreter, with the bits of the target's machine code."""
    return interpreter.run(program, inputs, dims, arithmetic=arithmetic_of(target))


def differing(got: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The places whose bits differ; one NaN is as good as another."""
    if got.dtype.kind != "f":
        return got != wanted
    bits = f"u{got.dtype.itemsize}"
    return (got.view(bits) != wanted.view(bits)) & ~(np.isnan(got) & np.isnan(wanted))


def agree(
    program: ir.Program,
    inputs: Mapping[str, np.ndarray],
    dims: Mapping[str, int] | None = None,
    target: Target | None = None,
) -> ArraysByName:
    """Machine code and interpreter give outputs of the same bits."""
    code = native(program, target)
    got = code.run(inputs, dims)
    for name, wanted in meant(code.program, inputs, dims, target).items():
        assert not differing(got[name], wanted).any(), f"{name}: {got[name]}, interpreted {wanted}"
    return got
