"""Calls of the functions of `elementary/`.

In: a function's name and its arguments.  Out: a call of a static function of the unit, which is written once for each
dtype that it is used with.
"""

from __future__ import annotations

from symnet.backends.c99.emitter import CUnit, comment
from symnet.backends.c99.lanes import KIND, LaneText, LaneValue, StatementLanes, function_text
from symnet.backends.c99.types import C_TYPE, UNSIGNED_TYPE, CValue, atom, is_real
from symnet.elementary.table import FUNCTIONS, INTEGER_FUNCTIONS
from symnet.errors import MissingRuleError, explain

_AS_WIDE = {"int32": "float", "int64": "double"}  # the lanes whose integers these are
_PARAMETERS = ("x", "y", "z")


def math_function(unit: CUnit, name: str, args: list[CValue]) -> CValue:
    """`name(args)`; all arguments have one dtype."""
    dtype = args[0].dtype
    function = unit.own(f"{name}_{dtype}")
    if function not in unit.functions:
        text = (_of_reals if is_real(dtype) else _of_integers)(unit, name, function, dtype, len(args))
        unit.functions[function] = f"{_said(name, dtype)}\n{text}"
    return atom(f"{function}({', '.join(arg.text for arg in args)})", dtype)


def _of_reals(unit: CUnit, name: str, function: str, dtype: str, arity: int) -> str:
    _require(name, name in FUNCTIONS)
    text = LaneText(unit)
    lanes = StatementLanes(text, KIND[dtype])
    found = FUNCTIONS[name](lanes, *(LaneValue(p, lanes.real) for p in _PARAMETERS[:arity]))
    return function_text(_head(function, lanes.real, arity), text.lines, found.text)


def _of_integers(unit: CUnit, name: str, function: str, dtype: str, arity: int) -> str:
    _require(name, name in INTEGER_FUNCTIONS)
    text, unsigned = LaneText(unit), UNSIGNED_TYPE[dtype]
    args = [LaneValue(text.name(), unsigned) for _ in range(arity)]
    for arg, parameter in zip(args, _PARAMETERS, strict=False):
        text.line(f"const {unsigned} {arg.text} = ({unsigned}){parameter};")
    found = INTEGER_FUNCTIONS[name](StatementLanes(text, _AS_WIDE[dtype]), *args)
    return function_text(_head(function, C_TYPE[dtype], arity), text.lines, f"({C_TYPE[dtype]}){found.text}")


def _head(function: str, type_: str, arity: int) -> str:
    return f"static inline {type_} {function}({', '.join(f'{type_} {p}' for p in _PARAMETERS[:arity])})"


def _said(name: str, dtype: str) -> str:
    """What the definition says that the function is."""
    first = str((FUNCTIONS if is_real(dtype) else INTEGER_FUNCTIONS)[name].__doc__).partition("\n")[0]
    return f"/* {name}: {comment(first)} */"


def _require(name: str, is_known: bool) -> None:
    if not is_known:
        raise MissingRuleError(
            explain(
                f'Op("{name}")',
                "a function in the table FUNCTIONS of symnet/elementary/table.py",
                f'"{name}"',
                "Write it in a file of that folder, or a line in OPERATIONS of symnet/backends/c99/ops.py.",
            )
        )
