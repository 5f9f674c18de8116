"""The command line: `symnet demo | derive | hessian | critical-points | check | compile | export | compare | info`.

In: arguments; an expression comes as `FILE.py:NAME`, NAME being a variable of that Python file, or as a formula with
the shapes of its leaves, which is parsed and never run (`reading/parsing.py`).  Out: text on stdout, an exit code: 0, 1
for a derivative that `check` finds wrong, or 2 with the error's four parts on stderr.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import symnet as sn
from symnet import dtypes
from symnet.cli.commands import (
    demo,
    run_check,
    run_compile,
    run_critical_points,
    run_derive,
    run_export,
    run_hessian,
)
from symnet.cli.comparing import NAMES, run_compare
from symnet.cli.info import info
from symnet.cli.playing import run_play
from symnet.cli.usage import EXAMPLES, USAGE, Parser, shielded
from symnet.errors import SymnetError, explain
from symnet.export.kinds import KINDS
from symnet.source.dialects import DIALECTS
from symnet.stages import STOPS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name.

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
    _written(derive)
    hessian = _command(commands, "hessian", run_hessian, "second derivatives, or every step of them")
    _source(hessian, "leaves, or names given in the expression, separated by commas; without it, every leaf")
    hessian.add_argument("--steps", action="store_true", help="show every step, of the gradient and of its derivative")
    hessian.add_argument("--layout", choices=("numerator", "denominator"), help="of the steps' result")
    _written(hessian)
    points = _command(commands, "critical-points", run_critical_points, "where the gradient is zero, and what is there")
    _source(points, "leaves, separated by commas; without it, every leaf")
    points.add_argument("--numeric", action="store_true", help="look for them with numbers alone")
    points.add_argument("--seconds", type=float, default=10.0, help="how long SymPy may take (10)")
    check = _command(commands, "check", run_check, "grade a derivative worked out by hand: right, or how it is wrong")
    _source(check, "the variable: a leaf, or a name given in the expression")
    check.add_argument(
        "mine", metavar="FORMULA", help="what is claimed to be the gradient, or the Jacobian of an array"
    )
    check.add_argument("--layout", choices=("numerator", "denominator"), help="in which the formula is laid out")
    compile_ = _command(commands, "compile", run_compile, "compile an expression and say what was made")
    _source(compile_, "also compile the gradient by these, separated by commas")
    compile_.add_argument("--dtype", choices=dtypes.REAL, help="of the real leaves")
    _target(compile_)
    shown = compile_.add_mutually_exclusive_group()
    shown.add_argument("--stop-after", choices=STOPS, help="print what stands after this stage")
    shown.add_argument("--source", choices=(*DIALECTS, "c"), dest="library", help="print the source of a module, or C")
    export = _command(commands, "export", run_export, "write object, library, header, stub, test and others")
    _source(export, "also export the gradient by these, separated by commas")
    export.add_argument("path", metavar="PATH", help="folder and name of the files, such as build/mlp")
    export.add_argument("--dtype", choices=dtypes.REAL, help="of the real leaves")
    _target(export, "; without it every processor of x86-64, where that is this machine's kind")
    export.add_argument("--files", metavar="KINDS", help=f"which, with commas between, or all: {','.join(KINDS)}")
    constants = "arrays by the names of leaves, which become part of the code"
    export.add_argument("--constants", metavar="FILE.npz", help=constants)
    budget = "bytes that the workspace may have, whatever the extents"
    export.add_argument("--max-workspace", metavar="BYTES", type=int, help=budget)
    export.add_argument(
        "--overwrite", "--force", action="store_true", help="also replace files that an export did not write"
    )
    compare = _command(
        commands, "compare", run_compare, "the derivative against other ways to it, and all against the truth"
    )
    _source(compare, "the leaves to differentiate by; without it, the real leaves that the data lack")
    given = "arrays by the names of the leaves; without it, the dict `data` of the Python file, or random numbers"
    compare.add_argument("--data", metavar="FILE.npz", help=given)
    compare.add_argument("--extents", metavar="m=256,n=3", help="of random numbers; without it 32 each")
    compare.add_argument("--dtype", choices=dtypes.REAL, help="of the real leaves")
    compare.add_argument("--against", metavar="METHODS", help=f"separated by commas: all, {', '.join(NAMES)}")
    second = compare.add_mutually_exclusive_group()
    second.add_argument("--hessian", action="store_true", help="compare the Hessian")
    second.add_argument("--hvp", action="store_true", help="compare the Hessian times a random vector")
    for ending, what in (("html", "a page"), ("csv", "a line for each method"), ("json", "everything")):
        compare.add_argument(f"--{ending}", metavar=f"OUT.{ending}", help=f"write {what}")
    play = _command(commands, "play", run_play, "a page to try formulas on, in a browser of this machine")
    play.add_argument("--port", type=int, default=8765, help="where it listens; 0 for any that is free")
    play.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    _command(commands, "info", info, "versions, machine, cache")
    return top


def _written(command: argparse.ArgumentParser) -> None:
    """How steps are written, and at which numbers."""
    command.add_argument("--latex", action="store_true", help="print LaTeX")
    command.add_argument(
        "--at", metavar="A=4,B=3", help="a number, or a list such as [1,2], for every leaf: on every step"
    )
    command.add_argument("--html", metavar="OUT.html", help="write a page with the graph drawn")
    command.add_argument("--slides", metavar="OUT.html", help="write slides: one step at a time, by the arrow keys")


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


def _target(command: argparse.ArgumentParser, otherwise: str = "") -> None:
    machines = "native, x86-64-v3, x86-64-portable, cortex-m4, wasm32, aarch64-linux-gnu, …"
    command.add_argument("--target", metavar="MACHINE", help=machines + otherwise)


def _source(command: argparse.ArgumentParser, wrt: str) -> None:
    what = "a formula, or the variable NAME of a Python file, as FILE.py:NAME"
    command.add_argument("source", metavar="EXPRESSION", help=what)
    shapes = "the leaves of a formula, as X:m,n y:m b; without it every name is a scalar"
    command.add_argument("--shapes", metavar="NAME:EXTENTS", nargs="+", help=shapes)
    words = "what is known of leaves: one_hot simplex positive symmetric …, a dtype, or labels=10"
    command.add_argument("--assume", metavar="NAME:WORD", nargs="+", default=[], help=words)
    command.add_argument("--wrt", metavar="W", help=wrt)
