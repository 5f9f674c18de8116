"""erf: an odd polynomial up to 1, then 1 - erfc with erfc as the exponential of a polynomial.

In: lanes and a value of theirs.  Out: a value, by straight-line operations (both forms are computed and one is
selected).

erf x = x + x·p(x²) for |x| ≤ 1.  Beyond, with t = |x| - 1, erfc |x| = erfc(1)·e^(-t·q(t)): the exponent is
small where erfc is large, so the exponential's rounding hardly shows in 1 - erfc.

Not handled: erfc itself, whose relative accuracy in the far tail needs another form.

Source: definitions only.  p and q are minimax fits (Remez exchange at 260 bits, coefficients then rounded) of
the relative error of erf: p of degree 6, 2^-28.6, and q of degree 5 on t ≤ 3, 2^-26.5 (float); p of degree
12, 2^-56.3, and q of degree 20 on t ≤ 4.95, 2^-56.2 (double).
"""

from __future__ import annotations

from symnet.elementary.exponential import exp_normal
from symnet.elementary.lanes import Lanes, Value

ERFC_ONE = 0.15729920705028513
ERF_IS_ONE = {"float": 4.0, "double": 5.95}  # erf x rounds to 1 above

ERF = {
    "float": (0.12837917, -0.37612626, 0.112835854, -0.026853813, 0.0051883277, -0.0008010194, 7.853864e-05),
    "double": (
        0.1283791670955126,
        -0.3761263890318375,
        0.11283791670954857,
        -0.026866170645072896,
        0.0052239776247808714,
        -0.000854832697874239,
        0.00012055331036903968,
        -1.4925593506953433e-05,
        1.6460972817540787e-06,
        -1.6350025223950128e-07,
        1.4657879827727716e-08,
        -1.1365665828310319e-09,
        5.94526140573942e-11,
    ),
}
ERFC_EXPONENT = {
    "float": (2.638965, 0.84315145, 0.04134903, -0.009620431, 0.0016290409, -0.00013748732),
    "double": (
        2.63896751423478,
        0.8431072563592267,
        0.041561098029851404,
        -0.010033825248868169,
        0.0019779018169567186,
        -0.00023731968852239393,
        -2.628463582160122e-05,
        2.7169882235261903e-05,
        -9.619690483509262e-06,
        2.0649457050861195e-06,
        -1.4057476988672267e-07,
        -1.0392047679948874e-07,
        5.788481599088244e-08,
        -1.8231261861849254e-08,
        4.150518057864627e-09,
        -7.152871783124232e-10,
        9.313329103796484e-11,
        -8.908351463204473e-12,
        5.911975660064639e-13,
        -2.4317234059216617e-14,
        4.667171171187195e-16,
    ),
}


def erf(lanes: Lanes, x: Value) -> Value:
    """The error function 2/√π·∫₀ˣ e^(-t²) dt.

    Error: 1 ulp with fma, 1.2 ulp without (float and double).
    """
    size = lanes.abs(x)
    square = lanes.mul(x, x)
    near = lanes.mul_add(size, lanes.horner(square, ERF[lanes.kind]), size)
    t = lanes.sub(lanes.at_most(size, ERF_IS_ONE[lanes.kind]), 1.0)
    decay = exp_normal(lanes, lanes.mul(lanes.neg(t), lanes.horner(t, ERFC_EXPONENT[lanes.kind])))
    far = lanes.mul_add(decay, -ERFC_ONE, 1.0)
    return lanes.copy_sign(lanes.select(lanes.less(size, 1.0), near, far), x)


FUNCTIONS = (erf,)
