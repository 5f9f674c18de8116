"""How the command line is used: examples under `--help`, and errors of four parts for arguments that do not fit.

In: nothing.  Out: `Parser`, an `argparse` parser; `shielded`, arguments as it takes them; `USAGE` and `EXAMPLES`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from symnet.errors import explain


class Parser(argparse.ArgumentParser):
    """An `argparse` parser whose errors have four parts, as all of ours."""

    def error(self, message: str) -> NoReturn:
        expected = " ".join(self.format_usage().removeprefix("usage: ").split())
        self.exit(
            2,
            explain(
                self.prog,
                expected,
                message.replace(": expected ", " expects "),
                f"{_hint(message)}{self.prog} --help says more.",
            )
            + "\n",
        )


def _hint(message: str) -> str:
    """Of words that no option takes: where names go together."""
    words = message.removeprefix("unrecognized arguments: ").split() if message.startswith("unrecognized") else []
    if not words or words[0].startswith("-"):
        return ""
    return f"Several names of one option are separated by commas: --wrt a,{words[0]}. "


def shielded(arguments: Sequence[str]) -> list[str]:
    """The arguments, where a formula that begins with a minus (`-x**2`) is not taken for an option.

    Options have two dashes or are `-h`; `argparse` takes what begins with a space for a value.
    """
    return [f" {a}" if a[:1] == "-" and a[1:2] not in ("", "-") and a != "-h" else a for a in arguments]


USAGE = {
    "demo": "",
    "derive": "EXPRESSION [options]",
    "hessian": "EXPRESSION [options]",
    "critical-points": "EXPRESSION [options]",
    "check": "EXPRESSION FORMULA [options]",
    "compile": "EXPRESSION [options]",
    "export": "EXPRESSION PATH [options]",
    "compare": "EXPRESSION [options]",
    "play": "[options]",
    "info": "",
}

EXAMPLES = {
    "play": """
examples:
  symnet play
  symnet play --port 0 --no-browser""",
    "derive": r"""
examples:
  symnet derive "mean((X@w - y)**2)" --shapes X:m,n w:n y:m --wrt w
  symnet derive "mean(cross_entropy(softmax(Z), D))" --shapes Z:m,10 D:m,10 \
      --assume D:one_hot --wrt Z --steps
  symnet derive "sum((W@x)**2)" --shapes W:3,4 x:4 --wrt "x[2],W[0,1]"
  symnet derive "c = a + b; a*c" --at a=4,b=3 --slides graph.html
  symnet derive "A@x" --shapes A:m,n x:n --wrt x --layout numerator --steps
  symnet derive model.py:L --wrt W1 --html page.html

formulas are NumPy's: + - * / ** @, x[0], x[1:], x.T (or x'), x.sum(axis=0),
exp log tanh sigmoid relu softmax norm det inv where(a > 0, a, b) and so on,
also as np.exp(x); names come first, as in "r = X@w - y; mean(r**2)", and
"J = mean((X@w - y)**2)" is what is differentiated, by its name.""",
    "hessian": """
examples:
  symnet hessian "mean((X@w - y)**2)" --shapes X:m,n w:n y:m --wrt w
  symnet hessian "(1 - x[0])**2 + 100*(x[1] - x[0]**2)**2" --shapes x:2 --wrt x --steps --at "x=[1,2]"
  symnet hessian model.py:L --wrt w --html page.html""",
    "critical-points": """
examples:
  symnet critical-points "x**3 - 3*x*y + y**3"
  symnet critical-points "(1 - x[0])**2 + 100*(x[1] - x[0]**2)**2" --shapes x:2
  symnet critical-points "x**4 - x + exp(x)" --numeric""",
    "check": """
examples:
  symnet check "mean((X@w - y)**2)" "2*X.T@(X@w - y)/m" \\
      --shapes X:m,n w:n y:m --wrt w
  symnet check "x**3" "3*x"

exit status: 0 where the formula is right, 1 where wrong, 2 where unreadable""",
    "compile": """
examples:
  symnet compile "mean((X@w - y)**2)" --shapes X:m,n w:n y:m --wrt w
  symnet compile model.py:L --wrt W1,b1 --stop-after loops
  symnet compile "sum(tanh(x))" --shapes x:n --source c""",
    "export": """
examples:
  symnet export "mean((X@w - y)**2)" build/ols --shapes X:m,n w:n y:m --wrt w
  symnet export model.py:L build/mlp --wrt W1,b1 --dtype float32
  symnet export "sum(tanh(x))" build/total --shapes x:n --files h,a,cmake,o,test""",
    "compare": r"""
examples:
  symnet compare "mean((X@w - y)**2)" --shapes X:m,n w:n y:m --wrt w \
      --extents m=1000,n=50
  symnet compare model.py:L --against jax,torch --html out.html
  symnet compare model.py:L --data data.npz --wrt W1,b1 --hessian""",
}
