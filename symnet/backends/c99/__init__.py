"""Loops → one unit of C99, to be compiled where an object file would be linked.

`program.py` writes a unit, `phases.py` its functions; `statements.py` has a writer for each kind of statement
(`fetches.py` for one), `ops.py` a line for each operation; `lanes.py` makes `elementary/`'s functions C, `prelude.py`
has what C lacks; `vectors.py` writes vector loops, `reductions.py` their sums; `kernels.py` makes equal loops one
function.
"""
