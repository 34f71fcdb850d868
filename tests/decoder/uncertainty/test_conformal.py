"""Sets of rules hold the true one as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.decoder.uncertainty.conformal import Conformity


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    stream = np.random.default_rng(seed)
    truth = stream.integers(0, 3, count)
    scores = stream.standard_normal((count, 3)) + 1.5 * np.eye(3)[truth] * [0.3, 1, 2]
    probability = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return probability, truth


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_each_rule_is_covered_as_often_as_stated(coverage: float) -> None:
    known = Conformity.of(*drawn(40_000, 1))
    probability, truth = drawn(40_000, 2)
    sets = known.p_values(probability) > 1 - coverage
    for rule in range(3):
        mine = truth == rule
        assert sets[mine, rule].mean() == pytest.approx(coverage, abs=0.02)


def test_few_known_samples_err_on_the_side_of_larger_sets() -> None:
    covered = []
    for seed in range(200):
        known = Conformity.of(*drawn(60, seed))
        probability, truth = drawn(60, 1_000 + seed)
        covered.append((known.p_values(probability) > 1 - 0.9)[np.arange(60), truth].mean())
    assert 0.9 <= np.mean(covered) < 0.95


def test_a_p_value_is_the_share_that_conformed_no_better() -> None:
    known = Conformity((np.array([0.1, 0.2, 0.3]), np.array([0.5])))
    found = known.p_values(np.array([[0.8, 0.2], [0.95, 0.05], [0.1, 0.9]]))
    np.testing.assert_allclose(found[:, 0], [3 / 4, 1, 1 / 4])
    np.testing.assert_allclose(found[:, 1], [1 / 2, 1 / 2, 1])


def test_what_conforms_to_no_rule_has_an_empty_set() -> None:
    sure = np.tile([0.98, 0.01, 0.01], (100, 1))
    probability = np.concatenate([sure, sure[:, [1, 0, 2]], sure[:, [1, 2, 0]]])
    known = Conformity.of(probability, np.repeat([0, 1, 2], 100))
    assert not (known.p_values(np.full((1, 3), 1 / 3)) > 1 - 0.9).any()
    assert (known.p_values(sure[:1]) > 1 - 0.9).tolist() == [[True, False, False]]
