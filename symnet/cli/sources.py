"""What a command is given: expressions, data, numbers.

In: arguments as they were typed.  Out: nodes and arrays; or an error of four parts.  Python files are run, as Python
runs them; formulas, archives and numbers are read and never run.
"""

from __future__ import annotations

import argparse
import ast
import re
import runpy
import traceback
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import reduce
from operator import matmul, mul
from pathlib import Path
from typing import Any

from symnet.errors import ArgumentError, ShapeError, SymnetError, clipped, explain
from symnet.expr.nodes.elementwise import is_op
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Named, Tensor, leaves
from symnet.reading.formula import declarations, formula, names_in
from symnet.study.derivation.derive import variables as free_leaves


def load(options: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """The value of `FILE.py:NAME`, and all variables of the file; or of a formula, and its names.

    Raises:
        ArgumentError: no such file, no such variable, or one that is no expression; a formula that cannot be read.
    """
    source, shown = options.source, clipped(options.source)
    if not is_file(source) or (source.isidentifier() and options.shapes is not None):
        return _formula(source, options.shapes, options.assume)
    file, colon, name = source.rpartition(":")
    if not colon or not name.isidentifier():
        mend = "Write model.py:L, or a formula such as a*(a + b)."
        raise ArgumentError(explain(shown, "FILE.py:NAME", repr(shown), mend))
    if not Path(file).is_file():
        raise ArgumentError(explain(shown, "a Python file", f"no file {clipped(file)!r}", "Check the path."))
    variables = _variables(file, shown)
    found = variables.get(name)
    if not isinstance(found, Node) and not _are_nodes(found):
        known = ", ".join(key for key, value in variables.items() if isinstance(value, Node) or _are_nodes(value))
        got = type(found).__name__ if name in variables else "no such variable"
        mend = f"It has the expressions {known or '(none)'}."
        raise ArgumentError(explain(shown, f"an expression called {name!r} in {file}", got, mend))
    return found, variables


def _variables(file: str, call: str) -> dict[str, Any]:
    """The variables that a Python file defines.

    Raises:
        ArgumentError: where it does not run to its end, naming the line.
    """
    try:
        return runpy.run_path(file, run_name=Path(file).stem)
    except SymnetError:
        raise  # it says more than we could
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        place = f" at line {lines[-1]}" if lines else ""
        got = f"{type(error).__name__}{place}: {error}" if str(error) else f"{type(error).__name__}{place}"
        mend = f"Run python {file} to see all of it."
        raise ArgumentError(explain(call, f"a Python file {file} that runs to its end", got, mend)) from error


def _formula(source: str, shapes: Sequence[str] | None, assume: Sequence[str]) -> tuple[Node, dict[str, Any]]:
    """A formula and its names; without shapes every name is a scalar."""
    try:
        free = formula(source) if shapes is None else None
    except ShapeError as error:
        hint = "Every name is a scalar here: say what is not, as --shapes X:m,n w:n."
        raise type(error)(f"{error}\n    {hint}") from error
    return declared(source, free, shapes, assume)


def declared(
    source: str, free: Node | None, shapes: Sequence[str] | None, assume: Sequence[str]
) -> tuple[Node, dict[str, Any]]:
    """A formula and its names.

    Args:
        source: the formula.
        free: the same with every name a scalar, where there are no shapes.
        shapes: declarations of names, if there are some.
        assume: assumptions on names.
    """
    if free is not None and not assume:
        return free, names_in(free)
    names = declarations(shapes or [leaf.name for leaf in leaves(*([] if free is None else [free]))], assume)
    return formula(source, names), names


def is_file(source: str) -> bool:
    """Whether an expression comes from a Python file; the others are formulas."""
    return re.search(r"\.py(:|$)", source) is not None or source.isidentifier()


def _are_nodes(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(node, Node) for node in value)


def one_expression(options: argparse.Namespace) -> tuple[Node, dict[str, Any]]:
    """As `load`, for commands that take one expression and no list."""
    found, variables = load(options)
    if not isinstance(found, Node):
        mend = "Name one of its elements, or their sum."
        raise ArgumentError(explain(options.source, "one expression", f"a list of {len(found)}", mend))
    return found, variables


def targets(wrt: str, root: Node, variables: Mapping[str, Any], option: str = "--wrt") -> list[Node]:
    """The nodes that `--wrt` names: leaves, names given by `.named`, variables of the file, and elements (`x[2]`).

    Raises:
        ArgumentError: for a name that is none of these.
    """
    by_name: dict[str, Any] = {name: node for name, node in variables.items() if isinstance(node, Node)}
    by_name.update({node.name: node for node in topological(root) if isinstance(node, (Named, Tensor))})
    chosen = [name.strip() for name in re.split(r",(?![^\[]*\])", wrt)]
    for name in chosen:
        if "[" in name:
            by_name[name] = formula(name, by_name)
        elif name not in by_name:
            known, close = ", ".join(by_name), get_close_matches(name, by_name, n=1)
            mend = f"Did you mean {close[0]}?" if close else "Check the name; several are separated by commas."
            if not known:
                mend = "The expression has no leaves: it is a number, and there is nothing to differentiate it by."
            expected = f"one of {known}" if known else "a leaf of the expression"
            raise ArgumentError(explain(f"{option} {clipped(wrt)}", expected, repr(clipped(name)), mend))
    return [by_name[name] for name in chosen]


def differentiated_by(wrt: str | None, root: Node, variables: Mapping[str, Any], shown: str) -> list[Node]:
    """What `--wrt` names; without it every leaf that can be differentiated by.

    Raises:
        ArgumentError: for a name that is none of them, or where there is nothing to differentiate by.
    """
    if root.dtype == "bool":
        mend = "One = gives a value its name, as in L = x**2; where(a < b, x, y) chooses by a condition."
        raise ArgumentError(explain(clipped(shown), "a formula of a number", "a condition, true or false", mend))
    found = list(free_leaves(root)) if wrt is None else targets(wrt, root, variables)
    if not found:
        held = ", ".join(leaf.name for leaf in leaves(root))
        got = f"none but {held}, whose elements are not free" if held else "numbers alone"
        mend = "Use a name that has no value, as in x**2, or say by --wrt what to differentiate by."
        raise ArgumentError(explain(clipped(shown), "a formula with a variable to differentiate by", got, mend))
    return found


def products_meant(root: Node) -> str:
    """What an array may be meant to be where * stands between arrays: a product of them, of rank 0; or nothing."""
    factors = list(_factors(root))
    arrays = [f for f in factors if f.rank]
    try:
        product = reduce(matmul, arrays) if len(arrays) > 1 else root
    except SymnetError:
        return ""
    meant = reduce(mul, [f for f in factors if not f.rank], product)
    return "" if meant.rank else f", or write @ for the product of arrays, {meant}"


def _factors(node: Node) -> Iterator[Node]:
    """The factors of a product as it was typed."""
    if node.kind == "expand":
        yield from _factors(node.operands[0])
    elif is_op(node, "mul"):
        for operand in node.operands:
            yield from _factors(operand)
    else:
        yield node


def numbers_of(at: str) -> dict[str, Any]:
    """`a=4,b=[1,2]` as a dict: numbers and lists of numbers, read as such and never run.

    Raises:
        ArgumentError: an item that is not a name, =, and a number or list.
    """
    found: dict[str, Any] = {}
    for item in re.split(r",(?=\s*\w+\s*=)", at):
        name, _, written = item.partition("=")
        try:
            found[name.strip()] = ast.literal_eval(written.strip())
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            expected = "numbers or lists for names, as a=4,b=[1,2]"
            mend = "Separate names by commas; nothing but numbers is read."
            raise ArgumentError(explain(f"--at {clipped(at)}", expected, repr(clipped(item)), mend)) from error
    return found


def archive(path: str, option: str = "--data") -> dict[str, Any]:
    """The arrays of an .npz file.

    Raises:
        ArgumentError: no such file, or one of another form.
    """
    import numpy as np

    call, expected, mend = (
        f"{option} {clipped(path)}",
        "an .npz file of arrays",
        "Write one with np.savez(path, X=x, D=d).",
    )
    if not Path(path).is_file():
        got = "what is no plain file" if Path(path).exists() else "no such file"
        raise ArgumentError(explain(call, expected, got, mend))
    try:
        with open(path, "rb") as file:
            return dict(np.load(file))
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ArgumentError(explain(call, expected, str(error) or type(error).__name__, mend)) from error
