"""Centres of the features of each kind of subjects, which need no labels.

Kinds, such as networks of one architecture on one task, differ in where their features lie.
Relative to the centre of its kind, a subject can be compared with subjects of other kinds. The
centre of a kind that a decoder was not trained on is that of reference subjects.
"""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np
from scipy.stats import norm

from virtuallab.decoder.features.samples import mean_of_finite

Values = jt.Float[np.ndarray, "subject column"]
References = jt.Float[np.ndarray, "reference column"]
Columns = jt.Float[np.ndarray, " column"]

_QUARTILES = (0.25, 0.75)
_IN_QUARTILES = float(norm.ppf(0.75) - norm.ppf(0.25))  # of a normal distribution, in its sds
_OF_MEDIAN = np.pi / 2  # variance of the median of many normal values, in that of their mean


@dataclass(frozen=True)
class Centres:
    """Distribution of the centres of kinds, and the spread of subjects within a kind.

    Parameters
    ----------
    overall : array, (column,)
        Mean of the medians of all kinds.
    between : array, (column,)
        Variance of the centres of kinds around it, without that of medians of few subjects.
    within : array, (column,)
        Mean variance of subjects of one kind, by their quartiles.
    """

    overall: Columns
    between: Columns
    within: Columns

    @classmethod
    def of(cls, values: Values, kinds: np.ndarray) -> Centres:
        """Centres of subjects, from their values and the kind of each (subject,).

        Columns that are not finite in a kind are left out there; columns that are finite in none
        are not centred.
        """
        names = np.unique(kinds)
        parts = [values[kinds == name] for name in names]
        medians = np.array([_median(part) for part in parts])
        within = _over_kinds(np.array([variance_by_quartiles(part) for part in parts]))
        counts = np.array([np.isfinite(part).sum(0) for part in parts])
        sampling = _over_kinds(_OF_MEDIAN * within / np.where(counts > 0, counts, np.nan))
        overall = _over_kinds(medians)
        spread = np.zeros(len(overall))
        if len(names) > 1:
            spread = _over_kinds((medians - overall) ** 2) * len(names) / (len(names) - 1)
        return cls(overall, np.maximum(spread - sampling, 0.0), within)

    def centre(self, references: Values) -> Columns:
        """Centre of a kind, from references of this kind, (reference, column).

        It is the mean of the references' median and of the centre of all kinds, weighted by their
        precision: few references move it little.
        """
        count = np.isfinite(references).sum(0)
        sampling = _OF_MEDIAN * self.within / np.maximum(count, 1)
        total = self.between + sampling
        weight = np.divide(self.between, total, out=np.ones_like(total), where=total > 0)
        found = self.overall + weight * (_median(references) - self.overall)
        return np.where((count > 0) & np.isfinite(found), found, self.overall)

    def centred(self, values: Values, kinds: np.ndarray) -> Values:
        """Values of subjects minus the centre of their kind, which is made of these subjects."""
        return self.relative(values, kinds, values, kinds)

    def relative(
        self, values: Values, kinds: np.ndarray, references: References, reference_kinds: np.ndarray
    ) -> Values:
        """Values of subjects minus the centre of their kind, which is made of references.

        Parameters
        ----------
        values : array, (subject, column)
        kinds : array of str, (subject,)
        references : array, (reference, column)
        reference_kinds : array of str, (reference,)
            Kind of each reference. A kind without references has the centre of all kinds.

        Returns
        -------
        array, (subject, column)
        """
        found = values.copy()
        for name in np.unique(kinds):
            found[kinds == name] -= self.centre(references[reference_kinds == name])
        return found


def _median(values: Values) -> Columns:
    """Median of the finite values of each column; NaN where there are none."""
    found: Columns = _quantiles(values, (0.5,))[0]
    return found


def variance_by_quartiles(values: Values) -> Columns:
    """Variance of a normal distribution with the quartiles of each column; NaN without values."""
    low, high = _quantiles(values, _QUARTILES)
    found: Columns = ((high - low) / _IN_QUARTILES) ** 2
    return found


def _quantiles(values: Values, shares: tuple[float, ...]) -> jt.Float[np.ndarray, "share column"]:
    known = np.where(np.isfinite(values), values, np.nan)
    found = np.full((len(shares), values.shape[1]), np.nan)
    finite = np.isfinite(known)
    every, some = finite.all(0), finite.any(0)
    if len(known) and every.any():
        # The same values as below, without a call for each column.
        found[:, every] = np.quantile(known[:, every], shares, axis=0)
    if (rest := some & ~every).any():
        found[:, rest] = np.nanquantile(known[:, rest], shares, axis=0)
    return found


def _over_kinds(values: jt.Float[np.ndarray, "kind column"]) -> Columns:
    """Mean of the finite values of each column; 0 where there are none."""
    found: Columns = np.nan_to_num(mean_of_finite(values, 0))
    return found
