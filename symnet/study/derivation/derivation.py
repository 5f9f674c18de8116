"""The derivation that users hold: its record, and the notations it is written in.

In: what `writer.py` found.  Out: text (`text.py`), LaTeX (`latex.py`), a page of HTML (`page.py`), slides
(`slides.py`), numbers at a point (`numbers.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from symnet.errors import ArgumentError, explain
from symnet.expr.printing.logarithms import for_reading
from symnet.expr.printing.own_names import in_full
from symnet.expr.printing.same_sums import keeping
from symnet.study.derivation.latex import latex
from symnet.study.derivation.model import NumbersAtPoint, Record
from symnet.study.derivation.numbers import numbers_of
from symnet.study.derivation.page import fragment, page
from symnet.study.derivation.slides import slides
from symnet.study.derivation.text import text


@dataclass(frozen=True, eq=False, repr=False)
class Derivation(Record):
    """The steps from a scalar to its gradients.  Prints as text; LaTeX and HTML in notebooks."""

    @property
    def numbers(self) -> NumbersAtPoint | None:
        """The value of everything at the point that `at=` gave."""
        return numbers_of(self)

    @contextmanager
    def _signs_kept(self) -> Iterator[None]:
        """While the steps are written, for people to read: sums have the signs that they have in the values, and names
        are those of values.
        """
        values = [value for stage in self.stages for value in (*stage.given, *stage.values)]
        with (
            keeping([*(value.formula for value in values), *(value.node for value in values)]),
            in_full(),
            for_reading(),
        ):
            yield

    def text(self, width: int = 100) -> str:
        """Plain text; a reason that would end beyond `width` characters stands below its formula."""
        if isinstance(width, bool) or not isinstance(width, int):
            got = f"width={width!r}"
            raise ArgumentError(explain("text(width)", "a number of characters", got, "Write width=80."))
        with self._signs_kept():
            return text(self, width)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def latex(self, pages: bool = False) -> str:
        """The steps in LaTeX, no row wider than a text block.

        Args:
            pages: as `align*`, which stands in the text and breaks over pages; else as one `aligned` for math mode.
        """
        with self._signs_kept():
            return latex(self, pages)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def html(self) -> str:
        """A self-contained page: the graph drawn, every step in MathML; no script, nothing fetched."""
        with self._signs_kept():
            return page(self)

    def _repr_html_(self) -> str:
        with self._signs_kept():
            return fragment(self)

    def save(self, path: str | Path) -> Path:
        """Write `html()` to a file.

        Raises:
            ArgumentError: a file name that ends otherwise than .html or .htm.
        """
        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            mend = "Write save('out.html') and print that from a browser; LaTeX is latex(), plain text is text()."
            raise ArgumentError(explain("save(path)", "a file name that ends in .html", repr(str(path)), mend))
        target.write_text(self.html(), encoding="utf-8")
        return target

    def slides(self, path: str | Path | None = None) -> str:
        """A self-contained page that is stepped through with the arrow keys; without script it scrolls.

        Args:
            path: also write it there.
        """
        with self._signs_kept():
            written = slides(self)
        if path is not None:
            Path(path).write_text(written, encoding="utf-8")
        return written
