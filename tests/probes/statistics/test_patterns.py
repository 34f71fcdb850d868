"""Overlaps of stacks of patterns, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.probes.statistics.patterns import Patterns

COUNT, STIMULI, UNITS = 4, 9, 13


def patterns(seed: int = 0, count: int = COUNT) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, STIMULI, UNITS))


def test_the_overlap_of_units_is_a_cosine_of_covariances_without_their_common_part() -> None:
    one, other = patterns(0), patterns(1)
    found = Patterns(one).overlap_of_units(Patterns(other))

    def deviation(pattern: np.ndarray) -> np.ndarray:
        covariance = pattern.T @ pattern
        return covariance - np.trace(covariance) / UNITS * np.eye(UNITS)

    for a, b, each in zip(map(deviation, one), map(deviation, other), found, strict=True):
        assert each == pytest.approx((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def test_the_overlap_of_stimuli_is_a_cosine_over_pairs_of_different_units() -> None:
    one, other = patterns(0), patterns(1)
    found = Patterns(one).overlap_of_stimuli(Patterns(other))
    pairs = [(u, v) for u in range(UNITS) for v in range(UNITS) if u != v]

    def product(a: np.ndarray, b: np.ndarray) -> float:
        return float(sum((a[:, u] @ b[:, v]) ** 2 for u, v in pairs))

    for a, b, each in zip(one, other, found, strict=True):
        assert each == pytest.approx(product(a, b) / np.sqrt(product(a, a) * product(b, b)))


def test_patterns_overlap_completely_with_themselves_and_with_multiples() -> None:
    stack = Patterns(patterns())
    np.testing.assert_allclose(stack.overlap_of_units(stack), 1)
    np.testing.assert_allclose(stack.overlap_of_stimuli(Patterns(3 * patterns())), 1)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (0, 2, 1)])
def test_a_part_has_the_products_that_it_would_have_alone(order: tuple[int, ...]) -> None:
    laid = patterns().transpose(order).copy().transpose(np.argsort(order))
    whole = Patterns(laid)
    whole.log_dimension(), whole.overlap_of_units(whole)  # these products are now known
    part, alone = whole[1:], Patterns(laid[1:])
    for of_part, of_alone in (
        (part.log_dimension(), alone.log_dimension()),
        (part.overlap_of_units(whole[:-1]), alone.overlap_of_units(Patterns(laid[:-1]))),
        (part.overlap_of_stimuli(whole[:-1]), alone.overlap_of_stimuli(Patterns(laid[:-1]))),
        (part.overlap_of_units(whole[:1]), alone.overlap_of_units(Patterns(laid[:1]))),
    ):
        np.testing.assert_array_equal(of_part, of_alone)
