"""The node: what every expression is made of.

In: a class and `Basic` arguments.  Out: the one interned node with those arguments.

Nodes subclass `sympy.Basic`, so that SymPy prints, pickles and carries them, but not `Expr`: an `Expr` on the
right of a SymPy scalar would be absorbed into `Add`/`Mul`, and `Expr.diff` would answer zero in silence.
Every node is hash-consed: equality is identity.  The key is a **digest** of the content (class, static
arguments, operands' digests); it is the same in every process, and orders operands and keys caches.

Constructors are inert: they validate and derive shape and dtype, and never flatten, fold or reorder.

This file knows of no other kind of node and of no notation: what operators, methods, printing and NumPy's protocols
call is the table `BUILDERS`, which the package fills (`expr/__init__.py`).
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from hashlib import blake2b
from typing import Any, ClassVar, TypeVar

import sympy
from sympy import Basic, srepr
from sympy.core.symbol import Str

from symnet.errors import ArgumentError, UnknownAttributeError, explain
from symnet.expr.nodes.data import Data
from symnet.expr.nodes.no_values import asked, lacking
from symnet.expr.nodes.topics import bit_of

Extent = Any  # a Python int, or a SymPy integer expression over dims
Shape = tuple[Extent, ...]
Axes = tuple[int, ...]  # positions in a shape

_TABLE: weakref.WeakValueDictionary[bytes, Node] = weakref.WeakValueDictionary()
_LOCK = threading.Lock()  # around one dictionary operation
if hasattr(os, "register_at_fork"):  # another thread may have held it
    os.register_at_fork(after_in_child=_LOCK._at_fork_reinit)  # type: ignore[attr-defined]  # CPython's own, not in the stubs


class _Builders(dict[str, Callable[..., Any]]):
    """What the operators and methods of nodes call, by name; filled by `expr/__init__.py`.

    `later` gives those whose files are loaded when one of them is first called.
    """

    later: ClassVar[dict[str, Callable[[], Mapping[str, Callable[..., Any]]]]] = {}

    def __missing__(self, name: str) -> Callable[..., Any]:
        self.update(self.later[name]())
        return self[name]


BUILDERS = _Builders()


def _operator(name: str) -> tuple[Callable[[Node, Any], Node], Callable[[Node, Any], Node]]:
    """The methods of a binary operator, for a node on its left and on its right."""
    return lambda left, right: BUILDERS[name](left, right), lambda right, left: BUILDERS[name](left, right)


Kept = TypeVar("Kept")
MOST_REMEMBERED = 65536  # static arguments of one function


def by_identity(function: Callable[[Any], Kept]) -> Callable[[Any], Kept]:
    """A function of a static argument, its results kept by the argument's identity.

    SymPy hashes and compares by content, which costs more than everything else that is done with an argument.
    """
    known: dict[int, tuple[Basic, Kept]] = {}  # the argument is kept with its value: an address is not used again

    def remembered(arg: Basic) -> Kept:
        found = known.get(id(arg))
        if found is None:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            found = known[id(arg)] = (arg, function(arg))
        return found[1]

    return remembered


def kept_on_node(function: Callable[[Any], Kept]) -> Callable[[Any], Kept]:
    """A function of one node, its result (never None) kept on the node for as long as that lives.

    What is kept must not hold the node itself, which would then wait for the collector of cycles.
    """
    return wraps(function)(_kept_as(f"{function.__module__}.{function.__qualname__}", function))


def kept_by_depth(function: Callable[[Any, int], Kept]) -> Callable[[Any, int], Kept]:
    """As `kept_on_node`, of a function that looks a number of levels deep: one result for each."""
    name = f"{function.__module__}.{function.__qualname__}"
    at_depth: dict[int, Callable[[Node], Kept]] = {}

    @wraps(function)
    def ask(node: Node, deepest: int) -> Kept:
        if deepest not in at_depth:
            at_depth[deepest] = _kept_as(f"{name} {deepest}", lambda node: function(node, deepest))
        return at_depth[deepest](node)

    return ask


def _kept_as(name: str, function: Callable[[Any], Kept]) -> Callable[[Any], Kept]:
    """The function, which asks a node first for what is kept there under a name."""

    def ask(node: Node) -> Kept:
        kept = node._kept
        if kept is None:
            kept = node._kept = {}
        found = kept.get(name)
        if found is None:
            found = kept[name] = function(node)
        return found

    return ask


@by_identity
@lru_cache(maxsize=MOST_REMEMBERED, typed=True)
def _encode(static: Basic) -> bytes:
    return b"\0s" + srepr(static).encode()


def _content(arg: Basic) -> bytes:
    """What an argument adds to a digest.  Data are not remembered: the table would keep large arrays alive."""
    return b"\0d" + arg.contents.digest if isinstance(arg, Data) else _encode(arg)


_OF_NOTHING = blake2b(digest_size=16)


def _digest(cls: type, args: tuple[Basic, ...]) -> bytes:
    content = [cls.__name__.encode()]
    content += [b"\0n" + arg.digest if isinstance(arg, Node) else _content(arg) for arg in args]
    digest = _OF_NOTHING.copy()  # in less time than another one is made
    digest.update(b"".join(content))
    return digest.digest()


class Node(Basic):
    """An array-valued expression.  Concrete kinds define `_derive`.

    Attributes:
        shape: a tuple of ints and SymPy integer expressions over dims.
        dtype: a name of `symnet.dtypes`, or None when weak (numbers only).
        digest: 16 bytes that identify the content in every process.
        operands: the arguments that are nodes, in order.
        rank: the number of axes.
        topic: what rewrites are looked up by: the kind, or the primitive of an elementwise node.
        topics: the topics of the node and of all below it, one bit for each (`bit_of`).
    """

    __slots__ = (
        "__weakref__",
        "_facts",
        "_kept",
        "_normal",
        "_outline",
        "digest",
        "dtype",
        "operands",
        "rank",
        "shape",
        "topic",
        "topics",
    )
    _op_priority = 100.0
    is_commutative = True
    kind: ClassVar[str] = "node"

    shape: Shape
    dtype: str | None
    digest: bytes
    operands: tuple[Node, ...]
    rank: int
    topic: str
    topics: int
    _facts: frozenset[str] | None
    _kept: dict[str, Any] | None  # what `kept_on_node` remembers
    _outline: tuple[int, str] | None
    _normal: object  # the table of rewrites under which the node is in normal form

    def __new__(cls, *args: Basic) -> Node:
        digest = _digest(cls, args)
        known = _TABLE.get(digest)
        if known is not None:
            return known
        shape, dtype = cls._derive(*args)
        node = object.__new__(cls)
        node._args = args
        node._assumptions = cls.default_assumptions  # SymPy asks any Basic whether it is_zero and the like
        node._mhash = int.from_bytes(digest[:7], "little")
        node.digest, node.shape, node.dtype = digest, shape, dtype
        node._facts = node._kept = node._outline = node._normal = None
        node.operands = tuple([arg for arg in args if isinstance(arg, Node)])
        node.rank = len(shape)
        node.topic = cls.kind
        node._read()
        topics = bit_of(node.topic)
        for operand in node.operands:
            topics |= operand.topics
        node.topics = topics
        with _LOCK:
            return _TABLE.setdefault(digest, node)

    @classmethod
    def _derive(cls, *args: Any) -> tuple[Shape, str | None]:
        """Validate the arguments; give shape and dtype.  Inert: nothing is rewritten."""
        raise NotImplementedError(f"{cls.__name__} is abstract")

    def _read(self) -> None:
        """Static arguments as plain attributes: read once, when the node is built."""

    # ---- identity

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return self._mhash

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.digest,)

    def sort_key(self, order: Any = None) -> Any:
        """SymPy's ordering key: linear, unlike `Basic.sort_key`."""
        return (5, 0, type(self).__name__), (1, (self.digest.hex(),)), sympy.S.One.sort_key(), sympy.S.One

    def compare(self, other: Any) -> int:
        mine, its = self.digest, other.digest if isinstance(other, Node) else b""
        return (mine > its) - (mine < its)

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Node:
        return self

    def __reduce__(self) -> Any:
        return BUILDERS["unflatten"], (BUILDERS["flatten"](self),)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()

    # ---- sizes

    @property
    def ndim(self) -> int:
        """NumPy's word for the rank."""
        return self.rank

    def __getattr__(self, name: str) -> Any:
        """Called for an attribute that a node lacks: SymPy's functions ask their arguments for many."""
        if name.startswith("__"):
            raise AttributeError(name)
        call, expected = f"{type(self).__name__}.{name}", "an attribute that expressions have"
        mend = "A function of SymPy's is applied by sn.apply(sympy.log, x), or is here by its own name: sn.log(x)."
        raise UnknownAttributeError(explain(call, expected, repr(name), mend))

    def __len__(self) -> int:
        if not self.shape or not isinstance(self.shape[0], int):
            raise ArgumentError(
                explain(f"len({self})", "a concrete first extent", f"shape {self.shape}", "Use .shape[0] instead.")
            )
        return self.shape[0]

    def __bool__(self) -> bool:
        raise ArgumentError(
            explain(
                f"bool({self})",
                "a concrete value",
                "an expression, which is neither true nor false",
                "Use sn.where(condition, a, b) to choose between values, and `is` to compare expressions.",
            )
        )

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    # ---- SymPy's walkers, linear here

    @property
    def free_symbols(self) -> set[Any]:
        return BUILDERS["free_symbols"](self)

    def xreplace(self, rule: Mapping[Any, Any]) -> Node:
        return BUILDERS["xreplace"](self, rule)

    def _xreplace(self, rule: Mapping[Any, Any]) -> tuple[Node, bool]:
        """SymPy's hook: reached when a SymPy container that holds this node is rewritten."""
        new = self.xreplace(rule)
        return new, new is not self

    def subs(self, *args: Any, **kwargs: Any) -> Node:
        pairs = dict([args] if len(args) == 2 else args[0])
        return self.xreplace(pairs)

    def has(self, *patterns: Any) -> bool:
        return bool(BUILDERS["has"](self, *patterns))

    def diff(self, *symbols: Any, **kwargs: Any) -> Node:
        """Refused: SymPy's `diff` knows nothing of tensors."""
        raise ArgumentError(
            explain(f"({self}).diff(…)", "sn.grad or sn.derivative", "SymPy's diff", "Write sn.derivative(y, x).")
        )

    # ---- operators

    __add__, __radd__ = _operator("add")
    __sub__, __rsub__ = _operator("subtract")
    __mul__, __rmul__ = _operator("multiply")
    __truediv__, __rtruediv__ = _operator("divide")
    __pow__, __rpow__ = _operator("power")
    __mod__, __rmod__ = _operator("mod")
    __floordiv__, __rfloordiv__ = _operator("floor_divide")
    __divmod__, __rdivmod__ = _operator("divmod")
    __matmul__, __rmatmul__ = _operator("matmul")
    __and__, __rand__ = _operator("and")
    __or__, __ror__ = _operator("or")
    __xor__, __rxor__ = _operator("xor")

    def __neg__(self) -> Node:
        return BUILDERS["negative"](self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions, scalars and arrays beside a node: `np.exp(x)` is `sn.exp(x)`, `array + x` a sum."""
        return BUILDERS["array_ufunc"](ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        """NumPy's other functions: `np.sum(x)` is `sn.sum(x)` (`expr/numpy/functions.py`)."""
        return BUILDERS["array_function"](function, args, keywords)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """Refused: an expression has no values.  Without this method NumPy would make an array of objects; a masked
        array on the left of an operator calls it.
        """
        mend = (
            "Compile the expression and call it, or evaluate it with symnet.reference.evaluate; "
            "for a masked array beside an expression write array.filled(0), or another value for what is masked."
        )
        raise ArgumentError(explain("np.asarray(…)", "values", "an expression", mend))

    __float__, __int__, __complex__, __round__ = map(asked, ("float", "int", "complex", "round"))
    __contains__ = asked("contains", "a container with values")
    (__lshift__, __rlshift__), (__rshift__, __rrshift__) = map(lacking, ("<<", ">>"))

    def __format__(self, spec: str) -> str:
        return asked("format")(self, spec) if spec else str(self)

    def __pos__(self) -> Node:
        return BUILDERS["positive"](self)

    def __abs__(self) -> Node:
        return BUILDERS["abs"](self)

    def __lt__(self, other: Any) -> Node:
        return BUILDERS["less"](self, other)

    def __le__(self, other: Any) -> Node:
        return BUILDERS["less_equal"](self, other)

    def __gt__(self, other: Any) -> Node:
        return BUILDERS["greater"](self, other)

    def __ge__(self, other: Any) -> Node:
        return BUILDERS["greater_equal"](self, other)

    def __invert__(self) -> Node:
        return BUILDERS["not"](self)

    def __getitem__(self, key: Any) -> Node:
        return BUILDERS["getitem"](self, key)

    @property
    def T(self) -> Node:
        """All axes reversed."""
        return BUILDERS["transpose"](self)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Node:
        return BUILDERS["sum"](self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Node:
        return BUILDERS["mean"](self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Node:
        return BUILDERS["max"](self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Node:
        return BUILDERS["min"](self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Node:
        return BUILDERS["prod"](self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int | None = None) -> Node:
        return BUILDERS["cumsum"](self, axis=axis)

    def cumprod(self, axis: int | None = None) -> Node:
        return BUILDERS["cumprod"](self, axis=axis)

    def reshape(self, *shape: Any) -> Node:
        return BUILDERS["reshape"](self, *shape)

    def transpose(self, *axes: Any) -> Node:
        return BUILDERS["transpose"](self, *axes)

    def named(self, name: str, latex: str | None = None) -> Node:
        """The same value, printed as `name` wherever it stands inside a formula."""
        return BUILDERS["named"](self, name, latex)

    # ---- printing (linear; `expr/printing/` does the work)

    def __repr__(self) -> str:
        return str(BUILDERS["text"](self))

    __str__ = __repr__

    def _sympystr(self, printer: Any) -> str:
        return repr(self)

    _sympyrepr = _sympystr

    def _latex(self, printer: Any) -> str:
        return str(BUILDERS["latex_in_full"](self))

    def _pretty(self, printer: Any) -> Any:
        return BUILDERS["pretty"](self)

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {BUILDERS['displayed'](BUILDERS['latex'](self))}$"


def static_name(value: str) -> Str:
    """A string as a `Basic` argument."""
    return Str(value)


def name_of(node: Node, otherwise: str) -> str:
    """The name of a leaf or of a value with one, as errors call it; `otherwise` of others."""
    return str(getattr(node, "name", "") or otherwise)
