"""The door of `fit`: what the user passed becomes arrays of one real dtype, converted once and checked.

In: a loss, parameters and data by name or by leaf.  Out: `Admitted`: the loss in the dtype of the run, contiguous
arrays, the axis of the samples.
Checked: names, kinds of numbers, ranks, extents against each other, labels that are whole numbers, and the
assumptions of the leaves (one-hot, positive, …), since the gradient's formula uses them.
Not checked: finiteness; a loss that is no number stops the run (`fit.py`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet import dtypes
from symnet.arrays import Array, given_array
from symnet.calculus.grad import scalar_root
from symnet.errors import (
    ArgumentError,
    DTypeError,
    ShapeError,
    ValueDomainError,
    explain,
)
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import substitute
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, check_leaves, describe, reals
from symnet.reference.declared import check_assumptions

CALL = "fit(L, params, data)"


@dataclass(frozen=True)
class Samples:
    """The samples of a data set.

    Attributes:
        dim: the extent that counts them.
        count: how many there are.
        axes: leaf → the axis along which it holds them; leaves without samples are absent.
    """

    dim: Dim
    count: int
    axes: dict[str, int]


@dataclass(frozen=True)
class Admitted:
    """What `fit` works with.

    Attributes:
        root: the loss, its real leaves in `dtype`.
        leaves: by name.
        params, data: name → contiguous array of the leaf's dtype; params are copies.
        dims: extent → its value; sizes of the samples' axis are those of the whole data.
        samples: None where the data have no axis of symbolic extent.
        dtype: of every real number of the run.
    """

    root: Node
    leaves: dict[str, Tensor]
    params: dict[str, Array]
    data: dict[str, Array]
    dims: dict[str, int]
    samples: Samples | None
    dtype: str


def admit(L: Any, params: Any, data: Any, dtype: Any = None, samples: str | None = None) -> Admitted:
    """Convert and check everything.

    Args:
        L: a rank-0 expression.
        params: name or leaf → array.
        data: name or leaf → array.
        dtype: float32 or float64; None: float32 where the parameters or the data are, else float64.
        samples: the name of the extent that counts the samples, where there are several.

    Raises:
        ArgumentError, DTypeError, ShapeError, ValueDomainError, AssumptionError: in four parts.
    """
    root = scalar_root(CALL, L)
    leaves = {leaf.name: leaf for leaf in check_leaves(CALL, [root])}
    given_params, given_data = _by_name("params", params), _by_name("data", data)
    _check_names(leaves, given_params, given_data)
    real = _real_dtype(given_params, given_data, dtype)
    change: dict[Node, Node] = {x: x.retyped(real) for x in reals(root) if x.dtype != real}
    root = substitute([root], change)[0]
    leaves = {name: change.get(leaf, leaf) for name, leaf in leaves.items()}
    arrays = {name: convert(leaves[name], value, "params") for name, value in given_params.items()}
    arrays |= {name: convert(leaves[name], value, "data") for name, value in given_data.items()}
    dims = check_extents(leaves.values(), arrays)
    for name in given_data:
        check_assumptions(leaves[name], arrays[name], f"fit(…, data={{{name!r}: …}})")
    return Admitted(
        root,
        leaves,
        {name: np.array(arrays[name]) for name in given_params},
        {name: arrays[name] for name in given_data},
        {extent.name: value for extent, value in dims.items()},
        _samples([leaves[name] for name in given_data], dims, samples),
        real,
    )


# --------------------------------------------------------------------------- names


def _by_name(what: str, given: Any) -> dict[str, Any]:
    """A mapping from names or leaves to arrays as one from names."""
    if not isinstance(given, Mapping):
        mend = "Write params=sn.nn.init([W, b], seed=0)." if what == "params" else 'Write data={"X": x, "D": d}.'
        raise ArgumentError(explain(CALL, f"{what} as a dict from names to arrays", type(given).__name__, mend))
    named: dict[str, Any] = {}
    for key, value in given.items():
        name = key.name if isinstance(key, Tensor) else key
        if not isinstance(name, str):
            mend = f'Write {what}={{"W": array}}, or {what}={{W: array}} with the leaf W.'
            raise ArgumentError(explain(CALL, f"names or leaves as the keys of {what}", f"{key!r}", mend))
        named[name] = value
    return named


def _check_names(leaves: Mapping[str, Tensor], params: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    known = ", ".join(leaves)
    for what, given in (("params", params), ("data", data)):
        for name in given:
            if name not in leaves:
                close = difflib.get_close_matches(name, list(leaves), n=1, cutoff=0.5)
                mend = f"Did you mean {close[0]!r}?" if close else f"Drop {name!r}: the loss does not contain it."
                raise ArgumentError(explain(CALL, f"{what} among the leaves {known}", repr(name), mend))
    for name in params.keys() & data.keys():
        mend = "Train it, or give it as data."
        raise ArgumentError(explain(CALL, f"{name!r} once", "it in params and in data", mend))
    if not params:
        raise ArgumentError(explain(CALL, f"at least one parameter among {known}", "none", "Write params={W: array}."))
    missing = [name for name in leaves if name not in params and name not in data]
    if missing:
        leaf = leaves[missing[0]]
        got = f"{', '.join([*params, *data])}, without {', '.join(missing)}"
        mend = f"Add {leaf.name!r}, {describe(leaf)}, to data, or to params to train it."
        raise ArgumentError(explain(CALL, f"an array for each of {known}", got, mend))


# --------------------------------------------------------------------------- numbers


def _real_dtype(params: Mapping[str, Any], data: Mapping[str, Any], dtype: Any) -> str:
    """The dtype asked for; else float32 where the parameters, or the real data, are float32 throughout."""
    if dtype is not None:
        call = f"fit(…, dtype={dtype!r})"
        name = dtypes.check(dtype, call)
        if name not in dtypes.REAL:
            raise ArgumentError(explain(call, "float32 or float64", name, 'Write dtype="float32".'))
        return name
    held = [{str(getattr(v, "dtype", "float64")) for v in given.values()} for given in (params, data)]
    reals = [names & {"float16", "float32", "float64", "object"} for names in held]
    return "float32" if {"float32"} in reals else "float64"


def convert(leaf: Tensor, value: Any, what: str) -> Array:
    """A contiguous array of the leaf's dtype and rank.

    Raises:
        DTypeError: objects, strings, complex numbers; fractions for an integer leaf.
        ShapeError: another rank.
    """
    call = f"fit(…, {what}={{{leaf.name!r}: …}})"
    array = given_array(call, leaf.name, value)
    if array.dtype.kind not in "biuf":
        mend = f'Build a numeric array: np.array({leaf.name}.tolist(), "{leaf.dtype}").'
        raise DTypeError(explain(call, f"numbers for {leaf.name} ({describe(leaf)})", f"dtype {array.dtype}", mend))
    if array.ndim != leaf.rank:
        raise ShapeError(
            explain(call, f"rank {leaf.rank}, {describe(leaf)}", f"shape {array.shape}", _rank_remedy(leaf, array))
        )
    with np.errstate(over="ignore", invalid="ignore"):
        result = np.ascontiguousarray(array, dtype=leaf.dtype)
    if leaf.dtype not in dtypes.REAL and not np.array_equal(result, array):
        wrong = array[result != array].flat[0]
        mend = f"Round {leaf.name} yourself, or declare the leaf real."
        raise DTypeError(explain(call, f"whole numbers for {leaf.name} ({describe(leaf)})", f"{wrong!s}", mend))
    return result.reshape(array.shape)


def _rank_remedy(leaf: Tensor, array: Array) -> str:
    if "one_hot" in leaf.assumptions and array.ndim == leaf.rank - 1:
        return f'Declare {leaf.name} as sn.labels("{leaf.name}", m, classes={leaf.shape[-1]}) to pass integer labels.'
    if array.ndim == leaf.rank + 1 and 1 in array.shape:
        return f"Drop the axis of extent 1: {leaf.name}.squeeze()."
    if array.ndim == leaf.rank - 1:
        return f"Add an axis: {leaf.name}[:, None] is one column."
    return f"Reshape it to {tuple(leaf.shape)}."


# --------------------------------------------------------------------------- extents


def check_extents(leaves: Iterable[Tensor], arrays: Mapping[str, Array]) -> dict[Dim, int]:
    """The value of every dim that is an axis by itself, the same wherever it stands.

    Compound extents (2*m) are left to the checks of the compiled function.

    Raises:
        ShapeError: naming the two arrays that disagree.
    """
    known: dict[Dim, tuple[int, str]] = {}
    for leaf in leaves:
        shape = arrays[leaf.name].shape
        for axis, (extent, size) in enumerate(zip(leaf.shape, shape, strict=True)):
            wanted, source = (extent, "") if isinstance(extent, int) else known.get(extent, (size, ""))
            if isinstance(extent, Dim):
                known.setdefault(extent, (size, leaf.name))
            if not isinstance(extent, (int, Dim)) or wanted == size:
                continue
            why = f"{extent} = {wanted}, as {source} has" if source else f"{wanted}"
            expected = f"extent {why} on axis {axis} of {leaf.name} {tuple(leaf.shape)}"
            mend = f"Give {source} and {leaf.name} the same {extent}." if source else "Correct the array or the leaf."
            raise ShapeError(explain(CALL, expected, f"{size} in shape {shape}", mend))
    return {extent: size for extent, (size, _) in known.items()}


def _samples(leaves: list[Tensor], dims: Mapping[Dim, int], wanted: str | None) -> Samples | None:
    """The axis that counts samples: the one symbolic extent of the data, or the one asked for."""
    found = list(dict.fromkeys(n for leaf in leaves for n in leaf.shape if isinstance(n, Dim)))
    if wanted is not None:
        found = [extent for extent in found if extent.name == wanted] or _refuse_samples(wanted, found)
    elif len(found) > 1:
        found = list(dict.fromkeys(leaf.shape[0] for leaf in leaves if leaf.rank and leaf.shape[0] in found))
    if not found or len(found) > 1:
        return None
    (dim,) = found
    axes = {leaf.name: list(leaf.shape).index(dim) for leaf in leaves if dim in leaf.shape}
    return Samples(dim, dims[dim], axes)


def _refuse_samples(wanted: str, found: list[Dim]) -> list[Dim]:
    names = ", ".join(extent.name for extent in found)
    mend = f"Write samples={found[0].name!r}." if found else "Declare the data with m = sn.dim('m')."
    raise ArgumentError(explain(f"fit(…, samples={wanted!r})", f"an extent of the data ({names})", repr(wanted), mend))


def check_samples(samples: Samples | None, why: str) -> Samples:
    """The samples, where something needs them.

    Raises:
        ShapeError: no symbolic extent counts them.
        ValueDomainError: there are none.
    """
    if samples is None:
        mend = 'Declare the data as sn.tensor("X", sn.dim("m"), …), or name the extent: samples="m".'
        expected, got = "one symbolic extent that counts the samples", "none, or several"
        raise ShapeError(explain(f"fit(…, {why})", expected, got, mend))
    if not samples.count:
        raise ValueDomainError(explain(CALL, "at least one sample", f"{samples.dim} = 0", "Give data."))
    return samples
