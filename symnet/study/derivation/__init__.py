"""What `derive` gives: the steps of a derivative as data, and their text, LaTeX, page and slides.

In: a root as written and its variables.  Out: `Derivation` (`derivation.py`), which `writer.py` fills with the records
of `model.py`; `text.py`, `latex.py`, `page.py` and `slides.py` write these, each in its notation.
"""

from symnet.study.derivation.derivation import Derivation
from symnet.study.derivation.model import BackwardStep, Edge, LabelledValue, Rewriting, Route

__all__ = ["BackwardStep", "Derivation", "Edge", "LabelledValue", "Rewriting", "Route"]
