"""A convolution over visits, followed by a perceptron."""

from __future__ import annotations

import numpy as np
import pytest

from tests.decoder.contract import failed_checks
from virtuallab.decoder.estimators.conv1d_network import Conv1dNetwork


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


@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.usefixtures("own_random_streams")
def test_it_passes_the_estimator_checks_of_scikit_learn() -> None:
    assert failed_checks(Conv1dNetwork(epochs=40, learning_rate=0.05)) == []
