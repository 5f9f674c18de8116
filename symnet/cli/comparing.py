"""`symnet compare`: the derivative of an expression several ways, as a table, a page, or records.

In: options, parsed.  Out: text on stdout, files.  Data come from an archive, from the dict `data` of the Python file,
or are drawn at random, as the leaves' assumptions ask.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import symnet as sn
from symnet.cli.sources import archive, is_file, numbers_of, one_expression, targets
from symnet.errors import ArgumentError, clipped, explain
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import dims_of
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Tensor, leaves
from symnet.study.derivation.derive import variables as free_leaves

NAMES = (
    "tape", "scalar tape", "dual numbers", "complex step", "differences", "richardson", "product differences",
    "jax", "jax eager", "jax forward", "torch", "torch compile", "torch forward",
)  # fmt: skip
USUAL = 32  # the extent of a dim that nobody says


def run_compare(options: argparse.Namespace) -> None:
    """Print the table, and write what was asked for."""
    for ending in ("html", "csv", "json"):
        _check_ending(ending, getattr(options, ending))
    root, variables = one_expression(options)
    chosen = targets(options.wrt, root, variables) if options.wrt is not None else []
    known = {leaf.name for leaf in leaves(root)}
    data, drawn = _data(options, root, variables)
    lacking = [leaf for leaf in free_leaves(root) if leaf.name not in data]
    wrt = chosen or lacking or free_leaves(root)
    of = "hessian" if options.hessian else "hvp" if options.hvp else "gradient"
    given = {name: array for name, array in data.items() if name in known}
    found = sn.compare(root, wrt, given, against=options.against, of=of, dtype=options.dtype)
    print(found)
    if drawn is not None:
        print("data: " + ", ".join(["random numbers", *(f"{dim} = {n}" for dim, n in drawn.items())]))
        if any(row.value_error is None for row in found.rows):
            print("the loss is undefined at these random numbers: give --data, or a file that declares its leaves")
    for path in (options.html, options.csv, options.json):
        if path:
            print(found.save(path))


def _check_ending(ending: str, path: str | None) -> None:
    """Refuse a file of another kind before anything is measured.

    Raises:
        ArgumentError: naming the option.
    """
    if path is not None and not path.endswith(f".{ending}"):
        mend = f"Write --{ending} {path.partition('.')[0] or 'out'}.{ending}."
        raise ArgumentError(explain(f"--{ending} {clipped(path)}", f"a name that ends in .{ending}", repr(path), mend))


def _data(options: argparse.Namespace, root: Node, variables: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """The arrays, and the extents of those that were drawn."""
    if options.data is not None:
        return archive(options.data), None
    written = variables.get("data") if is_file(options.source) else None
    if isinstance(written, Mapping):
        return {key.name if isinstance(key, Tensor) else str(key): value for key, value in written.items()}, None
    import numpy as np

    from symnet.study.check.instance import random_instance

    dims = _extents(options.extents, root)
    return random_instance([root], np.random.default_rng(0), dims), dims


def _extents(given: str | None, root: Node) -> dict[Dim, int]:
    """The extent of every dim.

    Raises:
        ArgumentError: one that the expression has not, or that is no whole number.
    """
    wanted = {} if given is None else numbers_of(given)
    dims = sorted(dims_of(root), key=str)
    for name, value in wanted.items():
        if name not in {dim.name for dim in dims} or not isinstance(value, int) or value < 1:
            names = ", ".join(dim.name for dim in dims)
            expected = f"whole numbers for {names}" if dims else "none, as there are no dims"
            mend = f"Write {dims[0].name}=256." if dims else "Leave it out."
            raise ArgumentError(explain(f"--extents {given}", expected, f"{name}={value}", mend))
    return {dim: wanted.get(dim.name, USUAL) for dim in dims}
