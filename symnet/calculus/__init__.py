"""Derivatives as formulas: differentiation and simplification composed.

In: expressions.  Out: expressions in the algebra form, named as the user named them.
Each function is imported from its own file, `grad` from `grad.py`, so that what reads structures alone (`structure.py`)
loads no rules.  Derivations are in `study/derivation/`.
"""
