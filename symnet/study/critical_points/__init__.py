"""Critical points: where a gradient is zero, and of what kind.

`critical_points.py` is the way through: `solving.py` asks SymPy, for no longer than `deadline.py` allows; `newton.py`
searches by numbers where that fails; `kinks.py` takes functions of one variable apart where they are not smooth.
"""
