"""How a derivative is wrong: transposed, a factor off, a sign, a term, a factor forgotten.

In: the values of both formulas, and of their parts, on several instances.  Out: a sentence, or None where a suspicion
is not confirmed.  A suspicion is confirmed only where it holds on every instance, each with other sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np

from symnet import dtypes
from symnet.arrays import Array
from symnet.expr.nodes.extents import same_shape
from symnet.expr.nodes.graph import substitute, topological
from symnet.expr.nodes.node import Node
from symnet.simplify.algebra.table import simplify
from symnet.study.check.case import Case, Multiple, factor, near, same
from symnet.study.check.cases import wrong_cases
from symnet.study.check.misrules import misrules
from symnet.study.check.mistakes import matrix_operations, other_axes, slips
from symnet.study.check.own_terms import expanded_terms, own_terms
from symnet.study.check.parentheses import parenthesised
from symnet.study.check.terms import factors_of, terms

_MOST_TURNED = 4  # matrices of which some should be transposed
_LONGEST = 40  # characters of a part that is named as the place of a slip, or beside another mistake
_READABLE = 160  # characters of what was lost: who lost more wrote another function


def _off(c: Multiple) -> str:
    """What is said of mine = c · truth, c a number."""
    if c.text == "-1":
        return "the sign is wrong: it is minus the gradient"
    sign = "the sign is wrong, and it is " if c.text.startswith("-") else ""
    return f"{sign}{c.text.removeprefix('-')} times the gradient; a factor {c.inverse.removeprefix('-')} is lost"


def _also(c: Multiple | None) -> str:
    """What is said of a factor c beside another mistake."""
    if c is None:
        return ""
    return ", and the sign is wrong" if c.text == "-1" else f", and then it is off by a factor: {c} times the gradient"


# --------------------------------------------------------------------------- suspicions, in order


def _zero(case: Case) -> str | None:
    gone = all(not np.any(x) for x in case.given) and any(np.any(y) for y in case.right)
    return "it is zero, and the gradient is not" if gone else None


def _function_itself(case: Case) -> str | None:
    """The function, not differentiated."""
    return "it is the function itself, not its derivative" if _is_the_function(case) else None


def _is_the_function(case: Case) -> bool:
    if case.function is None or not case.function.rank == case.mine.rank == case.truth.rank:
        return False
    return same(case.given, case.values(case.function))


def _is_typed(case: Case) -> bool:
    """Whether the function was written as it is, not another formula for it."""
    return case.function is not None and case.written is case.function


def _turned_leaves(case: Case) -> str | None:
    """Right but for several square matrices that should be transposed wherever they stand."""
    square = [x for x in case.leaves if x.rank == 2 and same_shape(x.shape, x.shape[::-1])]
    inside = set(topological(case.mine))
    square = [x for x in square if x in inside and "symmetric" not in x.assumptions][:_MOST_TURNED]
    for count in range(2, len(square) + 1):
        for chosen in combinations(square, count):
            (whole,) = substitute([case.mine], {leaf: leaf.T for leaf in chosen})
            values = case.values(whole)
            names = " and ".join(leaf.name for leaf in chosen)
            if same(values, case.right):
                return f"{names} should be transposed"
            c = factor(values, case.right, case)
            if c:
                return f"{names} should be transposed{_also(c)}"
    return None


def _wrong_shape(case: Case) -> str | None:
    mine, truth = case.mine.shape, case.truth.shape
    if mine == truth or all(x.shape == y.shape for x, y in zip(case.given, case.right, strict=True)):
        return None
    said = f"of shape {mine}, where the variable has shape {truth}"
    flat = [x.reshape(-1) for x in case.given], [y.reshape(-1) for y in case.right]
    if mine == truth[::-1]:
        turned = [x.T for x in case.given]
        if same(turned, case.right):
            return f"transposed: {said}"
        c = factor(turned, case.right, case)
        if c:
            return f"transposed ({said}){_also(c)}"
    if tuple(n for n in mine if n != 1) == tuple(n for n in truth if n != 1):
        row = " as a row, the derivative in numerator layout" if mine[:1] == (1,) else ""
        if same(*flat):
            return f"the right values{row}, but {said}"
        c = factor(*flat, case)
        if c:
            return f"laid out otherwise{row} ({said}){_also(c)}"
    for suspicion in (_samples_not_summed, _elementwise, _not_summed, _other_axis, _summed_too_far, _repeated):
        found = suspicion(case)
        if found:
            return f"{found}; it is {said}"
    return f"the wrong shape: {said}"


def _elementwise(case: Case) -> str | None:
    """* where @ was meant, 1/A where inv(A) was; what else is wrong then is said too."""
    for stands, meant, whole in matrix_operations(case.mine):
        values = case.values(whole)
        if any(x.shape != y.shape for x, y in zip(values, case.right, strict=True)):
            continue
        said = f"{stands} works element by element; {meant} is meant"
        if same(values, case.right):
            return said
        rest = _first(replace(case, mine=whole, given=values), _WITHIN)
        if rest:
            return f"{said}, and then: {rest}"
    return None


def _samples_not_summed(case: Case) -> str | None:
    """The sum over samples is missing: mine has an axis more than the variable, and summed over it is the gradient."""
    return _not_summed(case, [a for a, n in enumerate(case.mine.shape) if n not in case.truth.shape])


def _not_summed(case: Case, axes: Sequence[int] | None = None) -> str | None:
    for axis in range(case.mine.rank) if axes is None else axes:
        sums = [np.sum(x, axis=axis) for x in case.given]
        means = [np.mean(x, axis=axis) for x in case.given]
        found = next((word for word, v in (("sum", sums), ("mean", means)) if same(v, case.right)), None)
        c = None if found else factor(sums, case.right, case)
        if found or c:
            samples = f"one gradient for each of {case.mine.shape[axis]} samples"
            return f"{samples}: the {found or 'sum'} over axis {axis} is missing{_also(c)}"
    return None


def _other_axis(case: Case) -> str | None:
    for axis, other, whole in other_axes(case.mine):
        values = case.values(whole)
        if same(values, case.right) or factor(values, case.right, case):
            return f"the sum runs over axis {axis} where it should run over axis {other}"
    return None


def _summed_too_far(case: Case) -> str | None:
    """The gradient summed over an axis that belongs to the variable."""
    rank = case.truth.rank
    for count in range(1, rank + 1):
        for axes in combinations(range(rank), count):
            values = [np.sum(y, axis=axes) for y in case.right]
            if same(case.given, values) or factor(case.given, values, case):
                plural = "axes" if count > 1 else "axis"
                return f"summed over {plural} {' and '.join(map(str, axes))} of the gradient, which must stay"
    return None


def _repeated(case: Case) -> str | None:
    """A smaller shape that broadcasts to the right one: what the values lack then."""
    try:
        given = [np.broadcast_to(x, y.shape) for x, y in zip(case.given, case.right, strict=True)]
    except ValueError:
        return None
    return _one_slip(replace(case, given=given))


def _factor_off(case: Case) -> str | None:
    c = factor(case.given, case.right, case)
    return _off(c) if c and not c.rounded else None


def _number_off(case: Case) -> str | None:
    """A factor that is no fraction."""
    c = factor(case.given, case.right, case)
    return _off(c) if c else None


def _transposed(case: Case) -> str | None:
    turned = [np.swapaxes(x, -1, -2) for x in case.given] if case.mine.rank == 2 else []
    if not turned:
        return None
    if same(turned, case.right):
        return "transposed: it is the transpose of the gradient"
    c = factor(turned, case.right, case)
    return f"transposed: it is the transpose{_also(c)}" if c else None


def _slip_in_mine(case: Case) -> str | None:
    """One place of what was written is wrong: a factor, a term, a sign, a power, a function, a transpose."""
    found = _slipped(case, case.written, _HAS)
    return found or (None if case.written is case.mine else _slipped(case, case.mine, _HAS))


def _not_differentiated(case: Case) -> str | None:
    """A function stands where its derivative should."""
    return _slipped(case, case.written, {"slope": _HAS["slope"]})


def _part_left_out(case: Case) -> str | None:
    """One place of the gradient is missing, or another thing stands there: a factor, a power, a function."""
    return _slipped(case, case.truth, _LACKS)


def _one_slip(case: Case) -> str | None:
    return _first(case, _SLIPS)


def _slipped(case: Case, formula: Node, said: Mapping[str, str]) -> str | None:
    """A change of one place of a formula, mine or the gradient, that makes it the other one."""
    wanted = case.given if formula is case.truth else case.right
    first, known = replace(case, data=case.data[:1]), _sums_of_the_function(case) if formula is case.truth else None
    multiple: str | None = None
    spine = factors_of(formula)
    for slip in slips(formula):
        lost = len(str(slip.before)) if slip.kind in said else 0
        if (
            slip.kind not in said
            or lost > _READABLE
            or (known is not None and slip.kind in ("term", "sign") and slip.place not in known)
        ):
            continue
        if not _alike(first.values(slip.whole), wanted[:1]):
            continue
        values = case.values(slip.whole)
        place = "" if slip.place is formula or len(str(slip.place)) > _LONGEST else f" in {slip.place}"
        inside = "" if slip.place in spine else place
        sentence = said[slip.kind].format(before=slip.before, after=_plain(slip.after), place=place, inside=inside)
        if same(wanted, values):
            return sentence
        pair = (case.given, values) if formula is case.truth else (values, case.right)
        c = (
            factor(*pair, case)
            if multiple is None and slip.kind == "factor" and slip.place in spine and lost <= _LONGEST
            else None
        )
        multiple = f"{sentence}{_also(c)}" if c and not c.rounded else multiple
    return multiple


def _sums_of_the_function(case: Case) -> set[Node]:
    """The nodes that whoever differentiated it has seen: of sums that only the gradient has, no term is named."""
    return set() if case.function is None else set(topological(case.function, *simplify([case.function])))


def _plain(node: Node | None) -> Node | None:
    """A part that nobody wrote, as a reader would have it."""
    return node if node is None else min(node, *simplify([node]), key=lambda form: len(str(form)))


def _alike(a: Sequence[Array], b: Sequence[Array]) -> bool:
    """Whether two values are equal but for a number, quickly."""
    for x, y in zip(a, b, strict=True):
        if x.shape != y.shape or not np.all(np.isfinite(x)):
            return False
        norm = float(np.vdot(x, x))
        if np.any(y) if norm == 0.0 else not near(y, float(np.vdot(x, y)) / norm * x):
            return False
    return True


# What is said of a slip: of the gradient, which mine lacks; of mine, which has it.
_LACKS = {
    "factor": "the factor {before} is missing{inside}",
    "number": "the factor {before} is missing{place}",
    "slope": "{after} stands where {before} should: differentiated once too often",
    "term": "the term {before} is missing{place}",
    "sign": "the sign of the term {before} is wrong{place}",
    "part": "{after} stands where {before} should",
}
_HAS = {
    "factor": "the factor {before} is too many{place}",
    "number": "the factor {before} is too many{place}",
    "term": "the term {before} is too many{place}",
    "sign": "the sign of the term {before} is wrong{place}",
    "part": "{before} should be {after}",
    "slope": "{before} stands where its derivative, {after}, should",
}


def _two_terms(case: Case) -> str | None:
    """Two terms missing, or one that stands twice in the place of another."""
    difference = [x - y for x, y in zip(case.given, case.right, strict=True)]
    parts = terms(case.truth)
    values = {part: case.values(part) for part in parts}
    for one, other in permutations(parts, 2):
        if same(difference, [b - a for a, b in zip(values[one], values[other], strict=True)]):
            return f"the term {other} stands twice, and {one} is missing"
        if len(parts) > 2 and same(difference, [-a - b for a, b in zip(values[one], values[other], strict=True)]):
            return f"the terms {one} and {other} are missing"
    return None


def _extra_term(case: Case) -> str | None:
    """A term too many, or one in the place of another."""
    difference = [x - y for x, y in zip(case.given, case.right, strict=True)]
    mine = [(part, case.values(part)) for part in terms(case.mine)]
    for part, values in mine:
        if len(mine) > 1 and same(values, difference):
            return f"the term {part} is too many"
    for wanted in terms(case.truth):
        right = case.values(wanted)
        for part, values in mine:
            if same([a - b for a, b in zip(values, right, strict=True)], difference) and len(mine) > 1:
                return f"the term {part} should be {wanted}"
    return None


def _one_sign(case: Case) -> str | None:
    """Right, or right but for the sign, exactly where a variable is positive, or where it is negative."""
    for leaf in case.leaves:
        if leaf.dtype not in dtypes.REAL or (leaf.rank and leaf.shape != case.truth.shape):
            continue
        positive = [np.broadcast_to(d[leaf.name] > 0, r.shape) for d, r in zip(case.data, case.right, strict=True)]
        for sign, where in ((">", positive), ("<", [~p for p in positive])):
            other = [~w for w in where]
            if not (any(map(np.any, where)) and any(map(np.any, other))):
                continue
            if not same(_at(where, case.given), _at(where, case.right)):
                continue
            turned = same(_at(other, [-x for x in case.given]), _at(other, case.right))
            rest = f": elsewhere the sign is wrong (|{leaf.name}| is {leaf.name} or -{leaf.name})" if turned else ""
            return f"right only where {leaf.name} {sign} 0{rest}"
    return None


def _at(where: Sequence[Array], values: Sequence[Array]) -> list[Array]:
    return [v[w] for v, w in zip(values, where, strict=True)]


def _symmetric(case: Case) -> str | None:
    """Right for symmetric matrices: A stands where (A + A.T)/2 should, or a transpose is missing."""
    square = [x for x in case.leaves if x.rank == 2 and same_shape(x.shape, x.shape[::-1])]
    square = [x for x in square if x.dtype in dtypes.REAL and "symmetric" not in x.assumptions]
    for count in range(1, len(square) + 1):
        for chosen in combinations(square, count):
            names = {leaf.name for leaf in chosen}
            data = [{k: (a + a.T) / 2 if k in names else a for k, a in d.items()} for d in case.data]
            there = replace(case, data=data)
            given, right = there.values(case.mine), there.values(case.truth)
            said = f"right only where {' and '.join(sorted(names))} {'are' if count > 1 else 'is'} symmetric"
            if same(given, right):
                return said
            c = factor(given, right, case)
            if c and c.text != "-1":
                return f"{said}{_also(c)}"
    return None


def _parentheses(case: Case) -> str | None:
    """Right with parentheses that are missing."""
    for stands, meant, whole in parenthesised(case.written):
        if whole.shape == case.truth.shape and same(case.values(whole), case.right):
            return f"{stands} stands where {meant} should: parentheses are missing"
    return None


def _broken_rule(case: Case) -> str | None:
    """The rule of differentiation that was got wrong, if what was written follows from that."""
    if case.function is None or case.function.rank or case.variable is None:
        return None
    first = replace(case, data=case.data[:1])
    for said, whole in misrules(case.function, case.variable):
        if whole.shape != case.mine.shape or not same(first.values(whole), case.given[:1]):
            continue
        if same(case.values(whole), case.given):
            return said
    return None


# Those of one shape, which may be what is wrong besides: of the whole, of a term, of a part.
_WHOLE: tuple[Callable[[Case], str | None], ...] = (
    _parentheses,
    _factor_off,
    wrong_cases,
    _not_differentiated,
    _one_sign,
    _transposed,
)
_SLIPS: tuple[Callable[[Case], str | None], ...] = (_slip_in_mine, _part_left_out, expanded_terms)
_WITHIN: tuple[Callable[[Case], str | None], ...] = (*_WHOLE, own_terms, _number_off, *_SLIPS)
_FIRST: tuple[Callable[[Case], str | None], ...] = (_zero, _function_itself, _wrong_shape)
_LAST: tuple[Callable[[Case], str | None], ...] = (_extra_term, _two_terms, _turned_leaves, _symmetric, _elementwise)


def _first(case: Case, suspicions: Sequence[Callable[[Case], str | None]]) -> str | None:
    return next((found for suspicion in suspicions if (found := suspicion(case))), None)


def how_wrong(case: Case) -> str:
    """The first suspicion that is confirmed, and the rule that was broken."""
    found = _first(case, _FIRST)
    if found:
        rule = _broken_rule(case) if _is_the_function(case) and not _is_typed(case) else None
        return f"{rule}; what it gives is the function itself" if rule else found
    found, rule = _first(case, (*_WHOLE, own_terms)), _broken_rule(case)
    if rule:
        return f"{found} ({rule})" if found else rule
    found = found or _first(case, (_number_off, *_SLIPS, *_LAST))
    if found:
        return found
    wrong = [~np.isclose(x, y, rtol=1e-7, atol=1e-12) for x, y in zip(case.given, case.right, strict=True)]
    first = next((each for each in wrong if each.any()), wrong[0])
    count, total = int(first.sum()), first.size
    return f"another function: it differs in {count} of {total} elements" if total > 1 else "another function"
