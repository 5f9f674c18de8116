"""What is known of a node: asked by the rewrites, and by what prints.

`assumptions.py` carries facts from the leaves upward (positive, sums to one, …), `array_facts.py` finds those of a
constant array, `evidence.py` says why one holds; `symmetry.py`, `softmax.py` and `networks.py` recognise a symmetric
product, a softmax, and one network of products in its many spellings.  Nothing here changes a graph.
"""
