"""Importance in a forest."""

from __future__ import annotations

import numpy as np
import pytest

from tests.decoder.planted import features
from virtuallab.decoder.diagnostics.impurity_importance import impurity_importance
from virtuallab.decoder.features.columns import columns_of
from virtuallab.decoder.features.samples import by_subject


def test_a_forest_finds_what_was_planted_where_it_was_planted():
    planted = features(carriers=("act_step",), visits=slice(2, 4), layers=slice(1, 2), signal=2)
    samples, columns = by_subject(planted, "all"), columns_of(planted, "all")
    gini = impurity_importance(samples, columns, seed=0)["gini"]
    assert float(gini.sum()) == pytest.approx(1)
    at = gini.isel(gini.argmax(...))
    assert (str(at["change_name"].values), str(at["depth"].values)) == ("act_step", "middle")
    assert 2 <= int(at["first_visit"]) <= 3
    by_depth = gini.sel(change_name="act_step").sum("stage")
    assert float(by_depth.sel(depth="early")) < float(by_depth.sel(depth="middle")) / 5


def test_the_error_is_that_of_a_mean_over_trees():
    planted = features()
    arguments = by_subject(planted, "all"), columns_of(planted, "all")
    one, other = (impurity_importance(*arguments, seed=seed) for seed in (1, 2))
    apart = (one["gini"] - other["gini"]) / np.hypot(one["gini_error"], other["gini_error"])
    assert 0.8 < float(apart.std()) < 1.2
