"""What was asked of a recording: all that its controls need to ask the same of something else."""

from __future__ import annotations

from dataclasses import dataclass, replace

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.samples import Samples
from virtuallab.decoder.strict import Outcome, cross_validated
from virtuallab.vocabulary import SUBJECT, VISIT


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question put to a recording: a classifier, an observable, and how it is validated.

    Parameters
    ----------
    classifier : Classifier
    features : xr.Dataset
        Of one probe.
    samples : Samples
        What the classifier was given of the recording.
    observable : str
    classes : list of str
        Every rule there is.
    folds, inner_folds : int
    seed : int
    permutations : int
        Times that labels are shuffled, or folds drawn, by the controls that do so; at least once.
    draws : int
        Draws of the folds over which the recording's accuracy is averaged.
    confidence : float
        Of every interval, and of each control judged alone.
    outcome : Outcome, optional
        What came of the recording itself; decoded anew where it is not given.
    performance : xr.DataArray, optional
        Validation accuracy, dims (subject, visit), with both as coordinates. It is truth, which no
        probe sees, and no part of the features.
    subjects : xr.Dataset, optional
        What was decided about each subject, over ``subject``; what it lacks is looked for among the
        coordinates of the features.
    noise : xr.Dataset, optional
        Features of the same subjects, recorded where the signal was removed and the noise was kept.
        None where the probe has no noise.
    """

    classifier: Classifier
    features: xr.Dataset
    samples: Samples
    observable: str
    classes: list[str]
    folds: int
    inner_folds: int
    seed: int
    permutations: int
    draws: int = 1
    confidence: float = 0.95
    outcome: Outcome | None = None
    performance: xr.DataArray | None = None
    subjects: xr.Dataset | None = None
    noise: xr.Dataset | None = None

    @property
    def labels(self) -> np.ndarray:
        """Rule of each sample."""
        return self.samples.labels

    @property
    def repeats(self) -> int:
        """How often a control is drawn anew."""
        return max(self.permutations, 1)

    def decoded(
        self, samples: Samples, *, select: bool, redrawn: int = 0, draws: int = 1
    ) -> Outcome:
        """Ask the same of other samples, by the same folds unless they are redrawn.

        Parameters
        ----------
        samples : Samples
        select : bool
            Choose settings as for the recording; otherwise the middle of the grid is taken.
        redrawn : int
            Which other draw of the folds.
        draws : int
            Over how many draws to average.
        """
        return cross_validated(
            self.classifier,
            samples,
            self.classes,
            folds=self.folds,
            inner_folds=self.inner_folds,
            seed=self.seed + redrawn,
            select=select,
            repeats=draws,
        )

    def answered(self) -> Question:
        """Return it with what came of the recording itself."""
        if self.outcome is not None:
            return self
        return replace(self, outcome=self.decoded(self.samples, select=True, draws=self.draws))

    def column(self, name: str) -> np.ndarray | None:
        """Return what was decided about each recorded subject; None where it is not known."""
        if self.subjects is not None and name in self.subjects:
            mine = self.subjects[name].sel({SUBJECT: self.features[SUBJECT].values})
            return np.asarray(mine.values)
        if name in self.features.coords and self.features[name].dims == (SUBJECT,):
            return np.asarray(self.features[name].values)
        return None

    def curve(self) -> jt.Float[np.ndarray, "subject visit"] | None:
        """Learning curve of each recorded subject at the recorded visits; None if not given."""
        if self.performance is None:
            return None
        here = {name: self.features[name].values for name in (SUBJECT, VISIT)}
        found = self.performance.sel(here).transpose(SUBJECT, VISIT)
        return np.asarray(found.values, dtype=np.float64)

    def known(self, values: jt.Float[np.ndarray, "subject column"], visits: int = 1) -> Samples:
        """Make samples of something that is known of each recorded subject."""
        return Samples(values, self.labels, np.arange(len(values)), visits)


def among(samples: Samples, rows: jt.Int[np.ndarray, " row"]) -> Samples:
    """Keep some samples."""
    return replace(
        samples,
        values=samples.values[rows],
        labels=samples.labels[rows],
        owners=samples.owners[rows],
    )
