from __future__ import annotations

import numpy as np
import pytest

from virtuallab.decoder.features.samples import Samples
from virtuallab.registry import CLASSIFIERS


def samples(visits: int = 21, columns: int = 13, context: int = 3, count: int = 600) -> Samples:
    stream = np.random.default_rng(0)
    labels = np.array(["a", "b", "c", "d"])[np.arange(count) % 4]
    return Samples(
        values=stream.standard_normal((count, context + visits * columns)),
        labels=labels,
        owners=np.arange(count),
        visits=visits,
        context=context,
    )


def test_published_grids_have_their_published_sizes() -> None:
    sizes = {
        name: len(CLASSIFIERS[name]().grid("published", samples(columns=50, count=15_552)))
        for name in ("conv1d_mlp", "linear_svm", "random_forest")
    }
    assert sizes == {"conv1d_mlp": 720, "linear_svm": 84, "random_forest": 15}


def test_kernels_of_the_published_grid_fit_21_visits() -> None:
    grid = CLASSIFIERS["conv1d_mlp"]().grid("published", samples())
    assert sorted({settings["classify__kernel"] for settings in grid}) == [1, 2, 6, 11, 21]


@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_a_classifier_repeats_itself(name: str) -> None:
    data, classifier = samples(visits=4, columns=3, count=80), CLASSIFIERS[name]()
    settings = classifier.grid("strict", data)[0]
    first, second = (
        classifier.estimator(data, 3).set_params(**settings).fit(data.values, data.labels)
        for _ in range(2)
    )
    np.testing.assert_array_equal(
        first.predict_proba(data.values), second.predict_proba(data.values)
    )
