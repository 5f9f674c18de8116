"""Checks every argument of a native function before native code runs.

In: a `Signature` and what the caller passed.  Out: contiguous, aligned arrays of the right dtypes and shapes
in the order of the C ABI, and the run-time extents.

Nothing is rounded in silence.  Python numbers are weak: a rank-0 argument takes them in its own dtype.  Arrays and
lists whose numbers the wanted dtype holds exactly are converted (`widening.py`), and arrays that are not contiguous are
copied; `bind` refuses both, since it keeps references.

Not handled: values inside arrays, which `domains.py` checks; outputs, which `outputs.py` checks.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from symnet.errors import ArgumentError, DTypeError, RangeError, ShapeError, ValueDomainError, explain, holds_mask
from symnet.loops.affine import names
from symnet.loops.integer_text import int_text
from symnet.loops.integers import Buffer, IntVar
from symnet.loops.signature import Signature
from symnet.runtime.extents import evaluate, solve
from symnet.runtime.widening import widened

Arrays = list[np.ndarray]
LONGEST_TEXT = 40  # characters of a value in an error


class Expected(NamedTuple):
    """One input, with its dtype as NumPy spells it."""

    buffer: Buffer
    dtype: np.dtype
    rank: int

    @property
    def name(self) -> str:
        return self.buffer.name

    @property
    def text(self) -> str:
        """`(m, 64) float32`."""
        return f"{shape_text(self.buffer)} {self.buffer.dtype}"


def shape_text(buffer: Buffer) -> str:
    """A symbolic shape as a tuple: `(m, 64)`, `(m,)`, `()`."""
    inner = ", ".join(int_text(extent) for extent in buffer.shape)
    return f"({inner},)" if len(buffer.shape) == 1 else f"({inner})"


def given_text(value: object) -> str:
    """A value in an error: `float32[64, 10]`, `2.5`, `a list`."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}[{', '.join(map(str, value.shape))}]"
    if isinstance(value, np.generic):
        return f"{value.dtype} {value}"
    if isinstance(value, bool | int | float | complex | str | None):
        text = repr(value)
        return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 3] + "…"
    article = "an" if type(value).__name__[0] in "aeiouAEIOU" else "a"
    return f"{article} {type(value).__name__}"


class Arguments:
    """The checks of one signature.

    Args:
        signature: what the function takes.
        positional: names of inputs that may be passed by position, in this order.
    """

    def __init__(self, signature: Signature, positional: Sequence[str] = ()) -> None:
        self.signature = signature
        self.positional = tuple(positional)
        self.expected = [Expected(b, np.dtype(b.dtype), len(b.shape)) for b in signature.inputs]
        self.names = tuple(item.name for item in self.expected)
        self._in_order = self.positional == self.names

    # ----- names

    def plain(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> Sequence[Any] | None:
        """The values in the order of the inputs, where all are given by name, or all by position, and nothing else."""
        if len(keywords) == len(self.names) and not args:
            try:
                return [keywords[name] for name in self.names]
            except KeyError:
                return None
        return args if self._in_order and len(args) == len(self.names) and not keywords else None

    def named(
        self, args: Sequence[Any], keywords: Mapping[str, Any], call: str = ""
    ) -> tuple[list[Any], dict[str, int]]:
        """The values in the order of the inputs, and the extents given by keyword."""
        if args:
            keywords = self._with_positional(args, keywords, call)
        values = self.plain((), keywords)
        return self._sorted_out(keywords, call) if values is None else (list(values), {})

    def call_text(self, name: str | None = None, value: object = None, call: str = "") -> str:
        """The call as an error quotes it: `mlp(X=float64[32, 64], …)`."""
        function = self.signature.name + call
        if name is None:
            return f"{function}({', '.join(f'{known}=…' for known in self.names)})"
        others = ", …" if len(self.names) > 1 else ""
        return f"{function}({name}={given_text(value)}{others})"

    def _with_positional(self, args: Sequence[Any], keywords: Mapping[str, Any], call: str) -> dict[str, Any]:
        if len(args) > len(self.positional):
            expected = f"at most {len(self.positional)} positional arguments" if self.positional else "keywords only"
            got = f"{len(args)} positional argument{'s' * (len(args) > 1)}"
            mend = f"Write {self.signature.name}{call}({', '.join(f'{name}=…' for name in self.names)})."
            raise ArgumentError(explain(self.call_text(call=call), expected, got, mend))
        by_position = dict(zip(self.positional, args, strict=False))
        for name in by_position.keys() & keywords.keys():
            where = self.positional.index(name) + 1
            got = f"it by position (argument {where}) and by keyword"
            raise ArgumentError(
                explain(self.call_text(name, keywords[name], call), f"{name} once", got, "Drop one of the two.")
            )
        return {**by_position, **keywords}

    def _sorted_out(self, keywords: Mapping[str, Any], call: str) -> tuple[list[Any], dict[str, int]]:
        """As `named`, for calls that pass extents too, or in which something is wrong."""
        dims: dict[str, int] = {}
        for name, value in keywords.items():
            if name in self.names or name in self.positional:  # listed in `inputs=`, though no output contains it
                continue
            if name not in self.signature.dims:
                self._refuse_unknown(name, value, call)
            dims[name] = self._extent(name, value, call)
        missing = [name for name in self.names if name not in keywords]
        if missing:
            given = ", ".join(keywords) or "nothing"
            first = self.expected[self.names.index(missing[0])]
            mend = f"Pass {first.name}= an array of shape {first.text}."
            wanted = f"the inputs {', '.join(self.names)}"
            got = f"{given}, without {', '.join(missing)}"
            raise ArgumentError(explain(self.call_text(call=call), wanted, got, mend))
        return [keywords[name] for name in self.names], dims

    def given_dims(self, dims: Mapping[str, Any], call: str) -> dict[str, int]:
        """Every run-time extent, given by keyword, in the order of the C ABI."""
        for name, value in dims.items():
            if name not in self.signature.dims:
                expected = f"the extents {', '.join(self.signature.dims) or '(none)'}"
                mend = f"Write {self.signature.name}{call}({', '.join(f'{d}=…' for d in self.signature.dims)})."
                raise ArgumentError(explain(self.call_text(name, value, call), expected, repr(name), mend))
        for name in self.signature.dims:
            if name not in dims:
                expected, got = f"the extents {', '.join(self.signature.dims)}", f"no {name}"
                raise ArgumentError(explain(f"{self.signature.name}{call}(…)", expected, got, f"Pass {name}=32."))
        return {name: self._extent(name, dims[name], call) for name in self.signature.dims}

    def _refuse_unknown(self, name: str, value: object, call: str) -> None:
        known = (*self.names, *self.signature.dims)
        import difflib  # where a mistake was made it may take its time

        same = [other for other in known if other.lower() == name.lower()]
        close = same or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        mend = f"Did you mean {close[0]!r}?" if close else f"Drop {name!r}, or list it in compile(…, inputs=[{name}])."
        expected = f"the inputs {', '.join(self.names) or '(none)'}"
        raise ArgumentError(explain(self.call_text(name, value, call), expected, repr(name), mend))

    def _extent(self, name: str, value: object, call: str) -> int:
        if isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) >= 0:
            if int(value) < 2**63:
                return int(value)
            mend = "Pass a smaller one: native code counts in int64."
            expected = f"an extent {name} of less than 2**63"
            raise RangeError(explain(self.call_text(name, value, call), expected, str(value), mend))
        mend = f"Write {name}=32, or leave it out where an array says it."
        raise ShapeError(explain(self.call_text(name, value, call), "an extent of 0 or more", given_text(value), mend))

    # ----- arrays

    def arrays(self, values: Sequence[Any], call: str = "", refer: bool = False) -> Arrays:
        """One contiguous array per input, of the right dtype and rank.

        refer: refuse what would have to be copied.
        """
        return [
            value
            if type(value) is np.ndarray
            and value.dtype is item.dtype
            and value.ndim == item.rank
            and value.flags.carray
            else self._admit(item, value, call, refer)
            for item, value in zip(self.expected, values, strict=True)
        ]

    def _admit(self, item: Expected, value: Any, call: str, refer: bool) -> np.ndarray:
        """An array made of what is not plainly right, or the reason why there is none."""
        if holds_mask(value):
            self._refuse_kind(item, value, call)
        if isinstance(value, np.generic):
            value = np.asarray(value)
        if isinstance(value, numbers.Number) and not isinstance(value, np.ndarray):
            return self._weak(item, value, call)
        if not refer and (isinstance(value, (list, tuple)) or getattr(value, "dtype", item.dtype) != item.dtype):
            exact = widened(value, item.dtype)
            value = value if exact is None else exact
        if not isinstance(value, np.ndarray):
            self._refuse_kind(item, value, call)
        if value.dtype != item.dtype:
            self._refuse_dtype(item, value, call)
        if value.ndim != item.rank:
            self._refuse_rank(item, value, call)
        if value.flags.c_contiguous and value.flags.aligned:
            return value.view(np.ndarray)
        if refer:
            expected = "a C-contiguous, aligned array, since bind keeps a reference to it"
            got = f"strides {value.strides} for shape {value.shape}"
            mend = f"Pass {item.name}=np.ascontiguousarray({item.name}) and update that array in place."
            raise ArgumentError(explain(self.call_text(item.name, value, call), expected, got, mend))
        return np.array(value, order="C", copy=True, subok=False)

    def _weak(self, item: Expected, value: Any, call: str) -> np.ndarray:
        """A Python number in the dtype of a rank-0 input."""
        if item.rank:
            self._refuse_rank(item, value, call)
        accepts, convert = _WEAK[item.dtype.kind]
        if not isinstance(value, accepts) or (item.dtype.kind == "b" and not isinstance(value, bool)):
            self._refuse_dtype(item, value, call)
        try:
            with np.errstate(over="ignore"):
                array = np.array(convert(value), item.dtype)
        except OverflowError:
            array = np.array(math.inf)
        if item.dtype.kind != "b" and np.isinf(array) and not (isinstance(value, float) and math.isinf(value)):
            expected, mend = f"a number that {item.dtype} can hold", "Rescale it, or compile with a wider dtype."
            raise ValueDomainError(explain(self.call_text(item.name, value, call), expected, given_text(value), mend))
        return array

    def _refuse_kind(self, item: Expected, value: Any, call: str) -> None:
        mend = f'Pass {item.name}=np.asarray({item.name}, "{item.dtype}").'
        if holds_mask(value):
            mend = f"Masks have no meaning here: pass {item.name}={item.name}.filled(0) or another value."
        expected = f"a NumPy array {item.text}"
        got = f"a masked {given_text(value)}" if isinstance(value, np.ndarray) else given_text(value)
        raise DTypeError(explain(self.call_text(item.name, value, call), expected, got, mend))

    def _refuse_dtype(self, item: Expected, value: Any, call: str) -> None:
        dtype, name = item.dtype, item.name
        got = given_text(value)
        mend = f'Convert it once: {name}.astype("{dtype}").'
        if isinstance(value, np.ndarray) and value.dtype == object:
            mend = f'Build a numeric array: np.array({name}.tolist(), "{dtype}").'
        elif isinstance(value, np.ndarray) and value.dtype.newbyteorder() == dtype:
            got += " in the other byte order"
        elif not isinstance(value, np.ndarray):
            mend = f"Pass {name}=np.{dtype}(…)."
        raise DTypeError(explain(self.call_text(name, value, call), f"dtype {dtype}", got, mend))

    def _refuse_rank(self, item: Expected, value: Any, call: str) -> None:
        shape = getattr(value, "shape", ())
        got = f"rank {len(shape)}, shape {shape}"
        mend = _rank_remedy(item, shape)
        expected = f"rank {item.rank}, shape {shape_text(item.buffer)}"
        raise ShapeError(explain(self.call_text(item.name, value, call), expected, got, mend))

    # ----- extents

    def dims(self, arrays: Sequence[np.ndarray], given: Mapping[str, int], call: str = "") -> dict[str, int]:
        """The run-time extents, the same wherever they occur."""
        known = dict(given)
        origin: dict[str, tuple[Expected, int]] = {}
        compound = []
        for item, array in zip(self.expected, arrays, strict=True):
            for axis, (extent, size) in enumerate(zip(item.buffer.shape, array.shape, strict=True)):
                if isinstance(extent, IntVar) and extent.name not in known:
                    known[extent.name], origin[extent.name] = size, (item, axis)
                else:
                    compound.append((item, array, axis))
        for item, array, axis in compound:
            found = solve(item.buffer.shape[axis], array.shape[axis])
            if found is not None and found[0] not in known:
                known[found[0]], origin[found[0]] = found[1], (item, axis)
        self._require_all_dims(known, call)
        for item, array, axis in compound:
            if evaluate(item.buffer.shape[axis], known) != array.shape[axis]:
                self._refuse_extent(item, array, axis, known, origin, dict(zip(self.names, arrays, strict=True)), call)
        return known

    def _require_all_dims(self, known: Mapping[str, int], call: str) -> None:
        missing = [name for name in self.signature.dims if name not in known]
        if missing:
            expected = f"the extent {missing[0]}, which no array has as an axis"
            mend = f"Pass {missing[0]}= as a keyword."
            raise ArgumentError(explain(self.call_text(call=call), expected, "no value for it", mend))

    def _refuse_extent(
        self,
        item: Expected,
        array: np.ndarray,
        axis: int,
        known: Mapping[str, int],
        origin: Mapping[str, tuple[Expected, int]],
        arrays: Mapping[str, np.ndarray],
        call: str,
    ) -> None:
        extent = item.buffer.shape[axis]
        wanted = evaluate(extent, known)
        text = int_text(extent)
        expected = f"axis {axis} of {item.name} {shape_text(item.buffer)} to have extent {wanted}"
        got, mend = f"{array.shape[axis]} in shape {array.shape}", f"Pass an array of shape {shape_text(item.buffer)}."
        if text != str(wanted):
            expected = expected.replace(f"extent {wanted}", f"extent {text} = {wanted}")
            sources = [origin[name] for name in self.signature.dims if name in origin and name in names(extent)]
            for source, where in sources[:1]:
                expected += f", as axis {where} of {source.name} {arrays[source.name].shape}"
                mend = f"Make {source.name} and {item.name} agree."
            if not sources:
                mend = f"Make {item.name} agree with the extent passed by keyword."
        raise ShapeError(explain(self.call_text(item.name, array, call), expected, got, mend))


_WEAK: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "f": (numbers.Real, float),
    "i": (numbers.Integral, int),
    "b": (bool, bool),
}


def _rank_remedy(item: Expected, shape: tuple[int, ...]) -> str:
    """What most likely mends a wrong rank."""
    squeezed = [extent for extent in shape if extent != 1]
    if len(shape) > item.rank and len(squeezed) <= item.rank:
        return f"Drop the axes of extent 1: {item.name}.squeeze()."
    if len(shape) == item.rank - 1:
        return f"Add an axis: {item.name}[None, :] is one row, {item.name}[:, None] one column."
    if item.rank == 0:
        return f"Call it once per number: {item.name} is a scalar."
    return f"Reshape it to {shape_text(item.buffer)}."
