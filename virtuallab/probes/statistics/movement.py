r"""Movement of a pattern from visit to visit: distances, directions, dimensions.

The error that moves a layer arrives through backward weights, which leave their mark on the
movement: fixed weights push a layer within the same subspace of its units throughout learning,
weights that follow the forward weights push it where these go, and an optimizer that gives every
synapse a step of one size spreads the movement over more dimensions than the gradient has.

With :math:`A_v = X_v - X_{v-1}` (stimulus by unit, without what all stimuli have in common), two
movements are compared by their covariances over units, :math:`A_v^\top A_v`, and by their
similarities between stimuli, :math:`A_v A_v^\top`. The part of both that is there whatever the
movements are, and that is larger the fewer units are recorded, is left out: a sample of units then
gives, but for sampling error, what all units would give.
"""

from __future__ import annotations

from typing import Final

import jaxtyping as jt
import numpy as np

from virtuallab.probes.statistics.inner_products import (
    QUIET,
    STILL,
    Followed,
    Gram,
    LayerResponses,
    Pattern,
    PerVisit,
    class_means,
    since_last_visit,
)
from virtuallab.probes.statistics.patterns import Patterns

PerMovement = jt.Float[np.ndarray, " _"]

_SLOWEST: Final = 1e-3  # of the mean speed: keeps the logarithm of standing still finite


def squared_steps(gram: Gram) -> PerVisit:
    """Squared distance of each visit from the one before, 0 at visit 0."""
    power = np.diag(gram)
    squared = power[1:] + power[:-1] - 2 * np.diag(gram, 1)
    largest = np.maximum(power[1:], power[:-1])
    # A comparison with NaN is false, and leaves it as it is.
    still = squared <= STILL * largest
    return np.concatenate([[0.0], np.where(still, 0.0, squared)])


def squared_displacement(gram: Gram) -> PerVisit:
    """Squared distance of each visit from visit 0."""
    power = np.diag(gram)
    squared = power + power[0] - 2 * gram[0]
    return np.where(squared <= STILL * np.maximum(power, power[0]), 0.0, squared)


@QUIET
def drift(name: str, gram: Gram) -> dict[str, PerVisit]:
    """Angles and distances between visits; no row depends on a later visit.

    Parameters
    ----------
    name : str
        Of the pattern; begins the names of the measures.
    gram : array, (visit, visit)

    Returns
    -------
    dict
        ``cosine_start``, ``cosine_last`` : to visit 0 and to the visit before. ``step`` : log of
        one plus the distance from the visit before, in units of that visit's norm. ``pace`` : log
        of that distance over the mean of those so far. ``turn`` : cosine between the last two
        movements. ``straightness`` : distance from visit 0 over the length of the path.
    """
    distance = np.sqrt(squared_steps(gram))
    norm = np.sqrt(np.maximum(np.diag(gram), 0))
    path = np.cumsum(distance)
    mean_distance = path / np.maximum(np.arange(len(gram)), 1)
    between = np.diag(gram, 1)
    # (x2 - x1).(x1 - x0)
    product = between[1:] - np.diag(gram, 2) - np.diag(gram)[1:-1] + between[:-1]
    pace = np.log(np.maximum(distance / mean_distance, _SLOWEST))
    turn = product / (distance[2:] * distance[1:-1])
    rested = (distance[2:] == 0) | (distance[1:-1] == 0)
    straight = np.sqrt(squared_displacement(gram)) / path
    return {
        f"{name}_cosine_start": gram[0] / (norm * norm[0]),
        f"{name}_cosine_last": np.concatenate([[1.0], between / (norm[1:] * norm[:-1])]),
        f"{name}_step": np.concatenate([[0.0], np.log1p(distance[1:] / norm[:-1])]),
        f"{name}_pace": np.where(path == 0, 0.0, pace),
        f"{name}_turn": _from_movements(np.where(rested, 0.0, turn), 2)[: len(gram)],
        f"{name}_straightness": np.where(path == 0, 1.0, straight),
    }


@QUIET
def evenness(values: Pattern, followed: Followed | None = None) -> PerVisit:
    r"""Evenness of the units' shares in the last movement: 1 if all moved alike, 1/n if one did.

    .. math:: \frac{(\sum_u e_u)^2}{n \sum_u e_u^2}, \qquad e_u = \sum_s (x_{su} - x'_{su})^2

    An optimizer that gives every synapse a step of one size moves units more evenly than one whose
    steps are as large as the gradient. 1 where nothing moved. Units lost since the visit before are
    not counted; NaN if all were.
    """
    change = np.diff(values, axis=0)
    energy = np.einsum("vsu,vsu->vu", change, change).astype(np.float64)
    count = np.full(len(energy), energy.shape[1])
    if followed is not None:
        since = since_last_visit(followed)
        energy, count = energy * since, since.sum(1)
    still = (energy.sum(1) == 0) & (count > 0)
    return np.concatenate([[1.0], np.where(still, 1.0, _participation(energy, count))])


@QUIET
def movement(responses: LayerResponses) -> dict[str, PerVisit]:
    """Dimensions and directions of a layer's last movement; 0 before it, NaN without movement.

    Parameters
    ----------
    responses : LayerResponses
        In double precision and :meth:`~LayerResponses.filled`; all labels known. Measures that
        compare two movements use the units followed through both.

    Returns
    -------
    dict
        ``act_move_dimension`` : log of the participation ratio of the movement over stimuli, less
        that of the responses moved. ``act_move_units_last``, ``act_move_units_first``,
        ``act_move_units_tuning`` : overlap of the units' subspaces, 1 if the same, with the
        movement before, with the first, and with the tuning that was moved.
        ``act_move_similarity_last``, ``act_move_similarity_tuning`` : the same of stimuli (linear
        centred kernel alignment). ``act_move_mean_turn`` : cosine between the last two movements of
        the units' mean responses; ``act_move_mean_evenness`` : how evenly units took part in it.
        With labels ``act_move_class_share`` : share of the movement that classes have in common;
        ``act_move_class_dimension``, ``act_move_class_units_last``,
        ``act_move_class_units_first`` : of that part.
    """
    values, followed = responses.values, responses.followed
    move = np.diff(values, axis=0)
    present = np.ones((len(move), 1, move.shape[2]))
    if followed is not None:
        present = since_last_visit(followed)[:, None] * 1.0
    move = move * present
    mean = move.mean(1)
    tuned = Patterns(move - mean[:, None])
    tuning = Patterns((values[:-1] - values[:-1].mean(1, keepdims=True)) * present)
    mean_evenness = _participation(mean**2, present.sum((1, 2)))
    found = {
        "act_move_dimension": _from_movements(tuned.log_dimension() - tuning.log_dimension()),
        **_units_overlaps("act_move", tuned),
        "act_move_units_tuning": _from_movements(tuned.overlap_of_units(tuning)),
        "act_move_similarity_last": _from_movements(tuned[1:].overlap_of_stimuli(tuned[:-1]), 2),
        "act_move_similarity_tuning": _from_movements(tuned.overlap_of_stimuli(tuning)),
        "act_move_mean_turn": _from_movements(_cosine(mean[1:], mean[:-1]), 2),
        "act_move_mean_evenness": _from_movements(mean_evenness),
    }
    if responses.labels is not None:
        common = Patterns(class_means(tuned.values, responses.labels, responses.observed))
        found |= {
            "act_move_class_share": _from_movements(common.power / tuned.power),
            "act_move_class_dimension": _from_movements(common.log_dimension()),
            **_units_overlaps("act_move_class", common),
        }
    return {name: each[: len(values)] for name, each in found.items()}


def _units_overlaps(name: str, moves: Patterns) -> dict[str, PerVisit]:
    """Overlap of the units' subspaces with the movement before and with the first."""
    first = moves.overlap_of_units(moves[:1])
    return {
        f"{name}_units_last": _from_movements(moves[1:].overlap_of_units(moves[:-1]), 2),
        f"{name}_units_first": _from_movements(first),
    }


def _from_movements(values: PerMovement, missing: int = 1) -> PerMovement:
    """Values at the visits at which they are known, and 0 at the first ones."""
    return np.concatenate([np.zeros(missing), values])


def _cosine(one: np.ndarray, other: np.ndarray) -> PerMovement:
    """Cosine between two arrays, (movement, unit)."""
    size = np.vecdot(one, one) * np.vecdot(other, other)
    found: np.ndarray = np.vecdot(one, other) / np.sqrt(size)
    return found


def _participation(energy: jt.Float[np.ndarray, "_ unit"], count: np.ndarray) -> PerMovement:
    """Share of ``count`` units among which an energy is effectively divided."""
    found: np.ndarray = energy.sum(1) ** 2 / (count * np.vecdot(energy, energy))
    return found
