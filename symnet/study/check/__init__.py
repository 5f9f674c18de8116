"""Grading: is a derivative that somebody worked out right, and if not, what went wrong?

`check.py` is the way through: it compares two formulas (`case.py`), and where they differ on random data
(`instance.py`), `grading.py` says how: by what was written, term by term (`own_terms.py`) and with the `parentheses.py`
that may be missing; by the rule of differentiation that was broken (`misrules.py`); and by typical `mistakes.py`.
"""
