"""SymPy's `lambdify`, native: positional scalars broadcast over arrays.

In: arguments and SymPy expressions (one, nested lists of them, explicit matrices).  Out: `Lambdified`, a callable.
A call flattens what it got to one extent; arguments that are numbers stay numbers.  Each pattern of arrays and
numbers, in each dtype, is compiled when it first occurs.  Calls on numbers and small arrays run on buffers that are
kept (one set per thread); large arrays are passed as they are.
Not handled: complex numbers, functions without a primitive, modules of the caller's own.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Sequence
from functools import partial
from keyword import iskeyword
from typing import Any, NamedTuple, final

import numpy as np
import sympy
from sympy.logic.boolalg import BooleanAtom

from symnet import dtypes
from symnet.arrays import given_array
from symnet.compiler import compile
from symnet.errors import ArgumentError, DTypeError, explain
from symnet.expr.nodes.constants import Number
from symnet.expr.nodes.extents import dim
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import leaves, tensor
from symnet.expr.sympy.bodies import opened
from symnet.expr.sympy.from_sympy import from_sympy, sympified
from symnet.expr.sympy.scalars import from_scalar
from symnet.locks import BUILDING
from symnet.runtime.elementwise import Constant, OnArrays, OnKeptBuffers
from symnet.runtime.numbers import Numbers
from symnet.runtime.numbers import is_possible as numbers_are_possible

SMALL = 2048  # elements up to which a call copies into kept buffers
STEPS_KEPT = 32  # shapes for which buffers are kept, per thread
_REAL = {np.dtype("float32"): "float32", np.dtype("float64"): "float64"}
_WHOLE = "biu"  # NumPy kinds that become real
_NOT_FLOATS = {"mpmath": "more digits", "sympy": "exact values"}
_NUMBERS = frozenset({float, int, bool, np.float64, np.float32, np.int64, np.int32, np.bool_})


def lambdify(
    args: Any,
    expr: Any,
    modules: Any = None,
    printer: Any = None,
    use_imps: bool = True,
    cse: bool = True,
    docstring_limit: int | None = 1000,
    *,
    dtype: Any = None,
    threads: int = 1,
) -> Lambdified:
    """A native function of SymPy expressions, in place of `sympy.lambdify(args, expr)`.

    Args:
        args: a symbol, or a list of symbols, nested lists, explicit matrices of symbols, or matrix symbols.
        expr: a SymPy scalar, an explicit matrix or array, or nested lists, tuples and dicts of them.
        modules: names of numeric modules are accepted and mean nothing here, so that a call to SymPy's function
            need not change; functions of the caller's own, "mpmath" and "sympy" are refused.
        printer: refused, for nothing is printed.
        use_imps: means nothing.
        cse: means nothing: common parts are always shared.
        docstring_limit: how many characters of an expression the docstring holds; None for all of them.
        dtype: of the computation; by default float32 where every array is float32, float64 otherwise.
        threads: how many threads a call may use.

    Returns:
        a callable: positional arguments (or keywords, by name) broadcast as in NumPy, whole numbers count as real,
        floats alone give Python floats, and every result has the shape that all arguments broadcast to (a matrix:
        rows, columns, that shape).
        A matrix symbol takes an array of its shape, and then numbers do not broadcast.

    Raises:
        ArgumentError: a symbol that is no argument, a part without a primitive, modules of one's own.
        MissingRuleError: a function without a formula of primitives.

    Example:
        >>> import numpy as np, sympy, symnet as sn
        >>> x, y = sympy.symbols("x y")
        >>> f = sn.lambdify([x, y], sympy.exp(x) * y)
        >>> f(0.0, np.array([1.0, 2.0]))
        array([1., 2.])
    """
    call = "lambdify(args, expr)"
    _check_modules(call, modules, printer)
    if isinstance(args, str):
        args = sympy.symbols(args, seq=True)
    single = not isinstance(args, (list, tuple, set, sympy.Tuple))
    specs = [args] if single else [_spec(call, a) for a in args]
    symbols = _flat_symbols(call, specs)
    plan = _arrangement(call, expr)
    real = None if dtype is None else dtypes.check(dtype, f"lambdify(…, dtype={dtype!r})")
    if real not in (None, *dtypes.REAL):
        raise DTypeError(explain(f"lambdify(…, dtype={dtype!r})", "float32 or float64", str(real), "Drop dtype."))
    arrays = any(isinstance(s, (sympy.MatrixSymbol, sympy.IndexedBase)) for s in symbols)
    _check_free(call, symbols, plan.cells)
    kind = _MatrixFunction if arrays else _ScalarFunction
    doc = str(expr) if docstring_limit is None else str(expr)[:docstring_limit]
    made = Lambdified(specs, symbols, plan, kind(symbols, plan, real, threads), doc)
    again = (list(specs) if isinstance(args, set) else args, expr)
    made.recipe = partial(lambdify, *again, docstring_limit=docstring_limit, dtype=real, threads=threads)
    return made


def _check_modules(call: str, modules: Any, printer: Any) -> None:
    given = [modules] if isinstance(modules, (str, dict)) else list(modules or ())
    own = [m for m in given if not isinstance(m, str)]
    if own or printer is not None:
        mend = "Put the functions into the expression, as sympy.Lambda."
        got = f"modules={modules!r}" if own else f"printer={printer!r}"
        raise ArgumentError(explain(call, "names of modules, and no printer", got, mend))
    exact = [m for m in given if m in _NOT_FLOATS]
    if exact:
        mend = f"Drop it, or use sympy.lambdify for {_NOT_FLOATS[exact[0]]}."
        raise ArgumentError(explain(call, "modules that compute with floats", repr(exact[0]), mend))


# --------------------------------------------------------------------------- arguments and results


class Arrangement(NamedTuple):
    """Results: the scalar expressions in a row, and how values for them are put together."""

    cells: list[Any]
    build: Callable[[Sequence[Any]], Any]
    is_single: bool = False  # one scalar, bare


def _unknown(*values: Any) -> None:
    """What `_direct` is until a first call on floats alone has made the short way."""


def _spec(call: str, arg: Any) -> Any:
    if isinstance(arg, (list, tuple, sympy.Tuple)):
        return [_spec(call, a) for a in arg]
    if isinstance(arg, sympy.MatrixBase):
        return [[_spec(call, arg[i, j]) for j in range(arg.cols)] for i in range(arg.rows)]
    return sympy.Symbol(arg) if isinstance(arg, str) else arg


def _flat_symbols(call: str, specs: Any) -> list[Any]:
    if isinstance(specs, list):
        found = [s for spec in specs for s in _flat_symbols(call, spec)]
        if len(set(found)) < len(found):
            twice = next(s for s in found if found.count(s) > 1)
            raise ArgumentError(explain(call, "different arguments", f"{twice} twice", "Name each argument once."))
        return found
    if not isinstance(specs, (sympy.Expr, sympy.IndexedBase)) or specs.is_number:
        got, mend = f"{specs!r} ({type(specs).__name__})", "Write sympy.symbols('x y')."
        raise ArgumentError(explain(call, "SymPy symbols as arguments", got, mend))
    return [specs]


def _arrangement(call: str, expr: Any) -> Arrangement:
    if isinstance(expr, dict):
        inner = _arrangement(call, list(expr.values()))
        return Arrangement(inner.cells, lambda values: dict(zip(expr, inner.build(values), strict=True)))
    if isinstance(expr, (list, tuple, sympy.Tuple)):
        return _sequence(call, list(expr), tuple if not isinstance(expr, list) else list)
    if isinstance(expr, (sympy.MatrixBase, sympy.NDimArray)):
        cells = list(expr.flat()) if isinstance(expr, sympy.MatrixBase) else sympy.flatten(expr.tolist())
        shape = tuple(map(int, expr.shape))
        return Arrangement(cells, lambda values: np.array(values).reshape(*shape, *np.shape(values[0])))
    if isinstance(expr, Node):
        raise ArgumentError(explain(call, "a SymPy expression", "a symnet expression", "Compile it with sn.compile."))
    return Arrangement([sympified(call, expr)], lambda values: values[0], is_single=True)


def _sequence(call: str, parts: list[Any], kind: type) -> Arrangement:
    inner = [_arrangement(call, part) for part in parts]
    ends = np.cumsum([0, *(len(each.cells) for each in inner)]).tolist()

    def build(values: Sequence[Any]) -> Any:
        return kind(each.build(values[a:b]) for each, a, b in zip(inner, ends, ends[1:], strict=False))

    return Arrangement([cell for each in inner for cell in each.cells], build)


def _check_free(call: str, symbols: Sequence[Any], cells: Sequence[Any]) -> None:
    known = set(symbols)
    for symbol in symbols:
        known |= symbol.free_symbols if isinstance(symbol, (sympy.MatrixExpr, sympy.IndexedBase)) else set()
    wild = [s for s in symbols if not s.is_Symbol and not isinstance(s, (sympy.MatrixSymbol, sympy.IndexedBase))]
    for cell in cells:
        inside = cell.xreplace(dict.fromkeys(wild, sympy.S.One)) if wild else cell
        strange = [s for s in inside.free_symbols - known if isinstance(s, (sympy.Symbol, sympy.MatrixSymbol))]
        unknown = sorted(map(str, strange))
        if unknown:
            names = ", ".join(map(str, symbols)) or "no arguments"
            mend = f"Add {unknown[0]} to the arguments."
            raise ArgumentError(explain(call, f"expressions in {names}", f"{', '.join(unknown)} in {cell}", mend))


@final
class Lambdified:
    """A native function of positional arguments.

    Attributes:
        names: of the arguments, for calls by keyword.
        compiled: the native functions made so far, by (which arguments are arrays, dtype).
    """

    recipe: Callable[[], Lambdified]

    def __init__(self, specs: list[Any], symbols: list[Any], plan: Arrangement, run: Any, text: str) -> None:
        self.names = tuple(str(s) if not isinstance(s, list) else f"arg{k}" for k, s in enumerate(specs))
        self.specs, self.symbols, self.plan, self.run = specs, symbols, plan, run
        self.nested = any(isinstance(s, list) for s in specs)
        self.__name__ = "lambdified"
        self.__doc__ = f"f({', '.join(self.names)}) = {text}\n\nMade by symnet.lambdify: native code."
        if all(n.isidentifier() and not iskeyword(n) for n in self.names) and len(set(self.names)) == len(self.names):
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            self.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in self.names])
        self.numbers: Numbers | None = None
        self._direct: Callable[..., Any] = _unknown  # of floats, by position; None: not for these arguments
        self._single = plan.is_single

    def __reduce__(self) -> Any:
        """How it was made: symbols and expressions."""
        return self.recipe, ()

    def __copy__(self) -> Lambdified:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Lambdified:
        return self

    @property
    def compiled(self) -> dict[Any, Any]:
        return self.run.variants  # type: ignore[no-any-return]

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        """The values; see `lambdify`.

        Raises:
            ArgumentError: a missing, unknown or repeated argument.
            DTypeError: complex numbers or objects.
        """
        if not keywords:
            found = self._direct(*args)
            if found is not None:
                return found if self._single else self.plan.build(found)
        plain = not keywords and not self.nested and len(args) == len(self.specs)
        found = self._of_any(args if plain else self._flat(args, keywords))
        return found[0] if self._single else self.plan.build(found)

    def _flat(self, args: Sequence[Any], keywords: dict[str, Any]) -> list[Any]:
        """A value for each symbol."""
        if keywords or len(args) != len(self.specs):
            args = self._by_name(args, keywords)
        return [v for s, a in zip(self.specs, args, strict=True) for v in self._unpack(s, a)]

    def _of_any(self, values: Sequence[Any]) -> list[Any]:
        """The values of the cells; the first call on floats alone makes the short way for those that follow."""
        if not values or type(values[0]) is not float or not all(type(v) is float for v in values):
            return self.run(values)  # type: ignore[no-any-return]
        if self.numbers is None:
            with BUILDING:
                self.numbers = self.numbers or self.run.of_numbers()
        found = self.numbers.call(*values) if self.numbers else None
        if found is None:
            return self.run(values)  # type: ignore[no-any-return]
        if self.numbers and not self.nested:
            self._direct = self.numbers.call
        return list(found) if isinstance(found, tuple) else [found]

    def _by_name(self, args: Sequence[Any], keywords: dict[str, Any]) -> Sequence[Any]:
        call = f"f({', '.join(self.names)})"
        given = dict(zip(self.names, args, strict=False))
        unknown = [k for k in keywords if k not in self.names or k in given]
        missing = [n for n in self.names if n not in given and n not in keywords]
        if len(args) > len(self.names) or unknown or missing:
            got = f"{len(args)} by position" + (f" and {', '.join(keywords)} by keyword" if keywords else "")
            mend = f"Give {', '.join(missing)}." if missing else "Give each argument once."
            raise ArgumentError(explain(call, f"{len(self.names)} arguments", got, mend))
        return [given[n] if n in given else keywords[n] for n in self.names]

    def _unpack(self, spec: Any, value: Any) -> list[Any]:
        if not isinstance(spec, list):
            return [value]
        if not hasattr(value, "__len__") or len(value) != len(spec):
            got = f"{len(value)}" if hasattr(value, "__len__") else type(value).__name__
            raise ArgumentError(explain(f"f(…{spec}…)", f"{len(spec)} values", got, "Give one value per symbol."))
        return [v for s, part in zip(spec, value, strict=True) for v in self._unpack(s, part)]

    def __repr__(self) -> str:
        return f"<lambdified f({', '.join(self.names)}) of {len(self.plan.cells)} expressions>"


# --------------------------------------------------------------------------- running


def _as_array(name: Any, value: Any) -> np.ndarray:
    array: np.ndarray = given_array(f"f({name}=…)", str(name), value)
    if array.dtype in _REAL or array.dtype.kind in _WHOLE:
        return array
    call, mend = f"f({name}={array.dtype}{list(array.shape)})", "Pass real numbers, as float64."
    raise DTypeError(explain(call, "real numbers", str(array.dtype), mend))


class _Steps(threading.local):
    """What runs on arguments of each shape and dtype: a set for each thread, for they hold buffers."""

    def __init__(self) -> None:
        self.steps: dict[Any, Callable[[Sequence[Any]], list[Any]]] = {}


class _ScalarFunction:
    """Elementwise functions of numbers and arrays."""

    def __init__(self, symbols: list[Any], plan: Arrangement, real: str | None, threads: int) -> None:
        self.symbols, self.cells, self.real, self.threads = symbols, plan.cells, real, threads
        self.variants: dict[Any, Any] = {}
        self.local = _Steps()
        stand_ins = {s: tensor(f"x{k}") for k, s in enumerate(symbols)}
        # What cannot be converted, or compiled, is refused at once.
        found = [_made(cell, stand_ins) for cell in plan.cells]
        self.gives_floats = all(isinstance(node, Node) and opened(node).dtype != "bool" for node in found)

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        steps = self.local.steps
        step = steps.get(tuple([(v.shape, v.dtype) if type(v) is np.ndarray else type(v) for v in values]))
        if step is None:
            values = [v if type(v) in _NUMBERS else _as_array(s, v) for s, v in zip(self.symbols, values, strict=True)]
            if len(steps) >= STEPS_KEPT:
                steps.clear()
            key = tuple([(v.shape, v.dtype) if type(v) is np.ndarray else type(v) for v in values])
            step = steps[key] = self._prepare([np.asarray(v) for v in values])
        return step(values)  # type: ignore[no-any-return]

    def _prepare(self, arrays: list[np.ndarray]) -> Callable[[Sequence[Any]], list[Any]]:
        """What runs on arguments of these shapes and dtypes."""
        try:
            shape = np.broadcast_shapes(*(a.shape for a in arrays))
        except ValueError as error:
            got, mend = ", ".join(f"{s}: {a.shape}" for s, a in zip(self.symbols, arrays, strict=True)), "Reshape one."
            raise ArgumentError(explain("f(…)", "shapes that broadcast", got, mend)) from error
        real = self.real or _common(arrays)
        many = tuple(a.ndim > 0 and a.size != 1 for a in arrays)
        function, constants = self.variant(many, real)
        size = int(np.prod(shape, dtype=np.int64))
        if function is None or size == 0:
            return Constant(constants, shape, real)
        used = {name: int(name[1:]) for name in function.inputs}
        runner = OnKeptBuffers if size <= SMALL else OnArrays
        return runner(function, used, many, constants, shape, real)

    def of_numbers(self) -> Numbers | None:
        """The function of floats alone that gives floats, as a builtin; None where there is no such thing."""
        if self.real == "float32" or not self.gives_floats:
            return None
        function, constants = self.variant((False,) * len(self.symbols), "float64")
        if function is None or not numbers_are_possible():
            return None
        used = {name: int(name[1:]) for name in function.inputs}
        return Numbers(function, used, len(self.symbols), constants)

    def variant(self, many: tuple[bool, ...], real: str) -> tuple[Any, list[Any]]:
        """The native function for a pattern of arrays, and the results that are constants (None: computed)."""
        return self.variants.get((many, real)) or self._build(many, real)  # type: ignore[no-any-return]

    def _build(self, many: tuple[bool, ...], real: str) -> tuple[Any, list[Any]]:
        """The same, made by the thread that comes first."""
        with BUILDING:
            if (many, real) in self.variants:
                return self.variants[many, real]  # type: ignore[no-any-return]
            extent = dim("elements")
            rule = {s: tensor(f"x{k}", *([extent] if many[k] else []), dtype=real) for k, s in enumerate(self.symbols)}
            nodes = [_made(cell, rule) for cell in self.cells]
            constants = [_constant(node) for node in nodes]
            computed = [node for node, constant in zip(nodes, constants, strict=True) if constant is None]
            function = compile(computed, name="lambdified", threads=self.threads) if computed else None
            found = self.variants[many, real] = (function, constants)
            return found


def _made(cell: Any, rule: Any) -> Node | bool:
    return bool(cell) if isinstance(cell, BooleanAtom) else from_scalar(cell, rule)


def _constant(node: Node | bool) -> float | bool | None:
    """The number or truth value that a result always is; None where it is computed."""
    return float(node.value) if isinstance(node, Number) else node if isinstance(node, bool) else None


def _common(arrays: list[np.ndarray]) -> str:
    """float32 where every real array is; numbers do not count."""
    found = {_REAL[a.dtype] for a in arrays if a.dtype in _REAL and a.ndim}
    return "float32" if found == {"float32"} else "float64"


class _MatrixFunction:
    """Functions of whole matrices: nothing broadcasts."""

    def __init__(self, symbols: list[Any], plan: Arrangement, real: str | None, threads: int) -> None:
        self.symbols, self.real = symbols, real or dtypes.DEFAULT_REAL
        self.names = [f"_{k}" if s.is_Symbol else str(getattr(s, "label", s.name)) for k, s in enumerate(symbols)]
        rule = {s: tensor(n, dtype=self.real) for n, s in zip(self.names, symbols, strict=True) if s.is_Symbol}
        nodes = [from_sympy(cell, dtype=self.real, leaves=rule) for cell in plan.cells]
        self.function = compile(nodes, name="lambdified", threads=threads)
        self.variants = {("matrices", self.real): (self.function, [None] * len(nodes))}
        self.inputs = {leaf.name for node in nodes for leaf in leaves(node)}

    def of_numbers(self) -> Numbers | None:
        """None: nothing here is of numbers alone."""
        return None

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        arrays = [np.asarray(_as_array(s, v), self.real) for s, v in zip(self.symbols, values, strict=True)]
        return list(self.function(**{n: a for n, a in zip(self.names, arrays, strict=True) if n in self.inputs}))
