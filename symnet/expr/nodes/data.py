"""The elements of a constant array as an argument of a node.

In: `Contents`.  Out: `Data`, a `Basic` that compares and pickles by them.
"""

from __future__ import annotations

from typing import Any

from sympy import Basic

from symnet.arrays import Contents


class Data(Basic):
    """The elements of a constant array as a static argument, compared by their digest.

    Attributes:
        contents: the elements.
    """

    __slots__ = ("contents",)
    contents: Contents

    def __new__(cls, contents: Contents) -> Data:
        data = super().__new__(cls)
        data.contents = contents
        return data

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.contents.digest,)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Data, (self.contents,)

    @classmethod
    def of(cls, elements: bytes, dtype: str, *shape: int) -> Data:
        """Data from their bytes: what `sympy.srepr` writes."""
        return cls(Contents.of(elements, dtype, shape))

    def _sympystr(self, printer: Any) -> str:
        return repr(self.contents)

    def _sympyrepr(self, printer: Any) -> str:
        of = self.contents
        return f"Data.of({', '.join(map(repr, (of.array.tobytes(), of.dtype, *of.shape)))})"
