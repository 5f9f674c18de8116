"""Every row of the mission has a test of its formula and one of its numbers, and, where it is promised, an example.

`ROWS` says where; that each name in it exists is checked, so that no row is lost when a test is renamed.
"""

from __future__ import annotations

import ast
import importlib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MISSION = [*(f"G{k}" for k in range(1, 6)), *(f"M{k}" for k in range(1, 9))]
MISSION += [*(f"A{k}" for k in range(1, 6)), *(f"L{k}" for k in range(1, 9))]
WITH_EXAMPLE = {"G1", "G3", "A5", "L2", "L3"}


@dataclass(frozen=True)
class Evidence:
    """Where a row is tested: "file::test", or "file::[name]" for the answers whose name begins so."""

    formula: tuple[str, ...]
    numbers: tuple[str, ...]
    example: str = ""


SCALARS, MATRIX, ACTIVATIONS, LOSSES = (
    f"tests/mission/test_{name}.py" for name in ("scalars", "matrix_calculus", "activations", "losses")
)
CRITICAL, STABLE, SPELLED = (
    "tests/study/test_critical_points.py",
    "tests/stability/test_stable_losses.py",
    "tests/simplify/test_losses.py",
)


def answers(row: str, file: str = MATRIX) -> Evidence:
    """A row whose answers stand in a table, each checked both ways."""
    return Evidence((f"{file}::[{row}]",), (f"{file}::[{row}]",))


ROWS: dict[str, Evidence] = {
    "G1": Evidence(
        (
            f"{SCALARS}::test_g1_the_graph_of_two_routes",
            f"{SCALARS}::test_g1_the_explanation_shows_routes_multiplied_and_added",
        ),
        (f"{SCALARS}::test_g1_the_graph_of_two_routes",),
        "graph_backprop",
    ),
    "G2": Evidence(
        (f"{SCALARS}::test_g2_a_value_used_k_times_collects_k_contributions",),
        (f"{SCALARS}::test_g2_the_gradient_is_linear_in_the_graph",),
    ),
    "G3": Evidence(
        (f"{SCALARS}::test_g3_the_polynomial_of_three_variables",),
        (f"{SCALARS}::test_g3_the_gradient_is_solved_exactly_and_the_point_is_a_minimum",),
        "quadratic",
    ),
    "G4": Evidence(
        (f"{CRITICAL}::test_g4_functions_of_one_variable",),
        (f"{SCALARS}::test_g4_the_second_derivative_classifies_a_critical_point",),
    ),
    "G5": Evidence(
        (
            f"{SCALARS}::test_g5_the_chain_rule_of_one_variable",
            f"{SCALARS}::test_g5_the_total_derivative_adds_over_the_arguments",
        ),
        (f"{SCALARS}::test_g5_the_chain_rule_is_a_product_of_jacobians",),
    ),
    "M1": answers("M1"),
    "M2": answers("M2"),
    "M3": answers("M3"),
    "M4": Evidence(
        (f"{MATRIX}::[M4]", f"{MATRIX}::test_m4_the_derivative_by_the_matrix_is_kept_compact"),
        (f"{MATRIX}::[M4]", f"{MATRIX}::test_m4_it_expands_to_the_dense_tensor_on_request"),
    ),
    "M5": answers("M5"),
    "M6": answers("M6"),
    "M7": Evidence((f"{MATRIX}::[M7]",), (f"{MATRIX}::[M7]", f"{MATRIX}::test_m7_every_operator_is_also_compiled")),
    "M8": answers("M8"),
    "A1": answers("A1", ACTIVATIONS),
    "A2": Evidence(
        (f"{ACTIVATIONS}::test_a2_the_jacobian_of_softmax_is_diag_y_less_y_y",),
        (f"{ACTIVATIONS}::test_a2_the_jacobian_of_softmax_is_diag_y_less_y_y",),
    ),
    "A3": Evidence(
        (f"{ACTIVATIONS}::test_a3_a_multiplicative_combination_by_its_inputs_and_its_exponents",),
        (f"{ACTIVATIONS}::test_a3_a_multiplicative_combination_by_its_inputs_and_its_exponents",),
    ),
    "A4": Evidence(
        (f"{ACTIVATIONS}::test_a4_the_derivative_of_a_neuron_is_a_formula",),
        (f"{ACTIVATIONS}::test_a4_any_sympy_function_is_a_neuron_and_compiles",),
    ),
    "A5": Evidence(
        (f"{ACTIVATIONS}::test_a5_the_slope_of_a_gate_is_a_formula",),
        (f"{ACTIVATIONS}::test_a5_a_gate_with_weights_set_by_hand_has_its_truth_table",),
        "logic_gates",
    ),
    "L1": Evidence(
        (f"{LOSSES}::test_l1_half_squared_error_with_a_linear_output",),
        (f"{LOSSES}::test_l1_half_squared_error_with_a_linear_output",),
    ),
    "L2": Evidence(
        (f"{LOSSES}::test_l2_logistic_regression_with_binary_cross_entropy",),
        (f"{LOSSES}::test_l2_logistic_regression_with_binary_cross_entropy",),
        "logistic_regression",
    ),
    "L3": Evidence(
        (
            f"{LOSSES}::test_l3_softmax_with_cross_entropy_by_the_logits",
            f"{LOSSES}::test_l3_a_target_of_which_nothing_is_known_keeps_its_sum",
            f"{SPELLED}::test_softmax_with_a_distribution_as_target_gives_y_minus_d_over_m",
        ),
        (f"{LOSSES}::test_l3_softmax_with_cross_entropy_by_the_logits",),
        "softmax_cross_entropy",
    ),
    "L4": Evidence(
        (f"{LOSSES}::test_l4_the_divergence_is_the_cross_entropy_less_the_entropy",),
        (f"{LOSSES}::test_l4_the_divergence_is_the_cross_entropy_less_the_entropy",),
    ),
    "L5": Evidence(
        (f"{LOSSES}::test_l5_label_smoothing_by_the_output_and_by_its_logits",),
        (f"{LOSSES}::test_l5_label_smoothing_by_the_output_and_by_its_logits",),
    ),
    "L6": Evidence(
        (f"{LOSSES}::test_l6_both_gradients_are_the_output_less_the_target",),
        (f"{LOSSES}::test_l6_two_softmax_outputs_have_the_gradient_of_the_logistic_form",),
    ),
    "L7": Evidence(
        (f"{LOSSES}::test_l7_the_gradient_of_the_risk_is_the_mean_of_the_gradients",),
        (f"{LOSSES}::test_l7_the_gradient_of_the_risk_is_the_mean_of_the_gradients",),
    ),
    "L8": Evidence(
        (f"{LOSSES}::test_l8_what_is_computed_is_a_formula_that_keeps_its_digits",),
        (
            f"{STABLE}::test_softmax_losses",
            f"{STABLE}::test_logistic_losses",
            f"{STABLE}::test_squared_error_is_finite",
        ),
    ),
}


def test_every_row_of_the_mission_has_its_evidence() -> None:
    assert list(ROWS) == MISSION
    assert {row for row, evidence in ROWS.items() if evidence.example} == WITH_EXAMPLE


@pytest.mark.parametrize("row", MISSION)
def test_a_row_is_tested_as_a_formula_and_as_numbers(row: str) -> None:
    evidence = ROWS[row]
    assert evidence.formula and evidence.numbers
    for place in (*evidence.formula, *evidence.numbers):
        assert exists(place), place


@pytest.mark.parametrize("row", sorted(WITH_EXAMPLE))
def test_a_row_that_is_promised_an_example_has_one_that_the_tests_run(row: str) -> None:
    from tests.documents.test_examples import CLAIMS

    name = ROWS[row].example
    assert (ROOT / "examples" / f"{name}.py").exists() and CLAIMS[name]


def exists(place: str) -> bool:
    """Whether a file has that test, or a table with answers for that row, checked both ways."""
    file, _, name = place.partition("::")
    if not name.startswith("["):
        tree = ast.parse((ROOT / file).read_text())
        return name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    tables = [value for value in vars(module).values() if isinstance(value, list)]
    return any(str(answer).startswith(f"{name[1:-1]} ") for table in tables for answer in table)


def test_a_name_that_is_nowhere_is_noticed() -> None:
    assert not exists(f"{MATRIX}::[M9]") and not exists(f"{MATRIX}::test_m9") and exists(f"{MATRIX}::[M8]")
