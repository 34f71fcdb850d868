r"""Scale-free changes: how an observable has moved since learning began.

The scale of an observable identifies the architecture; its change identifies the rule. Each measure
is unchanged when all measured values are multiplied by a positive number: logarithms of ratios to
visit 0, their increments from visit to visit, the drift of the representation and the shape of its
movement. No row depends on a later visit, so the first does not depend on learning. "Visit 0" is
the first visit that the probe records.

Of statistics that are powers of one another only one is used: ``actraw_norm`` represents the
mean square, ``actabs_median`` for the median square.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import jaxtyping as jt
import numpy as np

from virtuallab.probes.statistics.inner_products import (
    QUIET,
    STILL,
    Gram,
    LayerResponses,
    Pattern,
    PerVisit,
    grams,
    since_last_visit,
)
from virtuallab.probes.statistics.movement import (
    drift,
    evenness,
    movement,
    squared_displacement,
    squared_steps,
)

Stats = Mapping[str, PerVisit]

_LEVELS: Final = ("mean", "median", "thirdquartile")
_FLOOR: Final = 1e-3  # of the scale at visit 0: a quantile of zero has no logarithm


@QUIET
def growth(scales: Stats, reference: float) -> dict[str, PerVisit]:
    """Log-ratio to visit 0 and its increments, of scales that are not negative.

    Parameters
    ----------
    scales : mapping from name to array, (visit,)
    reference : float
        Scale of the observable at visit 0; a small part of it keeps logarithms finite.

    Returns
    -------
    dict
        ``{name}_logratio`` and ``{name}_increment`` to array (visit,).
    """
    logarithms = {name: np.log(scale + _FLOOR * reference) for name, scale in scales.items()}
    found: dict[str, PerVisit] = {}
    for name, logarithm in logarithms.items():
        found[f"{name}_logratio"] = logarithm - logarithm[0]
        found[f"{name}_increment"] = np.diff(logarithm, prepend=logarithm[:1])
    return found


@QUIET
def geometry(responses: Pattern) -> dict[str, PerVisit]:
    """Similarity and dimension of the representation of the stimuli.

    Parameters
    ----------
    responses : array, (visit, stimulus, unit), float64

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
def silence(responses: LayerResponses) -> dict[str, PerVisit]:
    """Share of responses that are practically zero, and of those switched on or off.

    Returns
    -------
    dict
        ``act_silent`` : share of responses below a thousandth of the visit's mean response.
        ``act_silent_gain`` : the same less its value at visit 0. ``act_switched`` : share that is
        positive and was not at the visit before, or the reverse, of the units followed since.
    """
    values, observed = responses.values, responses.observed
    size = np.abs(values)
    there = True if observed is None else observed
    if observed is None:
        mean, count = size.mean((1, 2), dtype=np.float64), values[0].size
    else:
        count = int(observed.sum())
        mean = np.where(observed, size, 0).sum((1, 2), dtype=np.float64) / count
    nothing = (_FLOOR * mean).astype(size.dtype)[:, None, None]
    silent = np.count_nonzero((size <= nothing) & there, axis=(1, 2)) / count
    positive = values > nothing
    changed = (positive[1:] != positive[:-1]) & there
    if responses.followed is None:
        switched = np.count_nonzero(changed, axis=(1, 2)) / count
    else:
        since = since_last_visit(responses.followed)
        shown = values.shape[1] if observed is None else observed.sum(0)
        switched = (changed.sum(1) * since).sum(1) / (shown * since).sum(1)
    return {
        "act_silent": silent,
        "act_silent_gain": silent - silent[0],
        "act_switched": np.concatenate([[0.0], switched]),
    }


@QUIET
def activity_changes(responses: LayerResponses, stats: Stats) -> dict[str, PerVisit]:
    """Changes of one layer's responses.

    Besides growth, geometry and silence: the drift of the whole pattern (``act``), of the tuning
    (``act_tuned``: without each unit's mean response) and of its class part (``act_class``:
    averaged in each class); ``act_separation``, the class part's share of the tuning, and its gain;
    ``act_class_share``, its share of the displacement since visit 0; ``act_common_share``, the
    share of the last movement that all stimuli have in common; ``act_evenness`` of the last
    movement, and its :func:`~virtuallab.probes.statistics.movement.movement`.

    Parameters
    ----------
    responses : LayerResponses
        Measures of classes use the stimuli whose class is known, and are absent without them.
        Growth, geometry and silence are those of the population at each visit; the other measures
        follow units, and are NaN where none could be followed. A missing response takes no part in
        a unit's tuning or movement at any visit.
    stats : mapping from name to array, (visit,)
        The layer's statistics.
    """
    responses = responses.filled()
    exact = replace(responses, values=responses.values.astype(np.float64))
    of_class = exact.of_known_class()
    if of_class is not exact:
        exact = replace(exact, labels=None)
    whole, tuned, classes = grams(exact)
    scales = {
        **{f"actabs_{kernel}": stats[f"actabs_{kernel}"] for kernel in _LEVELS},
        "actraw_norm": stats["actraw_norm"] / np.sqrt(responses.values.shape[-1]),
        "actraw_sd": np.sqrt(stats["actraw_var"]),
    }
    uncommon = _share(squared_steps(tuned), squared_steps(whole), empty=1.0)
    found = {
        **growth(scales, float(stats["actabs_mean"][0])),
        **drift("act", whole),
        **drift("act_tuned", tuned),
        **geometry(exact.values),
        **silence(responses),
        "act_common_share": np.clip(1 - uncommon, 0, 1),
        "act_evenness": evenness(responses.values, responses.followed),
        **movement(exact),
    }
    if of_class is not None and of_class is not exact:
        moves = movement(of_class)
        found |= {name: values for name, values in moves.items() if "class" in name}
        _, tuned, classes = grams(of_class)
    return found if classes is None else found | _class_changes(classes, tuned)


def _class_changes(classes: Gram, tuned: Gram) -> dict[str, PerVisit]:
    separation = np.diag(classes) / np.diag(tuned)
    return {
        **drift("act_class", classes),
        "act_separation": separation,
        "act_separation_gain": separation - separation[0],
        "act_class_share": _share(squared_displacement(classes), squared_displacement(tuned)),
    }


@QUIET
def weight_changes(
    weights: jt.Float[np.ndarray, "visit synapse"], stats: Stats
) -> dict[str, PerVisit]:
    """Changes of one layer's synapses: growth, drift, shape of the distribution.

    Parameters
    ----------
    weights : array, (visit, synapse)
    stats : mapping from name to array, (visit,)
        The layer's statistics.
    """
    exact = weights.astype(np.float64)
    scales = {
        **{f"weightabs_{kernel}": stats[f"weightabs_{kernel}"] for kernel in _LEVELS},
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
def sensitivity_changes(
    gains: jt.Float[np.ndarray, "visit stimulus"], stats: Stats
) -> dict[str, PerVisit]:
    """Changes of one layer's activity change: growth, balance of signs, drift.

    Parameters
    ----------
    gains : array, (visit, stimulus)
    stats : mapping from name to array, (visit,)
        The layer's statistics.
    """
    exact = gains.astype(np.float64)
    size = stats["gradavgabs_id"]
    return {
        **growth({"gradavgabs_id": size}, float(size[0])),
        "gradavg_balance": stats["gradavgraw_id"] / size,
        **drift("gradavg", exact @ exact.T),
    }


def _share(part: PerVisit, whole: PerVisit, empty: float = 0.0) -> PerVisit:
    """Share of a variance; ``empty`` where the whole is 0."""
    return np.where(whole == 0, empty, part / np.where(whole == 0, 1.0, whole))
