r"""How a layer's responses move relative to a linear read-out of the classes.

The read-out of a visit is a ridge regression of the classes on the recorded units,
:math:`W = X^\top (X X^\top + \lambda I)^{-1} Y`. It is estimated without knowledge of the network:
its column space is *output-potent*, the rest *output-null*.

Noise that is in the responses of the visit before is in the read-out and, with the opposite sign,
in the movement. So each stimulus is read out by a regression without that stimulus, which is
obtained in closed form from the regression with all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

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
from virtuallab.probes.statistics.movement import cosine_of, log_dimension, over_units

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

Matrix = jt.Float[np.ndarray, "stimulus unit"]
Classes = jt.Float[np.ndarray, "stimulus label"]


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
    followed = None if known.followed is None else since_last_visit(known.followed)
    for visit in range(1, count):
        was, now = known.values[visit - 1], known.values[visit]
        if followed is not None:
            was, now = was[:, followed[visit - 1]], now[:, followed[visit - 1]]
        if np.isfinite(was).all() and np.isfinite(now).all() and was.size:
            for name, value in _movement(was, now, known.labels).items():
                found[f"theory_act_{name}"][visit] = value
    return found


def _movement(was: Matrix, now: Matrix, labels: Labels) -> dict[str, float]:
    """Measures of one movement, of responses to stimuli of known class."""
    tuning = was - was.mean(0)
    move = now - now.mean(0) - tuning
    power, size, moved = ((each**2).sum() for each in (was, tuning, move))
    if not (STILL * power < size < np.inf and STILL * power < moved < np.inf):
        return {}
    tuning, move, moved = tuning / np.sqrt(size), move / np.sqrt(size), moved / size
    readout = _Readout.fitted(tuning, labels)
    seen, held = readout.without_own(move @ tuning.T), readout.held_out
    classes, weights = readout.classes, tuning.T @ readout.dual
    through = weights.T @ weights
    powers, axes = np.linalg.eigh(through)
    whiten = (axes / np.sqrt(powers))[:, powers > _RANK * powers[-1]]
    share, of_tuning = ((seen @ whiten) ** 2).sum() / moved, ((held @ whiten) ** 2).sum()
    found = {
        "readout_gain": (seen * classes).sum() / np.sqrt((seen**2).sum() * (classes**2).sum()),
        "readout_alignment": (seen * classes).sum()
        / np.sqrt(moved * np.vecdot(classes @ through, classes).sum()),
        "class_growth": _growth(move, tuning, labels),
        "class_units": cosine_of(
            over_units, *(class_means(each[None], labels) for each in (move, tuning))
        )[0],
    }
    if move.shape[1] > whiten.shape[1]:
        potent = weights @ whiten  # an orthonormal basis of the output-potent space
        null = move - move @ potent @ potent.T
        found |= {
            "null_share": 1 - min(share, 1.0),
            "potent_gain": np.log(share / of_tuning),
            "null_dimension": (log_dimension(null[None]) - log_dimension(move[None]))[0],
        }
    return {name: float(value) for name, value in found.items()}


@dataclass(frozen=True)
class _Readout:
    """Ridge regression of the classes on responses, as weights of the stimuli.

    Parameters
    ----------
    classes : array, (stimulus, label)
        1 for the stimulus' own class and 0 for others, less the mean over stimuli.
    inverse : array, (stimulus, stimulus)
        Of the similarity between stimuli plus the ridge, without the mean over stimuli.
    dual : array, (stimulus, label)
        The read-out's weights are the responses times these.
    """

    classes: Classes
    inverse: jt.Float[np.ndarray, "stimulus stimulus"]
    dual: Classes

    @classmethod
    def fitted(cls, tuning: Matrix, labels: Labels) -> _Readout:
        """Read-out of responses without their mean over stimuli."""
        one_hot = (labels[:, None] == np.unique(labels)).astype(np.float64)
        classes = one_hot - one_hot.mean(0)
        similarity = tuning @ tuning.T
        ridge = _RIDGE * np.trace(similarity) / len(similarity)
        inverse = np.linalg.inv(similarity + ridge * np.eye(len(similarity)))
        # The intercept has no ridge: the read-out without a stimulus has a mean of its own.
        inverse -= 1 / (ridge * len(similarity))
        return cls(classes, inverse, inverse @ classes)

    @property
    def held_out(self) -> Classes:
        """Class of each stimulus as predicted from the other stimuli."""
        return self.classes - self.dual / np.diag(self.inverse)[:, None]

    def without_own(self, products: jt.Float[np.ndarray, "stimulus stimulus"]) -> Classes:
        """Read-out of other patterns, each by the read-out without that stimulus.

        Parameters
        ----------
        products : array, (stimulus, stimulus)
            Inner products of the patterns with the responses to which the read-out was fitted.
        """
        own = np.vecdot(products, self.inverse) / np.diag(self.inverse)
        found: np.ndarray = products @ self.dual - own[:, None] * self.dual
        return found


def _growth(move: Matrix, tuning: Matrix, labels: Labels) -> float:
    """Cosine between movement and pattern of the class means.

    Products of a stimulus with itself are left out of the numerator, because its noise is in both.
    """
    moved, means = (class_means(each[None], labels)[0] for each in (move, tuning))
    _, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    total = len(labels)
    weight = (1 / counts[place] - 1 / total) / (1 - 1 / total)
    product = (moved * means).sum() - weight @ np.vecdot(move, tuning)
    product /= 1 - weight.mean()  # 1 without noise if the class means grow
    return float(product / np.sqrt((moved**2).sum() * (means**2).sum()))
