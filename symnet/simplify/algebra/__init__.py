"""The algebra form: what people read, one spelling for each function.

One file for each kind of node (`elementwise`, `contraction`, `movement`, `reduction`, `linalg`, `cumulative`,
`recurrence`) and one for each family of functions (`exponentials`, `hyperbolic`, `log_selections`, `absolutes`,
`choices`); `sums` and `products` collect.
`table.py` puts their rewrites in one table and applies it until nothing changes.
"""
