"""`symnet demo`: one story, from a formula to a trained network, on real data.

In: the handwritten digits of scikit-learn.  Out: text: the model and its derivatives as formulas, what was compiled,
the training, some of the images, and the same gradient several ways.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import numpy as np

import symnet as sn
from symnet.errors import DependencyError, explain
from symnet.train.optimizers import Optimizer

HELD_OUT = 360  # of the 1797 images
EPOCHS, BATCH = 60, 32
OPTIMIZER = sn.Adam(1e-3)
SHADES = " .:-=+*#%@"
SHOWN = 5  # images


def run() -> None:
    """Tell the story on stdout; the progress bar goes to stderr."""
    images, digits = load()
    m = sn.dim("m")
    X, D = sn.tensor("X", m, 64), sn.labels("D", m, classes=10)
    W1, b1 = sn.tensor("W1", 64, 128), sn.tensor("b1", 128)
    W2, b2 = sn.tensor("W2", 128, 10), sn.tensor("b2", 10)
    params = [W1, b1, W2, b2]
    H = sn.tanh(X @ W1 + b1).named("H")
    Z = (H @ W2 + b2).named("Z")
    Y = sn.softmax(Z).named("Y")
    L = sn.mean(sn.cross_entropy(Y, D))

    title("symnet: from a formula to a trained network, on the handwritten digits of scikit-learn")
    print("You write a model and a loss as mathematics. symnet differentiates them symbolically, simplifies the")
    print("result to what a textbook would print, and compiles it to native code that trains the model, or ships.")
    heading(1, "A model is mathematics.", "X holds m images of 64 pixels, D what they show")
    for node in (H, Z, Y):
        formula(node.name, node.operands[0])
    formula("L", L)

    heading(2, "So are its derivatives.", "found by rules, simplified; nothing was written by hand")
    names = ("Z", "W2", "b2", "W1", "b1")
    for name, slope in zip(names, sn.grad(L, [Z, W2, b2, W1, b1]), strict=True):
        formula(f"∂L/∂{name}", slope)
    say("No rule knows softmax beside cross-entropy: Y - D follows from cancellation, and from D being one-hot.")

    heading(3, "A formula compiles to native code.", "no framework behind it, and none in what it exports")
    show_compiled(sn.value_and_grad(L, params, dtype="float32", name="digits_gradient"))

    heading(4, "Training calls it.", "one native function a step: loss, gradient and update")
    for name, update in zip(("w", *OPTIMIZER.rule.states), OPTIMIZER.formulas(), strict=True):
        formula(f"new {name}", update)
    say("(rest = 1 - b and fix = 1/(1 - bᵗ), t the number of the step, are inputs: they change without compiling.)")
    say(f"{describe(OPTIMIZER)}, {BATCH} images a step, {EPOCHS} times over {len(images) - HELD_OUT} images:\n")
    train(L, Z, params, images, digits)

    heading(5, "Is it right, and what does it cost?", f"the gradient for {BATCH * 8} images, several ways")
    data = {"X": images[: BATCH * 8], "D": digits[: BATCH * 8]}
    against = ["tape", "differences", *(["jax"] if find_spec("jax") else [])]
    for line in str(sn.compare(L, params, data, dtype="float32", against=against)).splitlines():
        print(f"   {line}")
    say("Your turn: write a model into a file, and try   symnet derive model.py:L --wrt W1   (symnet --help for more).")


def load() -> tuple[np.ndarray, np.ndarray]:
    """(m, 64) images with pixels from 0 to 1 and (m,) digits, in a random order."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        mend = "Run pip install 'symnet[demo]'."
        raise DependencyError(
            explain("symnet demo", "scikit-learn, whose digits it reads", str(error), mend)
        ) from error
    images, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    return images[order] / 16, digits[order]


# --------------------------------------------------------------------------- the acts


def show_compiled(f: Any) -> None:
    """What was made, and how long each stage took."""
    stages, target = f.stages, f.stages.target
    executed = int(f.flops.subs(sn.dim("m"), 1_000))
    small, large = f.workspace_bytes(m=1_000), f.workspace_bytes(m=1_000_000)
    fact("function", f"{f.name}({', '.join(f.inputs)}) -> loss and {len(f.outputs) - 1} gradients, float32")
    fact("kernels", f"{len(stages.lowered.nests)} loop nests, fused into {len(list(f.program.phases()))} phases")
    fact("work", f"{sn.flops(f.formula)} operations in the formula; {executed:,} executed for a thousand images")
    fact("workspace", f"{small:,} bytes for a thousand images, {large:,} for a million: rows stream through the cache")
    fact("machine code", f"{len(f.object_code):,} bytes for {target.cpu}, {target.vector_bits}-bit vectors")
    print()
    longest = max(stages.seconds.values())
    for stage, seconds in stages.seconds.items():
        print(f"   {stage:>15} {1e3 * seconds:5.0f} ms  {'█' * max(1, round(40 * seconds / longest))}")
    print(f"   {'together':>15} {1e3 * sum(stages.seconds.values()):5.0f} ms")


def train(L: Any, Z: Any, params: list[Any], images: np.ndarray, digits: np.ndarray) -> None:
    """Fit, and judge on images that were held out."""
    run = sn.fit(
        L,
        sn.nn.init(params, seed=0),
        {"X": images[HELD_OUT:], "D": digits[HELD_OUT:]},
        optimizer=OPTIMIZER,
        batch_size=BATCH,
        epochs=EPOCHS,
        dtype="float32",
        progress=True,
    )
    sys.stderr.flush()
    unseen = images[:HELD_OUT].astype("float32")
    guesses = sn.compile(sn.argmax(Z), dtype="float32", name="digits_predict")(X=unseen, **run.params)
    right = guesses == digits[:HELD_OUT]
    history = run.history
    print()
    fact("loss", f"{history.loss[0]:.3f} -> {history.loss[-1]:.4f}")
    fact("time", f"{1e3 * float(np.median(history.seconds)):.2f} ms an epoch, {run.seconds:.2f} s in all")
    fact("accuracy", f"{right.mean():.1%} of {HELD_OUT} images it never saw")
    print("\n   Five of those, each with its reading (and the truth, where that is another):\n")
    chosen = np.argsort(right, kind="stable")[:1].tolist()  # a wrong one, if there is any
    chosen += [k for k in range(HELD_OUT) if k not in chosen][: SHOWN - 1]
    show_images(images[chosen], guesses[chosen], digits[chosen])


def show_images(images: np.ndarray, guesses: np.ndarray, digits: np.ndarray) -> None:
    """Images side by side: two characters for a pixel, since they are twice as high as wide."""
    shades = np.array(list(SHADES))[np.clip((images * len(SHADES)).astype(int), 0, len(SHADES) - 1)]
    for row in range(8):
        print("   " + "  ".join("".join(image[8 * row : 8 * row + 8].repeat(2)) for image in shades).rstrip())
    readings = [f"{g}" if g == d else f"{g} ({d})" for g, d in zip(guesses, digits, strict=True)]
    print("   " + "  ".join(f"{reading:^16}" for reading in readings).rstrip())


# --------------------------------------------------------------------------- the page


def title(text: str) -> None:
    print(f"{text}\n{'=' * len(text)}")


def heading(number: int, text: str, more: str) -> None:
    print(f"\n{number}. {text}  ({more})\n")


def formula(name: str, node: Any) -> None:
    print(f"   {name:>10} = {node}")


def fact(name: str, text: str) -> None:
    print(f"   {name:>12}   {text}")


def say(text: str) -> None:
    print(f"\n   {text}")


def describe(optimizer: Optimizer) -> str:
    """`Adam, lr 0.001`."""
    return f"{optimizer.rule.name}, lr {getattr(optimizer, 'lr', '')}"
