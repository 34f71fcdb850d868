"""Coefficients of the primitives: of a rule, and from those of the paper."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from studies import theory as study
from virtuallab import theory
from virtuallab.registry import RULES
from virtuallab.subject.learning.primitives import alignment_gradient
from virtuallab.subject.network.synapse import Dense
from virtuallab.theory import Coefficients


def test_coefficients_of_a_rule_are_zero_where_it_has_none() -> None:
    rule = RULES["information_alignment"](amp=0.3, null=0.2, decay=0.1)
    assert theory.coefficients_of(rule) == Coefficients(amp=0.3, null=0.2, decay=0.1)
    assert theory.coefficients_of(RULES["backprop"]()) == Coefficients()


def test_the_gradient_is_the_documented_sum_of_matrix_products() -> None:
    x, w, b = study.normal(np.random.default_rng(3), 3, 1, 5, 4).unbind()
    w, b = w[:, :2], b[:, :2]
    k = Coefficients(decay=0.1, amp=0.3, null=0.2, sparse=0.4, self=0.5)
    at = study.layer_view(Dense(), x, w, b)
    found = alignment_gradient(at, asdict(k), mean=False)[0].numpy()
    c, w_, b_ = theory.second_moment(x[0].numpy()), w[0].numpy(), b[0].numpy()
    expected = (
        2 * k.decay * b_
        + 2 * k.null * w_ @ c @ w_.T @ b_
        + 2 * k.sparse * b_ @ c
        - k.amp * w_ @ c
        - k.self * w_
    )
    np.testing.assert_allclose(found, expected)


def test_coefficients_of_the_paper_are_halved_where_it_squares_a_norm() -> None:
    found = theory.from_paper(decay=1.0, amp=1.5, null=0.5, sparse=0.25)
    assert found == Coefficients(decay=0.5, amp=1.5, null=0.25, sparse=0.125)


def test_the_fixed_point_of_kolen_pollack_is_the_ratio_of_the_decays() -> None:
    k = theory.kolen_pollack(forward_decay=0.06, backward_decay=0.02)
    w = np.array([[1.0, -2.0, 0.5]])
    np.testing.assert_allclose(theory.fixed_point(k, w, np.eye(3)), 3 * w)
    equal = theory.kolen_pollack(forward_decay=0.05, backward_decay=0.05)
    np.testing.assert_allclose(theory.fixed_point(equal, w, np.eye(3)), w)
