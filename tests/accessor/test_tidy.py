"""Results and recordings as tidy tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from virtuallab.accessor.tidy import tidy, tidy_analyses


def analysis() -> xr.Dataset:
    """Two probes and one observable; the second probe was not decoded."""
    return xr.Dataset(
        {
            "balanced_accuracy": (("probe", "observable"), [[0.75], [np.nan]]),
            "interval": (("probe", "observable", "bound"), [[[0.6, 0.9]], [[np.nan] * 2]]),
            "control_accuracy": (("probe", "observable", "control"), [[[0.5, 0.4]], [[0, 0]]]),
            "control_p_value": (("probe", "observable", "control"), [[[0.1, 0.2]], [[0, 0]]]),
            "confusion": (("probe", "observable", "true_rule"), [[[3.0, 1.0]], [[0.0, 0.0]]]),
            "warnings": ("probe", ["[]", "[]"]),
        },
        {
            "probe": ["sparse", "whole"],
            "observable": ["activity"],
            "bound": ["low", "high"],
            "control": ["permuted_labels", "visit_0"],
            "true_rule": ["a", "b"],
            "kind": ("probe", ["array", "all"]),
        },
    )


def test_an_analysis_is_a_row_for_each_comparison_that_was_made() -> None:
    table = tidy(analysis())
    assert table.to_dict("records") == [
        {
            "probe": "sparse",
            "observable": "activity",
            "balanced_accuracy": 0.75,
            "accuracy_low": 0.6,
            "accuracy_high": 0.9,
            "permuted_labels": 0.5,
            "visit_0": 0.4,
            "warnings": "[]",
            "kind": "array",
        }
    ]


def test_an_interval_has_the_name_of_what_it_belongs_to() -> None:
    comparison = analysis().rename(interval="held_out_interval")
    assert {"held_out_low", "held_out_high"} <= {*tidy(comparison).columns}
    assert "accuracy_low" not in tidy(comparison)


def test_accuracies_by_seed_have_a_row_for_each_seed_with_the_mean_repeated() -> None:
    found = tidy(
        xr.Dataset(
            {
                "balanced_accuracy": ("design", [0.5, 0.8]),
                "accuracy_by_seed": (("design", "seed"), [[0.4, 0.6], [0.8, np.nan]]),
            },
            {"design": ["few", "many"], "seed": [0, 1]},
        )
    )
    assert found["accuracy_by_seed"].tolist() == [0.4, 0.6, 0.8]
    assert found["balanced_accuracy"].tolist() == [0.5, 0.5, 0.8]
    assert found["seed"].tolist() == [0, 1, 0]
    assert found.index.tolist() == [0, 1, 2]


def test_a_recording_is_a_row_for_each_response_that_was_measured(recording: xr.Dataset) -> None:
    table = tidy(recording)
    assert len(table) == 3 * 4 * 12 * 11, "without the subject that was not recorded"
    row = table[
        (table["subject"] == "sub-0002")
        & (table["visit"] == 4)
        & (table["stimulus"] == 5)
        & (table["unit"] == 7)
    ].iloc[0]
    assert row["activity"] == recording["activity"].values[1, 2, 5, 7]
    assert row["unit_layer"] == "conv2"
    assert row["stimulus_label"] == recording["stimulus_label"].values[1, 5]
    assert (row["rule"], row["epoch"]) == ("adam", 3.0)
    assert {"weights", "activity_change", "layer_depth"}.isdisjoint(table.columns)


def test_a_recording_of_weights_is_a_row_for_each_synapse(recording: xr.Dataset) -> None:
    table = tidy(recording.drop_vars("activity"))
    assert len(table) == 3 * 4 * 5
    assert table["synapse_layer"].tolist()[:5] == ["conv1", "conv1", "conv2", "fc", "fc"]


def test_a_dataset_without_a_known_variable_is_a_row_for_each_of_its_first_one() -> None:
    found = tidy(xr.Dataset({"loss": ("visit", [1.0, np.nan, 0.5])}, {"visit": [0, 2, 4]}))
    assert found.to_dict("list") == {"visit": [0, 4], "loss": [1.0, 0.5]}


def test_a_dataset_of_coordinates_alone_is_its_coordinates() -> None:
    found = tidy(xr.Dataset(coords={"visit": [0, 2], "step": ("visit", [0, 10])}))
    assert found.to_dict("list") == {"visit": [0, 2], "step": [0, 10]}


def test_analyses_of_an_experiment_are_joined_under_their_names() -> None:
    tree = xr.DataTree.from_dict({"decoding/main": analysis(), "decoding/second": analysis()})
    table = tidy_analyses(tree)
    assert table["analysis"].tolist() == ["main", "second"]
    alone = table.drop(columns="analysis").iloc[:1]
    pd.testing.assert_frame_equal(alone, tidy(analysis()))


def test_analyses_without_a_result_are_no_rows() -> None:
    nothing = xr.DataTree.from_dict({"decoding/main": xr.Dataset(attrs={"not_decoded": "{}"})})
    both = xr.DataTree.from_dict({"decoding/a": xr.Dataset(), "decoding/b": analysis()})
    assert tidy_analyses(xr.DataTree()).empty
    assert tidy_analyses(nothing).empty
    assert tidy_analyses(both)["analysis"].tolist() == ["b"]
