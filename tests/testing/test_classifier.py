"""Every classifier keeps to what a classifier must, and the check finds what does not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from virtuallab.decoder.classifier import Classifier, Grid, GridName
from virtuallab.decoder.features.samples import Samples
from virtuallab.registry import CLASSIFIERS
from virtuallab.testing import check_classifier


@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_a_classifier_of_ours_passes(name: str) -> None:
    check_classifier(name)


class Neighbours(Classifier):
    """Sound."""

    name = "neighbours"

    def estimator(self, samples: Samples, seed: int):  # type: ignore[no-untyped-def]
        return self.pipeline(samples, KNeighborsClassifier(), scaled=True)

    def grid(self, name: GridName, samples: Samples) -> Grid:
        return [{}]


class Gullible(Neighbours):
    """Refuses missing values."""

    def estimator(self, samples: Samples, seed: int):  # type: ignore[no-untyped-def]
        return LogisticRegression()


class Fickle(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Draws probabilities from a generator without a seed."""

    def fit(self, X, y):  # type: ignore[no-untyped-def]
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):  # type: ignore[no-untyped-def]
        return np.random.default_rng().dirichlet(np.ones(len(self.classes_)), len(X))

    def predict(self, X):  # type: ignore[no-untyped-def]
        return self.classes_[self.predict_proba(X).argmax(1)]


class Random(Neighbours):
    """Is not reproducible."""

    def estimator(self, samples: Samples, seed: int):  # type: ignore[no-untyped-def]
        return self.pipeline(samples, Fickle(), scaled=True)


class Misspelt(Neighbours):
    """Names a setting that its estimator does not have."""

    def grid(self, name: GridName, samples: Samples) -> Grid:
        return [{"classify__neighbours": 3}]


class Unsaved(Neighbours):
    """Holds a type that no saved decoder may."""

    def estimator(self, samples: Samples, seed: int):  # type: ignore[no-untyped-def]
        return self.pipeline(samples, _Mine(), scaled=True)


class Saved(Unsaved):
    """Names the type that its saved decoders hold."""

    saved_types = (f"{__name__}._Mine",)


class _Mine(KNeighborsClassifier):  # type: ignore[misc]
    """A type of one's own."""


def test_one_from_outside_passes() -> None:
    check_classifier(Neighbours)
    check_classifier(Saved())


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        (Gullible, "cannot be fitted to samples with missing values"),
        (Random, "is not reproducible"),
        (Misspelt, "is refused"),
        (Unsaved, "cannot be saved and loaded"),
    ],
)
def test_what_a_classifier_breaks_is_named(classifier: type[Classifier], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_classifier(classifier)
