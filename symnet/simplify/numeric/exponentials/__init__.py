"""Sums of exponentials, whose terms overflow where their logarithms and quotients are ordinary numbers.

`exponential_parts` reads a term as weight and exponent; `stable` and `exponential_sums` shift one sum by its largest
exponent; `scaled_values` finds sums inside sums, `mantissas` and `largest` write them as m·exp(s), `reused` lets
gradients use what was made; `scattered` and `joined_differences` take an exponential to its divisor; `running_sums`,
`normal_tails` and `normal_differences` are sums along an axis, and Φ.
"""
