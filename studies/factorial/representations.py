"""Ways in which a decoder reads features relative to references of their kind; none needs labels.

Each is fitted to the training subjects and their kinds. Training subjects are read relative to all
subjects of their kind, a tested subject relative to references of its kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, Self

import jaxtyping as jt
import numpy as np
from sklearn.covariance import ledoit_wolf
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from virtuallab.decoder.features.centring import Centres, variance_by_quartiles
from virtuallab.decoder.features.preprocessing import standardization

Values = jt.Float[np.ndarray, "subject column"]
References = jt.Float[np.ndarray, "reference column"]
Columns = jt.Float[np.ndarray, " column"]

_COMPONENTS: Final = 100
_LEAST: Final = 1e-3  # of the spread of all kinds
_OF_LOG_SPREAD: Final = 1.36  # variance of the log of a spread by quartiles, times the subjects
_FEWEST: Final = 4  # references whose quartiles say something of a spread


class Representation(Protocol):
    """Values as a decoder reads them."""

    @classmethod
    def of(cls, values: Values, kinds: np.ndarray) -> Self:
        """Fit to training subjects, (subject, column), and the kind of each, (subject,)."""

    def relative(self, values: Values, references: References) -> np.ndarray:
        """Values of subjects of one kind, (subject, feature), with references of this kind."""


def by_kind(representation: Representation, values: Values, kinds: np.ndarray) -> np.ndarray:
    """Values of subjects relative to all subjects of their kind, (subject, feature)."""
    rows = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    parts = [representation.relative(values[mine], values[mine]) for mine in rows]
    found: np.ndarray = np.concatenate(parts)[np.argsort(np.concatenate(rows))]
    return found


class AsTheyAre:
    """Values as they are recorded; references change nothing."""

    @classmethod
    def of(cls, values: Values, kinds: np.ndarray) -> Self:
        """Return a representation that has nothing to fit."""
        return cls()

    def relative(self, values: Values, references: References) -> np.ndarray:
        """Values as they are."""
        return values


@dataclass(frozen=True)
class Centred:
    """Values relative to the median of the references, shrunk when references are few."""

    centres: Centres

    @classmethod
    def of(cls, values: Values, kinds: np.ndarray) -> Self:
        """Fit the distribution of the centres of kinds."""
        return cls(Centres.of(values, kinds))

    def relative(self, values: Values, references: References) -> np.ndarray:
        """Values minus the centre of the references."""
        found: np.ndarray = values - self.centres.centre(references)
        return found


@dataclass(frozen=True)
class Scaled:
    """Centred values divided by the spread of the references, shrunk when references are few.

    The spread is that of a normal distribution with their quartiles. Its logarithm moves from the
    mean of all kinds towards that of the references by the weight B / (B + 1.36 / n), for the
    variance B between kinds and n references. Fewer than four references do not move it.
    """

    centred: Centred
    log_spread: Columns
    between: Columns

    @classmethod
    def of(cls, values: Values, kinds: np.ndarray) -> Self:
        """Fit the distributions of the centres and of the spreads of kinds."""
        centred = Centred.of(values, kinds)
        names, counts = np.unique(kinds, return_counts=True)
        within = centred.centres.within
        logs = np.array([_log_spread(values[kinds == name], within) for name in names])
        between = logs.var(0, ddof=1) - (_OF_LOG_SPREAD / counts).mean()
        return cls(centred, logs.mean(0), np.maximum(between, 0.0))

    def relative(self, values: Values, references: References) -> np.ndarray:
        """Values minus the centre of the references, in units of their spread."""
        log = self.log_spread
        if len(references) >= _FEWEST:
            weight = self.between / (self.between + _OF_LOG_SPREAD / len(references))
            log = log + weight * (_log_spread(references, self.centred.centres.within) - log)
        found: np.ndarray = self.centred.relative(values, references) / np.exp(log)
        return found


class AndScaled(Scaled):
    """Columns of the values as they are, and beside them those of the scaled values."""

    def relative(self, values: Values, references: References) -> np.ndarray:
        """Values, and values in units of the spread of the references around their centre."""
        return np.concatenate([values, super().relative(values, references)], axis=1)


def _log_spread(values: Values, within: Columns) -> Columns:
    """Logarithm of the spread of each column; 0 for a column that varies in no kind.

    A spread below a thousandth of that of all kinds counts as this much.
    """
    variance = np.nan_to_num(variance_by_quartiles(values))
    found: Columns = np.log(np.where(within > 0, np.maximum(variance, _LEAST**2 * within), 1.0)) / 2
    return found


@dataclass(frozen=True)
class Recoloured:
    """Leading components, with the covariance of the references transformed to a common one.

    It is correlation alignment (CORAL), with the mean over kinds as the target of all kinds. The
    covariance of few references is shrunk as by Ledoit and Wolf.

    References
    ----------
    Sun, Feng and Saenko 2016, "Return of Frustratingly Easy Domain Adaptation". Ledoit and Wolf
    2004, "A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices".
    """

    scaling: Pipeline
    components: PCA

    @classmethod
    def of(cls, values: Values, kinds: np.ndarray) -> Self:
        """Fit the components of subjects relative to the mean of their kind."""
        scaling = Pipeline(standardization())
        known = scaling.fit_transform(values)
        for name in np.unique(kinds):
            known[kinds == name] -= known[kinds == name].mean(0)
        count = min(_COMPONENTS, known.shape[1], len(known) - 1)
        return cls(scaling, PCA(count, whiten=True, random_state=0).fit(known))

    def relative(self, values: Values, references: References) -> np.ndarray:
        """Components of subjects, (subject, component), with the common covariance."""
        of_values, of_references = (
            self.components.transform(self.scaling.transform(each)) for each in (values, references)
        )
        power, axes = np.linalg.eigh(ledoit_wolf(of_references)[0])
        white = (axes / np.sqrt(np.maximum(power, _LEAST**2))) @ axes.T
        found: np.ndarray = (of_values - of_references.mean(0)) @ white
        return np.asarray(found * np.sqrt(self.components.explained_variance_))
