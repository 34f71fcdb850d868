from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from virtuallab.decoder.schemes.splits import (
    SPLITS,
    check,
    check_columns,
    family_of,
    groups_of,
    outside_and_inside,
)


def subjects(**columns: object) -> xr.Dataset:
    coords = {name: ("subject", np.array(values)) for name, values in columns.items()}
    return xr.Dataset(coords=coords)


def test_a_split_by_a_column_is_that_column() -> None:
    found = subjects(
        rule=["a", "b"] * 2, task=["digits"] * 2 + ["mnist"] * 2, batch_size=[8, 16] * 2
    )
    assert groups_of(found, "task").tolist() == ["digits", "digits", "mnist", "mnist"]
    assert groups_of(found, "batch_size").tolist() == ["8", "16", "8", "16"]


@pytest.mark.parametrize(
    ("name", "family"),
    [("knet4", "knet"), ("knet4-1", "knet"), ("convnet-2", "convnet"), ("resnet18", "resnet"),
     ("resnet18v2", "resnet"), ("mlp", "mlp"), ("small_conv3", "small_conv"), ("4", "4")],
)  # fmt: skip
def test_a_family_is_what_is_left_without_size_and_variant(name: str, family: str) -> None:
    assert family_of(name) == family


def test_a_family_that_is_written_down_comes_before_one_read_from_a_name() -> None:
    named = subjects(rule=["a", "b"], architecture=["knet4", "knet5"])
    assert groups_of(named, "family").tolist() == ["knet", "knet"]
    written = named.assign_coords(family=("subject", np.array(["flat", "deep"])))
    assert groups_of(written, "family").tolist() == ["flat", "deep"]


def test_learning_rates_are_divided_within_each_rule() -> None:
    rates = np.geomspace(1e-3, 1e-1, 9)
    found = subjects(rule=["a"] * 9 + ["b"] * 9, learning_rate=[*rates, *(rates[::-1] / 1e3)])
    thirds = ["low"] * 3 + ["middle"] * 3 + ["high"] * 3
    assert groups_of(found, "learning_rate").tolist() == [*thirds, *thirds[::-1]]
    assert check(found, "learning_rate") is None


def test_equal_learning_rates_stay_together() -> None:
    found = subjects(rule=["a", "b"] * 6, learning_rate=[0.1] * 12)
    assert set(groups_of(found, "learning_rate").tolist()) == {"low"}
    fault = check(found, "learning_rate")
    assert fault is not None
    assert fault.startswith("the learning rate is the same for all subjects of a rule")


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_of_what_is_not_known_says_so(split: str) -> None:
    fault = check(subjects(rule=["a", "b"]), split)
    known = {
        "loss": "all subjects learn by one loss",
        "curriculum": "all subjects learn by one curriculum",
        "schedule": "all subjects have one schedule of learning rates",
        "start_from": "all subjects start alike",
        "model_seed": "nothing is known of the subjects' model_seed, which subjects.seeds gives",
        "data_seed": "nothing is known of the subjects' data_seed, which subjects.seeds gives",
    }.get(split, f"nothing is known of the subjects' {split}")
    assert fault == known
    with pytest.raises(ValueError, match=known):
        groups_of(subjects(rule=["a", "b"]), split)


def test_one_group_alone_cannot_be_held_out() -> None:
    found = subjects(rule=["a", "b"], loss=["mse", "mse"])
    assert check(found, "loss") == "all subjects learn by one loss; none can be held out."


def test_a_rule_that_occurs_in_one_group_only_cannot_be_tested() -> None:
    columns = {"rule": ["a", "a", "b", "b"], "task": ["x", "y", "x", "x"]}
    fault = check(subjects(**columns), "task")
    assert fault is not None
    assert fault.startswith("rule 'b' occurs in 'x' only")
    assert check_columns(columns, "task") == fault


def test_a_learning_rate_that_is_missing_is_no_number() -> None:
    found = subjects(rule=["a", "b"] * 2, learning_rate=[0.1, np.nan, 0.2, 0.3])
    assert check(found, "learning_rate") == "some subjects have no learning rate"


def test_each_rule_needs_so_many_subjects_outside_what_is_held_out() -> None:
    columns = {"rule": ["a"] * 4 + ["b"] * 4, "task": ["x", "y", "y", "y", "x", "x", "y", "y"]}
    assert check_columns(columns, "task") is None
    fault = check_columns(columns, "task", 2)
    assert fault is not None
    assert "where 'y' is held out, 1 of rule 'a' are left to train on; needs at least 2" in fault


def test_a_group_that_divides_pairs_needs_pairs_outside_and_inside() -> None:
    columns = {
        "rule": ["a", "b"] * 4,
        "batch_size": [16, 32, 32, 16] * 2,
        "pair": [0, 0, 1, 1, 2, 2, 3, 3],
    }
    assert check_columns(columns, "batch_size") is None
    assert check_columns({**columns, "pair": range(8)}, "batch_size", 2) is None
    problem = check_columns(columns, "batch_size", 2)
    assert problem is not None
    assert "1 of rule 'a' are left" in problem
    problem = check_columns({**columns, "pair": [0] * 8}, "batch_size")
    assert problem == "all subjects are of one pair, so that none is left to train on."


@pytest.mark.parametrize("divided", [False, True])
def test_no_decoder_is_trained_on_a_pair_or_a_group_that_it_tests(divided: bool) -> None:
    pairs = np.repeat(np.arange(12), 4)
    groups = np.tile(["x", "y"], 24) if divided else np.where(pairs < 6, "x", "y")
    labels = np.tile(["a", "a", "b", "b"], 12)
    parts = list(outside_and_inside(groups, labels, pairs, 3))
    assert len(parts) == (10 if divided else 2)
    tested = np.concatenate([rows for _, rows in parts])
    assert sorted(tested.tolist()) == list(range(48))
    for outside, inside in parts:
        assert len(set(groups[inside])) == 1
        assert not set(groups[outside]) & set(groups[inside])
        assert not set(pairs[outside].tolist()) & set(pairs[inside].tolist())
        assert set(labels[outside]) == {"a", "b"}


def test_pairs_are_counted_where_one_has_several_subjects_of_a_rule() -> None:
    columns = {"rule": ["a", "a", "b", "b"] * 2, "task": ["x"] * 4 + ["y"] * 4}
    assert check_columns(columns, "task", 2) is None
    problem = check_columns({**columns, "pair": [0] * 4 + [1] * 4}, "task", 2)
    assert problem is not None
    assert "1 of rule 'a' are left" in problem
