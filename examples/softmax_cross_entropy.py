"""Softmax with cross-entropy: ∂L/∂z = (y - d)/m, however softmax is spelled.

The pair has no rule of its own.  The derivative is simplified with general rules, and with what is known of d: that
its rows sum to one.  Where nothing is known of d, the row sums stay in the formula.
"""

import numpy as np

import symnet as sn

m = sn.dim("m")
Z = sn.tensor("Z", m, 10)
one_hot = sn.tensor("D", m, 10, one_hot=True)
anything = sn.tensor("D", m, 10)

SPELLINGS = {
    "softmax(Z)": sn.softmax(Z),
    "exp(Z)/sum(exp(Z))": sn.exp(Z) / sn.sum(sn.exp(Z), axis=1, keepdims=True),
    "exp(log_softmax(Z))": sn.exp(sn.log_softmax(Z)),
}
LOSSES = {
    "cross_entropy(Y, D)": sn.cross_entropy,
    "kl_div(Y, D)": sn.kl_div,
    "-(D*log(Y)).sum(1)": lambda Y, D: -sn.sum(D * sn.log(Y), 1),
}

for model, softmax in SPELLINGS.items():
    Y = softmax.named("Y")
    for name, loss in LOSSES.items():
        gradient = sn.grad(sn.mean(loss(Y, one_hot)), Z)
        print(f"{model:20} {name:20} D one-hot:  {gradient}")
        assert str(gradient) == "(Y - D)/m"
Y = sn.softmax(Z).named("Y")
print(f"{'softmax(Z)':20} {'cross_entropy(Y, D)':20} D anything: {sn.grad(sn.mean(sn.cross_entropy(Y, anything)), Z)}")

# numbers: right even where exp overflows and softmax underflows, in float32
f = sn.value_and_grad(sn.mean(sn.cross_entropy(Y, one_hot)), Z, dtype="float32")
logits = np.zeros((1, 10), "float32")
logits[0, :2] = 1000, -1000
loss, gradient = f(Z=logits, D=np.eye(10, dtype="float32")[1:2])
print("\nlogits 1000 and -1000, class 1: loss", loss, "gradient", gradient[0, :3])
assert loss == 2000 and gradient[0, :3].tolist() == [1, -1, 0]
