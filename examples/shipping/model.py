"""Writes a small network's loss and gradients for the projects beside this file:  python model.py build/mlp"""

import argparse

import symnet as sn

parser = argparse.ArgumentParser(description="write a network's loss and gradients")
parser.add_argument("path", help="folder and name, as build/mlp")
parser.add_argument("--files", default="all", help="which files, with commas between")
options = parser.parse_args()

m = sn.dim("m")
X, D = sn.tensor("X", m, 2), sn.tensor("D", m, 2, one_hot=True)
W1, b1, W2, b2 = sn.tensor("W1", 2, 8), sn.tensor("b1", 8), sn.tensor("W2", 8, 2), sn.tensor("b2", 2)
loss = sn.mean(sn.cross_entropy(sn.softmax(sn.tanh(X @ W1 + b1) @ W2 + b2), D))
f = sn.value_and_grad(loss, [W1, b1, W2, b2], inputs=[X, D, W1, b1, W2, b2], dtype="float32")
for path in f.export(options.path, files=options.files, overwrite=True).paths:
    print(path)
