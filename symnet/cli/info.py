"""`symnet info`: versions, the machine, the cache.

In: nothing.  Out: text on stdout.
"""

from __future__ import annotations

import argparse
import platform
from importlib import metadata
from typing import Any

import symnet as sn
from symnet.errors import SymnetError

PACKAGES = ("numpy", "sympy", "llvmlite", "opt_einsum", "tqdm", "scikit-learn", "jax", "torch")


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
