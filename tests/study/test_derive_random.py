"""Derivations, and readable source, of graphs that nobody thought of: written in every notation, every line true."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ArgumentError
from symnet.expr.nodes.symbols import leaves
from symnet.reference import evaluate
from symnet.source.module import source
from symnet.study.derivation.derive import variables
from symnet.study.derivation.graph import svg
from symnet.study.derivation.lines import step_lines
from tests.fuzz.graphs import RandomGraph, seeded

SEEDS = range(40)


def scalar(graph: RandomGraph):
    root = graph.roots[0]
    return sn.sum(root) if root.rank else root


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_of_a_random_derivation_has_the_value_of_the_derivative(seed):
    graph = seeded(seed)
    L = scalar(graph)
    if not variables(L):
        pytest.skip("nothing to differentiate by")
    data = {leaf.name: graph.data[leaf.name] for leaf in leaves(L)}
    derivation = sn.derive(L, at=data)
    try:
        numbers = derivation.numbers
    except ArgumentError as error:
        assert "expected arrays that tell" in str(error)  # an extent that no leaf has
        return
    assert str(derivation) and derivation.latex() and derivation.html() and derivation.slides()
    ET.fromstring(svg(derivation))
    env = {**numbers.values, **{str(s.bar): numbers.cotangents[s.label] for s in derivation.steps}}
    for step in derivation.steps:
        lines = step_lines(step)
        if any(line.why == "the variable is symmetric" for line in lines):
            continue  # the last line is another value: the projection
        wanted = numbers.cotangents[step.label]
        scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
        for line in lines:
            with np.errstate(all="ignore"):
                value = evaluate(line.formula, env, leaves=leaves(L))
            if np.all(np.isfinite(value)) and np.all(np.isfinite(wanted)):
                np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-7 * scale, err_msg=str(line))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_source_of_a_random_graph_computes_it(seed):
    graph = seeded(seed)
    L = scalar(graph)
    roots = [L, *sn.grad(L, variables(L))] if variables(L) else [L]
    known = list(leaves(L))
    try:
        text = source(
            "f", "numpy", roots, known, [f"out{k}" for k in range(len(roots))], list(range(len(roots))), "float64"
        )
    except ArgumentError as error:
        assert "an input with the extent" in str(error)  # an extent that no leaf has
        return
    module = {}
    exec(text, module)
    data = {leaf.name: graph.data[leaf.name] for leaf in known}
    with np.errstate(all="ignore"):
        for value, wanted in zip(module["f"](**data), evaluate(roots, data, leaves=known), strict=True):
            assert np.asarray(value).shape == wanted.shape
            if np.all(np.isfinite(wanted)):
                scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
                np.testing.assert_allclose(value, wanted, rtol=1e-6, atol=1e-7 * scale)
