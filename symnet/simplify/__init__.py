"""Graph → graph: the same values in the form that people read, then in the form that computes well.

`rewrite` is the record that tables are made of, `engine` applies them, `trace` says by what right; `settle` gives
operands one dtype, `sealing` keeps the steps of a recurrence closed, `sharing` makes equal parts one node, `cost`
counts operations.
`forms/` are sums and products as data; `algebra/table.py` is the first form, `numeric/passes.py` the second, and
`machine/arrangement.py` the arithmetic that runs.
"""
