r"""What the last movement of a pattern was like: its dimensions, and where it pointed.

The error that moves a layer comes by way of backward weights, and they leave their mark on the
movement: fixed ones push a layer within one and the same subspace of its units for as long as it
learns, ones that follow the forward weights push it where these go, and an optimizer that gives
every synapse a step of one size spreads the movement over more dimensions than the gradient has.

With :math:`A_v = X_v - X_{v-1}` (stimulus by unit, without what all stimuli have in common), two
movements are compared by their covariances over units, :math:`A_v^\top A_v`, and by their
similarities between stimuli, :math:`A_v A_v^\top`. Of both the part is left out that is there
whatever the movements are, and the larger the fewer units are recorded: so what is said of a sample
of units is, but for luck, what would be said of all.
"""

from __future__ import annotations

from collections.abc import Callable

import jaxtyping as jt
import numpy as np

from virtuallab.probe.statistics.inner_products import (
    QUIET,
    Kept,
    Observed,
    PerVisit,
    class_means,
    last,
)

Pattern = jt.Float[np.ndarray, "_ stimulus unit"]  # over visits, or the movements between them
PerMovement = jt.Float[np.ndarray, " _"]
Product = Callable[[np.ndarray, np.ndarray], np.ndarray]


@QUIET
def movement(
    responses: Pattern,
    labels: jt.Int[np.ndarray, " stimulus"] | None,
    kept: Kept | None = None,
    observed: Observed | None = None,
) -> dict[str, PerVisit]:
    """Describe the last movement of one layer's responses; 0 before there was one, NaN if none.

    Parameters
    ----------
    responses : array, (visit, stimulus, unit), float64
    labels : array, (stimulus,), optional
        Class of each stimulus; without it, nothing is said of classes.
    kept : array of bool, (visit, visit, unit), optional
        Whether a unit was recorded from the one visit to the other; all if not given. What joins
        two movements follows units through both.
    observed : array of bool, (stimulus, unit), optional
        Whether a response was measured; all were if not given. The others are
        :func:`~virtuallab.probe.statistics.inner_products.filled`.

    Returns
    -------
    dict
        ``act_move_dimension`` : log of the participation ratio of the movement over stimuli, less
        that of the responses moved. ``act_move_units_last``, ``act_move_units_first``,
        ``act_move_units_tuning`` : overlap of the units' subspaces, 1 if the same, with the
        movement before, with the first, and with the tuning that was moved.
        ``act_move_similarity_last``, ``act_move_similarity_tuning`` : the same of stimuli (linear
        centred kernel alignment). ``act_move_class_share`` : share of the movement that classes
        have in common; ``act_move_class_dimension``, ``act_move_class_units_last``,
        ``act_move_class_units_first`` : of that part. ``act_move_mean_turn`` : cosine between the
        last two movements of the units' mean responses; ``act_move_mean_evenness`` : how evenly
        units took part in it.
    """
    move = np.diff(responses, axis=0)
    present = np.ones((len(move), 1, move.shape[2])) if kept is None else last(kept)[:, None] * 1.0
    move = move * present
    mean = move.mean(1)
    tuned = move - mean[:, None]
    tuning = (responses[:-1] - responses[:-1].mean(1, keepdims=True)) * present
    found = {
        "act_move_dimension": _after(_dimension(tuned) - _dimension(tuning)),
        "act_move_units_last": _after(_cosine(_over_units, tuned[1:], tuned[:-1]), 2),
        "act_move_units_first": _after(_cosine(_over_units, tuned, tuned[:1])),
        "act_move_units_tuning": _after(_cosine(_over_units, tuned, tuning)),
        "act_move_similarity_last": _after(_cosine(_over_stimuli, tuned[1:], tuned[:-1]), 2),
        "act_move_similarity_tuning": _after(_cosine(_over_stimuli, tuned, tuning)),
        "act_move_mean_turn": _after(_cosine(np.vecdot, mean[1:], mean[:-1]), 2),
        "act_move_mean_evenness": _after(_evenness(mean, present.sum((1, 2)))),
    }
    if labels is not None:
        found |= _of_classes(tuned, labels, observed)
    return {name: values[: len(responses)] for name, values in found.items()}


def _of_classes(
    tuned: Pattern, labels: jt.Int[np.ndarray, " stimulus"], observed: Observed | None
) -> dict[str, PerVisit]:
    common = class_means(tuned, labels, observed)
    return {
        "act_move_class_share": _after((common**2).sum((1, 2)) / (tuned**2).sum((1, 2))),
        "act_move_class_dimension": _after(_dimension(common)),
        "act_move_class_units_last": _after(_cosine(_over_units, common[1:], common[:-1]), 2),
        "act_move_class_units_first": _after(_cosine(_over_units, common, common[:1])),
    }


def _after(values: PerMovement, missing: int = 1) -> PerMovement:
    """Put values where the visits are that they are known at; nothing was before."""
    return np.concatenate([np.zeros(missing), values])


def _over_units(one: Pattern, other: Pattern) -> PerMovement:
    """Product of two covariances over units, less what is alike for all units."""
    across = np.matmul(one, other.transpose(0, 2, 1))
    alike = (one**2).sum((1, 2)) * (other**2).sum((1, 2)) / one.shape[2]
    found: np.ndarray = np.einsum("vst,vst->v", across, across) - alike
    return found


def _over_stimuli(one: Pattern, other: Pattern) -> PerMovement:
    """Product of two similarities between stimuli, less what each unit shares with itself.

    A sum over pairs of units, of which a sample of units has its share; over units and themselves
    it has a larger one.
    """
    first, second = (np.matmul(each, each.transpose(0, 2, 1)) for each in (one, other))
    alone = (np.einsum("vsu,vsu->vu", one, other) ** 2).sum(1)
    found: np.ndarray = np.einsum("vst,vst->v", first, second) - alone
    return found


def _cosine(product: Product, one: np.ndarray, other: np.ndarray) -> PerMovement:
    size = product(one, one) * product(other, other)
    found: np.ndarray = product(one, other) / np.sqrt(size)
    return found


def _dimension(pattern: Pattern) -> PerMovement:
    """Log of the participation ratio over stimuli, of pairs of units."""
    energy = np.einsum("vsu,vsu->vu", pattern, pattern)
    pairs = energy.sum(1) ** 2 - np.vecdot(energy, energy)
    found: np.ndarray = np.log(pairs / _over_stimuli(pattern, pattern))
    return found


def _evenness(mean: np.ndarray, count: np.ndarray) -> PerMovement:
    energy = mean**2
    found: np.ndarray = energy.sum(1) ** 2 / (count * np.vecdot(energy, energy))
    return found
