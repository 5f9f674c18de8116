"""Calls of the functions of `elementary/`.

In: a function's name and its evaluated arguments.  Out: a call of an internal function of the module, which
LLVM inlines, unless a function calls so many that their code would be larger than the first cache for instructions.
Each function is built once per process for each type and kind of target, and its text kept.
"""

from __future__ import annotations

import re
from functools import lru_cache

from symnet.backends.llvm.emitter import Emitter
from symnet.backends.llvm.types import V, suffix
from symnet.errors import MissingRuleError, explain
from symnet.schedule.target import Target


def math_function(e: Emitter, name: str, args: list[V]) -> V:
    """`name(args)`; all arguments have one type."""
    first = args[0]
    function = f"symnet.{name}.{suffix(first.scalar, first.lanes)}"
    for symbol, text in function_text(name, function, first.scalar, first.lanes, len(args), e.target):
        e.text.declarations.setdefault(symbol, text)
    return e.text.call(function, first.scalar, first.lanes, *args)


MOST_INLINED = 32  # calls in one function: about 1 KB of code each
_PREFIX, _CALLED = "symnet.", "symnet.called."
_CALL = re.compile(rf"@({re.escape(_PREFIX)}[a-z][a-z0-9_.]*)\(")


def called(lines: list[str], declarations: dict[str, str]) -> list[str]:
    """The lines of a function, its math functions called where they are too many to be inlined."""
    found = [match[1] for match in map(_CALL.search, lines) if match and match[1] in declarations]
    if len(found) <= MOST_INLINED:
        return lines
    for name in dict.fromkeys(found):
        text = declarations[name].replace(f'@"{name}"', f'@"{_outside(name)}"')
        declarations[_outside(name)] = text.replace("alwaysinline", "noinline", 1)
    names = set(found)
    return [_CALL.sub(lambda call: f"@{_outside(call[1])}(" if call[1] in names else call[0], line) for line in lines]


def _outside(name: str) -> str:
    """What a math function is called that is not inlined."""
    return name.replace(_PREFIX, _CALLED, 1)


_AS_WIDE = {"i32": "float", "i64": "double"}  # the lanes whose integers these are


@lru_cache(maxsize=1024)
def function_text(
    name: str, function: str, scalar: str, lanes: int, arity: int, target: Target
) -> tuple[tuple[str, str], ...]:
    """The definition of `function` and of everything it needs: (symbol, text) pairs."""
    from llvmlite import ir

    from symnet.backends.llvm.lanes import INTEGER, REAL, InstructionLanes, internal_function, shaped
    from symnet.elementary.table import FUNCTIONS, INTEGER_FUNCTIONS

    is_integer = scalar in _AS_WIDE
    table = INTEGER_FUNCTIONS if is_integer else FUNCTIONS
    if name not in table:
        raise MissingRuleError(
            explain(
                f'Op("{name}")',
                "a function in the table FUNCTIONS of symnet/elementary/table.py",
                f'"{name}"',
                "Write it in a file of that folder, or a line in OPERATIONS of symnet/backends/llvm/ops.py.",
            )
        )
    element, kind = (INTEGER[_AS_WIDE[scalar]], _AS_WIDE[scalar]) if is_integer else (REAL[scalar], scalar)
    body = internal_function(ir.Module(), function, shaped(element, lanes), arity, ("alwaysinline",))
    builder = ir.IRBuilder(body.append_basic_block("entry"))
    builder.ret(table[name](InstructionLanes(builder, kind, lanes, target.fma), *body.args))
    return tuple((value.name, str(value)) for value in body.module.global_values)
