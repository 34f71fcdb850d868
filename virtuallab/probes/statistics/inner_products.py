r"""Inner products of a layer's responses between visits.

With :math:`G_{vw} = x_v \cdot x_w` over the visits, distances, angles and the length of the path
are sums of a few entries of :math:`G`. The tuning (without the part that all stimuli share) and its
class part change :math:`G` by a low-rank term, so the same measures of those parts cost no more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import jaxtyping as jt
import numpy as np

from virtuallab.vocabulary import NO_CLASS

PerVisit = jt.Float[np.ndarray, " visit"]
Gram = jt.Float[np.ndarray, "visit visit"]
UnitGram = jt.Float[np.ndarray, "visit visit unit"]
Pattern = jt.Float[np.ndarray, "_ sample unit"]  # over visits, or the movements between them
Labels = jt.Int[np.ndarray, " stimulus"]
Followed = jt.Bool[np.ndarray, "visit visit unit"]
Observed = jt.Bool[np.ndarray, "stimulus unit"]

# Squared, in units of the squared norm: responses in single precision cannot move by less.
STILL: Final = 1e-14

# Undefined values are NaN: a dead layer has no direction, an exploded one no length.
QUIET: Final = np.errstate(divide="ignore", invalid="ignore", over="ignore")


@dataclass(frozen=True)
class LayerResponses:
    """Responses of one layer, and what is known of its stimuli and units.

    Parameters
    ----------
    values : array, (visit, stimulus, unit)
    labels : array of int, (stimulus,), optional
        Class of each stimulus, ``NO_CLASS`` where it is unknown.
    followed : array of bool, (visit, visit, unit), optional
        Whether a unit was recorded from the one visit to the other; all if not given.
    observed : array of bool, (stimulus, unit), optional
        Whether a response was measured at every visit; all were if not given.
    """

    values: np.ndarray
    labels: Labels | None = None
    followed: Followed | None = None
    observed: Observed | None = None

    def measured(self) -> LayerResponses | None:
        """Responses without stimuli and units that were never measured; None if nothing is left."""
        if self.observed is None or self.observed.all():
            return replace(self, observed=None)
        stimuli, units = (np.flatnonzero(self.observed.any(axis)) for axis in (1, 0))
        if not len(units):
            return None
        found = self._part(stimuli, units)
        assert found.observed is not None
        return replace(found, observed=None) if found.observed.all() else found

    def filled(self) -> LayerResponses:
        """Responses in which the unit's mean at the visit replaces each missing response.

        The unit's mean stays that of its measured responses, and its tuning and movement are 0
        where responses are missing: inner products are those of the measured responses.
        """
        if self.observed is None:
            return self
        exact = np.where(self.observed, self.values, 0.0).astype(np.float64)
        mean = exact.sum(1, keepdims=True) / self.observed.sum(0)
        filled = np.where(self.observed, self.values, mean).astype(self.values.dtype)
        return replace(self, values=filled)

    def of_known_class(self) -> LayerResponses | None:
        """Responses to the stimuli whose class is known; None if there are none."""
        if self.labels is None:
            return None
        known = self.labels != NO_CLASS
        if known.all() or not known.any():
            return self if known.any() else None
        return self._part(known)

    def _part(self, stimuli: np.ndarray, units: np.ndarray | None = None) -> LayerResponses:
        values, followed, observed = self.values[:, stimuli], self.followed, self.observed
        if units is not None:
            values = values[..., units]
            followed = None if followed is None else followed[..., units]
        if observed is not None:
            observed = observed[stimuli if units is None else np.ix_(stimuli, units)]
        labels = None if self.labels is None else self.labels[stimuli]
        return LayerResponses(values, labels, followed, observed)


def grams(responses: LayerResponses) -> tuple[Gram, Gram, Gram | None]:
    """Inner products between visits of the responses, of their tuning, and of its class part.

    Where units were lost between two visits, the angle is that of the units that were followed, and
    the lengths are those of all: NaN if none was followed.

    Parameters
    ----------
    responses : LayerResponses
        In double precision and :meth:`~LayerResponses.filled`; all labels known.

    Returns
    -------
    whole : array, (visit, visit)
        Of the whole pattern.
    tuned : array, (visit, visit)
        Of each unit's deviations from its mean response.
    classes : array, (visit, visit), or None without labels
        Of those deviations averaged in each class, weighted by its size: a share of ``tuned`` as
        in an analysis of variance.
    """
    values, labels, followed = responses.values, responses.labels, responses.followed
    mean = values.mean(1, keepdims=True) * np.sqrt(values.shape[1])
    classes = None
    if labels is not None and responses.observed is not None:
        # Each unit has its own number of stimuli in a class: what is common to all stimuli is
        # subtracted before the average, not after.
        deviations = values - values.mean(1, keepdims=True)
        return _observed_grams(responses, mean, class_means(deviations, labels, responses.observed))
    if labels is not None:
        classes = class_means(values, labels)
    if followed is not None:
        return _followed_grams(values, mean, classes, followed)
    whole, common = _product(values), mean[:, 0] @ mean[:, 0].T
    tuned = _remainder(whole, common)
    return whole, tuned, None if classes is None else _remainder(_product(classes), common)


def class_means(
    pattern: Pattern, labels: Labels, observed: Observed | None = None
) -> jt.Float[np.ndarray, "_ label unit"]:
    """Mean over the stimuli of each class, times the root of their number.

    Parameters
    ----------
    pattern : array, (visit or movement, stimulus, unit)
        0 where it was not observed.
    labels : array, (stimulus,)
    observed : array of bool, (stimulus, unit), optional
        Whether a response was measured; all were if not given.
    """
    if observed is None:
        return np.asarray(np.matmul(class_weights(labels), pattern))
    belongs = (np.unique(labels)[:, None] == labels).astype(np.float64)
    return np.asarray(np.matmul(belongs, pattern) / np.sqrt(np.maximum(belongs @ observed, 1)))


def class_weights(labels: Labels) -> jt.Float[np.ndarray, "label stimulus"]:
    """Weights that average the stimuli of each class, times the root of their number.

    Not to be written to: labels of one recording after the other are the same, and their weights
    are computed once.
    """
    return _class_weights(labels.tobytes(), labels.dtype.str)


@lru_cache(maxsize=16)
def _class_weights(labels: bytes, dtype: str) -> jt.Float[np.ndarray, "label stimulus"]:
    each = np.frombuffer(labels, np.dtype(dtype))
    belongs: np.ndarray = (np.unique(each)[:, None] == each).astype(np.float64)
    belongs /= np.sqrt(belongs.sum(1, keepdims=True))
    belongs.flags.writeable = False
    return belongs


def followed_units(matched: jt.Bool[np.ndarray, "visit unit"]) -> Followed:
    """Units that were followed from one visit to another, as booleans (visit, visit, unit).

    Parameters
    ----------
    matched : array of bool, (visit, unit)
        Whether a unit is that of the visit before; the first visit does not matter.
    """
    losses = np.cumsum(~matched, axis=0)
    followed: np.ndarray = losses[:, None] == losses[None]
    return followed


def since_last_visit(followed: Followed) -> jt.Bool[np.ndarray, "movement unit"]:
    """Units that were followed since the visit before, from the second visit on."""
    since: np.ndarray = np.einsum("vvu->vu", followed[1:, :-1])
    return since


def _product(pattern: Pattern) -> Gram:
    flat = pattern.reshape(len(pattern), -1)
    product: np.ndarray = flat @ flat.T
    return product


def _observed_grams(
    responses: LayerResponses, mean: np.ndarray, classes: np.ndarray
) -> tuple[Gram, Gram, Gram]:
    values, followed = responses.values, responses.followed
    if followed is not None:
        whole, tuned, _ = _followed_grams(values, mean, None, followed)
        return whole, tuned, _matched(_by_unit(classes), followed)
    whole, power = _product(values), np.einsum("vsu,vsu->v", values, values)
    tuned = _remainder(whole, mean[:, 0] @ mean[:, 0].T)
    left = _product(classes)
    # As in _remainder: at a visit without tuning only rounding is left.
    tuned_at = ~(np.diag(left) <= STILL * power)
    return whole, tuned, left * (tuned_at[:, None] & tuned_at)


def _followed_grams(
    values: Pattern, mean: np.ndarray, classes: np.ndarray | None, followed: Followed
) -> tuple[Gram, Gram, Gram | None]:
    whole, common = _by_unit(values), _by_unit(mean)
    tuned = _matched(_remainder(whole, common), followed)
    of_classes = None
    if classes is not None:
        of_classes = _matched(_remainder(_by_unit(classes), common), followed)
    return _matched(whole, followed), tuned, of_classes


def _by_unit(pattern: Pattern) -> UnitGram:
    """Inner products between visits, of each unit by itself."""
    units = pattern.transpose(2, 0, 1)
    products: np.ndarray = np.matmul(units, units.transpose(0, 2, 1))
    return products.transpose(1, 2, 0)


def _matched(products: UnitGram, followed: Followed) -> Gram:
    """Inner products as if all units were those followed from one visit to the other."""
    power = np.einsum("vvu->vu", products)
    mine = np.einsum("vu,vwu->vw", power, followed)  # of the first visit's units, those followed
    cosine = (products * followed).sum(2) / np.sqrt(mine * mine.T)
    # Silent units have no direction; two silences are alike.
    silent = np.where(mine == mine.T, 1.0, 0.0)
    cosine = np.where((mine * mine.T == 0) & followed.any(2), silent, cosine)
    length = np.sqrt(power.sum(1))
    found: Gram = cosine * np.outer(length, length)
    np.fill_diagonal(found, power.sum(1))
    return found


def _remainder(
    whole: jt.Float[np.ndarray, "visit visit *unit"],
    part: jt.Float[np.ndarray, "visit visit *unit"],
) -> jt.Float[np.ndarray, "visit visit *unit"]:
    """Whole without a part; 0 at a visit of which only rounding is left."""
    rest = whole - part
    left = ~(np.einsum("vv...->v...", rest) <= STILL * np.einsum("vv...->v...", whole))
    remainder: np.ndarray = rest * (left[:, None] & left[None])
    return remainder
