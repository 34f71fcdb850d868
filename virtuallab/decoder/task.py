"""A decoding task: features, classifier and validation, shared by a decoder and its controls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.schemes.cross_validation import CrossValidated, cross_validate
from virtuallab.vocabulary import SUBJECT, VISIT

_MOST_RESULTS: Final = 16
_RESULTS: dict[Any, CrossValidated] = {}  # of samples without a recording, oldest first


@dataclass(frozen=True, kw_only=True)
class DecodingTask:
    """Identification of the rules of subjects from one observable by one classifier.

    Parameters
    ----------
    analysis : Analysis
        Folds, permutations and confidence.
    classifier : Classifier
    features : xr.Dataset
        Features of one probe; of a table of other features, the names and rules of its subjects.
    samples : Samples
        Samples of the observable, one a subject.
    observable : str
    seed : int
    result : CrossValidated, optional
        Result for the recording itself; see :meth:`solved`.
    performance : xr.DataArray, optional
        Validation accuracy (subject, visit), with coordinates; for controls only.
    subjects : xr.Dataset, optional
        Settings of each subject (subject,); for controls only. Coordinates of the features replace
        settings that it does not have.
    noise : xr.Dataset, optional
        Features of the same subjects with the signal removed; None if the probe has no noise.
    """

    analysis: Analysis
    classifier: Classifier
    features: xr.Dataset
    samples: Samples
    observable: str
    seed: int
    result: CrossValidated | None = None
    performance: xr.DataArray | None = None
    subjects: xr.Dataset | None = None
    noise: xr.Dataset | None = None

    @property
    def labels(self) -> np.ndarray:
        """Rule of each sample."""
        return self.samples.labels

    @property
    def classes(self) -> list[str]:
        """All rules, sorted."""
        return sorted(set(self.labels.tolist()))

    @property
    def confidence(self) -> float:
        """Confidence of every interval, and of each control alone."""
        return self.analysis.confidence

    @property
    def subjects_per_rule(self) -> jt.Float[np.ndarray, " rule"]:
        """Number of subjects of each rule."""
        return per_rule(self.labels, self.classes)

    @property
    def repeats(self) -> int:
        """Number of permutations of the labels, or draws of the folds, in controls."""
        return max(self.analysis.permutations, 1)

    def decode(
        self, samples: Samples, *, select: bool, offset: int = 0, draws: int = 1
    ) -> CrossValidated:
        """Cross-validated result of other samples of the same subjects.

        Parameters
        ----------
        samples : Samples
        select : bool
            Choose settings as for the recording; otherwise use the middle of the grid.
        offset : int
            Added to the seed: 0 gives the folds of the recording.
        draws : int
            Draws of the folds to average over.

        Returns
        -------
        CrossValidated
        """
        return cross_validate(
            self.classifier,
            samples,
            self.classes,
            folds=self.analysis.folds,
            inner_folds=self.analysis.inner_folds,
            seed=self.seed + offset,
            select=select,
            repeats=draws,
        )

    def decode_settings(self, samples: Samples, *, select: bool, draws: int = 1) -> CrossValidated:
        """Cross-validated result of samples that are made without a recording.

        Tasks of other observables decode the same samples, in the same folds: the result is
        computed once in each process. Parameters are those of :meth:`decode`.
        """
        if type(self.classifier).__hash__ is None:  # of another package, with settings in a list
            return self.decode(samples, select=select, draws=draws)
        folds = self.analysis.folds, self.analysis.inner_folds, self.seed, draws, select
        key: tuple[Any, ...] = (
            self.classifier,
            *self.classes,
            *folds,
            samples.visits,
            samples.context,
        )
        for values in (samples.values, samples.owners, samples.labels, samples.pairs):
            if values is not None:
                text = values.dtype.kind == "O"
                key = (*key, values.shape, tuple(values) if text else values.tobytes())
        if key not in _RESULTS:
            result = self.decode(samples, select=select, draws=draws)
            if len(_RESULTS) >= _MOST_RESULTS:
                _RESULTS.pop(next(iter(_RESULTS)))
            _RESULTS[key] = result
        return _RESULTS[key]

    def solved(self) -> CrossValidated:
        """Return the result for the recording itself, which is computed unless it was given."""
        return self.result or self.decode(self.samples, select=True, draws=self.analysis.repeats)

    def with_result(self) -> DecodingTask:
        """Return the task with the result for the recording itself."""
        return replace(self, result=self.solved())

    def column(self, name: str) -> np.ndarray | None:
        """Return a setting of each recorded subject; None if it is not known."""
        if self.subjects is not None and name in self.subjects:
            mine = self.subjects[name].sel({SUBJECT: self.features[SUBJECT].values})
            return np.asarray(mine.values)
        if name in self.features.coords and self.features[name].dims == (SUBJECT,):
            return np.asarray(self.features[name].values)
        return None

    def learning_curve(self) -> jt.Float[np.ndarray, "subject visit"] | None:
        """Return the validation accuracy (subject, visit) when recorded; None if not given."""
        if self.performance is None:
            return None
        coords = self.features.coords  # a table of other features has no visits
        recorded = {name: coords[name].values for name in (SUBJECT, VISIT) if name in coords}
        found = self.performance.sel(recorded).transpose(SUBJECT, VISIT)
        return np.asarray(found.values, dtype=np.float64)

    def samples_of(
        self, values: jt.Float[np.ndarray, "subject column"], visits: int = 1
    ) -> Samples:
        """Return other values of each recorded subject (subject, column) as samples."""
        return self.paired(Samples(values, self.labels, np.arange(len(values)), visits))

    def paired(self, samples: Samples) -> Samples:
        """Return other samples of the recorded subjects, with the pairs of these subjects."""
        return replace(samples, pairs=self.samples.pairs)


def per_rule(labels: np.ndarray, classes: list[str]) -> jt.Float[np.ndarray, " rule"]:
    """Number of occurrences of each rule."""
    return np.array([float((labels == rule).sum()) for rule in classes])
