"""NumPy's door: what `np.exp(X)` and `np.concatenate([X, Y])` do when an operand is an expression.

`ufuncs.py` answers NumPy's elementwise functions, `functions.py` the others; both give nodes, or refuse in four parts.
"""
