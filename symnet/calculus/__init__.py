"""Derivatives as formulas: differentiation and simplification composed.

In: expressions.  Out: expressions in the algebra form, named as the user named them.
Derivations (`study/derivation/derive.py`) are loaded where they are asked for: who compiles needs none.
"""

from symnet.calculus.grad import grad
from symnet.calculus.hessian import hessian
from symnet.calculus.jacobian import derivative, jacobian
from symnet.calculus.products import hvp, jvp, vjp
from symnet.calculus.simplify import simplify

__all__ = [
    "derivative",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "simplify",
    "vjp",
]
