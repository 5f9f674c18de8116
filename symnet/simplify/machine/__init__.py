"""The arithmetic that runs: the numeric form arranged so that it takes the fewest operations.

`arrangement` does it, in this order: `scale` moves scalars of large results into the small values that they come from,
`placement` multiplies scalars and signs where they meet the fewest elements, `contraction` makes products of two of
contractions of many, `powers` squares; `kinds` says what computing a node takes.
"""
