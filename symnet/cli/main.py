"""The command line: `symnet demo | derive | check | compile | export | compare | info`.

In: arguments; an expression comes as `FILE.py:NAME`, NAME being a variable of that Python file, or as a formula with
the shapes of its leaves, which is parsed and never run (`reading/parsing.py`).  Out: text on stdout, an exit code: 0, 1
for a derivative that `check` finds wrong, or 2 with the error's four parts on stderr.
"""

from __future__ import annotations

import argparse
import ast
import io
import os
import platform
import re
import runpy
import shutil
import sys
import traceback
import zipfile
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import metadata
from pathlib import Path
from typing import Any

import symnet as sn
from symnet import dtypes
from symnet.cli.usage import EXAMPLES, USAGE, Parser, shielded
from symnet.compiler import STOPS
from symnet.errors import ArgumentError, ShapeError, SymnetError, clipped, explain
from symnet.expr.nodes.extents import Dim
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Node
from symnet.expr.nodes.symbols import Named, Tensor, leaves
from symnet.expr.printing.latex import latex
from symnet.loops.printer import to_text
from symnet.reading.formula import declarations, formula, names_in
from symnet.study.derivation.derive import variables as free_leaves

PACKAGES = ("numpy", "sympy", "llvmlite", "opt_einsum", "tqdm", "scikit-learn", "jax", "torch")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        the exit code: 0, 1 for a wrong derivative, 2 after an error, or 130 after an interrupt.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ∂ shows ?
    options = parser().parse_args(shielded(sys.argv[1:] if arguments is None else arguments))
    try:
        return options.run(options) or 0
    except KeyboardInterrupt:
        return 130  # as shells say it
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SymnetError as error:
        print(f"symnet {options.command}: {error}", file=sys.stderr)
    except OSError as error:
        got, mend = error.strerror or str(error), "Check the path."
        said = explain(str(error.filename or "a file"), "a file that can be opened", got, mend)
        print(f"symnet {options.command}: {said}", file=sys.stderr)
    return 2


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = Parser(prog="symnet", description="Symbolic differentiation and native code for networks and losses.")
    top.add_argument("--version", action="version", version=f"symnet {sn.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _command(commands, "demo", demo, "what symnet is, in a minute: a network that reads digits")
    derive = _command(commands, "derive", run_derive, "a derivative, or every step of it")
    _source(derive, "leaves, or names given in the expression, separated by commas; without it, every leaf")
    derive.add_argument("--steps", action="store_true", help="show every step (as for a file with --wrt)")
    derive.add_argument("--brief", action="store_true", help="show the result alone (as for a formula)")
    derive.add_argument(
        "--layout", choices=("numerator", "denominator"), help="of arrays too: rows follow the outputs, or the inputs"
    )
    derive.add_argument(
        "--numeric", action="store_true", help="show value and gradient as they are computed, numerically stable"
    )
    derive.add_argument("--latex", action="store_true", help="print LaTeX")
    derive.add_argument(
        "--at", metavar="A=4,B=3", help="a number, or a list such as [1,2], for every leaf: on every step"
    )
    derive.add_argument("--html", metavar="OUT.html", help="write a page with the graph drawn")
    derive.add_argument("--slides", metavar="OUT.html", help="write slides: one step at a time, by the arrow keys")
    check = _command(commands, "check", run_check, "grade a derivative worked out by hand: right, or how it is wrong")
    _source(check, "the variable: a leaf, or a name given in the expression")
    check.add_argument("mine", metavar="FORMULA", help="what is claimed to be the gradient")
    compile_ = _command(commands, "compile", run_compile, "compile an expression and say what was made")
    _source(compile_, "also compile the gradient by these, separated by commas")
    compile_.add_argument("--dtype", choices=dtypes.REAL, help="of the real leaves")
    compile_.add_argument("--stop-after", choices=STOPS, help="print what stands after this stage")
    export = _command(commands, "export", run_export, "write object, library, C header, Python stub, C test")
    _source(export, "also export the gradient by these, separated by commas")
    export.add_argument("path", metavar="PATH", help="folder and name of the files, such as build/mlp")
    export.add_argument("--dtype", choices=dtypes.REAL, help="of the real leaves")
    export.add_argument("--force", action="store_true", help="also replace files that an export did not write")
    compare = _command(commands, "compare", run_compare, "the gradient against automatic and finite differences")
    _source(compare, "the leaves to differentiate by; without it, the real leaves that the data lack")
    compare.add_argument("--data", required=True, metavar="FILE.npz", help="arrays by the names of the leaves")
    compare.add_argument("--dtype", choices=dtypes.REAL, help="of the real leaves")
    _command(commands, "info", info, "versions, machine, cache")
    return top


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], Any], text: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        usage=f"symnet {name} {USAGE[name]}".rstrip(),
        epilog=EXAMPLES.get(name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.set_defaults(run=run)
    return made


def _source(command: argparse.ArgumentParser, wrt: str) -> None:
    what = "a formula, or the variable NAME of a Python file, as FILE.py:NAME"
    command.add_argument("source", metavar="EXPRESSION", help=what)
    shapes = "the leaves of a formula, as X:m,n y:m b; without it every name is a scalar"
    command.add_argument("--shapes", metavar="NAME:EXTENTS", nargs="+", help=shapes)
    words = "what is known of leaves: one_hot simplex positive symmetric …, a dtype, or labels=10"
    command.add_argument("--assume", metavar="NAME:WORD", nargs="+", default=[], help=words)
    command.add_argument("--wrt", metavar="W", help=wrt)


# --------------------------------------------------------------------------- FILE.py:NAME


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
    """What a Python file defines.

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
    """The same where a list will not do."""
    found, variables = load(options)
    if not isinstance(found, Node):
        mend = "Name one of its elements, or their sum."
        raise ArgumentError(explain(options.source, "one expression", f"a list of {len(found)}", mend))
    return found, variables


def targets(wrt: str, root: Node, variables: dict[str, Any]) -> list[Node]:
    """The nodes that `--wrt` names: leaves, names given by `.named`, or variables of the file."""
    by_name: dict[str, Any] = {name: node for name, node in variables.items() if isinstance(node, Node)}
    by_name.update({node.name: node for node in topological(root) if isinstance(node, (Named, Tensor))})
    chosen = [name.strip() for name in wrt.split(",")]
    for name in chosen:
        if name not in by_name:
            known, close = ", ".join(by_name), get_close_matches(name, by_name, n=1)
            mend = f"Did you mean {close[0]}?" if close else "Check the name; several are separated by commas."
            if not known:
                mend = "The expression has no leaves: it is a number, and there is nothing to differentiate it by."
            expected = f"one of {known}" if known else "a leaf of the expression"
            raise ArgumentError(explain(f"--wrt {clipped(wrt)}", expected, repr(clipped(name)), mend))
    return [by_name[name] for name in chosen]


# --------------------------------------------------------------------------- commands


def demo(options: argparse.Namespace) -> None:
    from symnet.cli.demo import run

    run()


def run_derive(options: argparse.Namespace) -> None:
    root, variables = one_expression(options)
    file = is_file(options.source)
    wrt = targets(options.wrt, root, variables) if options.wrt is not None else None
    name = options.source.rpartition(":")[2] if file else "L"
    if options.layout:
        found = sn.derivative(root, wrt or free_leaves(root), layout=options.layout)
        _print_results(name, wrt or free_leaves(root), found, options.latex)
        return
    if root.rank:
        mend = "Reduce it with sum or mean, or add --layout numerator for the Jacobian."
        raise ArgumentError(explain(clipped(options.source), "a scalar (rank 0)", f"shape {root.shape}", mend))
    if options.numeric:
        value, *slopes = sn.value_and_grad(root, wrt or free_leaves(root), stop_after="numeric")
        print(rf"{name} = {latex(value)}" if options.latex else f"{name} = {value}")
        _print_results(name, wrt or free_leaves(root), slopes, options.latex)
        return
    stepwise = (options.wrt and file) or options.steps or options.html or options.slides or options.at is not None
    if stepwise and not options.brief:
        _print_steps(sn.derive(root, wrt, at=None if options.at is None else numbers_of(options.at)), options)
        return
    chosen = wrt or free_leaves(root)
    _print_results(name, chosen, sn.grad(root, chosen), options.latex)


def _print_results(name: str, wrt: Sequence[Node], found: Sequence[Node], as_latex: bool) -> None:
    for node, slope in zip(wrt, found, strict=True):
        print(_latex_line(name, node, slope) if as_latex else f"∂{name}/∂{_label(node)} = {slope}")


def _print_steps(derivation: sn.Derivation, options: argparse.Namespace) -> None:
    if options.html:
        print(derivation.save(options.html))
    if options.slides:
        derivation.slides(options.slides)
        print(options.slides)
    if options.latex:
        print(derivation.latex())
    elif not (options.html or options.slides):
        width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
        print(derivation.text(max(width, 60)))


def run_check(options: argparse.Namespace) -> int:
    root, variables = one_expression(options)
    chosen = targets(options.wrt, root, variables) if options.wrt is not None else free_leaves(root)
    if len(chosen) != 1:
        known = ", ".join(_label(node) for node in chosen)
        mend = f"Write --wrt {_label(chosen[0])}." if chosen else "Use a leaf that is free."
        raise ArgumentError(explain(clipped(options.source), "one variable", known or "none", mend))
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
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            expected = "numbers or lists for names, as a=4,b=[1,2]"
            mend = "Separate names by commas; nothing but numbers is read."
            raise ArgumentError(explain(f"--at {clipped(at)}", expected, repr(clipped(item)), mend)) from error
    return found


def _label(node: Any) -> str:
    return str(getattr(node, "name", node))


def _latex_line(name: str, node: Any, slope: Node) -> str:
    by = getattr(node, "latex", "") or (node.name if isinstance(node, Named) else latex(node))
    return rf"\frac{{\partial {name}}}{{\partial {by}}} = {latex(slope)}"


def _function(options: argparse.Namespace, **more: Any) -> Any:
    """The expression compiled, with its gradient where `--wrt` asks for it."""
    if options.wrt is None:
        return sn.compile(load(options)[0], dtype=options.dtype, **more)
    root, variables = one_expression(options)
    wrt = targets(options.wrt, root, variables)
    return sn.value_and_grad(root, wrt, dtype=options.dtype, **more)


def run_compile(options: argparse.Namespace) -> None:
    if options.stop_after is None:
        print(_function(options).report())
        return
    found = _function(options, stop_after=options.stop_after)
    for each in found if isinstance(found, (list, tuple)) else [found]:
        print(each if isinstance(each, (Node, str)) else to_text(each))


def run_export(options: argparse.Namespace) -> None:
    files = _function(options, name=Path(options.path).name).export(options.path, overwrite=options.force)
    for path in (files.object, files.library, files.header, files.stub, files.test):
        if path is not None:
            print(path)


def run_compare(options: argparse.Namespace) -> None:

    root, variables = one_expression(options)
    data = _archive(options.data)
    wrt = targets(options.wrt, root, variables) if options.wrt is not None else []
    wrt = wrt or [leaf for leaf in free_leaves(root) if leaf.name not in data] or free_leaves(root)
    known = {leaf.name for leaf in leaves(root)}
    print(sn.compare(root, wrt, {n: a for n, a in data.items() if n in known}, dtype=options.dtype))


def _archive(path: str) -> dict[str, Any]:
    """The arrays of an .npz file.

    Raises:
        ArgumentError: no such file, or one of another form.
    """
    import numpy as np

    call, expected, mend = (
        f"--data {clipped(path)}",
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


def _contents(cache: Any) -> str:
    """How many functions a cache holds, or why it is not used."""
    reason = cache.reason()
    if reason not in ("", "no such folder"):
        return f"not used: {reason}"
    return f"{len(cache.entries())} functions"


def _machine() -> list[tuple[str, str]]:
    """LLVM, the target, the cache."""
    from symnet.runtime.cache import default_cache

    cache = default_cache()
    place = ("cache", "off" if cache is None else f"{cache.folder}, {_contents(cache)}")
    try:
        from symnet.backends.llvm.targets import host_target

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
