"""The commands, a function for each; `main.py` has their options.

In: options, parsed.  Out: text on stdout, or files; an exit code where a command has one of its own.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import symnet as sn
from symnet.cli.labels import derivative_latex, derivative_text, label, name_of_root
from symnet.cli.sources import (
    archive,
    differentiated_by,
    is_file,
    load,
    numbers_of,
    one_expression,
    products_meant,
    targets,
)
from symnet.errors import ArgumentError, clipped, explain
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.node import Node
from symnet.expr.printing.latex import latex
from symnet.expr.printing.latex_rows import displayed
from symnet.loops.printer import to_text
from symnet.reading.formula import formula, names_in
from symnet.request import default_export


def demo(options: argparse.Namespace) -> None:
    from symnet.cli.demo import run

    run()


def run_derive(options: argparse.Namespace) -> None:
    root, variables = one_expression(options)
    file = is_file(options.source)
    wrt = differentiated_by(options.wrt, root, variables, options.source)
    name = options.source.rpartition(":")[2] if file else name_of_root(root)
    stepwise = (options.wrt and file) or options.steps or options.html or options.slides or options.at is not None
    stepwise = stepwise and not options.brief
    if options.layout and not stepwise:
        found = sn.derivative(root, wrt, layout=options.layout)
        _print_results(name, wrt, found, options.latex)
        return
    if root.rank and not options.layout:
        mend = f"Reduce it with sum or mean, or add --layout numerator for the Jacobian{products_meant(root)}."
        raise ArgumentError(explain(clipped(options.source), "a scalar (rank 0)", f"shape {root.shape}", mend))
    if options.numeric:
        value, *slopes = sn.value_and_grad(root, wrt, stop_after="numeric")
        print(displayed(latex(value), name) if options.latex else f"{name} = {value}")
        _print_results(name, wrt, slopes, options.latex)
        return
    if stepwise:
        at = None if options.at is None else numbers_of(options.at)
        _print_steps(sn.derive(root, wrt, at=at, layout=options.layout), options)
        return
    _print_results(name, wrt, sn.grad(root, wrt), options.latex)


def run_hessian(options: argparse.Namespace) -> None:
    """The Hessian of a scalar by one variable, or the blocks by several."""
    root, variables = one_expression(options)
    name = options.source.rpartition(":")[2] if is_file(options.source) else name_of_root(root)
    wrt = differentiated_by(options.wrt, root, variables, options.source)
    if options.steps or options.html or options.slides or options.at is not None:
        at = None if options.at is None else numbers_of(options.at)
        _print_steps(sn.derive(root, list(wrt), at=at, layout=options.layout, order=2), options)
        return
    blocks = sn.hessian(root, list(wrt))
    for row, first in zip(blocks, wrt, strict=True):
        for block, second in zip(row, wrt, strict=True):
            print(_equation(options.latex, name, block, first, second))


def run_critical_points(options: argparse.Namespace) -> None:
    """Where the gradient of a scalar is zero."""
    root, variables = one_expression(options)
    wrt = differentiated_by(options.wrt, root, variables, options.source)
    print(sn.critical_points(root, list(wrt), numeric=options.numeric, seconds=options.seconds))


def _print_results(name: str, wrt: Sequence[Node], found: Sequence[Node], as_latex: bool) -> None:
    for node, slope in zip(wrt, found, strict=True):
        print(_equation(as_latex, name, slope, node))


def _equation(as_latex: bool, name: str, found: Node, *by: Node) -> str:
    """∂L/∂x = …"""
    if as_latex:
        return displayed(latex(found), derivative_latex(name, *by))
    return f"{derivative_text(name, *by)} = {found}"


def _print_steps(derivation: sn.Derivation, options: argparse.Namespace) -> None:
    if options.html:
        print(derivation.save(options.html))
    if options.slides:
        derivation.slides(options.slides)
        print(options.slides)
    if options.latex:
        print(derivation.latex(pages=True))
    elif not (options.html or options.slides):
        width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
        print(derivation.text(max(width, 60)))


def run_check(options: argparse.Namespace) -> int:
    root, variables = one_expression(options)
    chosen = differentiated_by(options.wrt, root, variables, options.source)
    if len(chosen) != 1:
        known = ", ".join(label(node) for node in chosen)
        mend = f"Write --wrt {label(chosen[0])}." if chosen else "Use a leaf that is free."
        raise ArgumentError(explain(clipped(options.source), "one variable", known or "none", mend))
    names = {n: v for n, v in variables.items() if isinstance(v, (Node, Dim))} | names_in(root)
    verdict = sn.check(formula(options.mine, names), root, chosen[0], layout=options.layout)
    print(verdict)
    return 0 if verdict else 1


def _function(options: argparse.Namespace, **more: Any) -> Any:
    """The expression compiled, with its gradient where `--wrt` asks for it."""
    more = {"dtype": options.dtype, "target": options.target} | more
    if options.wrt is None:
        return sn.compile(load(options)[0], **more)
    root, variables = one_expression(options)
    wrt = targets(options.wrt, root, variables)
    return sn.value_and_grad(root, wrt, **more)


def run_compile(options: argparse.Namespace) -> None:
    if options.library is not None:
        print(_function(options).source(options.library), end="")
        return
    if options.stop_after is None:
        print(_function(options).report())
        return
    found = _function(options, stop_after=options.stop_after)
    for each in found if isinstance(found, (list, tuple)) else [found]:
        print(each if isinstance(each, (Node, str)) else to_text(each))


def run_export(options: argparse.Namespace) -> None:
    asked = {"name": Path(options.path).name, "target": options.target or default_export()}
    more: dict[str, Any] = {} if options.files is None else {"files": options.files}
    if options.constants is not None:
        more["constants"] = archive(options.constants, "--constants")
    if options.max_workspace is not None:
        more["max_workspace"] = options.max_workspace
    for path in _function(options, **asked).export(options.path, overwrite=options.overwrite, **more).paths:
        print(path)
