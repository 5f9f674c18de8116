"""Broadcasting written out, for notations on paper, where shapes must fit: A - v becomes A - 𝟏 vᵀ.

In: the forms of a formula, read under NumPy's rules.  Out: forms in which a sum, a quotient or a function of matrices
has matrices of one shape or numbers for its parts.  A vector is a column.  One that is repeated is 𝟏 vᵀ along the rows
of a matrix and v 𝟏ᵀ along its columns; one that scales them is A diag(v) and diag(v) A.
Not written out: arrays of three axes and more, for which paper has no notation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import sympy

from symnet.expr.nodes.extents import same_extent, same_shape
from symnet.expr.nodes.node import Node, Shape
from symnet.expr.printing.forms import Form, FormPart, Ref, call, filled, numeral, product, put_number, same, transposed
from symnet.expr.printing.paper_calls import opposite, spelled_out
from symnet.expr.printing.paper_shapes import Shapes

ONES = Form("ones", (), (), 2)  # as long as its place wants
ONES_ROW = Form("transpose", (ONES,), (), 2)
_BROADCASTS = ("sum", "power", "relation", "function")
_EXACT_CALLS = ("outer", "solve", "concat", "stack")  # calls of several arrays that repeat none of them

_ALONG_ROWS = ("softmax", "log_softmax")  # of a column said so, as it reads as a vector


class NumbersTimes(NamedTuple):
    """sign * above / below * core: scalars, and one array."""

    sign: int
    above: list[FormPart]
    below: list[FormPart]
    core: FormPart


class Paper:
    """The forms written so far, operands first, and the shapes they had before."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.forms: dict[Ref, Form] = {}

    def write(self, form: Form, whole: Shape | None = None) -> Form:
        """A form with all broadcasting in it written out; `whole`: its shape, where that is known."""
        form = spelled_out(form)
        repeated = form.parts[0] if form.kind == "spread" and form.rank != 2 else None
        if isinstance(repeated, Form):  # a reduction that keeps its axes stays one
            return replace(form, parts=(replace(repeated, parts=self._written(repeated.parts)),))
        parts = self._written(form.parts)
        written = replace(form, parts=parts)
        if form.kind == "reduce":
            reduced = self.shapes.of(form.parts[0])
            if reduced is not None and all(map(_is_one, reduced)) and form.data[0] in ("sum", "mean"):
                return Form("same", parts, (), form.rank)  # of the one element there is
            return self._total(written) if form.data[0] in ("sum", "mean") else written
        if form.kind == "matmul":
            return self._signed_chain(written)
        if form.kind == "product":
            written = self._signed_product(written)
        if form.kind == "sum":
            positive = [self._without_sign(part) for part in written.parts]
            signs = tuple(-s if p is not part else s for s, p, part in zip(form.data, positive, parts, strict=True))
            written = replace(written, parts=tuple(positive), data=signs)
        shape = self.shapes.of(form) or whole
        if shape is not None and len(shape) == 1 and form.kind == "sum":
            return self._sum_of_vectors(written, [self.shapes.of(part) for part in form.parts], shape)
        if shape is None or len(shape) != 2:
            return written
        if form.kind == "spread":
            return self._turned(written, shape)
        if form.kind == "call" and form.data[0] in _ALONG_ROWS and _is_one(shape[1]) and not form.data[1]:
            return replace(written, data=(form.data[0], (("axis", 1),)))
        before = [_guessed(self.shapes.of(part), part.rank, shape) for part in form.parts]
        if form.kind == "product":
            return self._product(written, before, shape)
        if form.kind == "sum":
            return self._sum(written, before, shape)
        if form.kind == "call" and form.data[0] == "broadcast_to":
            return same(self._whole(self._lifted(parts[0], before[0], shape, [filled(1, (n,)) for n in shape])))
        if form.kind == "call" and form.data[0] == "where" and _kind(before[0], shape) in ("row", "column"):
            return self._branches(written, before, shape)
        if form.kind in _BROADCASTS or (form.kind == "call" and form.data[0] not in _EXACT_CALLS and len(parts) > 1):
            lifted = zip(parts, before, strict=True)
            return replace(written, parts=tuple(self._whole(self._lifted(p, s, shape)) for p, s in lifted))
        return written

    def _written(self, parts: Sequence[FormPart]) -> tuple[FormPart, ...]:
        return tuple(self.write(part) if isinstance(part, Form) else part for part in parts)

    # ----------------------------------------------------------------------- one array in the place of another shape

    def _lifted(self, part: FormPart, own: Shape, shape: Shape, ones: Sequence[Form] = (ONES, ONES)) -> NumbersTimes:
        """A part for a place of this shape; `ones`: for either axis, with their length where nothing else tells it."""
        if all(map(_is_one, own)):
            return NumbersTimes(1, [], [], _number(part))
        if len(own) == 2 and same_shape(own, shape):
            return NumbersTimes(1, [], [], part)
        if _is_one(shape[0]) and len(own) == 1:
            return self._row(part)
        if len(own) == 2 and _is_one(own[1]):
            scaled = self._scaled(part)
            return scaled._replace(core=self._chain(_column(scaled.core), transposed(_column(ones[1]))))
        row = self._row(part) if len(own) == 1 else NumbersTimes(1, [], [], part)
        return row._replace(core=self._chain(_column(ones[0]), row.core))

    def _turned(self, written: Form, shape: Shape) -> Form:
        """x[:, None] is the column x itself, x[None, :] the row xᵀ, x[None, None] the number."""
        (x,) = written.parts
        if not x.rank:
            return same(x)
        if not _is_one(shape[1]) and _is_one(shape[0]):
            return same(self._whole(self._row(x)))
        return _column(x)

    def _row(self, part: FormPart) -> NumbersTimes:
        """The transpose of a vector: of a product of matrices the product turned round, its factors transposed."""
        sign, above, below, core = self._scaled(part)
        form = self._seen(core)
        if form.kind == "matmul" and form.parts[-1].rank == 1 and form.parts[0].rank == 2:
            inner = self._row(form.parts[-1])
            chain = self._chain(inner.core, *map(self._transposed, reversed(form.parts[:-1])))
            return NumbersTimes(sign * inner.sign, above + inner.above, below + inner.below, chain)
        matrix = self._summed_matrix(form)
        if matrix is not None:
            return NumbersTimes(sign, above, below, self._chain(ONES_ROW, matrix))
        return NumbersTimes(sign, above, below, replace(self._transposed(core), rank=2))

    def _transposed(self, part: FormPart) -> Form:
        """The transpose of a part: of a transpose what it is of, of a diagonal matrix that itself."""
        form = self._seen(part)
        if form.kind == "transpose":
            return same(form.parts[0])
        return form if _is_diagonal(form) else transposed(part)

    def _summed_matrix(self, form: Form) -> FormPart | None:
        """X where the row of a form is 𝟏ᵀ X: a sum or a mean along an axis of X or of its transpose."""
        if form.kind != "reduce" or form.data[0] not in ("sum", "mean") or form.data[1] is None:
            return None
        (x,) = form.parts
        return None if x.rank != 2 else x if form.data[1] == (0,) else self._transposed(x)

    def _chain(self, *factors: FormPart) -> Form:
        """A product of matrices, those among its factors opened."""
        parts: list[FormPart] = []
        for factor in factors:
            form = self._seen(factor)
            parts += form.parts if form.kind == "matmul" and form.parts[0].rank == 2 else (factor,)
        merged = self._diagonals_merged(parts)
        return same(merged[0]) if len(merged) == 1 else Form("matmul", tuple(merged), (), 2)

    def _diagonals_merged(self, factors: Sequence[FormPart]) -> list[FormPart]:
        """The factors of a product of matrices: diag(a) diag(b) as diag(a ⊙ b), I diag(b) as diag(b)."""
        merged: list[FormPart] = []
        for factor in factors:
            form, before = self._seen(factor), self._seen(merged[-1]) if merged else None
            if before is not None and _is_diagonal(form) and (_is_diagonal(before) or before.kind == "identity"):
                vectors = [*(before.parts if _is_diagonal(before) else ()), *form.parts]
                merged[-1] = _diagonal([f for v in vectors for f in self._factors(v)])
            elif before is not None and _is_diagonal(before) and form.kind == "identity":
                continue
            else:
                merged.append(factor)
        return merged

    def _factors(self, vector: FormPart) -> Sequence[FormPart]:
        """The factors of a product without divisors."""
        form = self._seen(vector)
        plain = form.kind == "product" and form.data == (1, len(form.parts))
        return form.parts if plain else (vector,)

    def _scaled(self, part: FormPart) -> NumbersTimes:
        """The numbers of a part before its array."""
        form = self._seen(part)
        if form.kind == "reduce" and form.data[0] == "mean" and self._summed_matrix(form) is not None:
            total = self._summed(replace(form, data=("sum", form.data[1], None)))
            return NumbersTimes(1, [], [numeral(sympy.sympify(form.data[2]))], total)
        if form.kind != "product":
            return NumbersTimes(1, [], [], part)
        sign, count = form.data
        above, below = form.parts[:count], form.parts[count:]
        arrays = [p for p in above if p.rank]
        numbers = [p for p in above if not p.rank]
        if not arrays or any(p.rank for p in below):
            return NumbersTimes(sign, [], [], _positive(form) if sign < 0 else part)
        if len(arrays) != 1:
            return NumbersTimes(sign, numbers, [*below], product(1, arrays, []))
        inner = self._scaled(arrays[0])
        return NumbersTimes(sign * inner.sign, numbers + inner.above, [*below, *inner.below], inner.core)

    def _seen(self, part: FormPart) -> Form:
        """The form that a part is written as."""
        form = self.forms[part] if isinstance(part, Ref) else part
        while form.kind == "same":
            (inner,) = form.parts
            form = self.forms[inner] if isinstance(inner, Ref) else inner
        return form

    def _whole(self, scaled: NumbersTimes) -> FormPart:
        sign, above, below, core = scaled
        return core if sign > 0 and not above and not below else product(sign, [*above, core], below)

    # ----------------------------------------------------------------------- several arrays

    def _sum(self, form: Form, before: Sequence[Shape], shape: Shape) -> Form:
        lifted = [
            self._repeated(p, shape) if all(map(_is_one, s)) else self._lifted(p, s, shape)
            for p, s in zip(form.parts, before, strict=True)
        ]
        return self._added(form, lifted)

    def _added(self, form: Form, lifted: Sequence[NumbersTimes]) -> Form:
        signs = tuple(sign * term.sign for sign, term in zip(form.data, lifted, strict=True))
        return replace(form, parts=tuple(self._whole(term._replace(sign=1)) for term in lifted), data=signs)

    def _sum_of_vectors(self, form: Form, before: Sequence[Shape | None], shape: Shape) -> Form:
        """x - 𝟏: the numbers among vectors repeated, and vectors of one element."""
        numbers = [not p.rank or all(map(_is_one, s or shape)) for p, s in zip(form.parts, before, strict=True)]
        lifted = [
            self._repeated(p, shape) if number and not _is_one(shape[0]) else NumbersTimes(1, [], [], p)
            for p, number in zip(form.parts, numbers, strict=True)
        ]
        return self._added(form, lifted)

    def _repeated(self, number: FormPart, shape: Shape) -> NumbersTimes:
        """A number at every place of a vector or a matrix: q 𝟏, q 𝟏 𝟏ᵀ; of one element the number itself."""
        number = _number(number)
        ones = [one for n, one in zip(shape, (ONES, ONES_ROW)[-len(shape) :], strict=True) if not _is_one(n)]
        if len(shape) == 1:
            ones = [] if _is_one(shape[0]) else [Form("ones", (), (), 1)]
        if not ones:
            return NumbersTimes(1, [], [], number)
        core = ones[0] if len(ones) == 1 else self._chain(*ones)
        form = self._seen(number)
        if form.kind == "product" and not form.rank:
            sign, count = form.data
            return NumbersTimes(sign, [*form.parts[:count]], [*form.parts[count:]], core)
        if form.kind == "reduce" and form.data[0] == "mean" and form.data[1] is None:
            total = replace(form, data=("sum", None, None))
            return NumbersTimes(1, [total], [numeral(sympy.sympify(form.data[2]))], core)
        if form.kind != "number" or not form.data[0].is_number:
            return NumbersTimes(1, [number], [], core)
        above, below = list[FormPart](), list[FormPart]()
        sign = put_number(form.data[0], above, below)
        return NumbersTimes(sign, [] if form.data[0] == 1 else above, below, core)

    def _branches(self, form: Form, before: Sequence[Shape], shape: Shape) -> Form:
        """Cases by row or by column: each of the two matrices where its condition holds, no zeros added."""
        condition, *values = form.parts
        conditions = [condition, opposite(condition, self._seen(condition))]
        terms: list[FormPart] = []
        for where, value, own in zip(conditions, values, before[1:], strict=True):
            seen = self._seen(value)
            if (seen.kind, seen.data) == ("number", (0,)) or (seen.kind == "filled" and seen.data[0] == 0):
                continue
            chosen = Form("indicator", (where,), (), where.rank)
            terms.append(self._product(Form("product", (chosen, value), (1, 2), 2), [before[0], own], shape))
        return Form("sum", tuple(terms), (1,) * len(terms), 2) if len(terms) > 1 else same(terms[0])

    def _product(self, form: Form, before: Sequence[Shape], shape: Shape) -> Form:
        """Matrices element by element; vectors that repeat scale their rows and columns, or make a matrix."""
        sign, count = form.data
        above, below = list[FormPart](), list[FormPart]()
        rows, columns, matrices = list[FormPart](), list[FormPart](), list[FormPart]()
        for part, own in zip(form.parts[:count], before[:count], strict=True):
            kind = _kind(own, shape)
            if kind == "number":
                above.append(_number(part))
                continue
            if kind == "matrix":
                matrices.append(self._whole(self._lifted(part, own, shape)))
                continue
            scaled = self._scaled(part)
            sign *= scaled.sign
            above += scaled.above
            below += scaled.below
            core = scaled.core if kind == "column" or len(own) == 1 else self._upright(scaled.core)
            (rows if kind == "row" else columns).append(core)
        for part, own in zip(form.parts[count:], before[count:], strict=True):
            below.append(part if not own else self._whole(self._lifted(part, own, shape)))
        above += self._scaling(rows, matrices, columns, any(p.rank for p in below))
        return product(sign, above, below)

    def _upright(self, row: FormPart) -> Form:
        """A matrix of one row as a vector."""
        return replace(self._transposed(row), rank=1)

    def _scaling(
        self, rows: list[FormPart], matrices: list[FormPart], columns: list[FormPart], divided: bool
    ) -> list[FormPart]:
        """diag(columns) (matrices) diag(rows); without a matrix (columns) (rows)ᵀ."""
        if matrices and (rows or columns):
            whole = matrices[0] if len(matrices) == 1 else product(1, matrices, [])
            left = [_diagonal(columns)] if columns else []
            right = [_diagonal(rows)] if rows else []
            return [self._chain(*left, whole, *right)]
        if matrices or not (rows or columns):
            return matrices
        down = _column(_vector(columns)) if columns else ONES
        across = self._row(_vector(rows)) if rows else NumbersTimes(1, [], [], ONES_ROW)
        return [self._whole(across._replace(core=self._chain(down, across.core)))]

    def _signed_product(self, form: Form) -> Form:
        """A product with the signs of products of matrices in it before it."""
        sign, count = form.data
        positive = [self._without_sign(part) for part in form.parts[:count]]
        turned = sum(p is not part for p, part in zip(positive, form.parts, strict=False))
        return replace(form, parts=(*positive, *form.parts[count:]), data=(sign * (-1) ** turned, count))

    def _without_sign(self, part: FormPart) -> FormPart:
        """A product of matrices without the sign that was put before it; other parts as they are."""
        form = self._seen(part)
        signed = (
            form.kind == "product"
            and form.data[0] < 0
            and len(form.parts) == 1
            and self._seen(form.parts[0]).kind == "matmul"
        )
        return form.parts[0] if signed else part

    def _signed_chain(self, form: Form) -> Form:
        """A product of matrices with the signs of its factors before it: -A B, not A (-B)."""
        sign, parts = 1, list(form.parts)
        for place, part in enumerate(parts):
            factor = self._seen(part)
            if factor.kind == "product" and factor.data[0] < 0:
                sign, parts[place] = -sign, _positive(factor)
        chain = replace(form, parts=tuple(parts))
        return product(-1, [chain], []) if sign < 0 else chain

    def _total(self, form: Form) -> Form:
        """A sum or a mean with its sign before it, a sum of sums as one: -1/m Σ D."""
        op, axes, count = form.data
        part = self._seen(form.parts[0])
        if part.kind == "product" and part.data[0] < 0:
            return product(-1, [self._total(replace(form, parts=(_positive(part),)))], [])
        if axes is None and part.kind == "reduce" and part.data[0] in ("sum", "mean"):
            counts = [n for n in (count, part.data[2]) if n is not None]
            op = "mean" if counts else "sum"
            return self._total(replace(form, parts=part.parts, data=(op, None, sympy.prod(counts) if counts else None)))
        return self._summed(form)

    def _summed(self, form: Form) -> Form:
        """(A diag(v)) 𝟏 is A v."""
        matrix = self._summed_matrix(form)
        chain = self._seen(form.parts[0])
        if matrix is None or chain.kind != "matmul":
            return form
        parts = chain.parts if form.data[1] == (1,) else tuple(map(self._transposed, reversed(chain.parts)))
        last = self._seen(parts[-1])
        if not _is_diagonal(last):
            return form
        total = replace(self._chain(*parts[:-1], last.parts[0]), rank=1)
        return total if form.data[2] is None else product(1, [total], [numeral(sympy.sympify(form.data[2]))])


def _positive(form: Form) -> Form:
    """A product without its sign."""
    above = form.data[1]
    return product(1, list(form.parts[:above]), list(form.parts[above:]))


def _kind(own: Shape, shape: Shape) -> str:
    """What an array is in a product of this shape: a number, a whole matrix, or a row or a column that is repeated."""
    if all(map(_is_one, own)):
        return "number"
    if _is_one(shape[0]) or (len(own) == 2 and same_shape(own, shape)):
        return "matrix"
    return "column" if len(own) == 2 and _is_one(own[1]) else "row"


def _number(part: FormPart) -> FormPart:
    """A matrix of one element as the number that it is."""
    return Form("same", (part,), (), 0) if part.rank else part


def _is_one(extent: object) -> bool:
    return bool(same_extent(extent, 1))


def _guessed(own: Shape | None, rank: int, shape: Shape) -> Shape:
    """The shape of a part; where its form does not tell, what its rank leaves."""
    return own if own is not None else shape[len(shape) - rank :]


def _is_diagonal(form: Form) -> bool:
    return form.kind == "call" and form.data[0] == "diag" and form.rank == 2


def _column(part: FormPart) -> Form:
    """A vector as a matrix of one column."""
    if isinstance(part, Form) and part.rank == 2:
        return part
    return Form("same", (part,), (), 2)


def _vector(factors: list[FormPart]) -> FormPart:
    return factors[0] if len(factors) == 1 else product(1, factors, [])


def _diagonal(factors: list[FormPart]) -> Form:
    return call("diag", _vector(factors), rank=2)


def on_paper(forms: Mapping[Ref, Form], shown: Mapping[Node, Shape]) -> dict[Ref, Form]:
    """The forms of a formula, operands first, with broadcasting written out.

    Args:
        forms: as they are read under NumPy's rules.
        shown: the shape of a node's text where broadcasting makes up the rest.
    """
    paper = Paper(Shapes(shown))
    for ref, form in forms.items():
        paper.forms[ref] = paper.write(form, paper.shapes.of(ref))
    return paper.forms
