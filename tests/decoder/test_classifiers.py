from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from virtuallab.decoder.estimators.conv1d_network import Conv1dNetwork
from virtuallab.decoder.estimators.kernel_machine import KernelMachine
from virtuallab.decoder.estimators.linear_machine import LinearMachine
from virtuallab.decoder.features.preprocessing import Bounded, Finite
from virtuallab.decoder.features.samples import PUBLISHED, Samples
from virtuallab.probes.statistics.published import ADMISSIBLE
from virtuallab.registry import CLASSIFIERS

# Checks that these estimators do not pass, and why that is right.
_EXCUSED = {
    # Sets settings to objects of no type; the tests' own type checks refuse that first.
    "check_do_not_raise_errors_in_init_or_set_params",
    # Weighted samples are repeated samples only up to liblinear's tolerance, as in its parent.
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
}


@pytest.mark.parametrize(
    "estimator",
    [
        Conv1dNetwork(epochs=40, learning_rate=0.05),
        Finite(),
        Bounded(),
        LinearMachine(),
        KernelMachine(),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.usefixtures("own_random_streams")
def test_an_estimator_keeps_scikit_learns_contract(estimator) -> None:  # type: ignore[no-untyped-def]
    failed = []
    for checked, check in estimator_checks_generator(clone(estimator), mark="skip"):
        if check.func.__name__ in _EXCUSED:
            continue
        try:
            check(checked)
        except Exception as error:
            if type(error).__name__ not in {"SkipTest", "Skipped"}:
                failed.append(f"{check.func.__name__}: {error}")
    assert failed == []


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


def test_the_published_statistics_are_those_the_probes_know() -> None:
    assert sorted(PUBLISHED) == sorted(ADMISSIBLE)
    assert len(PUBLISHED) == 24


def test_columns_are_folded_back_into_series_with_the_context_at_each_visit() -> None:
    row = np.array([[7.0, 1, 2, 3, 10, 20, 30]], dtype=np.float32)
    folded = Conv1dNetwork(visits=3, context=1)._series(row)
    assert folded.tolist() == [[[7, 7, 7], [1, 2, 3], [10, 20, 30]]]


def test_the_convolution_learns_a_shape_over_visits() -> None:
    stream = np.random.default_rng(1)
    labels = np.arange(200) % 2
    rising = np.linspace(-1, 1, 6)
    values = stream.standard_normal((200, 6)) + 2 * np.where(
        labels[:, None] == 1, rising, rising[::-1]
    )
    network = Conv1dNetwork(visits=6, kernel=3, epochs=100, learning_rate=0.01)
    network.fit(values[:100], labels[:100])
    assert (network.predict(values[100:]) == labels[100:]).mean() > 0.9
    # The same numbers in another order are another shape.
    backwards = values[100:, ::-1]
    assert (network.predict(backwards) == labels[100:]).mean() < 0.1


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
