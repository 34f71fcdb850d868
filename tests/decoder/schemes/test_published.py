"""The published scheme: layers as samples, 75/25 splits balanced by rule."""

from __future__ import annotations

import numpy as np
import xarray as xr

from tests.decoder.synthetic import features
from virtuallab.decoder import Analysis
from virtuallab.decoder.evaluation import evaluate


def published(dataset: xr.Dataset, **settings: object) -> xr.Dataset:
    few: dict[str, object] = {"folds": 3, "inner_folds": 2, "permutations": 1, "splits": 2}
    analysis = Analysis(scheme="published", observables=("activity",), **(few | settings))
    return evaluate(dataset, analysis, 1)


def test_the_published_scheme_asks_of_few_subjects_what_few_can_answer() -> None:
    verdict = published(features(each=2), classifiers=("random_forest",), folds=5).squeeze()
    asked_for = verdict["control_passed"].notnull()
    assert verdict["control"].values[asked_for].tolist() == ["shuffled_subjects"]
    assert "the rarest rule has 4 subjects, and each rule needs 5" in verdict["control_note"].values


def test_the_published_scheme_chooses_settings_with_four_layers_of_a_rule() -> None:
    dataset = features(each=2, signal=1.5).isel(layer=[3])
    group = dataset["depth_group"].where(dataset["depth_group"] >= 0, 2)
    verdict = published(dataset.assign_coords(depth_group=group))
    assert np.isfinite(verdict["balanced_accuracy"]).all()
