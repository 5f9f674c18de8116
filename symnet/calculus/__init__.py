"""Derivatives as formulas: differentiation and simplification composed.

In: expressions.  Out: expressions in the algebra form, named as the user named them.
"""

from symnet.calculus.derivation.model import Derivation
from symnet.calculus.derive import derive
from symnet.calculus.grad import grad
from symnet.calculus.hessian import hessian
from symnet.calculus.jacobian import derivative, jacobian
from symnet.calculus.products import hvp, jvp, vjp
from symnet.calculus.simplify import simplify

__all__ = [
    "Derivation",
    "derivative",
    "derive",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "simplify",
    "vjp",
]
