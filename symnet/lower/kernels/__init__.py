"""Statements written by hand, for what no single point of a nest says: linear systems.

`statements.py` is what they are written with.  `elimination.py` factors a matrix and `substitution.py` solves by the
factors; `blocked.py` does the first for matrices that no cache holds, with the step in `panel.py` that both share;
`side_by_side.py` does both for several small matrices of a stack at once.
`largest.py` finds the first maximum of a row.
In: where the numbers stand.  Out: statements of the loop language; `lower/linalg.py` puts them into nests.
"""
