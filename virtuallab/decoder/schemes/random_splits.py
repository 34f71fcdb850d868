"""Random 75/25 splits balanced by rule, of layers or of whole subjects, as published."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from virtuallab.decoder.features.samples import Rows, Samples
from virtuallab.decoder.model_selection import splits_of

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
    """Yield training and test rows; all layers of a quarter of each rule's subjects are tested.

    In a paired design a quarter of the pairs is tested, with equally many subjects of each rule.
    """
    if samples.pairs is not None:
        yield from _splits_by_pair(samples, count, seed)
        return
    subjects, first = np.unique(samples.owners, return_index=True)
    for split in splits_by_layer(samples.take(first), count, seed):
        train, test = (np.flatnonzero(np.isin(samples.owners, subjects[rows])) for rows in split)
        yield train, test


def _splits_by_pair(samples: Samples, count: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    stream = np.random.RandomState(seed % 2**32)
    subjects, first = np.unique(samples.owners, return_index=True)
    each = samples.take(first)
    for split in range(count):
        parts = next(splits_of(each, round(1 / _TEST_SHARE), seed + split))
        train, test = (
            np.flatnonzero(np.isin(samples.owners, subjects[_balanced(each, rows, stream)]))
            for rows in parts
        )
        yield train, test


def _balanced(subjects: Samples, rows: Rows, stream: np.random.RandomState) -> Rows:
    """Some of the rows, with equally many of each rule."""
    members = [rows[subjects.labels[rows] == rule] for rule in np.unique(subjects.labels)]
    fewest = min(map(len, members))
    return np.concatenate([stream.permutation(mine)[:fewest] for mine in members])
