"""A decoder of three blocks, with causal attention, layer norm and gelu: the gradient by all of its parameters."""

import numpy as np

import symnet as sn

TOKENS, WIDTH, HEADS, KINDS, BLOCKS = 8, 16, 2, 5, 3
m = sn.dim("m")
X = sn.tensor("X", m, TOKENS, KINDS)
D = sn.tensor("D", m, TOKENS, KINDS, one_hot=True)
params = []


def parameter(name, *shape):
    params.append(sn.tensor(name, *shape))
    return params[-1]


def norm(x, name):
    centred = x - sn.mean(x, axis=-1, keepdims=True)
    deviation = sn.sqrt(sn.mean(centred**2, axis=-1, keepdims=True) + 1e-5)
    return centred / deviation * parameter(f"s{name}", WIDTH) + parameter(f"o{name}", WIDTH)


def linear(x, name, inputs, outputs):
    return x @ parameter(f"W{name}", inputs, outputs) + parameter(f"b{name}", outputs)


def attention(x, name):
    q, k, v = (
        sn.reshape(linear(x, f"{part}{name}", WIDTH, WIDTH), (m, TOKENS, HEADS, WIDTH // HEADS)) for part in "qkv"
    )
    scores = sn.einsum("bihc,bjhc->bhij", q, k) / np.sqrt(WIDTH // HEADS) + np.triu(np.full((TOKENS, TOKENS), -1e9), 1)
    mixed = sn.einsum("bhij,bjhc->bihc", sn.softmax(scores, axis=-1), v)
    return linear(sn.reshape(mixed, (m, TOKENS, WIDTH)), f"a{name}", WIDTH, WIDTH)


H = X @ parameter("E", KINDS, WIDTH) + parameter("P", TOKENS, WIDTH)
for block in range(BLOCKS):
    H = H + attention(norm(H, f"1_{block}"), f"{block}")
    H = H + linear(sn.gelu(linear(norm(H, f"2_{block}"), f"u{block}", WIDTH, 4 * WIDTH)), f"d{block}", 4 * WIDTH, WIDTH)
Y = sn.softmax(linear(norm(H, "_end"), "h", WIDTH, KINDS))
L = sn.mean(sn.cross_entropy(Y, D))

rng = np.random.default_rng(0)
words = rng.integers(0, KINDS, (4, TOKENS + 1))
data = {X: np.eye(KINDS)[words[:, :-1]], D: np.eye(KINDS)[words[:, 1:]]}
data |= {p: 0.2 * rng.normal(size=p.shape) + (p.name[0] == "s") for p in params}

if __name__ == "__main__":
    print(sn.compare(L, params, data, against="tape, jax"))
