"""Conformance check of classifiers."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any, get_args

import numpy as np
from sklearn.base import clone

from virtuallab.decoder.classifier import Classifier, GridName
from virtuallab.decoder.features.samples import Samples, by_layer, by_subject
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.model_selection import quiet_fits
from virtuallab.errors import VirtuallabError
from virtuallab.registry import CLASSIFIERS
from virtuallab.store.decoders.persistence import dump_estimators, load_estimators
from virtuallab.testing.planted import RULES, planted_features

_SEED = 3


def check_classifier(classifier: str | type[Classifier] | Classifier) -> None:
    """Check that a classifier can be searched, fitted, calibrated, repeated, saved and loaded.

    Its estimator must accept every setting of its grids and missing values, give probabilities of
    all classes, identify rules that differ clearly, and be reproducible under a seed. A decoder
    that was saved and loaded must predict the same.

    Parameters
    ----------
    classifier : str, type or Classifier
        A registered name, a class, or an instance.

    Raises
    ------
    AssertionError
        If a requirement is not met; the message names it.
    """
    made = _made(classifier)
    features = planted_features(each=12, apart=3.0, seed=0)
    samples = by_subject(features, "activity")
    holed = samples.values.copy()
    holed[::5, ::3] = np.nan
    samples = replace(samples, values=holed)
    _check_grids(made, samples, by_layer(features, "activity"))
    estimators = [_fitted(made, samples) for _ in range(2)]
    probability, again = (each.predict_proba(samples.values) for each in estimators)
    if sorted(map(str, estimators[0].classes_)) != sorted(RULES):
        _fail(made, f"has classes_ {list(estimators[0].classes_)} for labels {list(RULES)}")
    if probability.shape != (len(samples.labels), len(RULES)) or not np.allclose(
        probability.sum(1), 1
    ):
        _fail(made, "gives probabilities that do not sum to 1 over the classes")
    if not np.array_equal(probability, again):
        _fail(made, "is not reproducible; pass seed as random_state")
    decoder = FittedDecoder.train(made, samples, list(RULES), inner_folds=2, seed=_SEED)
    new = by_subject(planted_features(each=12, apart=3.0, seed=1), "activity")
    prediction = decoder.predict(new.values)
    accuracy = float((prediction.rule.to_numpy() == new.labels).mean())
    if accuracy < 0.6:
        _fail(made, f"identifies {accuracy:.2f} of rules that differ clearly")
    _check_saved(made, decoder, new.values)


def _made(classifier: str | type[Classifier] | Classifier) -> Classifier:
    if isinstance(classifier, str):
        return CLASSIFIERS[classifier]()  # type: ignore[no-any-return]
    made = classifier() if inspect.isclass(classifier) else classifier
    if not isinstance(made, Classifier):
        raise AssertionError(f"{type(made).__name__} does not derive from Classifier")  # noqa: TRY004
    if not hasattr(made, "name"):
        _fail(made, "has no name; put @CLASSIFIERS.register('...') above its class")
    return made


def _check_grids(classifier: Classifier, samples: Samples, layers: Samples) -> None:
    for name in get_args(GridName):
        grid = classifier.grid(name, samples if name == "strict" else layers)
        if not grid:
            _fail(classifier, f"has no setting in its {name} grid; {{}} is the default one")
        for setting in grid:
            try:
                clone(classifier.estimator(samples, _SEED)).set_params(**setting)
            except (TypeError, ValueError) as error:
                _fail(classifier, f"has a {name} setting {setting} that is refused: {error}")


def _fitted(classifier: Classifier, samples: Samples) -> Any:
    estimator = classifier.estimator(samples, _SEED)
    estimator.set_params(**classifier.grid("strict", samples)[0])
    for method in ("fit", "predict", "predict_proba"):
        if not hasattr(estimator, method):
            _fail(classifier, f"makes an estimator without {method}")
    try:
        with quiet_fits():
            return estimator.fit(samples.values, samples.labels)
    except ValueError as error:
        _fail(classifier, f"cannot be fitted to samples with missing values: {error}")


def _check_saved(classifier: Classifier, decoder: FittedDecoder, values: np.ndarray) -> None:
    try:
        estimator = load_estimators(dump_estimators(decoder, classifier), classifier)["estimator"]
    except (VirtuallabError, ValueError) as error:
        _fail(classifier, f"cannot be saved and loaded: {error}")
    again = replace(decoder, estimator=estimator)
    if not decoder.predict(values).dataset.equals(again.predict(values).dataset):
        _fail(classifier, "gives other predictions after it was saved and loaded")


def _fail(classifier: Classifier, what: str) -> Any:
    name = getattr(classifier, "name", type(classifier).__name__)
    raise AssertionError(f"classifier {name!r} {what}.")
