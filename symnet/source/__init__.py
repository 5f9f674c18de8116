"""Readable source text for NumPy, JAX or PyTorch.

`module.py` writes the whole; `writer` names values and breaks lines, `dialects` says how each library spells things,
`idioms` finds a library's own functions again; `elementwise`, `contraction` and `movement` write the kinds of node.
"""
