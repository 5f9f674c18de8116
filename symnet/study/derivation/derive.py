"""Derivations: a gradient, a Jacobian or a Hessian with its steps, differentiated as written.

In: an expression and what to differentiate by.  Out: a `Derivation`: the values as written, the local derivative on
every edge, the routes, the backward steps with every rewrite by name, and the result, which is the node that `grad`
(`jacobian`, `derivative`, `hessian`) gives.
Nothing is simplified before it is differentiated, so that every step is one that a reader can follow in the formula
he wrote.  How the steps are found is `writer.py`; how they are written out stands beside it.
Not handled: forward mode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symnet import dtypes
from symnet.arrays import Array, given_array
from symnet.calculus.grad import grad, gradients, scalar_root
from symnet.calculus.hessian import hessian
from symnet.calculus.jacobian import LAYOUTS, derivative, jacobian, jacobians, laid_out
from symnet.calculus.problem import contains, open_problem
from symnet.calculus.structure import flatten
from symnet.errors import ArgumentError, DTypeError, explain, one_of
from symnet.expr.nodes.abstract import refuse_abstract
from symnet.expr.nodes.constants import as_node
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.names import attach, strip
from symnet.expr.nodes.node import Node, static_name
from symnet.expr.nodes.symbols import EQUALITIES, Named, Tensor, leaves
from symnet.simplify.algebra.placing import is_zero
from symnet.study.derivation.derivation import Derivation
from symnet.study.derivation.writer import Writer


def derive(
    y: Any, x: Any = None, at: Mapping[str, Any] | None = None, *, layout: str | None = None, order: int = 1
) -> Derivation:
    """The derivative of y by x with every step: the gradient, the Jacobian of an array, the Hessian.

    Args:
        y: any shape; a scalar for the Hessian.
        x: a leaf or an intermediate node; a list or dict of them; None: every leaf that can be differentiated by.
            The keys of a dict name the intermediate values that have no name.
        at: name → number or array for every leaf; puts numbers on the graph and on every step.
        layout: "numerator" or "denominator": the result is what `derivative` gives; None: the gradient, or the
            Jacobian, of shape y.shape + x.shape.
        order: 2 for the Hessian: the steps of the gradient, then those of its Jacobian; by several variables the
            steps of each gradient's Jacobians, and the blocks as `hessian` gives them.

    Returns:
        a `Derivation`: print it, `.save("out.html")` it, or read its `values`, `edges`, `steps` and `result`.

    Raises:
        ShapeError: order=2 of a y that is no scalar.
        ArgumentError: y does not contain x; `at` lacks a leaf or names none; another order, or layout; order=2 of a
            gradient that does not contain x.
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
    if layout is not None:
        one_of(f"derive(y, x, layout={layout!r})", layout, LAYOUTS, '"numerator" or "denominator"', "Leave it out.")
    if order not in (1, 2):
        mend = "Write order=2 for the Hessian."
        raise ArgumentError(explain(f"derive(y, x, order={order!r})", "1 or 2", repr(order), mend))
    if order == 2:
        return _twice(y, x, at, layout)
    root = as_node(y)
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
    results, lay_out = _results(root, list(targets), layout)
    found = gradients(problem) if not root.rank else jacobians(problem.roots[0], problem.targets)
    raw = problem.parted(found, root.rank)
    laid = [r if r is None or lay_out is None else lay_out(r) for r in raw]
    reached = problem.finish(laid, [r.shape for r in results], problem.targets)
    return Writer(problem, lay_out).derivation(reached, results, restore(results), data, layout)


def _results(root: Node, targets: list[Node], layout: str | None) -> tuple[list[Node], Callable[[Node], Node] | None]:
    """What the calculus gives, and how a derivative of shape root.shape + variable.shape becomes that."""
    if layout is not None:
        return derivative(root, targets, layout), lambda found: laid_out(found, root.rank, layout)
    return jacobian(root, targets) if root.rank else grad(root, targets), None


def _twice(y: Any, x: Any, at: Mapping[str, Any] | None, layout: str | None) -> Derivation:
    """The Hessian: the derivation of the gradients, then that of the Jacobians of each."""
    call = "derive(y, x, order=2)"
    root = scalar_root(call, y)
    targets, restore = flatten(call, variables(root) if x is None else x)
    stage = derive(root, list(targets), at)
    slopes = list(stage.result)
    stage = replace(stage, result=restore(slopes))
    blocks, rows = hessian(root, list(targets)), []
    if not any(contains(slope, target) for slope in slopes for target in targets):
        raise _no_second(call, targets[0], slopes[0], blocks[0][0])
    for name, by, slope, row in zip(_names(root, stage.variables), stage.variables, slopes, blocks, strict=True):
        inside = [target for target in targets if contains(slope, target)]
        found: dict[Node, Node] = {}
        if inside:
            stage = replace(derive(_named(slope, name), inside, _of(slope, at), layout=layout), before=stage, by=by)
            found = dict(zip(inside, stage.result, strict=True))
        for target, block in zip(targets, row, strict=True):
            if target not in found and not is_zero(block):
                raise _no_second(call, target, slope, block)
            if target not in found:
                found[target] = block if layout is None else derivative(slope, target, layout, absent="zero")
        rows.append(restore([found[target] for target in targets]))
    return replace(stage, result=restore(rows))


def _names(root: Node, variables: Sequence[str]) -> list[str]:
    """Names for the gradients by these variables: g of one, g_x and g_y of several, others where these are taken."""
    taken = {node.name for node in topological(root) if isinstance(node, (Tensor, Named))}
    names: list[str] = []
    for variable in variables:
        own = ("g", "grad") if len(variables) == 1 else (f"g_{variable}",) if variable.isidentifier() else ()
        more = (f"g{k}" for k in range(1, len(taken) + len(variables) + 2))
        names.append(next(name for name in (*own, *more) if name not in taken and name not in names))
    return names


def _of(slope: Node, at: Mapping[str, Any] | None) -> dict[Any, Any] | None:
    """The numbers for the leaves of a gradient."""
    known = {leaf.name for leaf in leaves(slope)}
    return None if at is None else {key: value for key, value in at.items() if _name_of(key) in known}


def _no_second(call: str, target: Node, slope: Node, second: Node) -> ArgumentError:
    """The error where a gradient does not show the variable: its Hessian is zero, or hidden in the gradient's form."""
    if is_zero(second):
        mend = "Its Hessian is 0."
    else:
        mend = f"The steps are those of the gradient as it stands; without them sn.hessian gives {second}."
    return ArgumentError(explain(call, f"a gradient that contains {target}", str(slope), mend))


def _named(node: Node, name: str) -> Node:
    inner = node.operands[0] if isinstance(node, Named) else node
    return Named(inner, static_name(name), static_name(""))


def _name_of(key: Any) -> str:
    return key if isinstance(key, str) else str(getattr(key, "name", key))


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
    """The data by name, in the order in which they were given, each in the dtype of its leaf.

    Raises:
        ArgumentError: a leaf without a number, or a number without a leaf.
    """
    if not isinstance(at, Mapping):
        mend = "Write a dict, at={'x': 1.0}."
        raise ArgumentError(explain("derive(y, x, at=…)", "a number or array for each leaf, by name", repr(at), mend))
    known = {leaf.name: leaf for leaf in leaves(root)}
    given = {_name_of(key): value for key, value in at.items()}
    wrong = [name for name in given if name not in known] or [name for name in known if name not in given]
    if wrong:
        got = f"{wrong[0]!r} {'missing' if wrong[0] in known else 'besides'}"
        mend = f"Write at={{{', '.join(f'{name!r}: …' for name in known)}}}."
        raise ArgumentError(explain("derive(y, x, at=…)", f"a number for each of {', '.join(known)}", got, mend))
    return {name: _array(known[name], value) for name, value in given.items()}


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
