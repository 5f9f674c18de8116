"""Where terms cancel at 0, or 0 is divided by 0.

`power_series` computes with series, `expansions` finds that of an expression, `function_parts` the terms that are
functions of one variable, `joined_sums` what a sum over an axis hides, `opened_contractions` what a contraction does,
`spellings` writes an expression so that what cancels may meet; `removable.py` is the pass that uses them.
`whole_functions` keeps functions of a length whole before they are differentiated, with `lengths_in_front`, and
`evaluated_wholes` computes them.
"""
