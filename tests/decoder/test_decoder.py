"""The decoder as a scikit-learn estimator of tables and features of probes, without a store."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.svm import SVC

from tests.decoder.drawn import RULES, drawn
from tests.decoder.synthetic import features
from virtuallab.decoder import Analysis, Decoder
from virtuallab.decoder.evaluation import evaluate
from virtuallab.errors import UserError

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


def test_a_table_is_evaluated_without_the_controls_that_it_lacks_data_for() -> None:
    known = drawn(20, 1, 2.0)
    found = Decoder("logistic_regression", seed=1, **QUICK).evaluate(known.values, known.labels)
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


def test_a_data_frame_and_nested_lists_are_tables() -> None:
    known = drawn(6, 1, 2.0)
    decoder = Decoder("linear_svm", inner_folds=2).fit(known.values, known.labels)
    found = decoder.predict(known.values).dataset
    frame = pd.DataFrame(known.values).add_prefix("column ")
    for table in (frame, known.values.tolist()):
        again = Decoder("linear_svm", inner_folds=2).fit(table, known.labels.tolist())
        xr.testing.assert_identical(again.predict(table).dataset, found)


def test_missing_values_are_filled_with_medians_of_the_training_subjects() -> None:
    known = drawn(8, 1, 2.0)
    holed = known.values.copy()
    holed[::3, 4], holed[:, 7], holed[2, 9] = np.nan, np.nan, np.inf
    decoder = Decoder("linear_svm", inner_folds=2).fit(holed, known.labels)
    assert np.isfinite(decoder.predict(holed).probability).all()
    filled = holed[:1].copy()
    filled[0, 4] = np.nanmedian(holed[:, 4])
    np.testing.assert_array_equal(
        decoder.predict(filled).probability, decoder.predict(holed[:1]).probability
    )


def test_it_is_an_estimator_of_scikit_learn() -> None:
    decoder = Decoder("linear_svm", folds=3, seed=7)
    copy = clone(decoder).set_params(inner_folds=2)
    assert copy.get_params() == decoder.get_params() | {"inner_folds": 2}
    assert "inner_folds=2" in repr(copy)
    known = drawn(4, 1, 2.0)
    assert copy.fit(known.values, known.labels).n_features_in_ == known.values.shape[1]
    with pytest.raises(NotFittedError):
        decoder.predict(known.values)


def test_names_of_rules_may_be_numbers_or_a_coordinate() -> None:
    known = drawn(4, 1, 2.0)
    numbers = np.searchsorted(RULES, known.labels)
    table = xr.DataArray(
        known.values, dims=("subject", "column"), coords={"rule": ("subject", known.labels)}
    )
    decoder = Decoder("linear_svm", inner_folds=2)
    assert decoder.fit(known.values, numbers).rules_ == ("0", "1", "2")
    assert decoder.fit(table).rules_ == tuple(RULES)


def test_features_of_a_probe_may_lack_statistics_and_have_further_data_by_name() -> None:
    dataset = features(signal=1.5, each=8)
    subjects = xr.Dataset(
        {"plasticity": dataset["rule"], "steps": ("subject", np.full(48, 100))}
    ).reset_coords(drop=True)
    performance = xr.DataArray(
        np.random.default_rng(0).random((48, 5)),
        dims=("subject", "visit"),
        coords={"subject": dataset["subject"], "visit": dataset["visit"]},
    )
    found = Decoder("linear_svm", observable="activity", **QUICK).evaluate(  # type: ignore[arg-type]
        dataset.drop_vars("stat"), subjects=subjects[{"subject": slice(None, None, -1)}],
        performance=performance,
    ).controls  # fmt: skip
    evaluated = found["control_passed"].notnull()
    names = {str(name) for name in found["control"].values[evaluated]}
    assert {"metadata", "schedule", "performance"} <= names
    assert "visit_0" not in names


def test_the_learning_curves_of_a_table_are_read_at_all_visits() -> None:
    known = drawn(10, 1, 2.0)
    performance = xr.DataArray(
        np.random.default_rng(0).random((30, 4)),
        dims=("subject", "visit"),
        coords={"subject": np.arange(30)},
    )
    decoder = Decoder("linear_svm", **QUICK)  # type: ignore[arg-type]
    found = decoder.evaluate(known.values, known.labels, performance=performance).controls
    assert found["control_passed"].sel(control="performance") == 1


def named(values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(values, dims=("subject", "column"), coords={"subject": range(len(values))})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t, y: Decoder().predict(t), "not fitted"),
        (lambda t, y: Decoder().fit(t, ["adam"] * len(y)), r"two rules, found \{'adam'\}"),
        (lambda t, y: Decoder().evaluate(t, ["adam"] * len(y)), "rules: .* at least two rules"),
        (lambda t, y: Decoder().fit(t[:4], ["a", "b", "b", "b"]), "at least 3 subjects"),
        (lambda t, y: Decoder().fit(t), "rules: give the rule"),
        (lambda t, y: Decoder().fit(t, y[1:]), "rules: 29 for 30 subjects"),
        (lambda t, y: Decoder().fit(t, y[:, None]), r"rules: an array of shape \(30, 1\)"),
        (lambda t, y: Decoder().fit(t, np.array([None, *y[1:]])), "rules: missing .* positions 0"),
        (
            lambda t, y: Decoder().fit(t, np.array([*y[1:], np.nan], dtype=object)),
            "rules: missing .* positions 29",
        ),
        (lambda t, y: Decoder().fit(t[0], y), "2 dimensions"),
        (lambda t, y: Decoder().fit(t * np.nan, y), "features: no finite value among 30 x 30"),
        (lambda t, y: Decoder().fit(t[:, :0], y), "features: no finite value among 30 x 0"),
        (lambda t, y: Decoder().fit(t.astype(str)[:, :1] + "x", y), "a table of numbers"),
        (lambda t, y: Decoder().fit([*t.tolist()[:-1], [1.0]], y), "a table of numbers"),
        (lambda t, y: Decoder().fit(xr.DataArray(t), y), "needs the dimension 'subject'"),
        (lambda t, y: Decoder().fit(named(t).to_dataset(name="x"), y), "has no change"),
        (lambda t, y: Decoder(inner_folds=2).fit(t, y).predict(t[:, 1:]), "29 columns, .* has 30"),
        (lambda t, y: Decoder().fit(t, y, outliers=t[:, 1:]), "outliers: 29 columns"),
        (lambda t, y: Decoder().evaluate(t, y), "folds: 10 subjects per rule"),
        (lambda t, y: Decoder("kernel_svn"), "kernel_svm"),
        (lambda t, y: Decoder().set_params(classifier=SVC()).fit(t, y), "classifier: .* found SVC"),
        (
            lambda t, y: Decoder().set_params(scheme="strickt").fit(t, y),
            "scheme: .* found 'strickt'",
        ),
        (
            lambda t, y: Decoder().set_params(observable="spikes").fit(t, y),
            "observable: .* found 'spikes'",
        ),
        (lambda t, y: Decoder(folds=1), "folds: .* found 1"),
        (lambda t, y: Decoder(scheme="published").evaluate(t, y), "by layer"),
    ],
)
def test_invalid_input_is_refused_with_the_reason(call, message) -> None:  # type: ignore[no-untyped-def]
    samples = drawn(10)
    with pytest.raises(ValueError, match=message):
        call(samples.values, samples.labels)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"subjects": xr.Dataset()}, "subjects: no values for 48"),
        ({"performance": xr.DataArray([0.5], dims="visit")}, "performance: no values for 48"),
        ({"noise": features(each=4).isel(visit=slice(1))}, "noise: no values for 24"),
    ],
)
def test_further_data_must_have_all_subjects(given: dict[str, Any], message: str) -> None:
    decoder = Decoder("linear_svm", observable="activity", **QUICK)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        decoder.evaluate(features(each=8), **given)


def test_rules_that_features_carry_do_not_change_what_is_predicted() -> None:
    known = features(signal=3.0)
    decoder = Decoder("logistic_regression", observable="activity", seed=1).fit(known)
    labelled, bare = decoder.predict(known), decoder.predict(known.drop_vars("rule"))
    assert labelled.rule.to_numpy().tolist() == bare.rule.to_numpy().tolist()
    assert (labelled.rule.to_numpy() == known["rule"].to_numpy()).mean() > 0.8


def test_features_of_a_single_subject_without_its_axis_are_refused() -> None:
    known = features(signal=3.0)
    decoder = Decoder("logistic_regression", observable="activity", seed=1).fit(known)
    with pytest.raises(UserError, match=r"features: needs the dimension 'subject', found"):
        decoder.predict(known.isel(subject=0))
    assert decoder.predict(known.isel(subject=[0])).rule.shape == (1,)
