"""The dtypes symnet knows, by name, and how they promote.

`None` stands for *weak*: the dtype of Python and SymPy numbers, which take the dtype of what they
meet (as in NumPy 2).  Only names pass between floors, so that the algebra needs no NumPy.
"""

from __future__ import annotations

from symnet.errors import DTypeError, explain

REAL = ("float32", "float64")
INTEGER = ("int32", "int64")
ALL = ("bool", *INTEGER, *REAL)
ITEMSIZE = {"bool": 1, "int32": 4, "int64": 8, "float32": 4, "float64": 8}  # bytes
DEFAULT_REAL = "float64"

_RANK = {name: position for position, name in enumerate(ALL)}


def check(dtype: object, call: str) -> str:
    """The canonical name of `dtype` (a name, a NumPy dtype or scalar type).

    Raises:
        DTypeError: when symnet has no such dtype.
    """
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", getattr(dtype, "__name__", str(dtype)))
    name = {"float": "float64", "int": "int64", "bool_": "bool"}.get(name, name)
    if name not in ALL:
        raise DTypeError(explain(call, "one of " + ", ".join(ALL), repr(dtype), f'Write dtype="{DEFAULT_REAL}".'))
    return name


def is_real(dtype: str | None) -> bool:
    """True for floating-point dtypes and for weak numbers."""
    return dtype is None or dtype in REAL


def promote(*dtypes: str | None) -> str | None:
    """The dtype of an elementwise result; weak operands (None) do not count.

    An integer beside a real takes the real's dtype, whatever their widths: nothing is widened in silence.
    """
    strong = {dtype for dtype in dtypes if dtype is not None}
    return max(strong, key=_RANK.__getitem__, default=None)
