"""SymPy's door: `from_sympy.py` lets its expressions in, `to_sympy.py` out.

On the way in: `scalars.py` takes scalar functions, by `table.py` where symnet has a primitive and as a node that
carries the function otherwise (`functions.py`, with `bodies.py` and `series.py` for what it computes); `matrices.py`
and `array_expressions.py` take the classes of matrices and arrays, `indexed_sums.py` sums over indices (by way of
`labelled.py`).  `conversion.py` is what these ask of the conversion that they are part of.
"""
