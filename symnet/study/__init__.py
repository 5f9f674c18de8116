"""What teachers, students and readers of formulas ask of them; nothing that compiles needs it.

`derivation/` writes out how a derivative comes about, step by step; `check/` grades one worked out by hand; in
`critical_points/` the gradient is solved for zero.  In: expressions.  Out: pages, verdicts, points.  Each stands on
`calculus/` alone, and none on another.
"""
