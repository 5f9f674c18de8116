"""Constant arrays as plain data: taken in from NumPy, checked, read-only, known by their content.

In: an array of the user's, of any layout.  Out: `Contents`: a contiguous copy that nobody can change, in a dtype of
`symnet.dtypes`, and a digest of its bytes: equal bytes are equal contents, so -0.0 is not 0.0, and a NaN is itself.
Integers of other widths are widened exactly.
Not handled: float16, long doubles, complex numbers, objects, strings, records, masked arrays, matrices of NumPy's old
class (whose `*` is another product): refused, with the way to convert them.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias, final

from symnet.dtypes import ALL
from symnet.errors import ArgumentError, DTypeError, ValueDomainError, explain, ragged, refuse_mask

if TYPE_CHECKING:
    import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"  # as text: NumPy is loaded by whoever needs it

CALL = "constant(array)"
_WIDENED = {
    "int8": "int32",
    "int16": "int32",
    "uint8": "int32",
    "uint16": "int32",
    "uint32": "int64",
    "uint64": "int64",
}
_MEND = {
    "f": 'Convert it: array.astype("float64").',
    "c": "Give the real and the imaginary part as two arrays.",
    "O": 'Convert it: array.astype("float64"), or join expressions with sn.stack([a, b]).',
    "V": 'Give one field of the records: array["name"].',
    "U": "Give numbers.",
    "S": "Give numbers.",
    "M": 'Convert it: array.astype("int64").',
    "m": 'Convert it: array.astype("int64").',
}


@final
class Contents:
    """The elements of a constant array.

    Attributes:
        array: contiguous, of the machine's byte order, read-only.
        digest: 16 bytes that identify dtype, shape and bytes.
    """

    __slots__ = ("__dict__", "array", "digest")

    def __init__(self, array: Any) -> None:
        import numpy as np

        self.array = np.array(array, order="C", copy=True, subok=False)
        self.array.flags.writeable = False
        head = f"{self.array.dtype.name}{self.array.shape}".encode()
        content = blake2b(head, digest_size=16)
        content.update(self.array.reshape(-1).view(np.uint8).data if self.array.size else b"")
        self.digest = content.digest()

    @classmethod
    def of(cls, elements: bytes, dtype: str, shape: tuple[int, ...]) -> Contents:
        """Contents from their bytes in row-major order."""
        import numpy as np

        return cls(np.frombuffer(elements, dtype).reshape(shape))

    @property
    def dtype(self) -> str:
        return str(self.array.dtype.name)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    def retyped(self, dtype: str) -> Contents:
        """The same numbers in another dtype, each rounded once."""
        import numpy as np

        with np.errstate(over="ignore"):
            return self if dtype == self.dtype else Contents(self.array.astype(dtype))

    @cached_property
    def uniform(self) -> Any:
        """The number that every element is, bit for bit; None where they differ, or where there is none."""
        flat = self.array.reshape(-1)
        first = flat[:1]
        same = bool(flat.size) and bool((flat == first).all()) and (bool(first[0]) or not _has_minus_zero(flat))
        return first[0].item() if same else None

    @cached_property
    def is_identity(self) -> bool:
        """Whether this is the identity matrix."""
        import numpy as np

        square = len(self.shape) == 2 and self.shape[0] == self.shape[1] > 1
        if not square or self.array.dtype.kind == "b" or np.count_nonzero(self.array) != self.shape[0]:
            return False
        return bool((self.array.diagonal() == 1).all()) and not _has_minus_zero(self.array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contents) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"

    def __reduce__(self) -> Any:
        return Contents, (self.array,)


def _has_minus_zero(array: Any) -> bool:
    import numpy as np

    return array.dtype.kind == "f" and bool(np.signbit(array[array == 0]).any())


def is_array(value: Any) -> bool:
    """Whether a value is an array of NumPy's with axes."""
    return hasattr(value, "__array_interface__") and hasattr(value, "dtype") and getattr(value, "shape", ()) != ()


def given_array(call: str, name: str, value: Any) -> Any:
    """What a caller gave under a name, as NumPy makes an array of it.

    Raises:
        DTypeError: a masked array.
        ShapeError: nested lists of unequal lengths.
    """
    import numpy as np

    refuse_mask(call, name, value)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ragged(call, name, error) from error


def contents(array: Any, call: str = CALL) -> Contents:
    """The elements of an array of NumPy's.

    Raises:
        DTypeError: a dtype that symnet lacks.
        ArgumentError: a masked array, or a matrix of NumPy's old class.
        ValueDomainError: an unsigned integer beyond int64.
    """
    kind = type(array).__name__
    refuse_mask(call, "array", array)
    if kind == "matrix":
        mend = "Write np.asarray(A); @ is the product of matrices."
        raise ArgumentError(explain(call, "a plain array", "np.matrix, whose * is another product", mend))
    name = array.dtype.name
    if name not in ALL and name not in _WIDENED:
        mend = _MEND.get(array.dtype.kind, "Give numbers.")
        got = f"dtype {array.dtype} of shape {array.shape}"
        raise DTypeError(explain(call, f"one of {', '.join(ALL)} or a narrower integer", got, mend))
    if name == "uint64" and array.size and int(array.max()) >= 2**63:
        mend = 'Convert it: array.astype("float64").'
        raise ValueDomainError(explain(call, "integers below 2**63", str(int(array.max())), mend))
    return Contents(array.astype(_WIDENED.get(name, name), copy=False))
