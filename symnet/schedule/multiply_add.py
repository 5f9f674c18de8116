"""A product that one sum alone uses is written where it is added, so that both are rounded once.

before: let p = a*b;  let s = p + c
after:  let s = a*b + c

In: scheduled statements.  Out: the same, with fewer names.  Where the target has an instruction for a*b + c, the back
end and the interpreter use it for a product that stands inside the expression of a sum, and for no other product: the
program says which bits come out, not a flag of a compiler.  Of two products in one sum the left one is taken.  The
negative of a product is a product: -(a*b) + c becomes (-a)*b + c.
Not handled: a product in front of the loop in which the sum stands, as it is computed once there; a product that reads
memory, as this may be written between its place and the sum's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from symnet.loops.accesses import of_value
from symnet.loops.changes import changed, with_bodies
from symnet.loops.ir import Body, Let, Op, Stmt, Store, Value, Var, walk
from symnet.loops.operands import is_product

SUMS = ("add", "sub")


def with_multiply_adds(body: Body) -> Body:
    """The body, inner loops first: its products written into its own sums, and gone where they stood."""
    body = changed(body, lambda stmt: with_bodies(stmt, with_multiply_adds))
    if not any(isinstance(s, Let) and is_product(s.value) for s in body):
        return body
    reads = Counter(name for stmt in walk(body) for value in _values(stmt) for name in _variables(value))
    products = _products(body, reads)
    joined = {name for stmt in body for summands in _sums(stmt) for name in _first(summands, products)}
    if not joined:
        return body
    gone = {name for name in products if name in joined or products[name].negative in joined}
    return tuple(_with(s, joined, products) for s in body if not (isinstance(s, Let) and s.name in gone))


@dataclass
class NamedProduct:
    """A product with a name that is read once.

    before: let p = a*b;  let n = -p      found: p, whose `negative` is "n"; and n, whose value is (-a)*b
    """

    value: Op
    negative: str = ""  # the name of what reads it, where that is its negative


def _products(body: Body, reads: Mapping[str, int]) -> dict[str, NamedProduct]:
    """The products that may be moved into a sum, by name; those of inner loops are not among them."""
    found: dict[str, NamedProduct] = {}
    for stmt in body:
        if not isinstance(stmt, Let) or reads[stmt.name] != 1:
            continue
        value = stmt.value
        if is_product(value) and not _reads_memory(value):
            found[stmt.name] = NamedProduct(value)
        elif isinstance(value, Op) and value.name == "neg":
            (of,) = value.args
            if isinstance(of, Var) and of.name in found:
                left, right = found[of.name].value.args
                found[of.name].negative = stmt.name
                found[stmt.name] = NamedProduct(
                    replace(found[of.name].value, args=(replace(value, args=(left,)), right))
                )
    return found


def _first(summands: tuple[Value, ...], products: Mapping[str, NamedProduct]) -> list[str]:
    """The name of the summand that is taken, if there is one; none where a product stands in the sum already."""
    if any(is_product(s) for s in summands):
        return []
    return [s.name for s in summands if isinstance(s, Var) and s.name in products][:1]


def _sums(stmt: Stmt) -> Iterator[tuple[Value, ...]]:
    """The summands of every sum of a statement; x[i] += v counts v alone, as x[i] is memory."""
    for value in _values(stmt):
        yield from (op.args for op in _operations(value) if op.name in SUMS)
    if isinstance(stmt, Store) and stmt.combine == "add":
        yield (stmt.value,)


def _with(stmt: Stmt, joined: set[str], products: Mapping[str, NamedProduct]) -> Stmt:
    if not isinstance(stmt, Let | Store):
        return stmt
    value = _replaced(stmt.value, joined, products)
    return stmt if value is stmt.value else replace(stmt, value=value)


def _replaced(value: Value, joined: set[str], products: Mapping[str, NamedProduct]) -> Value:
    """The value with joined products in the place of their names, those inside such products too."""
    if isinstance(value, Var) and value.name in joined:
        return _replaced(products[value.name].value, joined, products)
    if not isinstance(value, Op):
        return value
    args = tuple(_replaced(a, joined, products) for a in value.args)
    return value if all(new is old for new, old in zip(args, value.args, strict=True)) else replace(value, args=args)


def _values(stmt: Stmt) -> tuple[Value, ...]:
    return (stmt.value,) if isinstance(stmt, Let | Store) else ()


def _operations(value: Value) -> Iterator[Op]:
    if isinstance(value, Op):
        yield value
        for arg in value.args:
            yield from _operations(arg)


def _variables(value: Value) -> Iterator[str]:
    if isinstance(value, Var):
        yield value.name
    for op in _operations(value):
        yield from (arg.name for arg in op.args if isinstance(arg, Var))


def _reads_memory(value: Value) -> bool:
    return bool(of_value(value))
