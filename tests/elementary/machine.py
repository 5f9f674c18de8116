"""Elementary functions compiled for this machine: loops over arrays, for every format and any number of lanes."""

import ctypes
from functools import cache

import numpy as np
from llvmlite import binding, ir

from symnet.backends.llvm.lanes import INTEGER, REAL, InstructionLanes, shaped
from symnet.elementary.table import FUNCTIONS, INTEGER_FUNCTIONS
from tests.elementary.cases import ARITY, KINDS

WIDTHS = (1, 4, 8, 16)
TARGETS = ("host", "baseline")  # what this machine can do, and what every machine of its kind can
POINTER, INDEX = ir.PointerType(), ir.IntType(64)
ELEMENTS = {"float32": REAL["float"], "float64": REAL["double"], "int32": INTEGER["float"], "int64": INTEGER["double"]}
REALS = tuple(np.dtype(kind).name for kind in KINDS.values())
AS_WIDE = {"float32": "float", "float64": "double", "int32": "float", "int64": "double"}


def emit_kernel(module, name, dtype, width, fused=True):
    """out[i] = f(in[i], …) for i in 0 … n-1, `width` at a time; returns the blocks of the loop body."""
    element, size = ELEMENTS[dtype], np.dtype(dtype).itemsize
    lanes, arity = shaped(element, width if width > 1 else 0), ARITY.get(name, 1)
    signature = ir.FunctionType(ir.VoidType(), [INDEX] + [POINTER] * (arity + 1))
    function = ir.Function(module, signature, f"{name}_{dtype}_{width}")
    entry, body, done = (function.append_basic_block(label) for label in ("entry", "body", "done"))
    ir.IRBuilder(entry).branch(body)
    builder = ir.IRBuilder(body)
    i = builder.phi(INDEX)
    places = [builder.gep(pointer, [i], source_etype=element) for pointer in function.args[1:]]
    args = [builder.load(place, typ=lanes, align=size) for place in places[:-1]]
    definition = (INTEGER_FUNCTIONS if dtype.startswith("int") else FUNCTIONS)[name]
    value = definition(InstructionLanes(builder, AS_WIDE[dtype], width if width > 1 else 0, fused), *args)
    builder.store(value, places[-1], align=size)
    after = builder.add(i, INDEX(width))
    i.add_incoming(INDEX(0), entry)
    i.add_incoming(after, builder.block)
    builder.cbranch(builder.icmp_signed("<", after, function.args[0]), body, done)
    ir.IRBuilder(done).ret_void()
    return function.blocks


def emit(names=FUNCTIONS, widths=WIDTHS, dtypes=REALS, fused=True):
    """A module of functions, for targets that fuse or for others."""
    module = ir.Module()
    for name in names:
        for dtype in dtypes:
            for width in widths:
                emit_kernel(module, name, dtype, width, fused)
    return module


def target_machine(which):
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    if which == "baseline":
        return target.create_target_machine(jit=True)
    features = binding.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, jit=True)


def fuses(which):
    """Whether a product and a sum become one instruction."""
    is_arm = binding.get_process_triple().startswith(("aarch64", "arm64"))
    return is_arm or (which == "host" and binding.get_host_cpu_features().get("fma", False))


def optimise(parsed, machine):
    passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(parsed, passes)


class Compiled:
    """The functions of a module, of arrays."""

    def __init__(self, text, which, optimised=False):
        machine = target_machine(which)
        parsed = binding.parse_assembly(text)
        parsed.verify()
        if optimised:
            optimise(parsed, machine)
        self.which = which
        self.engine = binding.create_mcjit_compiler(parsed, machine)
        self.engine.finalize_object()

    def __call__(self, name, width, *args):
        padded = -len(args[0]) % width
        arrays = [np.pad(a, (0, padded), mode="edge") for a in args]
        out = np.empty_like(arrays[0])
        address = self.engine.get_function_address(f"{name}_{out.dtype}_{width}")
        call = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * (len(arrays) + 1))(address)
        call(len(out), *[a.ctypes.data for a in arrays], out.ctypes.data)
        return out[: len(args[0])]


@cache
def compiled_alone(name, dtype, width, which):
    """One function of one format for one number of lanes, compiled when it is first asked for."""
    return Compiled(str(emit([name], [width], [dtype], fuses(which))), which)


class Machine:
    """Every function of arrays, for a target."""

    def __init__(self, which):
        self.which = which

    def __call__(self, name, width, *args):
        return compiled_alone(name, args[0].dtype.name, width, self.which)(name, width, *args)
