"""The command line: `symnet demo | derive | check | compile | export | compare | info`.

In: arguments; an expression comes as `FILE.py:NAME`, NAME being a variable of that Python file, or as a formula with
the shapes of its leaves, which is parsed and never run.  Out: text on stdout, an exit code: 0, 1 for a derivative
that `check` finds wrong, or 2 with the error's four parts on stderr.

    symnet demo                                    what symnet is, in a minute
    symnet derive model.py:L                       the gradients
    symnet derive model.py:L --wrt W1              one with every step (--latex, --html page.html)
    symnet derive graph.py:d --at a=4,b=3 --slides out.html    with numbers, one step at a time
    symnet compile model.py:L --wrt W1,b1          what was compiled
    symnet export model.py:L build/mlp --wrt W1    object, library, header, stub
    symnet compare model.py:L --data data.npz      against automatic differentiation
    symnet info                                    versions, machine, cache
"""

from __future__ import annotations

import argparse
import ast
import io
import platform
import re
import runpy
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import symnet as sn
from symnet import dtypes
from symnet.calculus.formula import declarations, formula, names_in
from symnet.compiler import STAGES
from symnet.errors import ArgumentError, SymnetError, explain
from symnet.expr.extents import Dim
from symnet.expr.graph import topological
from symnet.expr.node import Node
from symnet.expr.printing.latex import latex
from symnet.expr.symbols import EQUALITIES, Named, Tensor, leaves
from symnet.loops.printer import to_text

PACKAGES = ("numpy", "sympy", "llvmlite", "opt_einsum", "tqdm", "scikit-learn", "jax", "torch")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        the exit code: 0, 1 for a wrong derivative, or 2 after an error.
    """
    options = parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ∂ shows ?
    try:
        return options.run(options) or 0
    except (SymnetError, OSError) as error:
        print(f"symnet {options.command}: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="symnet", description="Symbolic differentiation and native code for networks and losses."
    )
    top.add_argument("--version", action="version", version=f"symnet {sn.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _command(commands, "demo", demo, "what symnet is, in a minute: a network that reads digits")
    derive = _command(commands, "derive", run_derive, "the steps of a derivative")
    _source(derive, "leaves or variables of the file; without it, the results by all leaves")
    derive.add_argument("--latex", action="store_true", help="print LaTeX")
    derive.add_argument("--brief", action="store_true", help="the results alone, without their steps")
    derive.add_argument("--steps", action="store_true", help="every step, for a formula too")
    derive.add_argument("--html", metavar="OUT.html", help="write a page with the graph drawn")
    derive.add_argument("--slides", metavar="OUT.html", help="write slides, one step at a time")
    derive.add_argument("--at", metavar="A=4,B=3", help="a number, or a list such as [1,2], for every leaf")
    check = _command(commands, "check", run_check, "grade a derivative worked out by hand: right, or how it is wrong")
    _source(check, "the variable: a leaf, or a name given in the expression")
    check.add_argument("mine", metavar="FORMULA", help="what is claimed to be the gradient")
    compile_ = _command(commands, "compile", run_compile, "compile an expression and say what was made")
    _source(compile_, "also compile the gradient by these, separated by commas")
    compile_.add_argument("--dtype", choices=dtypes.REAL, help="of the real leaves")
    compile_.add_argument("--stop-after", choices=STAGES, help="print what stands after this stage")
    export = _command(commands, "export", run_export, "write object, library, C header, Python stub, C test")
    _source(export, "also export the gradient by these, separated by commas")
    export.add_argument("path", metavar="PATH", help="folder and name of the files, such as build/mlp")
    export.add_argument("--dtype", choices=dtypes.REAL, help="of the real leaves")
    compare = _command(commands, "compare", run_compare, "the gradient against automatic and finite differences")
    _source(compare, "the leaves to differentiate by; without it, the real leaves that the data lack")
    compare.add_argument("--data", required=True, metavar="FILE.npz", help="arrays by the names of the leaves")
    compare.add_argument("--dtype", choices=dtypes.REAL, help="of the real leaves")
    _command(commands, "info", info, "versions, machine, cache")
    return top


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], Any], text: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    made.set_defaults(run=run)
    return made


def _source(command: argparse.ArgumentParser, wrt: str) -> None:
    what = "an expression: the variable NAME of a Python file, or a formula"
    command.add_argument("source", metavar="FILE.py:NAME | FORMULA", help=what)
    shapes = "the leaves of a formula, as X:m,n D:m,10:one_hot b; without it every name is a scalar"
    command.add_argument("--shapes", metavar="NAME:EXTENTS", nargs="+", help=shapes)
    command.add_argument("--wrt", metavar="W", help=wrt)


# --------------------------------------------------------------------------- FILE.py:NAME


def load(source: str, shapes: Sequence[str] | None = None) -> tuple[Any, dict[str, Any]]:
    """The value of `FILE.py:NAME`, and all variables of the file; or of a formula, and its names.

    Raises:
        ArgumentError: no such file, no such variable, or one that is no expression; a formula that cannot be read.
    """
    if not is_file(source):
        names = declarations(shapes) if shapes is not None else None
        root = formula(source, names)
        return root, names if names is not None else names_in(root)
    file, colon, name = source.rpartition(":")
    if not colon or not name.isidentifier():
        raise ArgumentError(explain(f"symnet … {source}", "FILE.py:NAME", repr(source), "Write model.py:L."))
    if not Path(file).is_file():
        raise ArgumentError(explain(f"symnet … {source}", "a Python file", f"no file {file!r}", "Check the path."))
    variables = runpy.run_path(file, run_name=Path(file).stem)
    found = variables.get(name)
    if not isinstance(found, Node) and not _are_nodes(found):
        known = ", ".join(key for key, value in variables.items() if isinstance(value, Node) or _are_nodes(value))
        got = type(found).__name__ if name in variables else "no such variable"
        mend = f"It has the expressions {known or '(none)'}."
        raise ArgumentError(explain(f"symnet … {source}", f"an expression called {name!r} in {file}", got, mend))
    return found, variables


def is_file(source: str) -> bool:
    """Whether an expression comes from a Python file; the others are formulas."""
    return re.search(r"\.py(:|$)", source) is not None or source.isidentifier()


def _are_nodes(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(node, Node) for node in value)


def one_expression(source: str, shapes: Sequence[str] | None = None) -> tuple[Node, dict[str, Any]]:
    """The same where a list will not do."""
    found, variables = load(source, shapes)
    if not isinstance(found, Node):
        mend = "Name one of its elements, or their sum."
        raise ArgumentError(explain(f"symnet … {source}", "one expression", f"a list of {len(found)}", mend))
    return found, variables


def parameters(root: Node) -> list[Tensor]:
    """The leaves that can be differentiated by."""
    return [leaf for leaf in leaves(root) if leaf.dtype in dtypes.REAL and not leaf.assumptions & EQUALITIES]


def targets(source: str, wrt: str, root: Node, variables: dict[str, Any]) -> list[Node]:
    """The nodes that `--wrt` names: leaves, names given by `.named`, or variables of the file."""
    by_name: dict[str, Any] = {name: node for name, node in variables.items() if isinstance(node, Node)}
    by_name.update({node.name: node for node in topological(root) if isinstance(node, (Named, Tensor))})
    chosen = [name.strip() for name in wrt.split(",")]
    for name in chosen:
        if name not in by_name:
            known = ", ".join(by_name)
            raise ArgumentError(explain(f"symnet … {source} --wrt {wrt}", f"one of {known}", repr(name), "Check it."))
    return [by_name[name] for name in chosen]


# --------------------------------------------------------------------------- commands


def demo(options: argparse.Namespace) -> None:
    from symnet.demo import run

    run()


def run_derive(options: argparse.Namespace) -> None:
    root, variables = one_expression(options.source, options.shapes)
    file = is_file(options.source)
    stepwise = (options.wrt and file) or options.steps or options.html or options.slides or options.at
    if not stepwise or options.brief:
        chosen = targets(options.source, options.wrt, root, variables) if options.wrt else list(parameters(root))
        name = options.source.rpartition(":")[2] if file else "L"
        for node, slope in zip(chosen, sn.grad(root, chosen), strict=True):
            print(_latex_line(name, node, slope) if options.latex else f"∂{name}/∂{_label(node)} = {slope}")
        return
    wrt = targets(options.source, options.wrt, root, variables) if options.wrt else None
    at = numbers_of(options.at) if options.at else None
    derivation = sn.derive(root, wrt, at=at)
    if options.html:
        print(derivation.save(options.html))
    if options.slides:
        derivation.slides(options.slides)
        print(options.slides)
    if options.latex or not (options.html or options.slides):
        print(derivation.latex() if options.latex else derivation)


def run_check(options: argparse.Namespace) -> int:
    root, variables = one_expression(options.source, options.shapes)
    chosen = targets(options.source, options.wrt, root, variables) if options.wrt else list(parameters(root))
    if len(chosen) != 1:
        known = ", ".join(_label(node) for node in chosen)
        mend = f"Write --wrt {_label(chosen[0])}." if chosen else "Use a leaf that is free."
        raise ArgumentError(explain(f"symnet check … {options.source}", "one variable", known or "none", mend))
    names = {n: v for n, v in variables.items() if isinstance(v, (Node, Dim))} | names_in(root)
    verdict = sn.check(formula(options.mine, names), root, chosen[0])
    print(verdict)
    return 0 if verdict else 1


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
        except (SyntaxError, ValueError) as error:
            expected = "numbers or lists for names, as a=4,b=[1,2]"
            raise ArgumentError(explain(f"symnet derive … --at {at}", expected, repr(item), "Check it.")) from error
    return found


def _label(node: Any) -> str:
    return str(getattr(node, "name", node))


def _latex_line(name: str, node: Any, slope: Node) -> str:
    by = getattr(node, "latex", "") or (node.name if isinstance(node, Named) else latex(node))
    return rf"\frac{{\partial {name}}}{{\partial {by}}} = {latex(slope)}"


def _function(options: argparse.Namespace, **more: Any) -> Any:
    """The expression compiled, with its gradient where `--wrt` asks for it."""
    if options.wrt is None:
        return sn.compile(load(options.source, options.shapes)[0], dtype=options.dtype, **more)
    root, variables = one_expression(options.source, options.shapes)
    wrt = targets(options.source, options.wrt, root, variables)
    return sn.value_and_grad(root, wrt, dtype=options.dtype, **more)


def run_compile(options: argparse.Namespace) -> None:
    if options.stop_after is None:
        print(_function(options).report())
        return
    found = _function(options, stop_after=options.stop_after)
    for each in found if isinstance(found, (list, tuple)) else [found]:
        print(each if isinstance(each, (Node, str)) else to_text(each))


def run_export(options: argparse.Namespace) -> None:
    files = _function(options, name=Path(options.path).name).export(options.path)
    for path in (files.object, files.library, files.header, files.stub, files.test):
        if path is not None:
            print(path)


def run_compare(options: argparse.Namespace) -> None:
    import numpy as np

    root, variables = one_expression(options.source, options.shapes)
    try:
        with np.load(options.data) as archive:
            data = dict(archive)
    except (OSError, ValueError) as error:
        expected, mend = "an .npz file of arrays", "Write one with np.savez(path, X=x, D=d)."
        raise ArgumentError(explain(f"symnet compare --data {options.data}", expected, str(error), mend)) from error
    wrt = targets(options.source, options.wrt, root, variables) if options.wrt else []
    wrt = wrt or [leaf for leaf in parameters(root) if leaf.name not in data] or list(parameters(root))
    known = {leaf.name for leaf in leaves(root)}
    print(sn.compare(root, wrt, {n: a for n, a in data.items() if n in known}, dtype=options.dtype))


def info(options: argparse.Namespace) -> None:
    print(f"symnet        {sn.__version__}")
    print(f"python        {platform.python_version()} on {platform.platform()}")
    for package in PACKAGES:
        print(f"{package:13} {_version(package)}")
    for name, text in _machine():
        print(f"{name:13} {text}")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _machine() -> list[tuple[str, str]]:
    """LLVM, the target, the cache."""
    from symnet.runtime.cache import default_cache

    cache = default_cache()
    place = ("cache", "off" if cache is None else f"{cache.folder}, {len(cache.entries())} functions")
    try:
        from symnet.llvm.targets import host_target

        target = host_target()
    except SymnetError as error:
        return [("llvm", str(error)), place]
    import llvmlite.binding as llvm

    fma = "with" if target.fma else "without"
    return [
        ("llvm", ".".join(map(str, llvm.llvm_version_info))),
        ("target", f"{target.cpu or 'generic'}, {target.triple}"),
        ("vectors", f"{target.vector_bits} bits, {target.registers} registers, {fma} fused multiply-add"),
        place,
    ]


if __name__ == "__main__":
    sys.exit(main())
