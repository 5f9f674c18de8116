"""symnet: symbolic differentiation and native code for networks and losses.

    >>> import symnet as sn
    >>> m = sn.dim("m")
    >>> Z = sn.tensor("Z", m, 10)
    >>> D = sn.tensor("D", m, 10, one_hot=True)
    >>> Y = sn.softmax(Z).named("Y")
    >>> sn.grad(sn.mean(sn.cross_entropy(Y, D)), Z)
    (Y - D)/m

Names are loaded when first used (PEP 562): `import symnet` loads no other package, and `sn.load` none but NumPy.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Any

from symnet.locks import BUILDING
from symnet.version import VERSION

__version__ = VERSION

# public name → (module, name there)
_HOMES: dict[str, tuple[str, str]] = {}


def _home(module: str, names: str, **renamed: str) -> None:
    for name in names.split():
        _HOMES[name] = (f"symnet.{module}", name)
    for name, there in renamed.items():
        _HOMES[name] = (f"symnet.{module}", there)


_home("expr.nodes.extents", "dim")
_home("expr.nodes.symbols", "tensor scalar")
_home("expr.nodes.indexing", "labels one_hot take")
_home("expr.nodes.constants", "constant", eye="identity", arange="iota")
_home(
    "expr.nodes.elementwise",
    "sqrt floor_divide mod maximum minimum atan2 where indicator xlogy equal not_equal logical_not",
    abs="absolute",
)
_home(
    "expr.nodes.elementwise",
    "floor exp log log1p expm1 tanh sigmoid softplus sin cos tan asin acos atan sinh cosh asinh acosh atanh erf erfc"
    " gamma loggamma digamma cbrt",
)
_home("expr.nodes.operators", "sign logical_and logical_or logical_xor")
_home("expr.nodes.activations", "relu leaky_relu elu silu gelu")
_home("expr.nodes.contraction", "einsum matmul dot outer trace transpose sum mean")
_home("expr.nodes.reduction", "max min prod argmax logsumexp softmax log_softmax")
_home("expr.nodes.cumulative", "cumsum")
_home("expr.nodes.recurrence", "cumprod linear_recurrence")
_home(
    "expr.nodes.composed",
    "square clip isnan isinf isfinite hypot logaddexp exp2 log2 log10 ceil any all count_nonzero argmin var std"
    " tril triu",
)
_home("expr.nodes.linalg", "det logdet inv solve matrix_power")
_home("expr.nodes.norms", "norm")
_home("expr.nodes.abstract", "function")
_home("expr.nodes.building", "zeros ones diag kron")
_home("expr.nodes.movement", "reshape concat stack pad broadcast_to")
_home("expr.sympy.scalars", "apply")
_home("expr.sympy.from_sympy", "from_sympy")
_home("expr.sympy.to_sympy", "to_sympy")
_home("nn.losses", "l2 cross_entropy kl_div binary_cross_entropy")
_home("calculus.grad", "grad")
_home("calculus.jacobian", "derivative jacobian")
_home("calculus.hessian", "hessian")
_home("calculus.products", "jvp vjp hvp")
_home("calculus.compressed", "compressed")
_home("study.derivation.derive", "derive")
_home("calculus.simplify", "simplify")
_home("calculus.define", "define")
_home("study.check.check", "check")
_home("study.critical_points.critical_points", "critical_points")
_home("lower.cost", "flops operations cost")
_home("compiler", "compile value_and_grad")
_home("lambdify.lambdify", "lambdify")
_home("compiled", "CompiledFunction CrossCompiled")
_home("export.load", "load")
_home("train.fit", "fit")
_home("train.device_step", "train_step")
_home("train.history", "Run")
_home("train.optimizers", "SGD Momentum Adam AdamW SignDescent")
_home("train.stopping", "Stop")
_home("compare", "compare")
_home(
    "errors",
    "SymnetError ShapeError DTypeError ArgumentError ValueDomainError AssumptionError SingularMatrixError"
    " MissingRuleError FileError ExistingFileError UnsettledWarning",
)

_FOLDERS = ("nn", "expr", "calculus", "study", "train", "errors", "dtypes", "reference", "export")


def _imported(module: str) -> ModuleType:
    with BUILDING:  # a fork waits until the module is whole
        return import_module(module)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        module, there = _HOMES[name]
        value = getattr(_imported(module), there)
    elif name in _FOLDERS:
        value = _imported(f"symnet.{name}")
    else:
        close = [] if name.startswith("__") else get_close_matches(name, __all__, n=3)
        hint = f". Did you mean {' or '.join(f'sn.{each}' for each in close)}?" if close else ""
        raise AttributeError(f"module 'symnet' has no attribute {name!r}{hint}")
    globals()[name] = value
    return value


class _Face(ModuleType):
    """The package as users see it: `sn.simplify` and `sn.compare` are functions, though folders share their names."""

    def __reduce__(self) -> Any:
        """As other modules: pickles of functions that use `sn` refer to it by name."""
        return import_module, (self.__name__,)

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face


def __dir__() -> list[str]:
    dunder = {name for name in globals() if name.startswith("__")}
    return sorted({*dunder, *_HOMES, *_FOLDERS})


__all__ = sorted(_HOMES)
