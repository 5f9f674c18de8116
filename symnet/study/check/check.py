"""A derivative worked out by hand, graded.

In: a formula, a scalar, a variable.  Out: a `Verdict`: right, or how it is wrong, with numbers that show it.
Both formulas are brought to the algebra form; where they are not the same node, they are compared on random instances
of different sizes, and `grading.py` says how they differ.
Not handled: derivatives that are equal only where an assumption holds that the leaves do not carry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from symnet import dtypes
from symnet.arrays import Array
from symnet.calculus.grad import grad
from symnet.calculus.hessian import hessian
from symnet.calculus.jacobian import derivative, jacobian
from symnet.calculus.structure import flatten
from symnet.errors import ArgumentError, explain
from symnet.expr.nodes.abstract import refuse_abstract
from symnet.expr.nodes.constants import as_node, number_of
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, check_leaves
from symnet.expr.sympy.from_sympy import from_sympy
from symnet.reading.formula import formula, names_in
from symnet.reference import evaluate
from symnet.simplify.algebra.table import simplify
from symnet.study.check.case import Case, same
from symnet.study.check.grading import how_wrong
from symnet.study.check.instance import FREE, SIZES, mirrored, random_instance, sizes
from symnet.study.check.own_names import with_names

SEED = 20240229
_STEP = 1e-5  # of central differences
_DRAWN = (1.0, 0.1, 0.01)  # by which numbers are multiplied, the first with which all is finite
_SCALES = (10.0, 100.0, 1000.0)  # of the larger numbers
_LARGE, _BEYOND_ROUNDING = 1e7, 1e-6  # below it, rounding stays under a tenth of the other
_LOST = 1e-13  # of the largest value on the way: what rounding makes of small ones
_MOST_THRESHOLDS = 8  # numbers of a formula about which it is looked at
_SHOWN = 12  # elements of an array that a counterexample writes out


@dataclass(frozen=True)
class Counterexample:
    """Numbers on which the two differ.

    Attributes:
        data: the arrays, by name.
        mine, gradient: both values.
        index: where they differ most.
        difference: the central difference of L there, by neither formula; None where the variable is no free leaf.
    """

    data: Mapping[str, Array]
    mine: Array
    gradient: Array
    index: tuple[int, ...]
    difference: float | None

    def __str__(self) -> str:
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        lines = [f"with {name} = {_written(array)}" for name, array in self.data.items()]
        if self.mine.shape == self.gradient.shape:
            lines.append(f"yours{place} is {self.mine[self.index]:.6g}, the gradient{place} is {self._right():.6g}")
        else:
            lines.append(f"yours has shape {self.mine.shape}, the gradient has shape {self.gradient.shape}")
        if self.difference is not None:
            lines.append(f"a finite difference gives {self.difference:.6g}")
        return "\n".join(lines)

    def _right(self) -> float:
        return float(self.gradient[self.index])


def _written(array: Array) -> str:
    if array.size > _SHOWN:
        return f"an array of shape {array.shape}"
    return np.array2string(array, precision=4, suppress_small=True, separator=", ").replace("\n", "")


@dataclass(frozen=True)
class Verdict:
    """What became of a derivative worked out by hand.

    Attributes:
        right: whether it is the derivative.
        reason: how it is right or wrong, a phrase.
        gradient: the true one.
        counterexample: where it is wrong, numbers that show it.
        noun: what was graded: the gradient, the Jacobian, the Hessian, or the derivative in a layout.
    """

    right: bool
    reason: str
    gradient: Node
    counterexample: Counterexample | None = None
    noun: str = "gradient"

    def __str__(self) -> str:
        if self.right:
            return f"right: {self.reason}"
        example = _of(self.noun, str(self.counterexample))
        shown = "\n".join(f"  {line}" for line in example.splitlines())
        return f"wrong: {self.reason}\nthe {self.noun} is {self.gradient}\nfor example\n{shown}"

    __repr__ = __str__

    def __bool__(self) -> bool:
        return self.right


def check(mine: Any, L: Any, wrt: Any, *, layout: str | None = None, order: int = 1) -> Verdict:
    """Grade a gradient, a Jacobian, a derivative or a Hessian worked out by hand.

    Args:
        mine: what is claimed to be ∂L/∂wrt, of wrt's shape (of an array L's shape and wrt's): a node, a SymPy
            expression, or a formula as text.
        L: a node, a SymPy expression, or a formula as text; of an array the Jacobian is graded.
        wrt: a node of L, or its name, or an element of one: "x[2]".
        layout: "numerator" or "denominator": what `derivative` gives is graded, also of scalars.
        order: 2 for the Hessian of a scalar, of wrt's shape twice.

    Returns:
        a `Verdict`: true in an `if`, readable as text.

    Raises:
        ArgumentError: L does not contain the variable; a formula that cannot be read; another order, or order=2 with
            a layout.
        ShapeError: order=2 of an array.

    Example:
        >>> import symnet as sn
        >>> m, n = sn.dim("m"), sn.dim("n")
        >>> X, w, y = sn.tensor("X", m, n), sn.tensor("w", n), sn.tensor("y", m)
        >>> L = sn.mean((X @ w - y) ** 2)
        >>> sn.check("2*X.T @ (X @ w - y)/m", L, w).right
        True
        >>> sn.check("X.T @ (X @ w - y)", L, w).reason
        'm/2 times the gradient; a factor 2/m is lost'
    """
    root = _read(L, None)
    names = names_in(root)
    target = _variable(wrt, names)
    claim = _read(mine, {**names, **names_in(target)})
    truth, noun = _truth(root, target, layout, order)
    check_leaves("check(mine, L, wrt)", [root, claim])
    plain = simplify([claim, truth])
    if plain[0] is plain[1]:
        return Verdict(True, "the same formula, simplified", truth, noun=noun)
    refuse_abstract("check(mine, L, wrt)", plain)
    case = replace(_instances(plain[0], plain[1], root), variable=target, typed=claim)
    if same(case.given, case.right):
        far = _far_out(case, root)
        if far is None:
            return Verdict(True, f"equal on {len(case.data)} random instances", truth, noun=noun)
        reason = "right on numbers around 1, but not on all others: it differs in a case that they do not reach"
        return Verdict(False, reason, truth, _counterexample(far, root, target, noun), noun)
    with np.errstate(all="ignore"):  # where what was written has no value
        reason = _of(noun, with_names(how_wrong(case), root))
        return Verdict(False, reason, truth, _counterexample(case, root, target, noun), noun)


def _truth(root: Node, target: Node, layout: str | None, order: int) -> tuple[Node, str]:
    """What is graded, and what it is called."""
    call = f"check(mine, L, wrt, order={order!r})"
    if order not in (1, 2):
        raise ArgumentError(explain(call, "1 or 2", repr(order), "Write order=2 for the Hessian."))
    if order == 2 and layout is not None:
        raise ArgumentError(explain(call, "no layout", repr(layout), "Leave layout= out."))
    if order == 2:
        return hessian(root, target), "Hessian"
    if layout is not None:
        return derivative(root, target, layout), f"derivative in {layout} layout"
    return (jacobian(root, target), "Jacobian") if root.rank else (grad(root, target), "gradient")


def _of(noun: str, reason: str) -> str:
    """What is said of a gradient, said of another derivative."""
    if noun == "gradient":
        return reason
    return reason.replace("where the variable has shape", "where it has shape").replace("gradient", noun)


def _read(given: Any, names: Mapping[str, Any] | None) -> Node:
    if isinstance(given, str):
        return formula(given, names)
    return given if isinstance(given, Node) else from_sympy(given) if hasattr(given, "free_symbols") else as_node(given)


def _variable(wrt: Any, names: Mapping[str, Any]) -> Node:
    if isinstance(wrt, str):
        if "[" in wrt:
            return formula(wrt, names)
        if not isinstance(names.get(wrt), Node):
            known = ", ".join(name for name, value in names.items() if isinstance(value, Node))
            raise ArgumentError(explain("check(mine, L, wrt)", f"one of {known}", repr(wrt), "Check the name."))
        return names[wrt]
    if hasattr(wrt, "is_Matrix") and wrt.is_Matrix:
        wrt = from_sympy(wrt)
    found, _ = flatten("check(mine, L, wrt)", wrt)
    if len(found) != 1:
        mend = "Check the gradients one by one."
        raise ArgumentError(explain("check(mine, L, wrt)", "one variable", f"{len(found)} of them", mend))
    return found[0]


def _instances(mine: Node, truth: Node, root: Node) -> Case:
    """Both values on instances of different sizes and both signs, drawn so that the gradient is finite and no zero."""
    nodes = [root, mine, truth]
    known = check_leaves("check(mine, L, wrt)", nodes)
    for scale, free in product(_DRAWN, FREE):
        rng = np.random.default_rng(SEED)
        chosen = [sizes(nodes, k) for k in range(len(SIZES))]
        data = [random_instance(nodes, rng, dims, free, scale) for dims in chosen]
        if _is_finite(Case(mine, truth, data, [], known), root):
            break
    turned = [mirrored(nodes, each, k % 3) for k, each in enumerate(data)]
    if _is_finite(Case(mine, truth, turned, [], known), root):
        chosen, data = 2 * chosen, data + turned
    numbers = [_numbers(known, dims, d) for dims, d in zip(chosen, data, strict=True)]
    case = Case(mine, truth, data, numbers, known)
    return Case(mine, truth, data, numbers, known, case.values(mine), case.values(truth), root)


def _is_finite(case: Case, root: Node) -> bool:
    return all(np.all(np.isfinite(v)) for node in (case.truth, root) for v in case.values(node))


def _far_out(near: Case, root: Node) -> Case | None:
    """An instance of larger numbers, or of numbers about as large as one that stands in a formula, on which the two
    differ beyond rounding, if there is one.

    Where any value on the way is large, a right formula may lose all its digits, so that such instances say nothing.
    """
    nodes = [root, near.mine, near.truth]
    inner = [node for node in topological(*nodes) if node.dtype in dtypes.REAL]
    rng = np.random.default_rng(SEED)
    for scale in (*_SCALES, *_thresholds(topological(*nodes))):
        for k, data in _of_both_signs(nodes, rng, scale):
            case = Case(near.mine, near.truth, [data], near.sizes[k : k + 1], near.leaves)
            with np.errstate(all="ignore"):
                values = evaluate(inner, data, leaves=near.leaves)
            if not all(np.all(np.abs(v) < _LARGE) for v in values):
                continue
            (mine,), (right,) = case.values(near.mine), case.values(near.truth)
            if np.any(np.abs(mine - right) > _rounding(right, values, scale)):
                return replace(case, given=[mine], right=[right])
    return None


def _of_both_signs(
    nodes: Sequence[Node], rng: np.random.Generator, scale: float
) -> Iterator[tuple[int, Mapping[str, Array]]]:
    """Instances of every size and kind, each followed by its mirror image; with the number of the size."""
    for k, free in product(range(len(SIZES)), FREE):
        drawn = random_instance(nodes, rng, sizes(nodes, k), free, scale)
        yield k, drawn
        yield k, mirrored(nodes, drawn, 0)


def _thresholds(nodes: Iterable[Node]) -> list[float]:
    """Scales at which the numbers in a formula are met from both sides: those of pieces, and what is added."""
    found = {abs(float(value)) for node in nodes if (value := number_of(node)) is not None and value.is_finite}
    apart = sorted((v for v in found if v and not 0.3 < v < 3), key=lambda v: abs(np.log(v)))
    return [2 * v for v in apart[:_MOST_THRESHOLDS]]


def _rounding(right: Array, values: Sequence[Array], scale: float) -> float:
    """How far off a right formula may be: of small numbers, as far as the largest on the way lets them."""
    size = float(np.max(np.abs(right), initial=0.0))
    if scale >= 1:
        return _BEYOND_ROUNDING * max(1.0, size)
    largest = max((float(np.max(np.abs(v), initial=0.0)) for v in values), default=0.0)
    return max(_BEYOND_ROUNDING * size, _LOST * largest)


def _numbers(known: Sequence[Tensor], dims: Mapping[Any, int], data: Mapping[str, Array]) -> dict[str, float]:
    """The numbers, by name, that a lost factor may be made of: extents and scalars."""
    scalars = {leaf.name: float(data[leaf.name]) for leaf in known if not leaf.rank and leaf.dtype != "bool"}
    return {str(d): float(v) for d, v in dims.items()} | scalars


def _counterexample(case: Case, root: Node, target: Node, noun: str) -> Counterexample:
    smallest = min(_differing(case), key=lambda k: sum(a.size for a in case.data[k].values()))
    data, mine, right = case.data[smallest], case.given[smallest], case.right[smallest]
    if mine.shape == right.shape:
        gap = np.nan_to_num(np.abs(mine - right), nan=np.inf)
    else:
        gap = np.abs(right)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(gap)), gap.shape)) if gap.size else ()
    used = {leaf.name: data[leaf.name] for leaf in check_leaves("check(…)", [root])}
    shown = mine.shape == right.shape and noun == "gradient"  # whose elements are those of the variable
    return Counterexample(used, mine, right, index, _difference(root, target, data, index, case) if shown else None)


def _differing(case: Case) -> list[int]:
    """The instances that show it: of those with a function in pieces, some may lie in a right one."""
    apart = [k for k, pair in enumerate(zip(case.given, case.right, strict=True)) if not same([pair[0]], [pair[1]])]
    return apart or list(range(len(case.data)))


def _difference(root: Node, target: Node, data: Mapping[str, Array], index: Any, case: Case) -> float | None:
    if not isinstance(target, Tensor) or "symmetric" in target.assumptions:
        return None
    if root.rank or len(index) != target.rank:
        return None
    values = []
    for step in (_STEP, -_STEP):
        moved = np.array(data[target.name], dtype="float64")
        moved[index] += step
        values.append(float(evaluate(root, {**data, target.name: moved}, leaves=case.leaves)))
    return (values[0] - values[1]) / (2 * _STEP)
