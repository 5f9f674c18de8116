"""The writer: one function in one library, a line for every value that needs a name.

In: roots with the user's names.  Out: the text of a module.  How a node of each kind is written is in `WRITERS`, which
the caller gives.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy

from symnet import dtypes
from symnet.errors import ArgumentError, MissingRuleError, explain
from symnet.expr.nodes.extents import Dim, same_extent
from symnet.expr.nodes.graph import topological
from symnet.expr.nodes.node import Extent, Node
from symnet.expr.nodes.symbols import Named, Tensor
from symnet.source.dialects import Dialect
from symnet.source.text import (
    ATOM,
    SourcePiece,
    about,
    arranged,
    extents_named,
    is_full,
    is_linear_in,
    is_python,
    may_stay_small,
)

SHORT = 12  # characters of a number that is written again rather than named
LONGEST = 70  # characters of an expression that is not assigned to a name of its own

Writers = Mapping[str, Callable[["FunctionWriter", Any], SourcePiece]]


class FunctionWriter:
    """Writes one function: `lines` so far, `texts` of the values, `taken` names."""

    def __init__(self, dialect: Dialect, writers: Writers, leaves: Sequence[Tensor], real: str) -> None:
        self.dialect, self.writers, self.leaves, self.real = dialect, writers, leaves, real
        self.lines: list[str] = []
        self.texts: dict[Node, SourcePiece] = {}
        self.taken = {leaf.name for leaf in leaves} | {"np", "jnp", "jax", "torch", "math", *dialect.helpers}
        self.helpers: dict[str, str] = {}
        self.dims: dict[Dim, str] = {}
        self.sizes: dict[str, str] = {}
        self.small: set[Node] = set()

    # ---- the module

    def module(
        self, name: str, written: Sequence[Node], roots: Sequence[Node], outputs: Sequence[str], template: Any
    ) -> str:
        """The text, of roots that compute what is `written`."""
        order = topological(*roots)
        uses = Counter(o for node in order for o in node.operands) + Counter(roots)
        self.read_dims(order)
        self.small = may_stay_small(order, roots)
        given = dict(zip(reversed(roots), reversed(outputs), strict=True))
        for node in order:
            text = self.write(node)
            if self.needs_name(node, text, uses[node]):
                text = self.assign(
                    node.name if isinstance(node, Named) else given.get(node, ""), text, self.shape_comment(node)
                )
            self.texts[node] = text
        results = [self.result(root, out) for root, out in zip(roots, outputs, strict=True)]
        self.lines.append(f"return {arranged(template, results)}")
        code = (line.partition("  # ")[0] for line in self.lines)
        words = set(re.findall(r"\w+", " ".join(code)))
        sizes = [f"{dim} = {text}" for dim, text in self.sizes.items() if dim in words]
        said = about(written, outputs, self.leaves)
        body = "\n".join(f"    {line}".rstrip() for line in [*said, *sizes, *self.lines])
        arguments = ", ".join(leaf.name for leaf in self.leaves)
        imports = [
            line for line in self.dialect.imports if line != "import math" or "math." in body + self.helper_text()
        ]
        head = "\n".join(imports).strip("\n")
        return f"{head}\n\n\n{self.helper_text()}def {name}({arguments}):\n{body}\n"

    def helper_text(self) -> str:
        """The helpers that the lines call."""
        code = "\n".join(self.lines)
        used = [text for name, text in self.helpers.items() if re.search(rf"\b{name}\(", code)]
        return "".join(f"{text}\n\n\n" for text in used)

    def needs_name(self, node: Node, text: SourcePiece, uses: int) -> bool:
        if node.kind in ("number", "size", "tensor", "expand", "delta", "iota") or text.text.isidentifier():
            return False
        if is_python(node) and len(text.text) <= SHORT:
            return False
        if text.minus and text.text[1:].isidentifier():
            return False
        return uses > 1 or isinstance(node, Named) or len(text.text) > LONGEST or node.kind == "place"

    def assign(self, name: str, text: SourcePiece, comment: str = "") -> SourcePiece:
        fresh = self.fresh(name or "t1")
        self.lines.append(f"{fresh} = {text.text}{comment}")
        return SourcePiece(fresh)

    def has_name(self, node: Node) -> bool:
        """Whether a value stands under a name already."""
        return self.texts[node].text.isidentifier()

    def shape_comment(self, node: Node) -> str:
        """The shape of an array, in the names of its dims."""
        return f"  # {self.shape(node.shape)}" if node.rank and node not in self.small else ""

    def fresh(self, name: str) -> str:
        """A name that nothing has yet: t1, t2, … where the user gave none."""
        clean = name if name.isidentifier() and not keyword.iskeyword(name) else "value"
        stem = clean.rstrip("0123456789") or clean
        count = 1
        while clean in self.taken:
            clean = f"{stem}{count}" if stem == "t" else f"{stem}_{count + 1}"
            count += 1
        self.taken.add(clean)
        return clean

    def result(self, root: Node, output: str) -> str:
        text = self.strict(root)
        if isinstance(root, (Named,)) or text.text.isidentifier():
            return text.text
        if is_python(root):
            text = SourcePiece(self.dialect.calls["array"].format(text.text, self.dtype(self.real)))
        return self.assign(output, text).text

    # ---- extents and dtypes

    def read_dims(self, order: Sequence[Node]) -> None:
        """m = X.shape[0], for every dim the function needs."""
        needed = {s for node in order for e in extents_named(node) for s in sympy.sympify(e).free_symbols}
        for dim in sorted(needed, key=str):
            place = next(((t, a, e) for t in self.leaves for a, e in enumerate(t.shape) if is_linear_in(e, dim)), None)
            if place is None:
                mend = "Add an input that has it as an axis."
                raise ArgumentError(explain("source(…)", f"an input with the extent {dim}", "none", mend))
            leaf, axis, extent = place
            slope = sympy.diff(extent, dim)
            offset = sympy.expand(extent - slope * dim)
            text = f"{leaf.name}.shape[{axis}]"
            text = text if offset == 0 else f"({text} - {offset})"
            self.dims[dim] = self.fresh(dim.name)
            self.sizes[self.dims[dim]] = text if slope == 1 else f"{text} // {slope}"

    def extent(self, extent: Extent) -> str:
        expr = sympy.sympify(extent)
        return str(expr.xreplace({d: sympy.Symbol(name) for d, name in self.dims.items()}))

    def shape(self, shape: Sequence[Extent]) -> str:
        inner = ", ".join(map(self.extent, shape))
        return f"({inner},)" if len(shape) == 1 else f"({inner})"

    def dtype(self, name: str | None) -> str:
        spelled = name or self.real
        return self.dialect.real.format("bool_" if spelled == "bool" and self.dialect.name != "torch" else spelled)

    def call(self, name: str, *args: Any) -> SourcePiece:
        return SourcePiece(self.dialect.calls[name].format(*args))

    # ---- values

    def write(self, node: Node) -> SourcePiece:
        writer = self.writers.get(node.kind)
        if writer is None:
            expected = f"a writer for {node.kind} nodes"
            mend = "Add it to WRITERS in symnet/source/module.py."
            raise MissingRuleError(explain("source(…)", expected, type(node).__name__, mend))
        return writer(self, node)

    def strict(self, node: Node) -> SourcePiece:
        """A value in its full shape."""
        if node.kind != "expand":
            return self.texts[node]
        inner = node.operands[0]
        if not inner.rank and is_python(inner):
            return self.call("full", self.texts[inner].text, self.shape(node.shape), self.dtype(self.real))
        text = self.loose(node)
        if all(same_extent(node.shape[a], 1) for a in node.new_axes):
            return text
        return self.call("broadcast", text.text, self.shape(node.shape))

    def loose(self, node: Any) -> SourcePiece:
        """A repeated value where it broadcasts by itself: x[:, None]."""
        if node.kind != "expand":
            return self.texts[node]
        first = min(node.axes, default=node.rank)
        ones = any(same_extent(node.shape[a], 1) for a in node.new_axes)
        axes = range(0 if ones else first, node.rank)
        items = [":" if a in node.axes else "None" for a in axes]
        inner = self.strict(node.operands[0])
        return inner if "None" not in items else SourcePiece(f"{inner.within(ATOM)}[{', '.join(items)}]")

    def operand(self, node: Node, user: Node, cast: bool = True) -> SourcePiece:
        """An operand of an elementwise node, in the dtype of the result."""
        loose = user in self.small or any(o not in self.small and is_full(o, user) for o in user.operands)
        text = self.loose(node) if loose else self.strict(node)
        return self.in_dtype(text, node, user.dtype) if cast else text

    def in_dtype(self, text: SourcePiece, node: Node, dtype: str | None) -> SourcePiece:
        if node.dtype in (*dtypes.INTEGER, "bool") and dtype in dtypes.REAL and not is_python(node):
            return SourcePiece(self.dialect.cast.format(text.within(ATOM), self.dtype(dtype)))
        return text
