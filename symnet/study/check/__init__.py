"""Grading: is a derivative that somebody worked out right, and if not, what went wrong?

`check.py` is the way through: it compares two formulas, and where they differ on random data (`instance.py`),
`grading.py` says how, with the help of typical `mistakes.py` and of the `terms.py` of both.
"""
