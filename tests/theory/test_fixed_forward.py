"""Rates and fixed points of the backward weight for a fixed forward weight."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch

from studies import theory as study
from tests.theory.layers import MIXED, dense, linear_map, matrices
from virtuallab import theory
from virtuallab.subject.learning.primitives import alignment_gradient
from virtuallab.theory import Coefficients


@pytest.mark.parametrize("k", [MIXED, *study.RESTING.values()])
def test_eigenvalues_equal_those_of_the_primitives_as_a_matrix(k: Coefficients) -> None:
    at = dense()
    found = theory.eigenvalues(k, *matrices(at))
    expected = np.linalg.eigvals(-linear_map(at, k)).real
    np.testing.assert_allclose(np.sort(found.ravel()), np.sort(expected), atol=1e-10)


@pytest.mark.parametrize("rule", study.RESTING)
def test_training_converges_to_the_fixed_point(rule: str) -> None:
    assert study.rest_error(rule, seed=0) < 1e-5


def test_the_gradient_at_the_fixed_point_of_any_mix_is_zero() -> None:
    at = dense()
    rest = torch.from_numpy(theory.fixed_point(MIXED, *matrices(at)))[None]
    there = study.layer_view(at.synapse, at.pre, at.weight, rest)
    assert alignment_gradient(there, asdict(MIXED), mean=False).abs().max() < 1e-12


def test_the_fixed_point_of_information_alignment_is_the_ridge_decoder() -> None:
    w, c = matrices(dense())
    k = Coefficients(amp=2e-3, null=1e-3, decay=1e-3)
    ridge = np.linalg.solve(w @ c @ w.T + np.eye(4), w @ c)
    np.testing.assert_allclose(theory.fixed_point(k, w, c), ridge)


def test_the_fixed_point_of_activation_alignment_is_the_projected_forward_weight() -> None:
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal((4, 6)), rng.standard_normal((3, 6))
    rest = theory.fixed_point(Coefficients(amp=2.0, sparse=1.0), w, theory.second_moment(x))
    onto = np.linalg.pinv(x) @ x
    np.testing.assert_allclose(rest, w @ onto, atol=1e-10)


@pytest.mark.parametrize(
    "k",
    [Coefficients(amp=1.0), Coefficients(self=1.0), Coefficients(self=1.0, null=1.0, sparse=1.0)],
    ids=["amp", "self", "self on a direction without input"],
)
def test_growth_without_bound_has_no_fixed_point(k: Coefficients) -> None:
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal((4, 6)), rng.standard_normal((3, 6))
    with pytest.raises(ValueError, match="grows without bound"):
        theory.fixed_point(k, w, theory.second_moment(x))


def test_the_gain_of_each_mode_equals_that_of_the_fixed_point() -> None:
    w, _ = matrices(dense())
    rest = theory.fixed_point(MIXED, w, 0.7 * np.eye(6))
    left, s, right = np.linalg.svd(w, full_matrices=False)
    gains = np.diag(left.T @ rest @ right.T) / s
    np.testing.assert_allclose(theory.gain(MIXED, s, variance=0.7), gains)


def test_with_null_the_backward_weight_stays_below_its_bound() -> None:
    s, c = np.logspace(-3, 3, 601), 0.7
    k = Coefficients(amp=0.3, null=0.2, decay=0.1)
    backward = theory.gain(k, s, variance=c) * s
    assert backward.max() == pytest.approx(k.amp / 4 * (c / k.null / k.decay) ** 0.5, rel=1e-3)


def test_the_second_moment_is_not_centred() -> None:
    x = np.array([[1.0, 2.0], [3.0, -2.0]])
    np.testing.assert_array_equal(theory.second_moment(x), [[5, -2], [-2, 4]])


def test_rates_of_a_diagonal_layer_are_those_worked_out_by_hand() -> None:
    w, c = np.diag([1.0, 2.0]), np.diag([0.5, 3.0])  # W C W' has the eigenvalues 0.5 and 12
    k = Coefficients(decay=0.1, null=0.2, sparse=0.4, amp=9.0, self=9.0)
    expected = [[-0.8, -2.8], [-5.4, -7.4]]
    np.testing.assert_allclose(theory.eigenvalues(k, w, c), expected)
    assert theory.step_limit(k, w, c) == pytest.approx(2 / 7.4)
    assert theory.step_limit(k, w, c, momentum=0.9) == pytest.approx(2 * 1.9 / 7.4)
    with_nesterov = theory.step_limit(k, w, c, momentum=0.9, nesterov=True)
    assert with_nesterov == pytest.approx(2 * 1.9 / 2.8 / 7.4)


def test_a_direction_without_gradient_is_zero_in_the_fixed_point() -> None:
    w, c = np.array([[1.0, 1.0]]), np.diag([2.0, 0.0])
    rest = theory.fixed_point(Coefficients(amp=3.0, sparse=0.5), w, c)
    np.testing.assert_allclose(rest, [[3.0, 0.0]])


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_at_the_largest_step_the_recursion_has_the_root_minus_one(
    momentum: float, nesterov: bool
) -> None:
    for factor, stable in ((0.99, True), (1.01, False)):
        step = factor * theory.largest_step(momentum, nesterov=nesterov)
        # b, velocity -> velocity' = mu velocity + b; b' = b - step (velocity' or Nesterov's sum)
        velocity = np.array([1.0, momentum])
        moved = np.array([1.0, 0.0]) + momentum * velocity if nesterov else velocity
        recursion = np.stack([np.array([1.0, 0.0]) - step * moved, velocity])
        assert (np.abs(np.linalg.eigvals(recursion)).max() < 1) == stable
