"""Graph → graph: the same values in the form that people read, then in the form that computes well.

`engine` applies tables of rewrites, `settle` ends what does not come to rest, `sealing` keeps the steps of a recurrence
closed, `sharing` makes equal parts one node, `cost` counts operations.
`forms/` are sums and products as data; `algebra/table.py` is the first form, `numeric/passes.py` the second, and
`machine/arrangement.py` the arithmetic that runs.
"""
