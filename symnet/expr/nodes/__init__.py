"""What graphs are made of.  A file for each kind of node, which has the same name on every floor above.

`node.py` is what a node is, `extents.py` its shape, `graph.py` how graphs are walked; then leaves (`symbols.py`,
`constants.py`, `data.py`), the kinds (`elementwise.py`, `expansion.py`, `contraction.py`, `movement.py`, `indexing.py`,
`reduction.py`, `cumulative.py`, `linalg.py`, `abstract.py`), and what is only made of them (`operators.py`,
`activations.py`, `norms.py`, `building.py`, `composed.py`, `advanced_indexing.py`, with `index_arrays.py`).
`result_dtypes.py` says the dtype of a result, `no_values.py` what an expression refuses to be, `names.py` takes names
off and puts them on again.
"""
