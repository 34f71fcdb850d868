"""Groups of rules: their probabilities, prediction sets and confusion matrices."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from virtuallab.decoder.levels import (
    GROUP,
    Level,
    coarse_confusion,
    coarse_probability,
    coarse_sets,
    informative_levels,
)

RULES = ["adam", "fa", "mirror", "no learning", "sgd"]
ERROR = Level(
    "error return",
    "How does the error return?",
    {"adam": "forward", "sgd": "forward", "fa": "backward", "mirror": "backward"},
)


def over_rules(values: object) -> xr.DataArray:
    return xr.DataArray(
        np.asarray(values), dims=("subject", "rule"), coords={"rule": RULES}, attrs={"units": "1"}
    )


def test_the_probability_of_a_group_is_the_sum_over_its_rules() -> None:
    found = coarse_probability(
        over_rules([[0.1, 0.2, 0.3, 0.15, 0.25], [1.0, 0.0, 0.0, 0.0, 0.0]]), ERROR
    )
    assert found.dims == ("subject", GROUP)
    assert found[GROUP].values.tolist() == ["forward", "backward", "no learning"]
    np.testing.assert_allclose(found, [[0.35, 0.5, 0.15], [1, 0, 0]])
    assert found.attrs == {"units": "1"}


def test_a_subject_without_probabilities_has_none_of_groups() -> None:
    found = coarse_probability(over_rules([[np.nan] * 5]), ERROR)
    assert found.isnull().all()


def test_a_group_is_in_the_set_if_any_of_its_rules_is() -> None:
    inside = over_rules([[0, 0, 1, 0, 0], [0, 1, 1, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0]])
    found = coarse_sets(inside > 0, ERROR)
    assert found.dtype == bool
    assert found.values.tolist() == [
        [False, True, False],
        [True, True, False],
        [False, False, False],
        [False, False, True],
    ]


def test_sets_of_groups_cover_at_least_as_often_as_sets_of_rules() -> None:
    stream = np.random.default_rng(0)
    inside = over_rules(stream.random((200, 5)) < 0.4)
    truth = stream.integers(0, 5, 200)
    covered = inside.values[np.arange(200), truth]
    groups = coarse_sets(inside, ERROR)
    of_truth = [groups[GROUP].values.tolist().index(ERROR.group_of(RULES[k])) for k in truth]
    coarse = groups.values[np.arange(200), of_truth]
    assert (coarse >= covered).all()
    assert coarse.mean() > covered.mean()


def test_counts_of_a_confusion_matrix_are_summed_over_both_axes() -> None:
    confusion = xr.DataArray(
        np.arange(50.0).reshape(2, 5, 5),
        dims=("probe", "true_rule", "predicted_rule"),
        coords={"true_rule": RULES, "predicted_rule": RULES},
    )
    found = coarse_confusion(confusion, ERROR)
    assert found.dims == ("probe", "true_group", "predicted_group")
    assert found["true_group"].values.tolist() == ["forward", "backward", "no learning"]
    at = {"true_rule": ["adam", "sgd"], "predicted_rule": ["fa", "mirror"]}
    assert found.sel(true_group="forward", predicted_group="backward").values.tolist() == (
        confusion.sel(at).sum(["true_rule", "predicted_rule"]).values.tolist()
    )
    np.testing.assert_allclose(
        found.sum(["true_group", "predicted_group"]),
        confusion.sum(["true_rule", "predicted_rule"]),
    )


@pytest.mark.parametrize(
    ("groups", "rules", "informative"),
    [
        ({"a": "x", "b": "x", "c": "y"}, "abc", True),
        ({"a": "x", "b": "x", "c": "x"}, "abc", False),
        ({"a": "x", "b": "y", "c": "z"}, "abc", False),
        ({}, "abc", False),
        ({"a": "x", "b": "x"}, "abc", True),
        ({"a": "x", "b": "x", "c": "y"}, "ab", False),
        ({"a": "x", "b": "x", "c": "y"}, "bc", False),
    ],
)
def test_a_level_with_one_group_or_as_many_as_rules_is_left_out(
    groups: dict[str, str], rules: str, *, informative: bool
) -> None:
    level = Level("level", "Which?", groups)
    assert informative_levels([level], list(rules)) == ((level,) if informative else ())
