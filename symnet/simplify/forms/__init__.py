"""Sums and products as data, which rewrites of both forms read and build.

`signs`, `order` and `magnitudes` ask about numbers and nodes; `broadcast` says along which axes an operand varies;
`coefficients` are terms with the number in front; `factors` is the canonical product, `terms` the canonical sum,
`polynomial` and, across contractions, `networks` multiply out; `shifted` are exponentials relative to their largest.
"""
