r"""Scale-free changes: how an observable has moved since learning began, in no units at all.

The scale of an observable tells the architecture; its change tells the rule. Each measure here is
unchanged when all that is measured is multiplied by a positive number: logarithms of ratios to
visit 0, their increments from visit to visit, the drift of the representation and the shape of its
movement. No row depends on a later visit, so the first tells nothing of learning. "Visit 0" is the
first visit that the probe records.

Of statistics that are powers of one another only one is followed: ``actraw_norm`` stands for the
mean square, ``actabs_median`` for the median square.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import jaxtyping as jt
import numpy as np

from virtuallab.probe.statistics.inner_products import (
    QUIET,
    STILL,
    Gram,
    Kept,
    PerVisit,
    displaced,
    drift,
    evenness,
    filled,
    grams,
    last,
    moved,
)
from virtuallab.probe.statistics.movement import movement
from virtuallab.vocabulary import NO_CLASS

Stats = Mapping[str, PerVisit]

_FLOOR: Final = 1e-3  # of the scale at visit 0: a quantile of zero has no logarithm


@QUIET
def growth(scales: Stats, reference: float) -> dict[str, PerVisit]:
    """Log-ratio to visit 0 and its increments, of scales that are not negative.

    Parameters
    ----------
    scales : mapping from name to array, (visit,)
    reference : float
        Scale of the observable at visit 0; a small part of it keeps logarithms finite.
    """
    ratios = {name: np.log(scale + _FLOOR * reference) for name, scale in scales.items()}
    return {
        f"{name}_{kind}": values
        for name, logarithm in ratios.items()
        for kind, values in (
            ("logratio", logarithm - logarithm[0]),
            ("increment", np.diff(logarithm, prepend=logarithm[:1])),
        )
    }


@QUIET
def geometry(responses: jt.Float[np.ndarray, "visit stimulus unit"]) -> dict[str, PerVisit]:
    """How the responses to the stimuli lie to one another.

    Returns
    -------
    dict
        ``act_similarity_start``, ``act_similarity_last`` : cosine between the centred
        stimulus-by-stimulus similarities and those at visit 0, at the visit before (linear centred
        kernel alignment). ``act_dimension_logratio`` : log of the participation ratio against visit
        0.

    References
    ----------
    Kornblith et al. 2019, "Similarity of Neural Network Representations Revisited", section 3.
    """
    products = np.matmul(responses, responses.transpose(0, 2, 1))
    power = np.einsum("vss->v", products)
    products -= products.mean(1, keepdims=True)
    products -= products.mean(2, keepdims=True)
    total = np.einsum("vss->v", products)
    products[total <= STILL * power] = 0  # rounding is all that is left
    flat = products.reshape(len(products), -1)
    norm = np.linalg.norm(flat, axis=1)
    dimension = 2 * np.log(total / norm)
    last = np.vecdot(flat[1:], flat[:-1]) / (norm[1:] * norm[:-1])
    return {
        "act_similarity_start": flat @ flat[0] / (norm * norm[0]),
        "act_similarity_last": np.concatenate([[1.0], last]),
        "act_dimension_logratio": dimension - dimension[0],
    }


@QUIET
def rectified(
    responses: jt.Float[np.ndarray, "visit stimulus unit"],
    kept: Kept | None = None,
    observed: jt.Bool[np.ndarray, "stimulus unit"] | None = None,
) -> dict[str, PerVisit]:
    """Share of responses that are as good as nothing, and of those switched on or off.

    Returns
    -------
    dict
        ``act_silent`` : share of responses below a thousandth of the visit's mean response.
        ``act_silent_gain`` : the same less its value at visit 0. ``act_switched`` : share that is
        positive and was not at the visit before, or the reverse, of the units kept since.
    """
    size = np.abs(responses)
    if observed is None:
        mean, count = size.mean((1, 2), dtype=np.float64), responses[0].size
    else:
        count = int(observed.sum())
        mean = np.where(observed, size, 0).sum((1, 2), dtype=np.float64) / count
    nothing = (_FLOOR * mean).astype(size.dtype)[:, None, None]
    there = True if observed is None else observed
    silent = np.count_nonzero((size <= nothing) & there, axis=(1, 2)) / count
    positive = responses > nothing
    changed = (positive[1:] != positive[:-1]) & there
    if kept is None:
        switched = np.count_nonzero(changed, axis=(1, 2)) / count
    else:
        since = last(kept)
        shown = responses.shape[1] if observed is None else observed.sum(0)
        switched = (changed.sum(1) * since).sum(1) / (shown * since).sum(1)
    return {
        "act_silent": silent,
        "act_silent_gain": silent - silent[0],
        "act_switched": np.concatenate([[0.0], switched]),
    }


@QUIET
def of_activity(
    responses: jt.Float[np.ndarray, "visit stimulus unit"],
    labels: jt.Int[np.ndarray, " stimulus"] | None,
    stats: Stats,
    kept: Kept | None = None,
    observed: jt.Bool[np.ndarray, "stimulus unit"] | None = None,
) -> dict[str, PerVisit]:
    """Measure the changes of one layer's responses.

    Besides growth, geometry and rectification: the drift of the whole pattern (``act``), of the
    tuning (``act_tuned``: without each unit's mean response) and of its class part
    (``act_class``: averaged in each class); ``act_separation``, the class part's share of the
    tuning, and its gain; ``act_class_share``, its share of the displacement since visit 0;
    ``act_common_share``, the share of the last movement that all stimuli have in common;
    ``act_evenness`` of the last movement, and what else
    :func:`~virtuallab.probe.statistics.movement.movement` says of it.

    Parameters
    ----------
    responses : array, (visit, stimulus, unit)
    labels : array, (stimulus,), optional
        Class of each stimulus, ``NO_CLASS`` where none is known: what is said of classes leaves
        such a stimulus out. Without classes nothing is said of them.
    stats : mapping from name to array, (visit,)
        The layer's statistics.
    kept : array of bool, (visit, visit, unit), optional
        Whether a unit was recorded from the one visit to the other; all if not given. Growth,
        geometry and silence are those of the population, whoever is in it; the rest follows units,
        and is NaN where none could be.
    observed : array of bool, (stimulus, unit), optional
        Whether a response was measured at every visit; all were if not given. A missing response
        takes no part in a unit's tuning, nor in its movement, at any visit.
    """
    if observed is not None:
        responses = filled(responses, observed)
    exact = responses.astype(np.float64)
    if labels is not None and (labels == NO_CLASS).any():
        of_classes = _labelled(exact, labels, kept, observed)
        labels = None
    else:
        of_classes = {}
    whole, tuned, classes = grams(exact, labels, kept, observed)
    scales = {
        "actabs_mean": stats["actabs_mean"],
        "actabs_median": stats["actabs_median"],
        "actabs_thirdquartile": stats["actabs_thirdquartile"],
        "actraw_norm": stats["actraw_norm"] / np.sqrt(responses.shape[-1]),
        "actraw_sd": np.sqrt(stats["actraw_var"]),
    }
    return {
        **growth(scales, float(stats["actabs_mean"][0])),
        **drift("act", whole),
        **drift("act_tuned", tuned),
        **geometry(exact),
        **rectified(responses, kept, observed),
        "act_common_share": np.clip(1 - _part(moved(tuned), moved(whole), nothing=1.0), 0, 1),
        "act_evenness": evenness(responses, kept),
        **movement(exact, labels, kept, observed),
        **({} if classes is None else _of_classes(classes, tuned)),
        **of_classes,
    }


def _labelled(
    responses: jt.Float[np.ndarray, "visit stimulus unit"],
    labels: jt.Int[np.ndarray, " stimulus"],
    kept: Kept | None,
    observed: jt.Bool[np.ndarray, "stimulus unit"] | None,
) -> dict[str, PerVisit]:
    """Measure what is said of classes, of the stimuli of which one is known."""
    known = labels != NO_CLASS
    if not known.any():
        return {}
    responses, labels = responses[:, known], labels[known]
    there = None if observed is None else observed[known]
    _, tuned, classes = grams(responses, labels, kept, there)
    assert classes is not None
    moves = movement(responses, labels, kept, there)
    return {
        **{name: found for name, found in moves.items() if "class" in name},
        **_of_classes(classes, tuned),
    }


def _of_classes(classes: Gram, tuned: Gram) -> dict[str, PerVisit]:
    separation = np.diag(classes) / np.diag(tuned)
    return {
        **drift("act_class", classes),
        "act_separation": separation,
        "act_separation_gain": separation - separation[0],
        "act_class_share": _part(displaced(classes), displaced(tuned)),
    }


@QUIET
def of_weights(weights: jt.Float[np.ndarray, "visit synapse"], stats: Stats) -> dict[str, PerVisit]:
    """Measure the changes of one layer's synapses: growth, drift, shape of the distribution."""
    exact = weights.astype(np.float64)
    scales = {
        "weightabs_mean": stats["weightabs_mean"],
        "weightabs_median": stats["weightabs_median"],
        "weightabs_thirdquartile": stats["weightabs_thirdquartile"],
        "weightraw_sd": np.sqrt(stats["weightraw_var"]),
    }
    shape = np.log(stats["weightraw_kurtosis"])
    return {
        **growth(scales, float(stats["weightabs_mean"][0])),
        **drift("weight", exact @ exact.T),
        "weight_evenness": evenness(weights[:, None, :]),
        "weightraw_kurtosis_logratio": shape - shape[0],
    }


@QUIET
def of_activity_change(
    gains: jt.Float[np.ndarray, "visit stimulus"], stats: Stats
) -> dict[str, PerVisit]:
    """Measure the changes of one layer's sensitivity: growth, balance of signs, drift."""
    exact = gains.astype(np.float64)
    size = stats["gradavgabs_id"]
    return {
        **growth({"gradavgabs_id": size}, float(size[0])),
        "gradavg_balance": stats["gradavgraw_id"] / size,
        **drift("gradavg", exact @ exact.T),
    }


def _part(some: PerVisit, all_of_it: PerVisit, nothing: float = 0.0) -> PerVisit:
    """Share of a variance; ``nothing`` where there is none to share."""
    return np.where(all_of_it == 0, nothing, some / np.where(all_of_it == 0, 1.0, all_of_it))
