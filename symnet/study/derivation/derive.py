"""Derivations: a gradient with its steps, differentiated as written.

In: a scalar and what to differentiate by.  Out: a `Derivation`: the values as written, the local derivative on every
edge, the routes, the backward steps with every rewrite by name, and the result, which is the node that `grad` gives.
Nothing is simplified before it is differentiated, so that every step is one that a reader can follow in the formula
he wrote.  How the steps are found is `writer.py`; how they are written out stands beside it.
Not handled: arrays by arrays (take `jacobian`), and forward mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symnet import dtypes
from symnet.arrays import Array, given_array
from symnet.calculus.grad import grad, gradients, scalar_root
from symnet.calculus.problem import open_problem
from symnet.calculus.structure import flatten
from symnet.errors import ArgumentError, DTypeError, explain
from symnet.expr.nodes.abstract import refuse_abstract
from symnet.expr.nodes.names import attach, strip
from symnet.expr.nodes.node import Node, static_name
from symnet.expr.nodes.symbols import EQUALITIES, Named, Tensor, leaves
from symnet.study.derivation.derivation import Derivation
from symnet.study.derivation.writer import Writer


def derive(y: Any, x: Any = None, at: Mapping[str, Any] | None = None) -> Derivation:
    """The gradient of y by x with every step.

    Args:
        y: rank 0.
        x: a leaf or an intermediate node; a list or dict of them; None: every leaf that can be differentiated by.
            The keys of a dict name the intermediate values that have no name.
        at: name → number or array for every leaf; puts numbers on the graph and on every step.

    Returns:
        a `Derivation`: print it, `.save("out.html")` it, or read its `values`, `edges`, `steps` and `result`.

    Raises:
        ShapeError: y is no scalar.
        ArgumentError: y does not contain x; `at` lacks a leaf or names none.
        AssumptionError: x is one-hot, a simplex or integer.
        MissingRuleError: `at` for an abstract function, which has no value.

    Example:
        >>> import symnet as sn
        >>> a, b = sn.scalar("a"), sn.scalar("b")
        >>> d = (a * (a + b).named("c")).named("d")
        >>> [step.label for step in sn.derive(d, a).steps]
        ['d', 'c', 'a']
        >>> sn.derive(d, [a, b], at={"a": 4, "b": 3}).numbers.cotangents["a"]
        array(11.)
    """
    call = "derive(y, x)"
    root = scalar_root(call, y)
    x = variables(root) if x is None else x
    root, x = _under_keys(root, x)
    targets, restore = flatten(call, x)
    if not targets:
        mend = "Give y a real leaf, or x."
        raise ArgumentError(explain(call, "a variable to differentiate by", "none", mend))
    if at is not None:
        refuse_abstract("derive(y, x, at=…)", [root])
    data = None if at is None else _read(root, at)
    problem = open_problem(call, [root], targets, as_written=True)
    reached = problem.finish(problem.parted(gradients(problem)), [t.shape for t in targets], problem.targets)
    results = grad(root, list(targets))
    return Writer(problem).derivation(reached, results, restore(results), data)


def _under_keys(root: Node, x: Any) -> tuple[Node, Any]:
    """The root with a dict's keys as names of those intermediate values that have none, and the dict of these."""
    if not isinstance(x, Mapping) or not all(isinstance(value, Node) for value in x.values()):
        return root, x
    (bare, *values), written = strip([root, *x.values()])
    taken = {leaf.name for leaf in leaves(bare)} | {label.name for label in written.values()}
    fresh = {
        value: Named(value, static_name(key), static_name(""))
        for key, value in zip(x, values, strict=True)
        if value.operands and value not in written and isinstance(key, str) and key and key not in taken
    }
    if not fresh:
        return root, x
    named, *nodes = attach([bare, *values], {**fresh, **written})
    return named, dict(zip(x, nodes, strict=True))


def variables(root: Node) -> list[Tensor]:
    """The leaves that can be differentiated by."""
    tied = EQUALITIES | {"integer"}
    return [leaf for leaf in leaves(root) if leaf.dtype in dtypes.REAL and not leaf.assumptions & tied]


def _read(root: Node, at: Mapping[str, Any]) -> dict[str, Array]:
    """The data by name, each in the dtype of its leaf.

    Raises:
        ArgumentError: a leaf without a number, or a number without a leaf.
    """
    if not isinstance(at, Mapping):
        mend = "Write a dict, at={'x': 1.0}."
        raise ArgumentError(explain("derive(y, x, at=…)", "a number or array for each leaf, by name", repr(at), mend))
    known = {leaf.name: leaf for leaf in leaves(root)}
    given = {key if isinstance(key, str) else str(getattr(key, "name", key)): value for key, value in at.items()}
    wrong = [name for name in given if name not in known] or [name for name in known if name not in given]
    if wrong:
        got = f"{wrong[0]!r} {'missing' if wrong[0] in known else 'besides'}"
        mend = f"Write at={{{', '.join(f'{name!r}: …' for name in known)}}}."
        raise ArgumentError(explain("derive(y, x, at=…)", f"a number for each of {', '.join(known)}", got, mend))
    return {name: _array(leaf, given[name]) for name, leaf in known.items()}


def _array(leaf: Tensor, value: Any) -> Array:
    """What was given for a leaf, in its dtype.

    Raises:
        ArgumentError: for what is no number or array of them.
        DTypeError: for numbers that the leaf cannot hold, such as 1.5 for an integer.
    """
    call = "derive(y, x, at=…)"
    array = given_array(call, leaf.name, value)
    if array.dtype.kind not in "biuf":
        expected = f"a number, or an array of numbers, for {leaf.name}"
        raise ArgumentError(explain(call, expected, repr(value), f"Write at={{'{leaf.name}': 1.0}}."))
    if not np.can_cast(array.dtype, str(leaf.dtype), "same_kind"):
        expected = f"{leaf.dtype} for {leaf.name}"
        raise DTypeError(explain(call, expected, f"{array.dtype}: {value!r}", "Give numbers of that kind."))
    with np.errstate(over="ignore"):
        return array.astype(str(leaf.dtype))
