"""Small functions that C lacks, each written into a unit that uses it: by table.

In: a function's name (of `PRELUDE`) and a dtype.  Out: what it is called in the unit; its text, and before it that of
the functions it needs.

Integers wrap: they are added and multiplied without sign, and what comes out is converted, which C99 leaves to the
compiler and every compiler does in the same way.  Bits are looked at through a union, as C99 has it.  Of mathematics
nothing is called but fma, where the target has the instruction, and sqrt.
"""

from __future__ import annotations

import re
from string import Template

from symnet.backends.c99.emitter import CUnit
from symnet.backends.c99.types import C_TYPE, LOCAL_TYPE, UNSIGNED_TYPE

PRELUDE: dict[str, str] = {
    "fma": """\
#if defined(__GNUC__)
#define @fma_$d(a, b, c) __builtin_fma$f((a), (b), (c))
#else
#include <math.h>
#define @fma_$d(a, b, c) fma$f((a), (b), (c))
#endif""",
    "sqrt": """\
#if defined(__GNUC__)
#define @sqrt_$d(x) __builtin_sqrt$f(x) /* an instruction, with -fno-math-errno */
#else
#include <math.h>
#define @sqrt_$d(x) sqrt$f(x)
#endif""",
    "bits": """\
static inline $u @bits_$d($t x)
{
    union { $t number; $u bits; } both;
    both.number = x;
    return both.bits;
}""",
    "number": """\
static inline $t @number_$d($u bits)
{
    union { $t number; $u bits; } both;
    both.bits = bits;
    return both.number;
}""",
    "abs": """\
static inline $t @abs_$d($t x)
{
    return @number_$d(@bits_$d(x) & $size_mask);
}""",
    "copysign": """\
static inline $t @copysign_$d($t size, $t sign)
{
    return @number_$d((@bits_$d(size) & $size_mask) | (@bits_$d(sign) & ~$size_mask));
}""",
    "maximum": """\
/* The larger number; NaN where either is NaN. */
static inline $t @maximum_$d($t a, $t b)
{
    const $t best = a > b ? a : b;
    return a != a ? a : best;
}""",
    "minimum": """\
/* The smaller number; NaN where either is NaN. */
static inline $t @minimum_$d($t a, $t b)
{
    const $t best = a < b ? a : b;
    return a != a ? a : best;
}""",
    "ordered_maximum": """\
/* The larger number, 0 and not -0; NaN where either is NaN. */
static inline $t @ordered_maximum_$d($t a, $t b)
{
    const $t best = a == b ? @number_$d(@bits_$d(a) & @bits_$d(b)) : a > b ? a : b;
    return a != a ? a : best;
}""",
    "ordered_minimum": """\
/* The smaller number, -0 and not 0; NaN where either is NaN. */
static inline $t @ordered_minimum_$d($t a, $t b)
{
    const $t best = a == b ? @number_$d(@bits_$d(a) | @bits_$d(b)) : a < b ? a : b;
    return a != a ? a : best;
}""",
    "sign": """\
/* -1, 0 or 1; NaN stays. */
static inline $t @sign_$d($t x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x;
}""",
    "add": """\
static inline $t @add_$d($t a, $t b)
{
    return ($t)(($u)a + ($u)b);
}""",
    "sub": """\
static inline $t @sub_$d($t a, $t b)
{
    return ($t)(($u)a - ($u)b);
}""",
    "mul": """\
static inline $t @mul_$d($t a, $t b)
{
    return ($t)(($u)a * ($u)b);
}""",
    "neg": """\
static inline $t @neg_$d($t x)
{
    return ($t)(0 - ($u)x);
}""",
    "abs_integer": """\
static inline $t @abs_integer_$d($t x)
{
    return x < 0 ? @neg_$d(x) : x;
}""",
    "mod": """\
/* a mod b, of the divisor's sign; 0 where the divisor is 0. */
static inline $t @mod_$d($t a, $t b)
{
    const bool is_unit = b >= -1 && b <= 1;
    const $t rest = ($t)(is_unit ? 0 : a % b);
    return rest != 0 && (rest < 0) != (b < 0) ? ($t)(rest + b) : rest;
}""",
    "floor_divide": """\
/* The quotient, rounded down; 0 where the divisor is 0. */
static inline $t @floor_divide_$d($t a, $t b)
{
    const bool is_unit = b >= -1 && b <= 1;
    const $t divisor = is_unit ? 1 : b;
    const $t quotient = ($t)(a / divisor), rest = ($t)(a % divisor);
    const $t below = rest != 0 && (rest < 0) != (b < 0) ? ($t)(quotient - 1) : quotient;
    return is_unit ? @mul_$d(a, b) : below;
}""",
    "least": """\
static inline $t @least_$d($t a, $t b)
{
    return a < b ? a : b;
}""",
    "most": """\
static inline $t @most_$d($t a, $t b)
{
    return a > b ? a : b;
}""",
    "floor_quotient": """\
/* a/b rounded down, b > 0. */
static inline $t @floor_quotient_$d($t a, $t b)
{
    return a / b - (a % b < 0);
}""",
    "floor_rest": """\
/* What is left of a by multiples of b, never negative, b > 0. */
static inline $t @floor_rest_$d($t a, $t b)
{
    return a % b < 0 ? a % b + b : a % b;
}""",
}
_CONVERSION = """\
/* Towards 0; NaN gives 0, and what is out of range the nearest. */
static inline $target_t @${target}_of_$d($t x)
{
    return x != x ? 0 : x >= $above ? $largest : x < $lowest ? $smallest : ($target_t)x;
}"""
_WHOLE = """\
#if defined(__GNUC__) && !defined(__clang__)
#define @whole _Pragma("GCC unroll 1") /* else gcc takes a short loop apart before it looks for vectors */
#else
#define @whole
#endif"""
_NEEDED = re.compile(r"@([a-z_]+?)_(bool|int32|int64|float32|float64)\(")
_LIMIT = {"int32": 31, "int64": 63}


def prelude(unit: CUnit, name: str, dtype: str) -> str:
    """A function of the table, for a dtype."""
    return _written(unit, f"{name}_{dtype}", PRELUDE[name], _fields(dtype))


def _fields(dtype: str) -> dict[str, str]:
    masks = {"uint32_t": "0x7fffffffU", "uint64_t": "UINT64_C(0x7fffffffffffffff)"}
    u = UNSIGNED_TYPE.get(dtype, "uint32_t")
    return {"d": dtype, "t": LOCAL_TYPE[dtype], "u": u, "f": "f" * (dtype == "float32"), "size_mask": masks[u]}


def whole(unit: CUnit) -> str:
    """What stands before a short vector loop that is a vector and a rest."""
    unit.functions.setdefault(unit.own("whole"), _WHOLE.replace("@", unit.prefix))
    return unit.own("whole")


def conversion(unit: CUnit, source: str, target: str) -> str:
    """The function that makes an integer of a real number, which C leaves open where it is out of range."""
    power, mark = float(2 ** _LIMIT[target]), "f" * (source == "float32")
    numbers = {"above": f"{power!r}{mark}", "lowest": f"-{power!r}{mark}"}
    names = {"largest": f"{target.upper()}_MAX", "smallest": f"{target.upper()}_MIN"}
    fields = {**_fields(source), **numbers, **names, "target": target, "target_t": C_TYPE[target]}
    return _written(unit, f"{target}_of_{source}", _CONVERSION, fields)


def _written(unit: CUnit, stem: str, text: str, fields: dict[str, str]) -> str:
    """The name of a function whose text is in the unit, after those that it needs."""
    name = unit.own(stem)
    if name not in unit.functions:
        filled = Template(text).substitute(fields)
        for needed, dtype in _NEEDED.findall(filled):
            if needed in PRELUDE and f"{needed}_{dtype}" != stem:
                prelude(unit, needed, dtype)
        unit.functions[name] = filled.replace("@", unit.prefix)
    return name
