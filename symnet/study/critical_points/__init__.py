"""Critical points: where a gradient is zero, and of what kind.

`critical_points.py` is the way through: `solving.py` asks SymPy, for no longer than `deadline.py` allows; `newton.py`
searches by numbers where that fails; `quadratic.py` has the formula for arrays of any size; `kinks.py` takes functions
of one variable apart where they are not smooth.  `points.py` has the records, `conditions.py` says where they hold.
"""
