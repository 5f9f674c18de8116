"""Nests that differ in names alone are scheduled once: 200 equal layers cost little more than one.

before: t2[i] = tanh(t1[i] + b1[0]) → loops;  t3[i] = tanh(t2[i] + b2[0]) → loops
after:  t2[i] = tanh(t1[i] + b1[0]) → loops;  the same loops, of t3, t2 and b2

In: nests, in any order, and how their sums go on.  Out: loops that are final: products are joined to sums, and vector
loops cut into lanes.
The names of arrays and values decide nothing in scheduling, and names that it makes have old ones in them.  So a nest
that is met again is scheduled under names that stand in for others, and these are put back whenever it is met: the
loops are those that scheduling it would give, to the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symnet.loops.integers import IntExpr
from symnet.loops.ir import Body
from symnet.loops.renaming import find_out
from symnet.loops.substitute import substitute
from symnet.lower.nest import Nest
from symnet.schedule.collapse import collapsed
from symnet.schedule.long_axes import with_long_axes
from symnet.schedule.multiply_add import with_multiply_adds
from symnet.schedule.nest_forms import NestForm
from symnet.schedule.partials import Carry
from symnet.schedule.target import Target
from symnet.schedule.tile import scheduled
from symnet.schedule.vectorize import in_lanes


@dataclass
class Alike:
    """What was scheduled for a machine, by the keys of nests; of what was met once the key alone is kept.

    Attributes:
        target: the machine.
        unit: the name of the unit's number.
        met: the keys of nests that were met.
        templates: the loops of those that were met again, under stand-ins for names.
    """

    target: Target
    unit: str
    met: set[tuple[object, ...]] = field(default_factory=set)
    templates: dict[tuple[object, ...], Body] = field(default_factory=dict)

    def loops(self, nest: Nest, carry: Carry | None = None, ints: Mapping[str, IntExpr] | None = None) -> Body:
        """The final loops of a nest.

        Args:
            nest: what to compute.
            carry: for a reduction continued over superblocks; such a nest stores its bare accumulator.
            ints: what integer variables become when all is decided.
        """
        form = NestForm(nest, carry) if nest.is_ordinary else None
        if form is None or form.key not in self.met:
            self.met |= set() if form is None else {form.key}
            body = self._scheduled(nest, carry)
            return substitute(body, ints) if ints else body
        template = self.templates.get(form.key)
        if template is None:
            alike, again = form.under_stand_ins(nest, carry)
            template = self.templates[form.key] = self._scheduled(alike, again)
            find_out(template, self.unit)
        return form.put_back(template, ints or {})

    def _scheduled(self, nest: Nest, carry: Carry | None) -> Body:
        """The final loops of a nest, neighbouring axes joined: what it touches stays at the places that it names."""
        return self.final(scheduled(with_long_axes(nest, self.target, carry is not None), self.target, carry))

    def final(self, body: Body) -> Body:
        """Scheduled loops, their products joined to sums, short rows to long ones, and vector loops cut into lanes."""
        return in_lanes(collapsed(with_multiply_adds(body), self.target), self.target)
