"""Graph → loops: one file for each kind of node, under the name that it has in `expr/`.

`program.py` is the way through: `storage` decides what gets a buffer, `axes`, `state`, `nest` and `point` build the
loops over one, `ranges` knows indices that need no check; `elimination`, `panel`, `blocked` and `substitution` are
the kernels of linear algebra.
"""
