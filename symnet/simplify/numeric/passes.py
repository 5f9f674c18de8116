"""The numeric form: what computes well, applied once to all outputs just before lowering.

In: roots in the algebra form.  Out: the same values by formulas that keep their digits and stay finite: log-sum-exp
and softmax shifted by the maximum and sharing one exponential, log1p and expm1, σ(-x) for 1 - σ(x), 0·log 0 = 0,
differences of a softmax or logistic value and a target without cancellation, 0·∞ = 0 at the roots' zeros and off the
diagonal.
First SymPy functions that are no primitive are replaced by their bodies (`expr/sympy/bodies.py`), and what is computed
twice is shared (`sharing.py`).  Then passes in order, for a rewrite sees operands already rewritten, and a softmax must
be met whole: constants in sums, conjugate roots and numerators, differences and cancellations, sums of exponentials in
sums of exponentials (`scaled_values.py`), other sums of exponentials, softmax, log-softmax, the rest, with removable
singularities (`removable.py`) among them.  Each is directed: no rewrite makes a pattern of its own pass again.
`docs/stability.md` lists spellings and bounds.
Not handled: products and quotients that overflow by themselves, sums of numbers of very different size.
Source of the shifted sums: Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax
functions", 2021, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from symnet.expr.nodes.node import Node
from symnet.expr.sympy.bodies import has_functions, opened_but_whole
from symnet.simplify.algebra.constants import WHOLE_AMONG_REALS
from symnet.simplify.algebra.exposing import exposures, pieces_of
from symnet.simplify.algebra.table import simplify
from symnet.simplify.engine import Normalizer, Table
from symnet.simplify.numeric.cancellations import CANCELLATIONS
from symnet.simplify.numeric.cofactors import COFACTORS
from symnet.simplify.numeric.common_denominators import COMMON_DENOMINATORS
from symnet.simplify.numeric.conjugates import CONJUGATES
from symnet.simplify.numeric.constants_in_sums import CONSTANTS_IN_SUMS
from symnet.simplify.numeric.deltas import DELTAS
from symnet.simplify.numeric.differences import DIFFERENCES
from symnet.simplify.numeric.equations import EQUATIONS, OPENING
from symnet.simplify.numeric.exponentials.exponential_sums import EXPONENTIAL_SUMS
from symnet.simplify.numeric.exponentials.joined_differences import JOINED_DIFFERENCES
from symnet.simplify.numeric.exponentials.normal_differences import NORMAL_DIFFERENCES
from symnet.simplify.numeric.exponentials.normal_tails import NORMAL_TAILS
from symnet.simplify.numeric.exponentials.running_sums import RUNNING_SUMS
from symnet.simplify.numeric.exponentials.scaled_values import NESTED_SUMS
from symnet.simplify.numeric.exponentials.scattered import SCATTERED
from symnet.simplify.numeric.exponentials.stable import LOG_SOFTMAXES, LOGARITHMS, SOFTMAXES
from symnet.simplify.numeric.exponentials.weighted_logarithms import WEIGHTED_LOGARITHMS
from symnet.simplify.numeric.factorials import FACTORIALS, LOGARITHMS_OF_FACTORIALS
from symnet.simplify.numeric.guarded_products import GUARDED_PRODUCTS
from symnet.simplify.numeric.interleaved import INTERLEAVED
from symnet.simplify.numeric.mirrored import MIRRORED
from symnet.simplify.numeric.norms import NORMS, ROOTS
from symnet.simplify.numeric.numerators import NUMERATORS
from symnet.simplify.numeric.quotients_by_squares import QUOTIENTS_BY_SQUARES, SCALAR_PRODUCTS
from symnet.simplify.numeric.reciprocals import RECIPROCALS
from symnet.simplify.numeric.repeats import REPEATS
from symnet.simplify.numeric.scaled_squares import SCALED_SQUARES
from symnet.simplify.numeric.shifted_squares import QUOTIENTS_BY_SHIFTED_SQUARES
from symnet.simplify.numeric.singularities.divided_joins import DIVIDED_JOINS
from symnet.simplify.numeric.singularities.evaluated_wholes import WHOLES
from symnet.simplify.numeric.singularities.powers_near_one import POWERS_NEAR_ONE
from symnet.simplify.numeric.singularities.removable import REMOVABLE_SINGULARITIES
from symnet.simplify.numeric.squares import SQUARES
from symnet.simplify.numeric.whole_squares import WHOLE_SQUARES
from symnet.simplify.numeric.zero_powers import LOGARITHMS_OF_BASES, ZERO_POWERS
from symnet.simplify.rewrite import GraphRewrite, Rewrite
from symnet.simplify.sealing import unsealed
from symnet.simplify.sharing import share
from symnet.simplify.trace import Step

NumericPass = Callable[[list[Node], list[Step] | None], list[Node]]
SUMS_OF_EXPONENTIALS = (*EXPONENTIAL_SUMS, *RUNNING_SUMS, *NORMAL_TAILS, *NORMAL_DIFFERENCES)
NORMS_AND_RECIPROCALS = (*NORMS, *RECIPROCALS)
SQUARES_IN_RANGE = (*SCALED_SQUARES, *QUOTIENTS_BY_SQUARES)
PASSES: tuple[tuple[Rewrite, ...], ...] = (
    CONSTANTS_IN_SUMS,
    (*CONJUGATES, *NUMERATORS),
    (
        *WHOLE_AMONG_REALS,
        *DIFFERENCES,
        *CANCELLATIONS,
        *COMMON_DENOMINATORS,
        *SQUARES,
        *SCATTERED,
        *JOINED_DIFFERENCES,
        *LOGARITHMS_OF_FACTORIALS,
        *MIRRORED,
    ),
    SUMS_OF_EXPONENTIALS,
    (*WEIGHTED_LOGARITHMS, *LOGARITHMS_OF_BASES),
    SOFTMAXES,
    LOG_SOFTMAXES,
    LOGARITHMS,
    COFACTORS,
    EQUATIONS,
    FACTORIALS,
    ZERO_POWERS,
    NORMS_AND_RECIPROCALS,
    (*ROOTS, *WHOLE_SQUARES),
    SCALAR_PRODUCTS,
    SQUARES_IN_RANGE,
    INTERLEAVED,
    DELTAS,
    REPEATS,
    GUARDED_PRODUCTS,
)
_SEEN_THROUGH_MOVEMENT = (
    *PASSES[1:5],
    LOGARITHMS,
    NORMS_AND_RECIPROCALS,
    SQUARES_IN_RANGE,
)  # where digits cancel, or overflow


def table_of(rewrites: tuple[Rewrite, ...]) -> Table:
    """The table of a pass: which spellings of a node it is shown, and how equations are opened."""
    table = Table(rewrites, OPENING) if rewrites is EQUATIONS else Table(rewrites)
    return replace(table, spellings=exposures, apart=pieces_of) if rewrites in _SEEN_THROUGH_MOVEMENT else table


WHOLE_GRAPHS: dict[tuple[Rewrite, ...], GraphRewrite] = {
    SUMS_OF_EXPONENTIALS: NESTED_SUMS,
    COFACTORS: POWERS_NEAR_ONE,
    EQUATIONS: DIVIDED_JOINS,
    FACTORIALS: REMOVABLE_SINGULARITIES,
    ZERO_POWERS: WHOLES,
    SQUARES_IN_RANGE: QUOTIENTS_BY_SHIFTED_SQUARES,
}  # passes that look at whole graphs, by the rewrites that they come before


def _passes() -> Iterator[NumericPass]:
    for rewrites in PASSES:
        if rewrites in WHOLE_GRAPHS:
            yield WHOLE_GRAPHS[rewrites].apply
        yield TablePass(table_of(rewrites))


@dataclass(frozen=True)
class TablePass:
    """The pass that rewrites every node by a table, operands first."""

    table: Table

    def __call__(self, roots: list[Node], trace: list[Step] | None) -> list[Node]:
        return Normalizer(self.table, trace)(roots)


_RUN = tuple(_passes())


def numeric(roots: Iterable[Node], trace: list[Step] | None = None) -> list[Node]:
    """The numeric form of roots that are in the algebra form.

    Args:
        roots: what `simplify` gave.
        trace: a list to which every step is appended.

    Returns:
        one node per root, of the same shape.
    """
    roots = list(roots)
    if has_functions(*roots):
        roots = simplify(map(opened_but_whole, roots))
    roots = share(roots)
    for run in _RUN:
        topics = reduce(or_, (root.topics for root in roots), 0)
        if not isinstance(run, TablePass) or run.table.concerns(topics):  # else it would walk all and change nothing
            roots = run(roots, trace)
    plain = unsealed(roots)
    return roots if plain == roots else share(plain)
