"""Every function of `symnet.backends.llvm.math` against mpmath, on the host and without fma, for every lane width."""

import ctypes
import math
import re

import mpmath as mp
import numpy as np
import pytest
from llvmlite import binding, ir

from symnet.backends.llvm.math import exponential, far_angles
from symnet.backends.llvm.math.table import MATH
from tests.llvm.math_cases import ARITY, BOUNDS, FUSED_BOUNDS, KINDS, ORACLE, SPECIAL, arguments, inf, powers, spread

WIDTHS = (1, 4, 8, 16)
POINTER, INDEX = ir.PointerType(), ir.IntType(64)

# ----------------------------------------------------------------------------- compiling


def emit_kernel(module, name, kind, width):
    """out[i] = f(in[i], …) for i in 0 … n-1, `width` at a time; returns the blocks of the loop body."""
    element = ir.FloatType() if kind == "float" else ir.DoubleType()
    lanes = element if width == 1 else ir.VectorType(element, width)
    arity = ARITY.get(name, 1)
    signature = ir.FunctionType(ir.VoidType(), [INDEX] + [POINTER] * (arity + 1))
    function = ir.Function(module, signature, f"{name}_{kind}_{width}")
    entry, body, done = (function.append_basic_block(label) for label in ("entry", "body", "done"))
    ir.IRBuilder(entry).branch(body)
    builder = ir.IRBuilder(body)
    i = builder.phi(INDEX)
    places = [builder.gep(pointer, [i], source_etype=element) for pointer in function.args[1:]]
    args = [builder.load(place, typ=lanes, align=KINDS[kind]().itemsize) for place in places[:-1]]
    builder.store(MATH[name](builder, *args), places[-1], align=KINDS[kind]().itemsize)
    after = builder.add(i, INDEX(width))
    i.add_incoming(INDEX(0), entry)
    i.add_incoming(after, builder.block)
    builder.cbranch(builder.icmp_signed("<", after, function.args[0]), body, done)
    ir.IRBuilder(done).ret_void()
    return function.blocks


def emit(names, widths=WIDTHS):
    module = ir.Module()
    for name in names:
        for kind in KINDS:
            for width in widths:
                emit_kernel(module, name, kind, width)
    return module


def target_machine(which):
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    if which == "baseline":
        return target.create_target_machine(jit=True)
    features = binding.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, jit=True)


def optimise(parsed, machine):
    passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(parsed, passes)


class Compiled:
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
        kind = "float" if args[0].dtype == np.float32 else "double"
        padded = -len(args[0]) % width
        arrays = [np.pad(a, (0, padded), mode="edge") for a in args]
        out = np.empty_like(arrays[0])
        address = self.engine.get_function_address(f"{name}_{kind}_{width}")
        call = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * (len(arrays) + 1))(address)
        call(len(out), *[a.ctypes.data for a in arrays], out.ctypes.data)
        return out[: len(args[0])]


@pytest.fixture(scope="module")
def text():
    return str(emit(MATH))


@pytest.fixture(scope="module", params=["host", "baseline"])
def compiled(request, text):
    return Compiled(text, request.param)


def host_fuses():
    features = binding.get_host_cpu_features()
    return features.get("fma", False) or binding.get_process_triple().startswith(("aarch64", "arm64"))


# ----------------------------------------------------------------------------- the error


def ulps(got, want, kind):
    """|got - want| in units of the last place of `want`, the subnormals' last place being the smallest number."""
    mantissa, lowest = (23, -126) if kind == "float" else (52, -1022)
    largest = mp.mpf(float(np.finfo(KINDS[kind]).max))
    if not math.isfinite(got):
        return 0.0 if abs(want) > largest and got == mp.sign(want) * inf else inf
    exponent = max(mp.frexp(want)[1] - 1, lowest) if want else lowest
    return float(abs(mp.mpf(float(got)) - want) / mp.mpf(2) ** (exponent - mantissa))


_WANTED: dict = {}


def wanted(name, kind):
    """The arguments and mpmath's results, computed once for all targets."""
    if (name, kind) not in _WANTED:
        args = arguments(name, kind)
        with mp.workprec(1300 if name in FAR else 140):
            rows = zip(*[a.tolist() for a in args], strict=True)
            _WANTED[name, kind] = args, [ORACLE[name](*map(mp.mpf, row)) for row in rows]
    return _WANTED[name, kind]


def worst(run, name, kind):
    args, want = wanted(name, kind)
    got = run(name, 8, *args)
    with mp.workprec(140):
        errors = [ulps(g, w, kind) for g, w in zip(got.tolist(), want, strict=True)]
    k = int(np.argmax(errors))
    return errors[k], [a[k] for a in args], got[k]


# ----------------------------------------------------------------------------- accuracy


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MATH)
def test_the_error_stays_within_the_documented_bound(compiled, name, kind):
    fused = compiled.which == "host" and host_fuses()
    bound = (FUSED_BOUNDS if fused and name in FUSED_BOUNDS else BOUNDS)[name][list(KINDS).index(kind)]
    error, at, got = worst(compiled, name, kind)
    assert error <= bound, f"{name} of {at} gives {got!r}: {error:.3f} ulp"


def test_a_coefficient_that_is_slightly_wrong_is_caught(monkeypatch):
    right = exponential.EXP["double"]
    monkeypatch.setitem(exponential.EXP, "double", (*right[:4], right[4] * (1 + 1e-12), *right[5:]))
    error, _, _ = worst(Compiled(str(emit(["exp"], widths=(8,))), "host"), "exp", "double")
    assert error > 3


def test_every_function_of_the_table_has_a_bound_and_an_oracle():
    assert set(MATH) == set(BOUNDS) == set(ORACLE)


@pytest.mark.parametrize("name", [name for name in MATH if name != "floor"])
def test_the_docstring_says_the_bound_that_is_tested(name):
    for bound in {*BOUNDS[name], *FUSED_BOUNDS.get(name, ())}:
        assert f"{bound:g} ulp" in MATH[name].__doc__


# ----------------------------------------------------------------------------- special values


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MATH)
def test_special_values_are_those_of_the_standard(compiled, name, kind):
    rows = [(np.atleast_1d(given), want) for given, want in SPECIAL[name]]
    args = [np.array([row[0][k] for row in rows], KINDS[kind]) for k in range(ARITY.get(name, 1))]
    want = np.array([row[1] for row in rows], KINDS[kind])
    got = compiled(name, 4, *args)
    np.testing.assert_array_almost_equal_nulp(got[np.isfinite(want)], want[np.isfinite(want)], nulp=1)
    np.testing.assert_array_equal(got[~np.isfinite(want)], want[~np.isfinite(want)])
    signs_matter = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[signs_matter]), np.signbit(want[signs_matter]))


LEFT = {"loggamma": (3, lambda x: 1), "digamma": (4, lambda x: mp.log(2 - x))}


@pytest.mark.parametrize("name", LEFT)
def test_left_of_zero_the_error_is_a_few_ulp_of_what_the_value_is_the_difference_of(compiled, name):
    bound, scale = LEFT[name]
    rng = np.random.default_rng(9)
    x = np.concatenate([-spread(rng, 0, 12, 400), -powers(rng, -40, 6), -spread(rng, 12, 4000)])
    got = compiled(name, 8, x)
    with mp.workprec(140):
        want = [ORACLE[name](mp.mpf(float(v))) for v in x]
        sizes = [max(scale(float(v)), abs(w)) for v, w in zip(x, want, strict=True)]
        errors = [float(abs(g - w) / s) * 2**52 for g, w, s in zip(got.tolist(), want, sizes, strict=True)]
    k = int(np.argmax(errors))
    assert errors[k] <= bound, f"{name} of {x[k]} gives {got[k]}: {errors[k]:.2f}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["exp", "sigmoid", "softplus"])
def test_the_far_tail_sinks_through_the_subnormals(compiled, name, kind):
    x = np.array([-88.0, -95.0, -103.0] if kind == "float" else [-709.0, -730.0, -744.4], KINDS[kind])
    got = compiled(name, 4, x)
    assert (got > 0).all() and (got < np.finfo(KINDS[kind]).tiny).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sin", "tan", "expm1", "log1p", "tanh", "sinh", "asin", "atan"])
def test_the_smallest_numbers_pass_unchanged(compiled, name, kind):
    tiny = float(np.finfo(KINDS[kind]).smallest_subnormal)
    x = np.array([tiny, -tiny, 5 * tiny, float(np.finfo(KINDS[kind]).tiny)], KINDS[kind])
    np.testing.assert_array_equal(compiled(name, 4, x), x)


# ----------------------------------------------------------------------------- the code itself


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MATH)
def test_a_lane_has_the_same_bits_at_every_width(compiled, name, kind):
    args = arguments(name, kind)
    results = [compiled(name, width, *args) for width in WIDTHS]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
        np.testing.assert_array_equal(np.signbit(result), np.signbit(results[0]))


def test_the_optimiser_does_not_change_a_bit():
    text = str(emit(MATH, widths=(4,)))
    plain, optimised = Compiled(text, "host"), Compiled(text, "host", optimised=True)
    for name in MATH:
        for kind in KINDS:
            args = arguments(name, kind)
            np.testing.assert_array_equal(optimised(name, 4, *args), plain(name, 4, *args), err_msg=name)


FAR = ("cos", "sin", "tan")  # one branch, to a function that is not inlined, where an angle is huge


def test_the_code_has_no_branches_but_the_one_to_far_angles():
    module = ir.Module()
    for name in MATH.keys() - {"mod", "floor_divide"}:  # which repeat a step of long division for far quotients
        blocks = {block.name for block in emit_kernel(module, name, "float", 4)}
        assert blocks == {"entry", "body", "done", *(["body.if", "body.endif"] if name in FAR else [])}


def test_far_angles_cost_one_function_however_often_they_are_asked_for():
    module = ir.Module()
    for width in (4, 4, 8):
        lanes = ir.VectorType(ir.DoubleType(), width)
        function = ir.Function(module, ir.FunctionType(lanes, [lanes]), module.get_unique_name("f"))
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        builder.ret(MATH["sin"](builder, MATH["sin"](builder, *function.args)))
    assert [name for name in module.globals if "far" in name] == [
        "symnet.sin.far.v4.double",
        "symnet.sin.far.v8.double",
    ]


def test_the_bits_of_two_over_pi_are_right():
    with mp.workprec(1400):
        bits = int(mp.floor(mp.ldexp(2 / mp.pi, 64 * len(far_angles.TWO_OVER_PI) - 32)))
    words = reversed([bits >> 64 * k & (2**64 - 1) for k in range(len(far_angles.TWO_OVER_PI))])
    assert tuple(words) == far_angles.TWO_OVER_PI


def test_no_flag_lets_llvm_assume_that_numbers_are_finite(text):
    assert not re.search(r"\b(nnan|ninf|fast|reassoc|arcp|afn)\b", text)


CALLS = [
    ("x86_64-unknown-linux-gnu", "x86-64", "", r"\bcallq?\s+(?!symnet)"),
    ("x86_64-unknown-linux-gnu", "haswell", "", r"\bcallq?\s+(?!symnet)"),
    ("aarch64-unknown-linux-gnu", "generic", "", r"\bblr?\s+(?!symnet)"),
    ("armv7-unknown-linux-gnueabihf", "cortex-a9", "", r"\bblx?\s+(?!symnet)"),
    ("riscv64-unknown-linux-gnu", "generic-rv64", "+m,+f,+d", r"\b(call|jalr)\s+(?!symnet)"),
]


@pytest.mark.parametrize(("triple", "cpu", "features", "call"), CALLS)
def test_nothing_is_called_on_any_target_with_a_float_unit(triple, cpu, features, call):
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module = emit(MATH, widths=(1, 4))
    module.triple = triple
    machine = binding.Target.from_triple(triple).create_target_machine(cpu=cpu, features=features, codemodel="default")
    assembly = machine.emit_assembly(binding.parse_assembly(str(module)))
    assert "exp_double_4" in assembly
    assert not re.findall(rf"^\s+{call}.*$", assembly, re.MULTILINE)
