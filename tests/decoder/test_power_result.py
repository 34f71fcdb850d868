"""The result of a power analysis, and its designs as tables."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reporting.designs import answer
from virtuallab.decoder.power_result import DesignResult


def design(cost: float, accuracy: float) -> DesignResult:
    return DesignResult({"units": int(cost)}, float(cost), accuracy, accuracy - 0.1, accuracy + 0.1)


def test_the_front_has_the_most_accurate_design_at_each_cost() -> None:
    tried = (design(3, 0.6), design(1, 0.5), design(2, 0.4), design(3, 0.7), design(4, 0.7))
    found = answer(tried=tried)
    assert found.front == [design(1, 0.5), design(3, 0.7)]


def test_both_tables_have_one_row_for_each_design_in_order_of_evaluation() -> None:
    found = answer(tried=(design(3, 0.6), design(1, 0.5), design(2, 0.4)))
    dataset, frame = found.to_dataset(), found.to_frame()
    assert dataset["units"].values.tolist() == frame["units"].tolist() == [3, 1, 2]
    assert dataset["on_front"].values.tolist() == frame["on_front"].tolist() == [True, True, False]
    np.testing.assert_array_equal(dataset["interval"].sel(bound="low"), frame["accuracy_low"])
    np.testing.assert_array_equal(dataset["interval"].sel(bound="high"), frame["accuracy_high"])
    assert dataset.attrs["target"] == pytest.approx(found.target)
