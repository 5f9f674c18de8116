"""Text → expressions: formulas as people type them, parsed and never run.

`tokens.py` takes the text apart, `parsing.py` reads the grammar, `array_literals.py` arrays that are written out, and
`formula.py` knows the names: the functions that a formula may call, and leaves declared by their shapes.
"""
