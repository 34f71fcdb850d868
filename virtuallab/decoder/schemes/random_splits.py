"""Random 75/25 splits balanced by rule, of layers or of whole subjects, as published."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from virtuallab.decoder.features.samples import Rows, Samples

_TEST_SHARE = 0.25


def splits_by_layer(samples: Samples, count: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield training and test rows; a quarter of the layers of each rule are tested."""
    stream = np.random.RandomState(seed % 2**32)
    rules = np.unique(samples.labels)
    size = min((samples.labels == rule).sum() for rule in rules)
    tested = int(_TEST_SHARE * size)
    for _ in range(count):
        train, test = [], []
        for rule in rules:
            order = stream.permutation(np.flatnonzero(samples.labels == rule))
            test.append(order[:tested])
            train.append(order[tested:size])
        yield np.sort(np.concatenate(train)), np.sort(np.concatenate(test))


def splits_by_subject(samples: Samples, count: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield training and test rows; all layers of a quarter of each rule's subjects are tested."""
    subjects, first = np.unique(samples.owners, return_index=True)
    for split in splits_by_layer(samples.take(first), count, seed):
        train, test = (np.flatnonzero(np.isin(samples.owners, subjects[rows])) for rows in split)
        yield train, test
