"""The decoder as an estimator of its own: tables and features of probes, without a store."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from tests.decoder.synthetic import features
from tests.decoder.test_fitted_decoder import RULES, drawn
from virtuallab.decoder import Analysis, Decoder
from virtuallab.decoder.evaluation import evaluate

QUICK = {"folds": 3, "inner_folds": 2, "repeats": 2, "permutations": 1}


def test_a_table_is_fitted_and_predicted_under_the_names_of_its_subjects() -> None:
    known, asked = drawn(30, 1, 2.0), drawn(10, 2, 2.0)
    table = xr.DataArray(
        asked.values.T, dims=("column", "subject"), coords={"subject": [f"s{n}" for n in range(30)]}
    )
    decoder = Decoder(inner_folds=2).fit(known.values, known.labels)
    prediction = decoder.predict(table)
    assert decoder.rules_ == tuple(RULES)
    assert prediction.probability.dims == ("subject", "rule")
    assert prediction.rule["subject"].values.tolist() == [f"s{n}" for n in range(30)]
    assert (prediction.rule.values == asked.labels).mean() > 0.8
    np.testing.assert_allclose(prediction.probability.sum("rule"), 1)
    assert prediction.sets(0.9).dtype == bool


def test_a_table_is_evaluated_and_what_it_lacks_is_not_asked() -> None:
    known = drawn(20, 1, 2.0)
    found = Decoder("logistic_regression", **QUICK).evaluate(known.values, known.labels)
    low, high = found.interval
    assert low < found.accuracy < high
    assert found.accuracy > 0.8
    assert found.confusion.sum() == 60
    passed = found.controls["control_passed"]
    assert passed.sel(control="permuted_labels") == 1
    assert np.isnan(passed.sel(control="visit_0"))
    assert {"reliability_stated", "reliability_observed"} <= set(found.reliability)
    noise = np.random.default_rng(0).standard_normal(known.values.shape)
    low, high = Decoder("logistic_regression", **QUICK).evaluate(noise, known.labels).interval
    assert low < 1 / 3 < high


@pytest.mark.parametrize("scheme", ["strict", "published"])
def test_features_of_a_probe_give_what_an_analysis_of_them_gives(scheme: str) -> None:
    dataset = features(signal=1.0)
    decoder = Decoder("linear_svm", scheme, observable="activity", seed=4, **QUICK)  # type: ignore[arg-type]
    mine = decoder.evaluate(dataset).dataset
    settings = {"scheme": scheme, "observables": ("activity",), "classifiers": ("linear_svm",)}
    theirs = evaluate(dataset, Analysis(**settings, **QUICK), 4).squeeze()  # type: ignore[arg-type]
    for name in ("balanced_accuracy", "interval", "confusion", "control_accuracy"):
        np.testing.assert_allclose(mine[name], theirs[name], err_msg=name)


def test_outliers_are_novel() -> None:
    known, others = drawn(40, 1, 1.5), drawn(40, 3, 1.5, rules=5)
    new = others.values[others.labels == "oja"]
    decoder = Decoder(inner_folds=2).fit(known.values, known.labels, outliers=new[:20])
    novel = decoder.predict(new[20:]).novelty_p_value
    assert novel.median() < 0.1
    assert novel.median() < decoder.predict(known.values).novelty_p_value.median()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t, y: Decoder().predict(t), "not fitted"),
        (lambda t, y: Decoder().fit(t, ["adam"] * len(y)), "at least two rules"),
        (lambda t, y: Decoder().fit(t[:4], ["a", "b", "b", "b"]), "at least 3 subjects"),
        (lambda t, y: Decoder().fit(t), "rules: give the rule"),
        (lambda t, y: Decoder().fit(t, y[1:]), "rules: 29 for 30 subjects"),
        (lambda t, y: Decoder().fit(t[0], y), "2 dimensions"),
        (lambda t, y: Decoder().evaluate(t, y), "folds: 10 subjects per rule"),
        (lambda t, y: Decoder("kernel_svn"), "kernel_svm"),
        (lambda t, y: Decoder(scheme="published").evaluate(t, y), "by layer"),
    ],
)
def test_what_cannot_be_done_is_said(call, message) -> None:  # type: ignore[no-untyped-def]
    samples = drawn(10)
    with pytest.raises(Exception, match=message):
        call(samples.values, samples.labels)
