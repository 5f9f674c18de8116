"""Formulas for people: text, LaTeX, MathML and two-dimensional Unicode.

In: a node.  Out: its formula; `repr`, `sympy.latex` and `sympy.pretty` of a node import this package.
`layout.py` reads the graph into forms (`forms.py`), the same for every notation; `text.py`, `latex.py`, `mathml.py`
and `pretty.py` write them.  For all but text `own_names.py` names what a textbook names, `entrywise.py` writes arrays
of three axes and more by their entries, and `paper.py` writes broadcasting out.
"""

from symnet.expr.printing.latex import latex, latex_in_full
from symnet.expr.printing.latex_rows import displayed
from symnet.expr.printing.mathml import mathml
from symnet.expr.printing.pretty import pretty
from symnet.expr.printing.text import text

__all__ = ["displayed", "latex", "latex_in_full", "mathml", "pretty", "text"]
