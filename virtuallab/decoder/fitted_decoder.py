"""A trained and calibrated decoder, ready for recordings that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jaxtyping as jt
import numpy as np
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.features.centring import Centres
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import (
    fit,
    held_out,
    nested,
    splits_of,
    stratified,
)
from virtuallab.decoder.pairs import count_rules
from virtuallab.decoder.prediction import Prediction
from virtuallab.decoder.uncertainty.calibration import temperature, tempered
from virtuallab.decoder.uncertainty.conformal import (
    Conformity,
    can_hold_out,
    own_p_values,
    share_at_least,
)
from virtuallab.decoder.uncertainty.no_learning import NoLearningTest, NullSamples
from virtuallab.decoder.uncertainty.novelty import NoveltyDetector, Values, share_as_far
from virtuallab.vocabulary import NO_LEARNING

_CALIBRATION_FOLDS = 10


@dataclass(frozen=True)
class FittedDecoder:
    """A decoder fitted to subjects of known rules, with the calibration of its predictions.

    Parameters
    ----------
    rules : tuple of str
        Rules that it can predict; with ``no_learning`` it can also answer that there was none.
    estimator : sklearn estimator
        Fitted to all training subjects.
    temperature : float
        Temperature of its probabilities.
    conformity : Conformity
        Nonconformity scores of training subjects, each by a decoder that was not fitted to it, or,
        with kinds of subjects, to none of its kind.
    own_p_value : array, (training subject,)
        P-value of each training subject's true rule, compared with other subjects, or with other
        kinds of subjects; ascending.
    detector : NoveltyDetector
    novelty, distance : array, (training subject,)
        Novelty score of each training subject, and its distance from its neighbours, by a detector
        that was not fitted to it; ascending.
    no_learning : NoLearningTest, optional
        Of a decoder that was trained with null recordings.
    centres : Centres, optional
        Of a decoder that reads features relative to the centre of their kind.
    """

    rules: tuple[str, ...]
    estimator: Any
    temperature: float
    conformity: Conformity
    own_p_value: jt.Float[np.ndarray, " training"]
    detector: NoveltyDetector
    novelty: jt.Float[np.ndarray, " training"]
    distance: jt.Float[np.ndarray, " training"]
    no_learning: NoLearningTest | None = None
    centres: Centres | None = None

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
        nulls: NullSamples | None = None,
        kinds: np.ndarray | None = None,
        centres: Centres | None = None,
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
        nulls : NullSamples, optional
            Samples of recordings without learning, made from the states of these subjects. The
            outliers count among the subjects that learned.
        kinds : array of str, (sample,), optional
            Kind of each subject, such as its architecture and task. If each rule has subjects of
            two kinds or more, probabilities and prediction sets are calibrated on subjects of kinds
            that were held out as a whole, so that they hold for a kind that was not in training.
            The answer that nothing was learned is calibrated within kinds.
        centres : Centres, optional
            If the samples, the outliers and the null recordings are relative to the centre of their
            kind: the centres, which the decoder keeps for recordings.
        """
        values, labels = samples.values, samples.labels
        truth = np.searchsorted(classes, labels)
        count = count_rules(labels.tolist(), samples.pairs)
        folds = min(_CALIBRATION_FOLDS, *(count[rule] for rule in classes))
        estimator = fit(nested(classifier, samples, inner_folds, seed), samples)
        splitter = stratified(folds, seed, paired=samples.pairs is not None)
        apart = samples.pairs
        if kinds is not None and can_hold_out(kinds, labels):
            splitter, apart = LeaveOneGroupOut(), kinds
        scores = held_out(clone(estimator), samples, splitter, "predict_proba", apart)
        # Subjects are held out of the whole detector: its axes depend on their values as well.
        novelty = np.zeros((len(labels), 2))
        for train, test in splits_of(samples, folds, seed):
            others = outliers and outliers.apart_from(samples.take(test))
            fitted = NoveltyDetector(others).fit(values[train], labels[train])
            novelty[test] = fitted.score(values[test])
        scale = temperature(scores, truth)
        probability = tempered(scores, scale)
        no_learning = None
        if nulls is not None:
            learned = [samples] if outliers is None else [samples, outliers]
            no_learning, learning = NoLearningTest.train(
                np.concatenate([each.values for each in learned]),
                np.concatenate([each.owners for each in learned]),
                nulls,
                seed,
            )
            probability = (
                probability * (1 - no_learning.probability(learning[: len(truth)]))[:, None]
            )
        apart = np.arange(len(truth)) if apart is None else apart
        return cls(
            rules=tuple(classes),
            estimator=estimator,
            temperature=scale,
            conformity=Conformity.of(probability, truth),
            own_p_value=np.sort(own_p_values(probability, truth, apart)),
            detector=NoveltyDetector(outliers).fit(values, labels),
            novelty=np.sort(novelty[:, 0]),
            distance=np.sort(novelty[:, 1]),
            no_learning=no_learning,
            centres=centres,
        )

    def predict(self, values: Values, references: Values | None = None) -> Prediction:
        """Predictions for recordings, from their samples.

        Parameters
        ----------
        values : array, (recording, column)
            Samples of recordings of one kind.
        references : array, (reference, column), optional
            Samples of references of this kind. A decoder with centres needs them, and no other
            takes them.

        Raises
        ------
        ValueError
            If references are missing, or are given to a decoder without centres.
        """
        if (references is None) != (self.centres is None):
            raise ValueError("references are for decoders with centres, which need them")
        if self.centres is not None and references is not None:
            values = values - self.centres.centre(references)
        scores = self.estimator.predict_proba(values)
        columns = [list(self.estimator.classes_).index(rule) for rule in self.rules]
        probability = tempered(scores[:, columns], self.temperature)
        novelty, distance = self.detector.score(values).T
        as_far = share_as_far(self.distance, distance)
        answers, test = self.rules, self.no_learning
        if test is None:
            p_value = self.conformity.p_values(probability)
        else:
            score = test.score(values)
            none = test.probability(score)
            probability = probability * (1 - none)[:, None]
            p_value = np.column_stack([self.conformity.p_values(probability), test.p_value(score)])
            probability = np.column_stack([probability, none])
            as_far = np.maximum(as_far, test.distance_p_value(values))
            answers = (*answers, NO_LEARNING)
        return Prediction.of(
            answers,
            probability=probability,
            p_value=p_value,
            novelty=novelty,
            novelty_p_value=share_at_least(self.novelty, novelty),
            distance_p_value=as_far,
        )

    def coverage(self, nominal: float) -> float:
        """Share of the training subjects whose prediction set would contain their rule."""
        return float((self.own_p_value > 1 - nominal).mean())
