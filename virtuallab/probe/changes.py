r"""Scale-free changes: how an observable has moved since learning began, in no units at all.

The scale of an observable tells the architecture; its change tells the rule. Each measure here is
unchanged when all that is measured is multiplied by a positive number: logarithms of ratios to visit
0, their increments from visit to visit, and the drift of the representation.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

PerVisit = Float[np.ndarray, " visit"]

_FLOOR = 1e-3  # of the scale at visit 0: a quantile of zero has no logarithm


def growth(name: str, scale: PerVisit, reference: float) -> dict[str, PerVisit]:
    """Log-ratio to visit 0 and its increments, of a scale that is not negative.

    Parameters
    ----------
    name : str
        Of the scale.
    scale : array, (visit,)
    reference : float
        Scale of the observable at visit 0; a small part of it keeps the logarithm finite.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.log(scale + _FLOOR * reference)
        ratio = logarithm - logarithm[0]
    return {
        f"{name}_logratio": ratio,
        f"{name}_increment": np.diff(ratio, prepend=ratio[:1]),
    }


def drift(name: str, vectors: Float[np.ndarray, "visit entry"]) -> dict[str, PerVisit]:
    """How far the whole pattern has turned and moved.

    Parameters
    ----------
    name : str
    vectors : array, (visit, entry)
        The pattern at each visit.

    Returns
    -------
    dict
        ``cosine_start`` and ``cosine_last`` (to visit 0, to the visit before), and ``step`` (log of
        one plus the distance from the visit before in units of that visit's norm).
    """
    norms = np.linalg.norm(vectors, axis=1)
    moved = np.linalg.norm(np.diff(vectors, axis=0), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        start = vectors @ vectors[0] / (norms * norms[0])
        last = np.einsum("ve,ve->v", vectors[1:], vectors[:-1]) / (norms[1:] * norms[:-1])
        step = np.log1p(moved / norms[:-1])
    return {
        f"{name}_cosine_start": start,
        f"{name}_cosine_last": np.concatenate([[1.0], last]),
        f"{name}_step": np.concatenate([[0.0], step]),
    }


def geometry(
    responses: Float[np.ndarray, "visit stimulus unit"], labels: np.ndarray
) -> dict[str, PerVisit]:
    """How the responses to the stimuli lie to one another.

    Returns
    -------
    dict
        ``act_similarity`` : correlation of the stimulus-by-stimulus similarities with those at
        visit 0. ``act_dimension_logratio`` : log of the participation ratio against visit 0.
        ``act_separation`` : share of the variance between stimuli that lies between their classes,
        and ``act_separation_gain``, the same less its value at visit 0.
    """
    centred = responses - responses.mean(1, keepdims=True)
    gram = np.einsum("vsu,vtu->vst", centred, centred, optimize=True)
    flat = gram.reshape(len(gram), -1)
    norms = np.linalg.norm(flat, axis=1)
    total = np.einsum("vss->v", gram)
    between = np.zeros(len(gram))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        between += gram[:, members][:, :, members].sum((1, 2)) / len(members)
    with np.errstate(divide="ignore", invalid="ignore"):
        similarity = flat @ flat[0] / (norms * norms[0])
        dimension = np.log(total**2 / norms**2)
        separation = between / total
    return {
        "act_similarity": similarity,
        "act_dimension_logratio": dimension - dimension[0],
        "act_separation": separation,
        "act_separation_gain": separation - separation[0],
    }


def silence(responses: Float[np.ndarray, "visit stimulus unit"]) -> dict[str, PerVisit]:
    """Share of responses that are nothing beside the mean response, and its change."""
    size = np.abs(responses)
    silent = (size <= _FLOOR * size.mean((1, 2), keepdims=True)).mean((1, 2))
    return {"act_silent": silent, "act_silent_gain": silent - silent[0]}


def of_activity(
    responses: Float[np.ndarray, "visit stimulus unit"],
    labels: np.ndarray,
    stats: Mapping[str, PerVisit],
) -> dict[str, PerVisit]:
    """Changes of one layer's responses; ``stats`` are its statistics by name."""
    exact = responses.astype(np.float64)
    reference = float(stats["actabs_mean"][0])
    scales = {
        "actabs_mean": stats["actabs_mean"],
        "actabs_median": stats["actabs_median"],
        "actabs_thirdquartile": stats["actabs_thirdquartile"],
        "actraw_norm": stats["actraw_norm"] / np.sqrt(responses.shape[-1]),
        "actraw_sd": np.sqrt(stats["actraw_var"]),
    }
    return {
        **_grown(scales, reference),
        **drift("act", exact.reshape(len(exact), -1)),
        **geometry(exact, labels),
        **silence(exact),
    }


def of_weights(
    weights: Float[np.ndarray, "visit synapse"], stats: Mapping[str, PerVisit]
) -> dict[str, PerVisit]:
    """Changes of one layer's synapses."""
    scales = {
        "weightabs_mean": stats["weightabs_mean"],
        "weightabs_median": stats["weightabs_median"],
        "weightabs_thirdquartile": stats["weightabs_thirdquartile"],
        "weightraw_sd": np.sqrt(stats["weightraw_var"]),
    }
    reference = float(stats["weightabs_mean"][0])
    shape = stats["weightraw_kurtosis"]
    return {
        **_grown(scales, reference),
        **drift("weight", weights.astype(np.float64)),
        "weightraw_kurtosis_logratio": np.log(shape) - np.log(shape[0]),
    }


def of_activity_change(stats: Mapping[str, PerVisit]) -> dict[str, PerVisit]:
    """Changes of one layer's sensitivity to its input."""
    reference = float(stats["gradavgabs_id"][0])
    size = stats["gradavgabs_id"]
    with np.errstate(divide="ignore", invalid="ignore"):
        balance = stats["gradavgraw_id"] / size
    return {**growth("gradavgabs_id", size, reference), "gradavg_balance": balance}


def _grown(scales: Mapping[str, PerVisit], reference: float) -> dict[str, PerVisit]:
    return {
        name: values
        for scale, over_visits in scales.items()
        for name, values in growth(scale, over_visits, reference).items()
    }
