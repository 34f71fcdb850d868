"""Dynamics of both weights: rates at the origin and at the symmetric point."""

from __future__ import annotations

import numpy as np
import pytest

from studies import theory as study
from tests.theory.layers import MIXED
from virtuallab import theory
from virtuallab.theory import Coefficients

BOUNDED = theory.from_paper(amp=1.5, decay=1.0, null=1.0)


@pytest.mark.parametrize("c", [np.eye(3), np.diag([0.5, 1.0, 2.0])], ids=["white", "not white"])
def test_origin_eigenvalues_equal_those_of_the_jacobian(c: np.ndarray) -> None:
    zero = np.zeros((2, 3))
    numerical = np.linalg.eigvals(study.joint_jacobian(MIXED, zero, zero, c)).real
    both = np.concatenate(theory.origin_eigenvalues(MIXED, c))
    np.testing.assert_allclose(np.sort(numerical), np.sort(np.tile(both, 2)), atol=1e-6)


@pytest.mark.parametrize("variance", [1.0, 1.7])
@pytest.mark.parametrize("sign", [1, -1])
def test_symmetric_eigenvalues_equal_those_of_the_jacobian(variance: float, sign: int) -> None:
    at = sign * np.full((1, 1), theory.symmetric_point(BOUNDED, variance=variance))
    c = np.full((1, 1), variance)
    assert max(np.abs(v).max() for v in theory.joint_flow(BOUNDED, at, at, c)) < 1e-12
    numerical = np.linalg.eigvals(study.joint_jacobian(BOUNDED, at, at, c)).real
    claimed = theory.symmetric_eigenvalues(BOUNDED, variance=variance)
    np.testing.assert_allclose(np.sort(numerical), np.sort(claimed), atol=1e-6)


def test_velocities_of_scalar_weights_are_those_worked_out_by_hand() -> None:
    one = np.ones((1, 1))
    k = Coefficients(decay=1.0, amp=2.0, null=3.0, sparse=5.0, self=7.0)
    forward, backward = theory.joint_flow(k, 2 * one, 3 * one, 0.5 * one)
    assert forward.item() == 2 * 1.5 + 7 * 3 - 2 * 2 - 2 * 3 * 9 * 2 * 0.5 - 2 * 5 * 2 * 0.5
    assert backward.item() == 2 * 1 + 7 * 2 - 2 * 3 - 2 * 3 * 4 * 0.5 * 3 - 2 * 5 * 3 * 0.5


@pytest.mark.parametrize("seed", range(3))
def test_the_joint_flow_is_the_gradient_of_one_objective(seed: int) -> None:
    """The Jacobian of a gradient is symmetric."""
    rng = np.random.default_rng(seed)
    w, b = 0.5 * rng.standard_normal((2, 2, 3))
    half = rng.standard_normal((3, 3))
    jacobian = study.joint_jacobian(MIXED, w, b, half @ half.T)
    np.testing.assert_allclose(jacobian, jacobian.T, atol=1e-6)


def test_published_coefficients_have_the_published_eigenvalues() -> None:
    symmetric, antisymmetric = theory.origin_eigenvalues(
        theory.from_paper(amp=1.5, decay=1.0), np.eye(1)
    )
    assert (symmetric.item(), antisymmetric.item()) == (-1.0 + 1.5, -1.0 - 1.5)
    assert theory.symmetric_eigenvalues(BOUNDED) == (-2 * (1.5 - 1.0), -2 * 1.0)
    assert theory.symmetric_point(BOUNDED) == pytest.approx(((1.5 - 1.0) / 1.0) ** 0.5)


def scalar(w: float, b: float, k: Coefficients, time: float = 30) -> tuple[float, float]:
    later = study.integrate(k, np.full((1, 1), w), np.full((1, 1), b), np.eye(1), time)
    return later[0].item(), later[1].item()


def test_a_scalar_weight_mirror_diverges_collapses_or_is_constant() -> None:
    w, b = scalar(0.1, -0.05, theory.from_paper(amp=1.5, decay=1.0))
    assert w > 1e4
    assert b == pytest.approx(w)
    assert abs(scalar(0.1, -0.05, theory.from_paper(amp=0.5, decay=1.0))[0]) < 1e-6
    constant = scalar(0.1, -0.05, theory.from_paper(amp=1.0, decay=1.0))
    assert constant == pytest.approx((0.025, 0.025))


@pytest.mark.parametrize(("w", "b", "sign"), [(0.1, -0.05, 1), (0.05, -0.1, -1), (3.0, 0.0, 1)])
def test_scalar_information_alignment_converges_to_a_symmetric_point(
    w: float, b: float, sign: int
) -> None:
    rest = sign * theory.symmetric_point(BOUNDED)
    assert scalar(w, b, BOUNDED) == pytest.approx((rest, rest), rel=1e-6)


def test_matrices_behave_as_the_scalars() -> None:
    mirror = theory.from_paper(amp=1.5, decay=1.0)
    assert study.growth_rate(mirror, seed=0) == pytest.approx(0.5, rel=1e-6)
    assert max(study.symmetric_error(BOUNDED, seed=0)) < 1e-6


@pytest.mark.parametrize(
    ("k", "reason"),
    [
        (Coefficients(amp=1.0, decay=0.1), "without null"),
        (Coefficients(amp=1.0, decay=0.6, null=1.0), "decay to zero"),
    ],
)
def test_no_symmetric_point_without_null_or_with_strong_decay(k: Coefficients, reason: str) -> None:
    for function in (theory.symmetric_point, theory.symmetric_eigenvalues):
        with pytest.raises(ValueError, match=reason):
            function(k)
