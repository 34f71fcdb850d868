"""Settings of subjects as columns for a classifier."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.decoder.controls.common.encoding import all_equal, is_text, numeric, one_hot


def test_each_value_has_a_column_in_alphabetical_order() -> None:
    found = one_hot(np.array(["mlp", "convnet", "mlp"], dtype=object))
    np.testing.assert_array_equal(found, [[0, 1], [1, 0], [0, 1]])


def test_numbers_and_missing_values_are_levels_of_their_own() -> None:
    found = one_hot(np.array([16.0, np.nan, 16.0]))
    np.testing.assert_array_equal(found, [[1, 0], [0, 1], [1, 0]])


def test_numbers_that_are_all_known_are_one_column() -> None:
    np.testing.assert_array_equal(numeric(np.array([1, 2])), [[1], [2]])


@pytest.mark.parametrize("missing", [np.nan, np.inf, None])
def test_missing_numbers_are_zero_and_have_an_indicator(missing: float | None) -> None:
    found = numeric(np.array([0.5, missing], dtype=object))
    np.testing.assert_array_equal(found, [[0.5, 0], [0, 1]])


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.array(["a", "b"]), True),
        (np.array(["a", None], dtype=object), True),
        (np.array(["a", "b"], dtype=np.dtypes.StringDType()), True),
        (np.array([1.0, None], dtype=object), False),
        (np.array([1.0, 2.0]), False),
    ],
)
def test_objects_are_text_if_one_of_them_is(values: np.ndarray, text: bool) -> None:
    assert is_text(values) is text


def test_subjects_are_equal_only_if_all_columns_are() -> None:
    assert all_equal(np.array([[1.0, 2.0], [1.0, 2.0]]))
    assert not all_equal(np.array([[1.0, 2.0], [1.0, 3.0]]))
    assert all_equal(np.empty((3, 0)))
