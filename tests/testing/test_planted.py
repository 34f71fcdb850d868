"""Synthetic features differ between rules by as much as they are planted to."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from virtuallab.decoder.features.samples import at_visit_0
from virtuallab.testing.planted import RULES, planted_features, planted_task


@pytest.mark.parametrize("apart", [0.0, 3.0])
def test_neighbouring_rules_are_so_many_deviations_apart_at_the_last_visit(apart: float) -> None:
    features = planted_features(each=400, apart=apart, seed=0)
    last = features["change"].isel(visit=-1)
    assert last.groupby("rule").std().values == pytest.approx(1, rel=0.1)
    means = last.groupby("rule").mean(["subject", "layer"]).sel(rule=list(RULES))
    assert means.diff("rule").values == pytest.approx(apart, abs=0.2)
    middle = features["change"].isel(visit=1).groupby("rule").mean(["subject", "layer"])
    assert middle.sel(rule=list(RULES)).diff("rule").values == pytest.approx(apart / 3, abs=0.2)


def test_nothing_has_changed_at_visit_0_and_its_statistics_do_not_depend_on_the_rule() -> None:
    features = planted_features(each=400, apart=3.0, seed=0)
    assert not features["change"].isel(visit=0).any()
    means = features["stat"].groupby("rule").mean(["subject", "layer"])
    assert means.values == pytest.approx(0, abs=0.15)


def test_features_have_the_coordinates_that_samples_are_made_by() -> None:
    features = planted_features(each=2, apart=1.0, seed=0)
    assert features["rule"].values.tolist() == [rule for rule in RULES for _ in range(2)]
    assert len(set(features["subject"].values.tolist())) == 6
    assert at_visit_0(features, "activity").values.shape[0] == 6
    assert set(features["depth_group"].values.ravel().tolist()) == {0, 1, 2}


def test_the_seed_determines_the_features() -> None:
    first, again, other = (planted_features(each=2, apart=1.0, seed=seed) for seed in (1, 1, 2))
    xr.testing.assert_identical(first, again)
    assert not first.equals(other)


def test_a_task_has_settings_and_a_learning_curve_of_each_subject_that_do_not_name_the_rule() -> (
    None
):
    task = planted_task(each=200, apart=1.0, seed=0)
    assert task.classes == list(RULES)
    assert task.column("steps") is not None
    for values in (task.column("learning_rate"), task.learning_curve()):
        assert values is not None
        ranks = values.reshape(600, -1)[:, -1].argsort().argsort()
        means = [ranks[task.labels == rule].mean() / 600 for rule in RULES]
        assert means == pytest.approx([0.5] * 3, abs=0.08)


def test_the_noise_of_a_task_has_no_signal_and_is_not_its_features() -> None:
    task = planted_task(each=200, apart=5.0, seed=0)
    assert task.noise is not None
    means = task.noise["change"].groupby("rule").mean(["subject", "layer"])
    assert means.values == pytest.approx(0, abs=0.2)
    assert task.noise["subject"].identical(task.features["subject"])
    assert not np.array_equal(task.noise["stat"], task.features["stat"])
