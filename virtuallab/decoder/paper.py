"""The published scheme: layers as samples, ten 75/25 splits balanced by rule.

Layers of one network, and networks that are alike, stand on both sides of such a split, so its
accuracy is optimistic; how much is measured beside it, by the same splits with whole subjects kept
together.

References
----------
Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables", section 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np
from sklearn.model_selection import StratifiedKFold

from virtuallab.decoder.classifier import Classifier, Scheme
from virtuallab.decoder.crossval import Rows, chosen_settings, confusion_of, fit
from virtuallab.decoder.samples import Samples

_TEST_SHARE = 0.25
_INNER_FOLDS = 5


@dataclass(frozen=True)
class Published:
    """What came of the random splits.

    Parameters
    ----------
    confusions : array, (split, true, predicted)
        Counts of layers.
    """

    confusions: jt.Float[np.ndarray, "split true predicted"]


def splits_by_layer(samples: Samples, count: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Split at random, a quarter of the layers of each rule for testing."""
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
    """Split at random, all layers of a quarter of each rule's subjects for testing."""
    owners, first = np.unique(samples.owners, return_index=True)
    whole = Samples(
        values=samples.values[first],
        labels=samples.labels[first],
        owners=owners,
        visits=samples.visits,
        context=samples.context,
    )
    for train, test in splits_by_layer(whole, count, seed):
        yield _rows_of(samples.owners, owners[train]), _rows_of(samples.owners, owners[test])


def _rows_of(owners: jt.Int[np.ndarray, " sample"], chosen: jt.Int[np.ndarray, " subject"]) -> Rows:
    return np.flatnonzero(np.isin(owners, chosen))


def published(
    classifier: Classifier,
    samples: Samples,
    classes: list[str],
    splits: Iterator[tuple[Rows, Rows]],
    scheme: Scheme,
    seed: int,
) -> Published:
    """Choose settings by five unshuffled inner folds, refit, and test, for each split.

    Where a rule has fewer than five samples to train on, there are as many folds as it has samples.
    """
    confusions = []
    for train, test in splits:
        fewest = int(np.unique(samples.labels[train], return_counts=True)[1].min())
        inner = StratifiedKFold(min(_INNER_FOLDS, fewest))  # not shuffled, as published
        settings = chosen_settings(
            classifier, samples, train, classifier.grid(scheme, samples), inner, seed
        )
        fitted = fit(classifier, samples, train, settings, seed)
        predicted = fitted.predict(samples.values[test])
        confusions.append(confusion_of(samples.labels[test], predicted, classes))
    return Published(np.stack(confusions))
