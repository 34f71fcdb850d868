"""Numbers of a rule, read off where they show and not where they do not."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline

from virtuallab.decoder.diagnostics.metaparameters import estimability, metaparameters, names_of
from virtuallab.decoder.features.preprocessing import standardization
from virtuallab.decoder.features.samples import Samples

HOW = {"folds": 5, "confidence": 0.95, "seed": 0}


def subjects(count: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    stream = np.random.default_rng(seed)
    rate = np.exp(stream.uniform(np.log(1e-3), np.log(1e-1), count))
    amp = stream.uniform(0.5, 2.0, count)
    values = stream.standard_normal((count, 40))
    values[:, :6] += np.log(rate)[:, None]
    return values, rate, amp


def test_a_number_that_shows_is_read_off() -> None:
    values, rate, _ = subjects()
    found = estimability(values, rate, **HOW)
    assert found.low > 0.7
    assert found.low <= found.explained <= found.high
    assert found.factor < 1.6


def test_a_number_that_does_not_show_explains_nothing() -> None:
    explained = []
    for seed in range(6):
        values, _, amp = subjects(seed=seed)
        found = estimability(values, amp, **HOW)
        explained.append(found.low > 0)
    assert sum(explained) <= 1


def test_every_number_that_differs_is_asked_of_each_rule() -> None:
    values, rate, amp = subjects(120)
    labels = np.repeat(["adam", "mirror"], 60)
    table = xr.Dataset(
        {
            "learning_rate": ("subject", rate),
            "amp": ("subject", np.where(labels == "mirror", amp, np.nan)),
            "momentum": ("subject", np.full(120, 0.9)),
            "steps": ("subject", np.full(120, 420.0)),
        }
    )
    assert names_of(table) == ["learning_rate", "amp", "momentum"]
    samples = Samples(values, labels, np.arange(120), 1)
    found = metaparameters(samples, table, ["adam", "mirror"], **HOW)
    assert found["metaparameter"].values.tolist() == ["learning_rate", "amp"]
    rates = found["explained"].sel(metaparameter="learning_rate")
    assert (rates > 0.7).all()
    assert np.isnan(found["explained"].sel(metaparameter="amp")[0])
    assert found["explained"].sel(metaparameter="amp")[1] == pytest.approx(0, abs=0.3)


def test_where_no_number_differs_there_is_nothing_to_say() -> None:
    values, _, _ = subjects(40)
    table = xr.Dataset({"learning_rate": ("subject", np.full(40, 0.1))})
    samples = Samples(values, np.repeat(["a", "b"], 20), np.arange(40), 1)
    assert not metaparameters(samples, table, ["a", "b"], **HOW)


@pytest.mark.parametrize("count", [10, 12, 19, 20, 24])
def test_few_subjects_of_a_rule_are_enough_where_each_fold_has_two(count: int) -> None:
    values, rate, _ = subjects(count)
    found = estimability(values, rate, **HOW)
    assert found.low <= found.explained <= found.high
    assert np.isfinite([found.low, found.high, found.factor]).all()


def test_many_subjects_are_divided_into_as_many_strata_as_folds() -> None:
    values, rate, _ = subjects(25)
    assert estimability(values, rate, **HOW).explained == pytest.approx(_by_quintiles(values, rate))


def _by_quintiles(values: np.ndarray, rate: np.ndarray) -> float:
    """Explained variance with folds stratified by fifths, by its definition."""
    target = np.log(rate)
    fifths = np.argsort(np.argsort(target)) // 5
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(values, fifths)
    model = Pipeline([*standardization(), ("read", RidgeCV(alphas=np.logspace(1, 6, 11)))])
    found = np.zeros(25)
    for train, test in folds:
        found[test] = model.fit(values[train], target[train]).predict(values[test])
    return float(1 - ((found - target) ** 2).sum() / ((target - target.mean()) ** 2).sum())
