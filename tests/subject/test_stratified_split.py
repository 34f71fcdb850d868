from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from virtuallab.subject.stratified_split import stratified_split


@pytest.mark.parametrize("seed", range(20))
def test_the_split_equals_that_of_scikit_learn(seed: int) -> None:
    stream = np.random.default_rng(seed)
    classes = int(stream.integers(2, 11))
    labels = np.concatenate(
        [np.repeat(np.arange(classes), 2), stream.integers(0, classes, int(stream.integers(500)))]
    )
    count = int(stream.integers(classes, len(labels) - classes + 1))
    expected = train_test_split(
        np.arange(len(labels)), train_size=count, stratify=labels, random_state=seed
    )
    for found, known in zip(stratified_split(labels, count, seed), expected, strict=True):
        np.testing.assert_array_equal(found, known)
