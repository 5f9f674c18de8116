"""Text → expressions: formulas as people type them, parsed and never run.

`tokens.py` takes the text apart, `cursor.py` walks along it, `parsing.py` reads the grammar, `operators.py` and
`array_literals.py` build what stands there, `hints.py` says what was meant where nothing can be read, and `formula.py`
knows the names: the functions that a formula may call, and leaves declared by their shapes.
"""
