"""A trained and calibrated decoder, ready for recordings that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jaxtyping as jt
import numpy as np
from sklearn.base import clone

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import fit, held_out, nested, splits_of, stratified
from virtuallab.decoder.pairs import count_rules
from virtuallab.decoder.prediction import Prediction
from virtuallab.decoder.uncertainty.calibration import temperature, tempered
from virtuallab.decoder.uncertainty.conformal import Conformity, share_at_least
from virtuallab.decoder.uncertainty.novelty import NoveltyDetector, Values

_CALIBRATION_FOLDS = 10


@dataclass(frozen=True)
class FittedDecoder:
    """A decoder fitted to subjects of known rules, with the calibration of its predictions.

    Parameters
    ----------
    rules : tuple of str
        Rules that it can predict.
    estimator : sklearn estimator
        Fitted to all training subjects.
    temperature : float
        Temperature of its probabilities.
    conformity : Conformity
        Nonconformity scores of training subjects, each by a decoder that was not fitted to it.
    detector : NoveltyDetector
    novelty, distance : array, (training subject,)
        Novelty score of each training subject, and its distance from its neighbours, by a detector
        that was not fitted to it; ascending.
    """

    rules: tuple[str, ...]
    estimator: Any
    temperature: float
    conformity: Conformity
    detector: NoveltyDetector
    novelty: jt.Float[np.ndarray, " training"]
    distance: jt.Float[np.ndarray, " training"]

    @classmethod
    def train(
        cls,
        classifier: Classifier,
        samples: Samples,
        classes: list[str],
        *,
        inner_folds: int,
        seed: int,
        outliers: Samples | None = None,
    ) -> FittedDecoder:
        """Return a decoder whose settings and calibration come from folds within the samples.

        Parameters
        ----------
        classifier, samples, classes, inner_folds, seed
            As for :func:`~virtuallab.decoder.schemes.cross_validation.cross_validate`. Calibration
            uses ten folds, or as many as the rarest rule has samples: with more folds, their
            decoders are closer to the final one. Pairs stay together in every fold.
        outliers : Samples, optional
            Samples of rules outside the classes, on which novelty detection is trained.
        """
        values, labels = samples.values, samples.labels
        truth = np.searchsorted(classes, labels)
        count = count_rules(labels.tolist(), samples.pairs)
        folds = min(_CALIBRATION_FOLDS, *(count[rule] for rule in classes))
        splitter = stratified(folds, seed, paired=samples.pairs is not None)
        estimator = fit(nested(classifier, samples, inner_folds, seed), samples)
        scores = held_out(clone(estimator), samples, splitter, "predict_proba")
        # Subjects are held out of the whole detector: its axes depend on their values as well.
        novelty = np.zeros((len(labels), 2))
        for train, test in splits_of(samples, folds, seed):
            others = outliers and outliers.apart_from(samples.take(test))
            fitted = NoveltyDetector(others).fit(values[train], labels[train])
            novelty[test] = fitted.score(values[test])
        scale = temperature(scores, truth)
        return cls(
            rules=tuple(classes),
            estimator=estimator,
            temperature=scale,
            conformity=Conformity.of(tempered(scores, scale), truth),
            detector=NoveltyDetector(outliers).fit(values, labels),
            novelty=np.sort(novelty[:, 0]),
            distance=np.sort(novelty[:, 1]),
        )

    def predict(self, values: Values) -> Prediction:
        """Predictions for recordings, from their samples."""
        scores = self.estimator.predict_proba(values)
        columns = [list(self.estimator.classes_).index(rule) for rule in self.rules]
        probability = tempered(scores[:, columns], self.temperature)
        novelty, distance = self.detector.score(values).T
        nearer = np.searchsorted(self.distance, distance, side="left")
        return Prediction.of(
            self.rules,
            probability=probability,
            p_value=self.conformity.p_values(probability),
            novelty=novelty,
            novelty_p_value=share_at_least(self.novelty, novelty),
            distance_p_value=1 - nearer / len(self.distance),
        )
