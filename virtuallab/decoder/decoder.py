"""The decoder as a scikit-learn estimator: fit it to features and rules, predict, evaluate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import TypeAdapter, ValidationError
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from virtuallab.decoder.analysis import Analysis, Observable
from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.evaluation import evaluate_task
from virtuallab.decoder.features.inputs import (
    Features,
    check_columns,
    check_labels,
    labelled,
    outliers_of,
    samples_of,
    values_of,
)
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.pairs import count_rules
from virtuallab.decoder.prediction import Prediction
from virtuallab.decoder.tables import with_corrected_controls
from virtuallab.decoder.task import DecodingTask
from virtuallab.errors import UserError
from virtuallab.registry import CLASSIFIERS
from virtuallab.vocabulary import PAIR, SUBJECT


@dataclass(frozen=True)
class Evaluation:
    """Result of :meth:`Decoder.evaluate`.

    Parameters
    ----------
    dataset : xr.Dataset
        Variables of :func:`virtuallab.decoder.evaluation.evaluate`, of one observable and one
        classifier.
    """

    dataset: xr.Dataset

    @property
    def accuracy(self) -> float:
        """Balanced accuracy on subjects held out of training."""
        return float(self.dataset["balanced_accuracy"])

    @property
    def interval(self) -> tuple[float, float]:
        """Confidence interval of the accuracy: (low, high)."""
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


class Decoder(BaseEstimator):  # type: ignore[misc]
    """Decoder of learning rules from features, with calibrated probabilities.

    It needs no store and no protocol. Features are a table (subject, column), as an array, a data
    frame or a DataArray with the dimension ``subject``, or a Dataset with the features of a probe,
    from which the samples of an observable are made. Missing values (NaN) are replaced by the
    median of the training subjects.

    Parameters
    ----------
    classifier : str or Classifier
        A registered classifier, by name, or an instance of a plug-in.
    scheme : {"strict", "published"}
        Validation scheme of :meth:`evaluate`; "published" needs the features of a probe.
    observable : {"activity", "weights", "activity_change", "all", "theory"}
        Observable that is read from the features of a probe; "theory" in the strict scheme only.
    folds : int
        Groups of subjects, each tested once.
    inner_folds : int
        Groups of training subjects by which the classifier's settings are chosen.
    repeats : int
        Draws of the folds over which the accuracy is averaged.
    permutations : int
        Permutations of the labels in controls.
    coverage : float
        Share of recordings whose prediction set contains the true rule.
    confidence : float
        Confidence of intervals and controls.
    seed : int
        Seed of folds, permutations and classifiers.

    Attributes
    ----------
    rules_ : tuple of str
        Rules of the training subjects; after :meth:`fit`.
    n_features_in_ : int
        Number of columns of the training samples; after :meth:`fit`.
    fitted_ : FittedDecoder
        After :meth:`fit`.

    Raises
    ------
    UserError
        If a parameter is not valid.

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
        self.classifier = classifier
        self.scheme = scheme
        self.observable = observable
        self.folds = folds
        self.inner_folds = inner_folds
        self.repeats = repeats
        self.permutations = permutations
        self.coverage = coverage
        self.confidence = confidence
        self.seed = seed
        self._validated()

    def fit(
        self,
        features: Features,
        rules: Sequence[str] | np.ndarray | None = None,
        *,
        groups: Sequence[Any] | np.ndarray | None = None,
        outliers: Features | None = None,
    ) -> Decoder:
        """Return the decoder with chosen settings, fitted and calibrated.

        Parameters
        ----------
        features : Dataset, DataArray or array, (subject, column)
        rules : sequence of str, (subject,), optional
            Rule of each subject; by default the coordinate ``rule`` of the features.
        groups : sequence, (subject,), optional
            Pair of each subject, in a paired design: subjects that share random streams are kept
            in one fold. By default the coordinate ``pair`` of the features, if there is one.
        outliers : like features, optional
            Subjects of other rules, on which novelty detection is trained.

        Raises
        ------
        UserError
            If the features or rules are not valid, or there are too few rules or subjects.
        """
        analysis, classifier = self._validated()
        samples = samples_of(features, rules, self.observable, groups)
        needed = analysis.inner_folds
        count = count_rules(samples.labels.tolist(), samples.pairs)
        few = {rule: n for rule, n in sorted(count.items()) if n < needed}
        if few:
            what = "subjects" if samples.pairs is None else "pairs"
            raise UserError(f"rules: needs at least {needed} {what} of each rule, found {few}")
        self.fitted_ = FittedDecoder.train(
            classifier,
            samples,
            sorted(set(samples.labels.tolist())),
            inner_folds=needed,
            seed=self.seed,
            outliers=self._outliers(outliers, samples),
        )
        self.rules_ = self.fitted_.rules
        self.n_features_in_ = samples.values.shape[1]
        return self

    def predict(self, features: Features) -> Prediction:
        """Return predictions for recordings: probabilities, prediction sets and novelty.

        Parameters
        ----------
        features : Dataset, DataArray or array, (subject, column)

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the decoder is not fitted.
        UserError
            If the features are not valid, or have other columns.
        """
        check_is_fitted(self, "fitted_")
        values = values_of(features, self.observable)
        check_columns(values, self.n_features_in_)
        found = self.fitted_.predict(values)
        if isinstance(features, xr.Dataset | xr.DataArray) and SUBJECT in features.coords:
            # Names alone: the features may have coordinates, such as their rules, of their own.
            named = found.dataset.assign_coords({SUBJECT: features[SUBJECT].to_numpy()})
            return replace(found, dataset=named)
        return found

    def evaluate(
        self,
        features: Features,
        rules: Sequence[str] | np.ndarray | None = None,
        *,
        groups: Sequence[Any] | np.ndarray | None = None,
        outliers: Features | None = None,
        subjects: xr.Dataset | None = None,
        performance: xr.DataArray | None = None,
        noise: xr.Dataset | None = None,
    ) -> Evaluation:
        """Return the accuracy on subjects held out of training, with controls and diagnostics.

        A control is not evaluated, and states the reason, if the data that it needs are not given.

        Parameters
        ----------
        features : Dataset, DataArray or array, (subject, column)
        rules : sequence of str, (subject,), optional
            Rule of each subject; by default the coordinate ``rule`` of the features.
        groups : sequence, (subject,), optional
            Pair of each subject, as for :meth:`fit`.
        outliers : like features, optional
            Subjects of other rules, on which novelty detection is trained.
        subjects : xr.Dataset, optional
            Settings of each subject (subject,), for controls: ``plasticity`` (the rule, without its
            optimizer), ``architecture``, ``task``, ``steps``, ``learning_rate``, ...
        performance : xr.DataArray, optional
            Validation accuracy (subject, visit), for controls.
        noise : xr.Dataset, optional
            Features of a probe with the signal removed, for a control.

        Raises
        ------
        UserError
            If what is given is not valid, or there are too few rules or subjects.
        """
        analysis, classifier = self._validated()
        samples = samples_of(features, rules, self.observable, groups)
        pairs = None if samples.pairs is None else samples.pairs.tolist()
        if problems := analysis.check(samples.labels.tolist(), (), ("features",), pairs=pairs):
            raise UserError("; ".join(f"{field}: {message}" for field, message in problems))
        table = labelled(features, samples.labels)
        if samples.pairs is not None:
            table = table.assign_coords({PAIR: (SUBJECT, samples.pairs)})
        if self.scheme == "published" and "stat" not in table:
            raise UserError("features: the published scheme needs those of a probe, by layer")
        check_labels(table, subjects=subjects, performance=performance, noise=noise)
        task = DecodingTask(
            analysis=analysis,
            classifier=classifier,
            features=table,
            samples=samples,
            observable=self.observable,
            seed=self.seed,
            subjects=subjects,
            performance=performance,
            noise=noise,
        )
        found = evaluate_task(task, self._outliers(outliers, samples))
        return Evaluation(with_corrected_controls(found))

    def _validated(self) -> tuple[Analysis, Classifier]:
        """Parameters as an analysis, and the classifier."""
        classifier = self.classifier
        if isinstance(classifier, str):
            classifier = CLASSIFIERS[classifier]()
        if not isinstance(classifier, Classifier):
            raise UserError(
                "classifier: needs the name of a registered classifier or an instance of "
                f"virtuallab's Classifier, found {type(classifier).__name__}"
            )
        given = self.get_params(deep=False)
        del given["classifier"], given["seed"]
        given["observables"] = (given.pop("observable"),)
        try:
            return TypeAdapter(Analysis).validate_python(given), classifier
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]).replace("observables", "observable")
            raise UserError(f"{name}: {first['msg']}, found {first['input']!r}") from None

    def _outliers(self, outliers: Features | None, samples: Samples) -> Samples | None:
        if outliers is None:
            return None
        found = outliers_of(outliers, self.observable)
        check_columns(found.values, samples.values.shape[1], "outliers")
        return found
