r"""How a layer's responses move relative to a linear read-out of the classes.

The read-out of a visit is a ridge regression of the classes on the recorded units,
:math:`W = X^\top (X X^\top + \lambda I)^{-1} Y`. It is estimated without knowledge of the network:
its column space is *output-potent*, the rest *output-null*.

Noise that is in the responses of the visit before is in the read-out and, with the opposite sign,
in the movement. So each stimulus is read out by a regression without that stimulus, which is
obtained in closed form from the regression with all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import jaxtyping as jt
import numpy as np

from virtuallab.probes.statistics.inner_products import (
    QUIET,
    STILL,
    Labels,
    LayerResponses,
    PerVisit,
    class_means,
    since_last_visit,
)
from virtuallab.probes.statistics.patterns import Patterns

_RIDGE: Final = 0.1  # of the mean eigenvalue of the similarity between stimuli
_RANK: Final = 1e-9  # of the largest eigenvalue: smaller ones are rounding
_SHARED: Final = {
    "theory_act_dimension": "act_move_dimension",
    "theory_act_class_dimension": "act_move_class_dimension",
}
_OWN: Final = (
    *("null_share", "potent_gain", "null_dimension", "readout_gain", "readout_alignment"),
    *("class_growth", "class_units"),
)

_BLOCK: Final = 65_536  # responses that are processed at once: they stay in the cache

Responses = jt.Float[np.ndarray, "*_ stimulus unit"]
Classes = jt.Float[np.ndarray, "*_ stimulus label"]
Similarity = jt.Float[np.ndarray, "*_ stimulus stimulus"]
PerMovement = jt.Float[np.ndarray, " _"]


@QUIET
def activity_theory(
    responses: LayerResponses, changes: Mapping[str, PerVisit]
) -> dict[str, PerVisit]:
    """Movements of one layer's responses relative to the read-out and to the class means.

    Parameters
    ----------
    responses : LayerResponses
        The stimuli whose class is known are used; all is NaN with fewer than two classes.
    changes : mapping from name to array, (visit,)
        The layer's changes, of which dimensions are repeated.

    Returns
    -------
    dict
        ``dimension``, ``class_dimension`` : ``act_move_dimension`` and ``act_move_class_dimension``
        of :func:`~virtuallab.probes.statistics.movement.movement`. ``null_share`` : share of the
        last movement that the read-out of the visit before does not see. ``potent_gain`` : log of
        the share that it sees, over the share that it sees of the responses that moved.
        ``null_dimension`` : log of the participation ratio of the unseen part of the movement, less
        that of the movement. ``readout_gain`` : cosine between the classes and the change of the
        read-out, positive if responses move to where they are classified better.
        ``readout_alignment`` : cosine between the movement and the classes sent back through the
        weights of the read-out, along which gradient descent moves responses. ``class_growth`` :
        cosine between the movement of the class means and the class means; ``class_units`` :
        overlap of their subspaces of units. All begin with ``theory_act_``. 0 at visit 0; NaN
        without movement, and where no unit was followed. ``null_share``, ``potent_gain`` and
        ``null_dimension`` are NaN unless there are more units than the read-out has dimensions.
    """
    count = len(responses.values)
    found = {f"theory_act_{name}": np.full(count, np.nan) for name in _OWN}
    nothing = np.full(count, np.nan)
    found |= {name: changes.get(source, nothing).copy() for name, source in _SHARED.items()}
    for values in found.values():
        values[:1] = 0
    filled = responses.filled()
    known = replace(filled, values=filled.values.astype(np.float64)).of_known_class()
    if known is None or known.labels is None or len(np.unique(known.labels)) < 2:
        return found
    if not known.values.size:
        return found
    classes = _Classes.of(known.labels)
    for visits, was, now in _movements(known):
        measured = np.isfinite(was).all((1, 2)) & np.isfinite(now).all((1, 2))
        for place, measures in _measures(classes, *_where(measured, visits, was, now)):
            for name, each in measures.items():
                found[f"theory_act_{name}"][place] = each
    return found


def _movements(
    responses: LayerResponses,
) -> Iterator[tuple[jt.Int[np.ndarray, " movement"], Responses, Responses]]:
    """Yield visits, and responses at the visits before and at these, (movement, stimulus, unit).

    Movements of the same units come together, as far as they stay in the processor's cache. Sums
    are rounded as for each movement alone: the order of its stimuli and units in memory is kept.
    """
    values, count = responses.values, len(responses.values)
    if responses.followed is None:
        together = 1
        if values.strides[1] >= values.strides[2]:
            values, together = np.ascontiguousarray(values), max(1, _BLOCK // values[0].size)
        for first in range(1, count, together):
            visits = np.arange(first, min(first + together, count))
            yield visits, values[visits[0] - 1 : visits[-1]], values[visits[0] : visits[-1] + 1]
        return
    for visit, mine in enumerate(since_last_visit(responses.followed), start=1):
        if mine.any():
            was, now = values[visit - 1][:, mine], values[visit][:, mine]
            yield np.array([visit]), was[None], now[None]


def _where(chosen: np.ndarray, *arrays: np.ndarray) -> Any:
    """Chosen entries of the first axis; all of them without a copy, in their order of memory."""
    return list(arrays) if chosen.all() else [each[chosen] for each in arrays]


def _measures(
    classes: _Classes, visits: jt.Int[np.ndarray, " movement"], was: Responses, now: Responses
) -> Iterator[tuple[jt.Int[np.ndarray, " movement"], dict[str, PerMovement]]]:
    """Yield visits, and measures of their movements, (movement,)."""
    tuning = was - was.mean(1, keepdims=True)
    move = now - now.mean(1, keepdims=True) - tuning
    power, size, moved = ((each**2).sum((1, 2)) for each in (was, tuning, move))
    least = STILL * power
    moves = (least < size) & (size < np.inf) & (least < moved) & (moved < np.inf)
    visits, tuning, move, size, moved = _where(moves, visits, tuning, move, size, moved)
    if not len(visits):
        return
    scale = np.sqrt(size)[:, None, None]
    tuning, move, moved = tuning / scale, move / scale, moved / size
    readout = _Readout.fitted(tuning, classes.indicators)
    seen = readout.without_own(np.matmul(move, _transposed(tuning)))
    weights = np.matmul(_transposed(tuning), readout.dual)
    through = np.matmul(_transposed(weights), weights)
    indicators = classes.indicators
    hits = (seen * indicators).sum((1, 2))
    sent_back = np.vecdot(np.matmul(indicators, through), indicators).sum(1)
    means = [Patterns(class_means(each, classes.labels)) for each in (move, tuning)]
    of_all = {
        "readout_gain": hits / np.sqrt((seen**2).sum((1, 2)) * (indicators**2).sum()),
        "readout_alignment": hits / np.sqrt(moved * sent_back),
        "class_growth": _growth(move, tuning, means, classes),
        "class_units": means[0].overlap_of_units(means[1]),
    }
    yield visits, of_all
    powers, axes = np.linalg.eigh(through)
    dimensions = (powers > _RANK * powers[:, -1:]).sum(1)  # eigenvalues are ascending
    for rank in np.unique(dimensions):
        mine = dimensions == rank
        place, *some = _where(mine, visits, move, seen, readout.held_out, weights, moved)
        whitening = _whitening(int(rank), *_where(mine, powers, axes))
        yield place, _potent_measures(whitening, *some)


def _potent_measures(
    whitening: jt.Float[np.ndarray, "movement label dimension"],
    move: Responses,
    seen: Classes,
    held_out: Classes,
    weights: jt.Float[np.ndarray, "movement unit label"],
    moved: PerMovement,
) -> dict[str, PerMovement]:
    """Measures of the output-potent and output-null parts of movements, (movement,)."""
    if move.shape[2] <= whitening.shape[2]:
        return {}
    share = (np.matmul(seen, whitening) ** 2).sum((1, 2)) / moved
    of_tuning = (np.matmul(held_out, whitening) ** 2).sum((1, 2))
    potent = np.matmul(weights, whitening)  # an orthonormal basis of the output-potent space
    null = move - np.matmul(np.matmul(move, potent), _transposed(potent))
    return {
        "null_share": 1 - np.minimum(share, 1.0),
        "potent_gain": np.log(share / of_tuning),
        "null_dimension": Patterns(null).log_dimension() - Patterns(move).log_dimension(),
    }


def _whitening(
    rank: int,
    powers: jt.Float[np.ndarray, "movement label"],
    axes: jt.Float[np.ndarray, "movement label label"],
) -> jt.Float[np.ndarray, "movement label dimension"]:
    """Axes with the largest powers, each divided by the root of its power."""
    scaled = axes / np.sqrt(powers)[:, None]
    return _transposed(np.ascontiguousarray(_transposed(scaled)[:, scaled.shape[2] - rank :]))


def _transposed(stack: np.ndarray) -> np.ndarray:
    swapped: np.ndarray = stack.swapaxes(-1, -2)
    return swapped


@dataclass(frozen=True)
class _Classes:
    """Classes of the stimuli.

    Parameters
    ----------
    labels : array of int, (stimulus,)
    indicators : array, (stimulus, label)
        1 for the stimulus' own class and 0 for others, less the mean over stimuli.
    own : array, (stimulus,)
        Weight of the product of a stimulus with itself in products of class means.
    """

    labels: Labels
    indicators: Classes
    own: jt.Float[np.ndarray, " stimulus"]

    @classmethod
    def of(cls, labels: Labels) -> _Classes:
        """Return the classes with these labels."""
        names, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
        one_hot = (labels[:, None] == names).astype(np.float64)
        total = len(labels)
        own = (1 / counts[place] - 1 / total) / (1 - 1 / total)
        return cls(labels, one_hot - one_hot.mean(0), own)


@dataclass(frozen=True)
class _Readout:
    """Ridge regressions of the classes on responses, as weights of the stimuli.

    Parameters
    ----------
    classes : array, (stimulus, label)
        1 for the stimulus' own class and 0 for others, less the mean over stimuli.
    inverse : array, (..., stimulus, stimulus)
        Of the similarity between stimuli plus the ridge, without the mean over stimuli.
    dual : array, (..., stimulus, label)
        The read-out's weights are the responses times these.
    """

    classes: Classes
    inverse: Similarity
    dual: Classes

    @classmethod
    def fitted(cls, tuning: Responses, classes: Classes) -> _Readout:
        """Read-outs of responses without their mean over stimuli."""
        similarity = np.matmul(tuning, _transposed(tuning))
        count = similarity.shape[-1]
        ridge = _RIDGE * np.trace(similarity, axis1=-2, axis2=-1)[..., None, None] / count
        inverse = np.linalg.inv(similarity + ridge * np.eye(count))
        # The intercept has no ridge: the read-out without a stimulus has a mean of its own.
        inverse -= 1 / (ridge * count)
        return cls(classes, inverse, np.matmul(inverse, classes))

    @property
    def _diagonal(self) -> jt.Float[np.ndarray, "*_ stimulus"]:
        return np.asarray(np.diagonal(self.inverse, axis1=-2, axis2=-1))

    @property
    def held_out(self) -> Classes:
        """Class of each stimulus as predicted from the other stimuli."""
        return np.asarray(self.classes - self.dual / self._diagonal[..., None])

    def without_own(self, products: Similarity) -> Classes:
        """Read-out of other patterns, each by the read-out without that stimulus.

        Parameters
        ----------
        products : array, (..., stimulus, stimulus)
            Inner products of the patterns with the responses to which the read-out was fitted.
        """
        own = np.vecdot(products, self.inverse) / self._diagonal
        found: np.ndarray = np.matmul(products, self.dual) - own[..., None] * self.dual
        return found


def _growth(
    move: Responses, tuning: Responses, means: Sequence[Patterns], classes: _Classes
) -> PerMovement:
    """Cosine between movements and patterns of the class means.

    Products of a stimulus with itself are left out of the numerator, because its noise is in both.
    """
    moved, of_tuning = means
    product = (moved.values * of_tuning.values).sum((1, 2))
    product -= np.vecdot(classes.own, np.vecdot(move, tuning))
    product /= 1 - classes.own.mean()  # 1 without noise if the class means grow
    return np.asarray(product / np.sqrt(moved.power * of_tuning.power))
