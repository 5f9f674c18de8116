"""Networks and losses: sugar over the expression floor, with no rules of its own."""

from symnet.nn.initialisers import init
from symnet.nn.label_smoothing import label_smoothing
from symnet.nn.layers import dense, mlp
from symnet.nn.losses import binary_cross_entropy, cross_entropy, kl_div, l2

__all__ = ["binary_cross_entropy", "cross_entropy", "dense", "init", "kl_div", "l2", "label_smoothing", "mlp"]
