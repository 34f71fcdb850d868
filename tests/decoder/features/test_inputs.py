"""Features and rules that a user passes to a decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.decoder.synthetic import features
from virtuallab.decoder.features.inputs import (
    check_columns,
    check_labels,
    labelled,
    samples_of,
    values_of,
)
from virtuallab.decoder.features.samples import by_subject
from virtuallab.errors import UserError

TABLE = np.arange(6.0).reshape(3, 2)
RULES = ["oja", "adam", "oja"]


def test_samples_of_a_table_have_one_visit_and_an_owner_for_each_row() -> None:
    samples = samples_of(TABLE, RULES, "activity")
    np.testing.assert_array_equal(samples.values, TABLE)
    assert samples.labels.tolist() == RULES
    assert samples.owners.tolist() == [0, 1, 2]
    assert (samples.visits, samples.context) == (1, 0)


def test_given_rules_replace_those_of_the_features() -> None:
    dataset = features(each=2)
    rules = [f"new {rule}" for rule in dataset["rule"].values]
    found = samples_of(dataset, rules, "weights")
    own = samples_of(dataset, None, "weights")
    np.testing.assert_array_equal(found.values, own.values)
    assert found.labels.tolist() == rules
    assert own.labels.tolist() == dataset["rule"].values.tolist()


def test_values_of_a_dataset_need_no_rules() -> None:
    dataset = features(each=2)
    expected = by_subject(dataset, "activity").values
    np.testing.assert_array_equal(values_of(dataset.drop_vars("rule"), "activity"), expected)


def test_the_subject_axis_of_a_data_array_comes_first() -> None:
    table = xr.DataArray(TABLE.T, dims=("column", "subject"))
    np.testing.assert_array_equal(values_of(table, "all"), TABLE)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((2, 3, 4)), r"noise: needs 2 dimensions \(subject, column\), found 3"),
        (np.full((2, 2), np.inf), "noise: no finite value among 2 x 2"),
        ([["a", "b"]], "noise: needs a table of numbers"),
        (xr.DataArray(TABLE), r"noise: needs the dimension 'subject', found \('dim_0', 'dim_1'\)"),
        (xr.Dataset({"change": ((), 1.0)}), "it has no change_observable, depth_group"),
    ],
)
def test_a_message_names_the_argument_and_what_was_found(given: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        values_of(given, "all", "noise")


def test_rules_must_be_given_for_all_subjects_and_be_of_two_kinds() -> None:
    with pytest.raises(UserError, match="2 for 3 subjects"):
        samples_of(TABLE, RULES[:2], "all")
    with pytest.raises(UserError, match="missing for the subjects at positions 0, 2"):
        samples_of(TABLE, [None, "oja", np.nan], "all")
    with pytest.raises(UserError, match=r"at least two rules, found \{'oja'\}"):
        samples_of(TABLE, ["oja"] * 3, "all")
    with pytest.raises(UserError, match="give the rule of each subject"):
        samples_of(TABLE, None, "all")


def test_rules_of_a_table_keep_the_names_of_its_subjects() -> None:
    table = xr.DataArray(TABLE, dims=("subject", "column"), coords={"subject": ["a", "b", "c"]})
    assert labelled(table, np.array(RULES))["subject"].values.tolist() == ["a", "b", "c"]
    found = labelled(TABLE, np.array(RULES))
    assert found["subject"].values.tolist() == [0, 1, 2]
    assert found["rule"].values.tolist() == RULES
    assert not found.data_vars


def test_the_number_of_columns_must_be_that_of_the_training_samples() -> None:
    check_columns(TABLE, 2)
    with pytest.raises(UserError, match="outliers: 2 columns, where training has 5"):
        check_columns(TABLE, 5, "outliers")


def test_further_data_must_have_the_subjects_and_visits_of_the_features() -> None:
    dataset = features(each=2)
    curve = xr.DataArray(
        np.zeros((12, 5)),
        dims=("subject", "visit"),
        coords={"subject": dataset["subject"], "visit": dataset["visit"]},
    )
    check_labels(dataset, performance=curve[::-1], noise=None)
    with pytest.raises(UserError, match="performance: no values for 1 of the features' subjects"):
        check_labels(dataset, performance=curve[1:])
    with pytest.raises(UserError, match=r"performance: .* 2 of the features' visits, such as 0"):
        check_labels(dataset, performance=curve[:, 2:])
    one_number_a_subject = curve[:, 0].drop_vars("visit")
    check_labels(dataset, subjects=one_number_a_subject)
