"""What a decoder cannot do without."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from tests.decoder.planted import RULES, features
from virtuallab.decoder import Analysis
from virtuallab.decoder.diagnostics.permutation_importance import in_order, permutation_importance
from virtuallab.decoder.features.columns import columns_of
from virtuallab.decoder.features.samples import by_subject
from virtuallab.decoder.schemes.cross_validation import cross_validate
from virtuallab.decoder.task import DecodingTask
from virtuallab.decoder.uncertainty.comparison import balanced, bootstrap_means
from virtuallab.registry import CLASSIFIERS

SCHEME = {"folds": 5, "inner_folds": 3, "seed": 3}


def relevance(planted: xr.Dataset, classifier: str = "kernel_svm", **options) -> xr.Dataset:
    return of_observable(planted, "all", classifier, **options)


def of_observable(
    planted: xr.Dataset, observable: str, classifier: str = "kernel_svm", **options
) -> xr.Dataset:
    task = DecodingTask(
        analysis=Analysis(folds=SCHEME["folds"], inner_folds=SCHEME["inner_folds"]),
        classifier=CLASSIFIERS[classifier](),
        features=planted,
        samples=by_subject(planted, observable),
        observable=observable,
        seed=SCHEME["seed"],
    )
    return permutation_importance(task, columns_of(planted, observable), **options)


def of_kind(found: xr.Dataset, kind: str) -> xr.Dataset:
    return found.isel(group=found["group_kind"].values == kind)


def first(found: xr.Dataset, kind: str) -> str:
    mine = of_kind(found, kind)
    return str(mine["group"].values[mine["relevance"].to_numpy().argmax()])


@pytest.mark.parametrize("classifier", ["kernel_svm", "random_forest"])
def test_a_planted_statistic_comes_first_and_is_worth_something(classifier):
    found = relevance(features(carriers=("act_step",)), classifier)
    assert first(found, "statistic") == "act_step"
    assert first(found, "family") == "responses: steps"
    assert first(found, "observable") == "activity"
    assert float(found["relevance_interval"].sel(group="act_step", bound="low")) > 0.1


def test_what_knows_nothing_is_worth_nothing_on_average():
    """Intervals of the worthless hold 0 nearly as often as they say: folds share subjects."""
    noise = xr.concat(
        [
            of_kind(relevance(features(seed=seed)), "statistic").drop_sel(group=["act_step"])
            for seed in range(20)
        ],
        dim="seed",
    )
    low, high = (noise["relevance_interval"].sel(bound=bound) for bound in ("low", "high"))
    assert abs(float(noise["relevance"].mean())) < 0.015
    assert 0.8 < float(((low <= 0) & (high >= 0)).mean()) < 1
    assert float((low > 0).mean()) < 0.1


def test_clones_stand_in_for_one_another_and_matter_together():
    """Taken away alone, each of three leaves the others; the family leaves nothing."""
    three = ("act_step", "act_tuned_step", "act_class_step")
    found = relevance(features(carriers=three))
    together = found.sel(group="responses: steps")
    assert float(together["relevance_interval"].sel(bound="low")) > 0.4
    assert float(found["relevance"].sel(group=list(three)).max()) < together["relevance"] / 3


def test_when_and_how_deep_a_rule_shows_is_found():
    found = relevance(features(visits=slice(2, 3), layers=slice(0, 1), signal=3), "random_forest")
    assert first(found, "stage") == "visit 2"
    assert first(found, "depth") == "early"
    interval = found["relevance_interval"]
    for name in ("visit 2", "early"):
        assert float(interval.sel(group=name, bound="low")) > 0
    late = interval.sel(group="visits 8 to 9")
    assert float(late.sel(bound="low")) <= 0.02


def test_with_nothing_exchanged_the_accuracy_is_that_of_the_verdict():
    planted = features(signal=0.5)
    outcome = cross_validate(
        CLASSIFIERS["kernel_svm"](), by_subject(planted, "all"), list(RULES), **SCHEME
    )
    shares = np.diag(outcome.confusion) / outcome.confusion.sum(1)
    found = relevance(planted)
    assert found.attrs["balanced_accuracy"] == pytest.approx(shares.mean())
    assert found.attrs["chance"] == pytest.approx(1 / 3)
    lost = found["relevance"].sel(group=["weights", "activity"])
    assert float(lost.max()) < found.attrs["balanced_accuracy"]


def test_what_was_not_measured_is_not_judged():
    planted = features()
    weights = planted["change_observable"].values == "weights"
    planted["change"] = planted["change"].where(~xr.DataArray(weights, dims="change_name"))
    found = relevance(planted)
    assert "weight_step" not in found["group"].values
    assert set(found["group_observable"].values) == {"activity"}


def test_the_same_seed_finds_the_same():
    planted = features(each=15)
    xr.testing.assert_identical(relevance(planted), relevance(planted))


def test_intervals_are_those_of_subjects_drawn_anew():
    labels = np.repeat(["a", "b"], [10, 30])
    lost = np.random.default_rng(0).standard_normal((4, 40))
    stream, drawn = np.random.default_rng(5), np.empty((20, 40), dtype=int)
    for mine in (np.arange(10), np.arange(10, 40)):
        drawn[:, mine] = stream.choice(mine, size=(20, len(mine)))
    expected = np.stack([balanced(lost[:, chosen], labels) for chosen in drawn], axis=1)
    np.testing.assert_allclose(bootstrap_means(lost, labels, 20, seed=5), expected)


def test_joined_questions_keep_their_groups_apart_and_in_order():
    planted = features(each=15)
    one, both = (of_observable(planted, observable) for observable in ("activity", "all"))
    axis = xr.DataArray(["activity", "all"], dims="observable", name="observable")
    found = in_order(xr.concat([one, both], dim=axis, join="outer"))
    assert found["group_kind"].dims == found["group_observable"].dims == ("group",)
    stages = of_kind(found, "stage")["group"].values
    assert list(stages) == list(of_kind(both, "stage")["group"].values)
    assert list(of_kind(found, "depth")["group"].values) == list(
        of_kind(both, "depth")["group"].values
    )
    again = found.sel(observable="activity").dropna("group")["relevance"]
    expected = one["relevance"].sel(group=again["group"].values)
    np.testing.assert_array_equal(again.values, expected.values)
    assert again.sizes == one["relevance"].sizes
