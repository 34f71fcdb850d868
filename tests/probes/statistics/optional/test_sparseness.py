"""Population sparseness."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.registry import STATISTICS


def sparseness(*visits: list[list[float]]) -> np.ndarray:
    found: np.ndarray = STATISTICS["sparseness"]().compute(np.array(visits), None)
    return found


def test_it_is_0_where_all_units_respond_alike_and_1_where_one_does() -> None:
    alike, one = [[2.0, 2.0, 2.0, 2.0]], [[0.0, 3.0, 0.0, 0.0]]
    assert sparseness(alike, one) == pytest.approx([0, 1])


def test_half_of_the_units() -> None:
    # The ratio of the means is 1/2, and 1 - 1/n is 3/4.
    assert sparseness([[1.0, 1.0, 0.0, 0.0]]) == pytest.approx([2 / 3])


def test_stimuli_without_a_response_are_left_out_and_a_silent_visit_is_nan() -> None:
    found = sparseness([[0.0, 3.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]])
    assert found[0] == pytest.approx(1)
    assert np.isnan(found[1])
