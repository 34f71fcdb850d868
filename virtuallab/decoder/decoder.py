"""The decoder as an estimator: fit it to features and rules, predict, evaluate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import xarray as xr

from virtuallab.decoder.analysis import Analysis, Observable
from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.features.samples import Samples, by_subject
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.prediction import Prediction
from virtuallab.decoder.schemes import published, strict
from virtuallab.decoder.tables import with_corrected_controls
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CLASSIFIERS
from virtuallab.vocabulary import RULE, SUBJECT

Features = xr.Dataset | xr.DataArray | np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """Result of :meth:`Decoder.evaluate`.

    Parameters
    ----------
    dataset : xr.Dataset
        As :func:`virtuallab.decoder.evaluation.evaluate` returns it, of one observable and one
        classifier.
    """

    dataset: xr.Dataset

    @property
    def accuracy(self) -> float:
        """Balanced accuracy on subjects held out of training."""
        return float(self.dataset["balanced_accuracy"])

    @property
    def interval(self) -> tuple[float, float]:
        """Confidence interval of the accuracy."""
        low, high = map(float, self.dataset["interval"].values)
        return low, high

    @property
    def confusion(self) -> xr.DataArray:
        """Subjects (true_rule, predicted_rule), averaged over draws of the folds."""
        return self.dataset["confusion"]

    @property
    def reliability(self) -> xr.Dataset:
        """Stated probability, observed accuracy and count of each bin; strict scheme only."""
        return self.dataset[[f"reliability_{name}" for name in ("stated", "observed", "count")]]

    @property
    def controls(self) -> xr.Dataset:
        """Accuracy, interval, p-value and outcome of each control (control,)."""
        return self.dataset[[n for n in self.dataset if str(n).startswith("control_")]]


class Decoder:
    """Identify learning rules from features, with calibrated probabilities.

    It needs no store and no protocol. Features are a table, (subject, column), or the features of a
    probe, from which the samples of an observable are made.

    Parameters
    ----------
    classifier : str or Classifier
        A registered classifier, by name, or one of your own.
    scheme : {"strict", "published"}
        Validation scheme of :meth:`evaluate`.
    observable : str
        Observable of a probe's features; "all" for all of them.
    folds, inner_folds, repeats, permutations : int
        As in the ``analyses`` section of a protocol.
    coverage : float
        Share of recordings whose prediction set contains the true rule.
    confidence : float
        Confidence of intervals and controls.
    seed : int

    Attributes
    ----------
    rules_ : tuple of str
        Rules of the training subjects; after :meth:`fit`.
    fitted_ : FittedDecoder
        After :meth:`fit`.

    Examples
    --------
    >>> import numpy as np
    >>> stream = np.random.default_rng(0)
    >>> rules = np.repeat(["adam", "sgd"], 40)
    >>> features = stream.standard_normal((80, 5)) + 2 * (rules == "sgd")[:, None]
    >>> prediction = Decoder(inner_folds=2).fit(features, rules).predict(features[:2])
    >>> prediction.rule.values.tolist()
    ['adam', 'adam']
    """

    def __init__(
        self,
        classifier: str | Classifier = "kernel_svm",
        scheme: Literal["strict", "published"] = "strict",
        *,
        observable: Observable = "all",
        folds: int = 5,
        inner_folds: int = 3,
        repeats: int = 5,
        permutations: int = 3,
        coverage: float = 0.9,
        confidence: float = 0.95,
        seed: int = 0,
    ) -> None:
        self.classifier = CLASSIFIERS[classifier]() if isinstance(classifier, str) else classifier
        self.observable = observable
        self.seed = seed
        self.analysis = Analysis(
            observables=(observable,),
            classifiers=(self.classifier.name,),
            scheme=scheme,
            folds=folds,
            inner_folds=inner_folds,
            repeats=repeats,
            permutations=permutations,
            coverage=coverage,
            confidence=confidence,
        )

    def fit(
        self,
        features: Features,
        rules: Sequence[str] | np.ndarray | None = None,
        *,
        outliers: Features | None = None,
    ) -> Decoder:
        """Choose settings, fit, and calibrate.

        Parameters
        ----------
        features : Dataset, DataArray or array, (subject, column)
        rules : sequence of str, (subject,), optional
            The rule of each subject; by default the coordinate ``rule`` of the features.
        outliers : like features, optional
            Subjects of other rules; novelty detection learns from them.

        Raises
        ------
        ValueError
            If there are fewer than two rules, or too few subjects of a rule.
        """
        samples = self._samples(features, rules)
        classes = sorted(set(samples.labels.tolist()))
        if len(classes) < 2:
            raise ValueError(f"needs subjects of at least two rules, found {classes}")
        counts = {rule: int((samples.labels == rule).sum()) for rule in classes}
        needed = self.analysis.inner_folds
        few = {rule: n for rule, n in counts.items() if n < needed}
        if few:
            raise ValueError(f"needs at least {needed} subjects of each rule, found {few}")
        self.fitted_ = FittedDecoder.train(
            self.classifier,
            samples,
            classes,
            inner_folds=self.analysis.inner_folds,
            seed=self.seed,
            outliers=None if outliers is None else self._values(outliers),
        )
        self.rules_ = self.fitted_.rules
        return self

    def predict(self, features: Features) -> Prediction:
        """Predict the rules of recordings.

        Parameters
        ----------
        features : Dataset, DataArray or array, (subject, column)

        Raises
        ------
        ValueError
            If the decoder is not fitted, or the features have other columns.
        """
        if not hasattr(self, "fitted_"):
            raise ValueError("this decoder is not fitted; call fit first")
        found = self.fitted_.predict(self._values(features))
        if isinstance(features, np.ndarray) or SUBJECT not in features.coords:
            return found
        return replace(found, dataset=found.dataset.assign_coords({SUBJECT: features[SUBJECT]}))

    def evaluate(
        self,
        features: Features,
        rules: Sequence[str] | np.ndarray | None = None,
        *,
        outliers: Features | None = None,
        subjects: xr.Dataset | None = None,
        performance: xr.DataArray | None = None,
        noise: xr.Dataset | None = None,
    ) -> Evaluation:
        """Evaluate the decoder on subjects held out of training, with controls and diagnostics.

        Controls that need what was not given are returned as not asked, with the reason.

        Parameters
        ----------
        features, rules, outliers
            As for :meth:`fit`.
        subjects : xr.Dataset, optional
            Settings of each subject (subject,).
        performance : xr.DataArray, optional
            Learning curves (subject, visit).
        noise : xr.Dataset, optional
            Features of a probe with the signal removed.

        Raises
        ------
        ValueError
            If there are too few rules or subjects, or the published scheme is asked of a table.
        """
        samples = self._samples(features, rules)
        classes = sorted(set(samples.labels.tolist()))
        faults = self.analysis.check(samples.labels.tolist(), (), ("features",))
        if faults:
            raise ValueError("; ".join(f"{field}: {message}" for field, message in faults))
        table = features if isinstance(features, xr.Dataset) else _as_dataset(features, samples)
        task = DecodingTask(
            classifier=self.classifier,
            features=table,
            samples=samples,
            observable=self.observable,
            classes=classes,
            folds=self.analysis.folds,
            inner_folds=self.analysis.inner_folds,
            seed=self.seed,
            permutations=self.analysis.permutations,
            draws=self.analysis.repeats,
            confidence=self.analysis.confidence,
            performance=performance,
            subjects=subjects,
            noise=noise,
        )
        if self.analysis.scheme == "published":
            if not isinstance(features, xr.Dataset):
                raise ValueError("the published scheme needs the features of a probe, by layer")
            found = published.evaluate(task, self.analysis)
        else:
            outside = None if outliers is None else self._values(outliers)
            found = strict.evaluate(task, self.analysis, outside)
        attributes = {
            "chance": 1 / len(classes),
            "scheme": self.analysis.scheme,
            "confidence": self.analysis.confidence,
            "repeats": self.analysis.repeats if self.analysis.scheme == "strict" else 1,
            "nominal_coverage": self.analysis.coverage,
            "n_subjects": len(samples.labels),
        }
        return Evaluation(with_corrected_controls(found.assign_attrs(attributes)))

    def _samples(
        self, features: Features, rules: Sequence[str] | np.ndarray | None = None
    ) -> Samples:
        if rules is None:
            if isinstance(features, np.ndarray) or RULE not in features.coords:
                raise ValueError("rules: give the rule of each subject")
            rules = features[RULE].values
        labels = np.array([str(rule) for rule in rules])
        if isinstance(features, xr.Dataset):
            features = features.assign_coords({RULE: (SUBJECT, labels.astype(object))})
            return by_subject(features, self.observable)
        values = self._values(features)
        if len(values) != len(labels):
            raise ValueError(f"rules: {len(labels)} for {len(values)} subjects")
        return Samples(values, labels, np.arange(len(values)), visits=1)

    def _values(self, features: Features) -> np.ndarray:
        """Values (subject, column) of a table, or of the samples of a probe's features."""
        if isinstance(features, xr.Dataset):
            unknown = np.full(features.sizes[SUBJECT], "unknown", dtype=object)
            labelled = features.assign_coords({RULE: (SUBJECT, unknown)})
            return by_subject(labelled, self.observable).values
        if isinstance(features, xr.DataArray):
            features = features.transpose(SUBJECT, ...)
        values = np.asarray(features, dtype=np.float64)
        if values.ndim != 2:
            raise ValueError(f"features: needs 2 dimensions (subject, column), found {values.ndim}")
        return values


def _as_dataset(features: xr.DataArray | np.ndarray, samples: Samples) -> xr.Dataset:
    """Names of subjects, for controls and predictions; a table has no visits or layers."""
    names = np.arange(len(samples.labels))
    if isinstance(features, xr.DataArray) and SUBJECT in features.coords:
        names = features[SUBJECT].to_numpy()
    return xr.Dataset(coords={SUBJECT: names, RULE: (SUBJECT, samples.labels.astype(object))})
