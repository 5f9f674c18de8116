"""Native code that does nothing but compute, or nothing but read: the limits of a processor.

In: a `Target`.  Out: LLVM assembly of three functions::

    void symnet_peak_float32(int64_t count, float *out)        -- count times so many multiply-adds (`FLOPS`)
    void symnet_peak_float64(int64_t count, double *out)
    void symnet_reads(const void *, int64_t bytes, int64_t count, int32_t *out)     -- bytes: a multiple of `STRIDE`

Sums of multiply-adds stand beside one another, as many as it takes that none waits for itself.
"""

from __future__ import annotations

from symnet.dtypes import ITEMSIZE
from symnet.schedule.target import Target

SUMS = 12  # of multiply-adds at a time: more than a multiply-add takes cycles, times two units
ROUNDS = 8  # multiply-adds of each sum in an iteration
STRIDE = 1024  # bytes read in an iteration
_TYPE = {"float32": "float", "float64": "double"}


def flops_of(target: Target, dtype: str) -> int:
    """Operations of an iteration: of a product and a sum, two for each lane."""
    return 2 * SUMS * ROUNDS * target.lanes(dtype)


def limits_ir(target: Target) -> str:
    """The assembly of all three."""
    return "\n".join([*(_peak(target, dtype) for dtype in _TYPE), _reads(target)])


def _peak(target: Target, dtype: str) -> str:
    scalar = _TYPE[dtype]
    kind = f"<{target.lanes(dtype)} x {scalar}>"
    bits = 8 * ITEMSIZE[dtype]
    fma = f"@llvm.fma.v{target.lanes(dtype)}f{bits}"
    lines = [f"declare {kind} {fma}({kind}, {kind}, {kind})"] if target.fma else []
    lines += [f"define void @symnet_peak_{dtype}(i64 %count, ptr %out) #0 {{", "enter:"]
    lines += [f"  %seed = load {kind}, ptr %out, align {ITEMSIZE[dtype]}", "  br label %again", "again:"]
    lines += ["  %k = phi i64 [ 0, %enter ], [ %next, %again ]"]
    lines += [f"  %s{n}_0 = phi {kind} [ %seed, %enter ], [ %s{n}_{ROUNDS}, %again ]" for n in range(SUMS)]
    for r in range(ROUNDS):
        for n in range(SUMS):
            new, old = f"%s{n}_{r + 1}", f"%s{n}_{r}"
            if target.fma:
                lines.append(f"  {new} = call {kind} {fma}({kind} {old}, {kind} %seed, {kind} %seed)")
            else:
                lines.append(f"  %p{n}_{r} = fmul {kind} {old}, %seed")
                lines.append(f"  {new} = fadd {kind} %p{n}_{r}, %seed")
    lines += ["  %next = add i64 %k, 1", "  %more = icmp slt i64 %next, %count"]
    lines += ["  br i1 %more, label %again, label %leave", "leave:"]
    lines += _joined([f"%s{n}_{ROUNDS}" for n in range(SUMS)], "fadd", kind)
    return "\n".join(
        [*lines, f"  store {kind} %all{SUMS - 1}, ptr %out, align {ITEMSIZE[dtype]}", "  ret void", "}", ""]
    )


def _reads(target: Target) -> str:
    width = max(target.vector_bits // 8, 4)
    kind, count = f"<{width // 4} x i32>", STRIDE // width
    lines = ["define void @symnet_reads(ptr %data, i64 %bytes, i64 %count, ptr %out) #0 {", "enter:"]
    lines += ["  br label %pass", "pass:", "  %k = phi i64 [ 0, %enter ], [ %next, %passed ]"]
    lines += ["  br label %again", "again:", "  %at = phi i64 [ 0, %pass ], [ %further, %again ]"]
    lines += [f"  %s{n} = phi {kind} [ zeroinitializer, %pass ], [ %t{n}, %again ]" for n in range(8)]
    for n in range(count):
        lines.append(f"  %i{n} = add i64 %at, {n * width}")
        lines.append(f"  %a{n} = getelementptr i8, ptr %data, i64 %i{n}")
        lines.append(f"  %v{n} = load volatile {kind}, ptr %a{n}, align 4")
        old = f"%s{n}" if n < 8 else f"%r{n - 8}"
        new = f"%t{n - count + 8}" if n >= count - 8 else f"%r{n}"
        lines.append(f"  {new} = or {kind} {old}, %v{n}")
    lines += [f"  %further = add i64 %at, {STRIDE}", "  %more = icmp slt i64 %further, %bytes"]
    lines += ["  br i1 %more, label %again, label %passed", "passed:", "  %next = add i64 %k, 1"]
    lines += ["  %repeat = icmp slt i64 %next, %count", "  br i1 %repeat, label %pass, label %leave", "leave:"]
    lines += _joined([f"%t{n}" for n in range(8)], "or", kind)
    return "\n".join([*lines, f"  store {kind} %all7, ptr %out, align 4", "  ret void", "}", ""])


def _joined(values: list[str], operation: str, kind: str) -> list[str]:
    """Everything in one value, so that nothing is computed in vain."""
    lines, last = [], values[0]
    for n, value in enumerate(values[1:], 1):
        lines.append(f"  %all{n} = {operation} {kind} {last}, {value}")
        last = f"%all{n}"
    return lines
