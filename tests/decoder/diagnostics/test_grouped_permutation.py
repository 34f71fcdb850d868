"""Reading subjects some of whose columns come from other subjects."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from tests.decoder.planted import features
from virtuallab.decoder.diagnostics.grouped_permutation import predict_permuted, radial_machines
from virtuallab.decoder.features.samples import by_subject
from virtuallab.decoder.model_selection import fit
from virtuallab.registry import CLASSIFIERS


def one_by_one(fitted, values, groups, orders):
    """The definition, a copy at a time and with the whole pipeline."""
    found = []
    for group in groups:
        for order in orders:
            copy = values.copy()
            copy[:, group] = values[order][:, group]
            found.append(fitted.predict(copy))
    return np.reshape(found, (len(groups), *orders.shape))


def question(classifier, *, rules=3):
    samples = by_subject(features(each=20, signal=0.6), "all")
    samples.values[3, 5] = samples.values[40, 100] = np.nan
    stream = np.random.default_rng(1)
    train = np.flatnonzero((np.arange(60) % 3 > 0) & (np.arange(60) < 20 * rules))
    test = np.arange(0, 20 * rules, 3)
    fitted = classifier(samples, train)
    groups = [stream.random(samples.values.shape[1]) < share for share in (0.0, 0.1, 0.5, 1.0)]
    orders = np.stack([stream.permutation(len(test)) for _ in range(3)])
    return fitted, samples.values[train], samples.values[test], groups, orders


@pytest.mark.parametrize("name", ["kernel_svm", "random_forest", "logistic_regression"])
@pytest.mark.parametrize("rules", [2, 3])
def test_the_short_way_names_the_same_rules_as_the_long_one(name, rules):
    chosen = CLASSIFIERS[name]()

    def made(samples, rows):
        estimator = chosen.estimator(samples, 0).set_params(**chosen.grid("strict", samples)[0])
        return fit(estimator, samples.take(rows))

    fitted, trained, values, groups, orders = question(made, rules=rules)
    found = predict_permuted(fitted, trained, values, groups, orders)
    assert (found == one_by_one(fitted, values, groups, orders)).all()
    assert len(np.unique(found)) == rules


def test_columns_that_are_mixed_first_are_exchanged_before():
    def mixed(samples, rows):
        values = np.nan_to_num(samples.values[rows])
        return make_pipeline(PCA(values.shape[1] // 10), KNeighborsClassifier()).fit(
            values, samples.labels[rows]
        )

    fitted, trained, values, groups, orders = question(mixed)
    values = np.nan_to_num(values)
    found = predict_permuted(fitted, trained, values, groups, orders)
    assert (found == one_by_one(fitted, values, groups, orders)).all()


def test_the_default_classifier_is_read_by_its_distances():
    """Copies of it would cost a hundred times as much."""
    samples, chosen = by_subject(features(each=8), "all"), CLASSIFIERS["kernel_svm"]()
    estimator = chosen.estimator(samples, 0).set_params(**chosen.grid("strict", samples)[0])
    fitted = fit(estimator, samples.take(np.arange(24)))
    assert radial_machines(fitted[-1]) is not None
