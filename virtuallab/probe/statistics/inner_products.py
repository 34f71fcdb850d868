r"""How a pattern moves from visit to visit, from its inner products alone.

With :math:`G_{vw} = x_v \cdot x_w` over the visits, distances, angles and the length of the path
are sums of a few entries of :math:`G`. Leaving out the part that all stimuli share, or keeping only
what tells the classes apart, changes :math:`G` by a term as small, so the same measures of those
parts cost nothing more.
"""

from __future__ import annotations

from typing import Final

import jaxtyping as jt
import numpy as np

PerVisit = jt.Float[np.ndarray, " visit"]
Gram = jt.Float[np.ndarray, "visit visit"]
UnitGram = jt.Float[np.ndarray, "visit visit unit"]
Kept = jt.Bool[np.ndarray, "visit visit unit"]
Observed = jt.Bool[np.ndarray, "stimulus unit"]

# Squared, in units of the squared norm: responses in single precision cannot move by less.
STILL: Final = 1e-14
_SLOWEST: Final = 1e-3  # of the mean speed: the logarithm of standing still

# What is not defined is NaN: a dead layer has no direction, an exploded one no length.
QUIET: Final = np.errstate(divide="ignore", invalid="ignore", over="ignore")


def grams(
    responses: jt.Float[np.ndarray, "visit stimulus unit"],
    labels: jt.Int[np.ndarray, " stimulus"] | None,
    kept: Kept | None = None,
    observed: Observed | None = None,
) -> tuple[Gram, Gram, Gram | None]:
    """Inner products between visits of the responses, of their tuning, and of its class part.

    Where units were lost between two visits, the angle is that of the units kept, and the lengths
    are those of all: NaN if none was kept.

    Parameters
    ----------
    responses : array, (visit, stimulus, unit)
    labels : array, (stimulus,), optional
        Class of each stimulus.
    kept : array of bool, (visit, visit, unit), optional
        Whether a unit was recorded from the one visit to the other; all if not given.
    observed : array of bool, (stimulus, unit), optional
        Whether a response was measured; all were if not given. The others are :func:`filled`.

    Returns
    -------
    tuple
        Of the whole pattern; of each unit's deviations from its mean response; of those deviations
        averaged in each class (None without classes), weighted by its size, so that the last is a
        share of the second as in an analysis of variance.
    """
    visits, stimuli, _ = responses.shape
    mean = responses.mean(1, keepdims=True) * np.sqrt(stimuli)
    classes = None
    if labels is not None and observed is not None:
        # Of each unit the classes have as many stimuli as were measured of it: what is common to
        # all stimuli is taken away before, not after.
        deviations = responses - responses.mean(1, keepdims=True)
        return _of_observed(responses, mean, class_means(deviations, labels, observed), kept)
    if labels is not None:
        classes = class_means(responses, labels)
    if kept is not None:
        return _of_kept(responses, mean, classes, kept)
    flat = responses.reshape(visits, -1)
    whole = flat @ flat.T
    common = mean[:, 0] @ mean[:, 0].T
    tuned = _remainder(whole, common)
    if classes is None:
        return whole, tuned, None
    flat = classes.reshape(visits, -1)
    return whole, tuned, _remainder(flat @ flat.T, common)


def class_means(
    pattern: jt.Float[np.ndarray, "visit stimulus unit"],
    labels: jt.Int[np.ndarray, " stimulus"],
    observed: Observed | None = None,
) -> jt.Float[np.ndarray, "visit label unit"]:
    """Mean over the stimuli of each class, times the root of their number.

    Parameters
    ----------
    pattern : array, (visit, stimulus, unit)
        0 where it was not observed.
    labels : array, (stimulus,)
    observed : array of bool, (stimulus, unit), optional
        Whether a response was measured; all were if not given.
    """
    belongs = (np.unique(labels)[:, None] == labels).astype(np.float64)
    if observed is None:
        belongs /= np.sqrt(belongs.sum(1, keepdims=True))
        return np.asarray(np.matmul(belongs, pattern))
    return np.asarray(np.matmul(belongs, pattern) / np.sqrt(np.maximum(belongs @ observed, 1)))


def filled(
    responses: jt.Float[np.ndarray, "visit stimulus unit"], observed: Observed
) -> jt.Float[np.ndarray, "visit stimulus unit"]:
    """Put for a missing response the unit's mean at that visit over what was measured of it.

    So the unit's mean is that of its measured responses, and its tuning and movement are 0 where
    nothing was measured: inner products are those of what was measured.

    Parameters
    ----------
    responses : array, (visit, stimulus, unit)
    observed : array of bool, (stimulus, unit)
        At least one response of each unit.
    """
    exact = np.where(observed, responses, 0.0).astype(np.float64)
    mean = exact.sum(1, keepdims=True) / observed.sum(0)
    return np.where(observed, responses, mean).astype(responses.dtype)


def _of_observed(
    responses: jt.Float[np.ndarray, "visit stimulus unit"],
    mean: jt.Float[np.ndarray, "visit 1 unit"],
    classes: jt.Float[np.ndarray, "visit label unit"],
    kept: Kept | None,
) -> tuple[Gram, Gram, Gram]:
    if kept is not None:
        whole, tuned, _ = _of_kept(responses, mean, None, kept)
        return whole, tuned, _matched(_by_unit(classes), kept)
    flat, of_classes = (each.reshape(len(each), -1) for each in (responses, classes))
    whole, power = flat @ flat.T, np.einsum("vsu,vsu->v", responses, responses)
    tuned = _remainder(whole, mean[:, 0] @ mean[:, 0].T)
    left = of_classes @ of_classes.T
    # As in _remainder: of a visit without tuning only rounding is left.
    told = ~(np.diag(left) <= STILL * power)
    return whole, tuned, left * (told[:, None] & told)


def _of_kept(
    responses: jt.Float[np.ndarray, "visit stimulus unit"],
    mean: jt.Float[np.ndarray, "visit 1 unit"],
    classes: jt.Float[np.ndarray, "visit label unit"] | None,
    kept: Kept,
) -> tuple[Gram, Gram, Gram | None]:
    whole, common = _by_unit(responses), _by_unit(mean)
    tuned = _matched(_remainder(whole, common), kept)
    if classes is None:
        return _matched(whole, kept), tuned, None
    return _matched(whole, kept), tuned, _matched(_remainder(_by_unit(classes), common), kept)


def _by_unit(pattern: jt.Float[np.ndarray, "visit sample unit"]) -> UnitGram:
    """Inner products between visits, of each unit by itself."""
    units = pattern.transpose(2, 0, 1)
    products: np.ndarray = np.matmul(units, units.transpose(0, 2, 1))
    return products.transpose(1, 2, 0)


def _matched(products: UnitGram, kept: Kept) -> Gram:
    """Inner products as if all units were those kept from one visit to the other."""
    power = np.einsum("vvu->vu", products)
    mine = np.einsum("vu,vwu->vw", power, kept)  # of the first visit's units, those kept
    cosine = (products * kept).sum(2) / np.sqrt(mine * mine.T)
    # Silent units have no direction; two silences are alike.
    silent = np.where(mine == mine.T, 1.0, 0.0)
    cosine = np.where((mine * mine.T == 0) & kept.any(2), silent, cosine)
    length = np.sqrt(power.sum(1))
    found: Gram = cosine * np.outer(length, length)
    np.fill_diagonal(found, power.sum(1))
    return found


def _remainder(
    whole: jt.Float[np.ndarray, "visit visit *unit"],
    part: jt.Float[np.ndarray, "visit visit *unit"],
) -> jt.Float[np.ndarray, "visit visit *unit"]:
    """Take a part away; a visit of which only rounding is left has nothing left."""
    rest = whole - part
    left = ~(np.einsum("vv...->v...", rest) <= STILL * np.einsum("vv...->v...", whole))
    remainder: np.ndarray = rest * (left[:, None] & left[None])
    return remainder


def moved(gram: Gram) -> PerVisit:
    """Squared distance of each visit from the one before, 0 at visit 0."""
    power = np.diag(gram)
    squared = power[1:] + power[:-1] - 2 * np.diag(gram, 1)
    largest = np.maximum(power[1:], power[:-1])
    # A comparison with what is not a number is false, and leaves it as it is.
    still = squared <= STILL * largest
    return np.concatenate([[0.0], np.where(still, 0.0, squared)])


def displaced(gram: Gram) -> PerVisit:
    """Squared distance of each visit from visit 0."""
    power = np.diag(gram)
    squared = power + power[0] - 2 * gram[0]
    return np.where(squared <= STILL * np.maximum(power, power[0]), 0.0, squared)


@QUIET
def drift(name: str, gram: Gram) -> dict[str, PerVisit]:
    """How far the pattern has turned and moved; no row depends on a later visit.

    Parameters
    ----------
    name : str
        Of the pattern; the measures' names begin with it.
    gram : array, (visit, visit)

    Returns
    -------
    dict
        ``cosine_start``, ``cosine_last`` : to visit 0 and to the visit before. ``step`` : log of
        one plus the distance from the visit before, in units of that visit's norm. ``pace`` : log
        of that distance over the mean of those so far. ``turn`` : cosine between the last two
        movements. ``straightness`` : distance from visit 0 over the length of the path.
    """
    squared = moved(gram)
    distance = np.sqrt(squared)
    norm = np.sqrt(np.maximum(np.diag(gram), 0))
    path = np.cumsum(distance)
    visit = np.arange(len(gram))
    mean_distance = path / np.maximum(visit, 1)
    between = np.diag(gram, 1)
    # (x2 - x1).(x1 - x0)
    product = between[1:] - np.diag(gram, 2) - np.diag(gram)[1:-1] + between[:-1]
    last = between / (norm[1:] * norm[:-1])
    step = np.log1p(distance[1:] / norm[:-1])
    pace = np.log(np.maximum(distance / mean_distance, _SLOWEST))
    turn = product / (distance[2:] * distance[1:-1])
    straight = np.sqrt(displaced(gram)) / path
    rested = (distance[2:] == 0) | (distance[1:-1] == 0)
    return {
        f"{name}_cosine_start": gram[0] / (norm * norm[0]),
        f"{name}_cosine_last": np.concatenate([[1.0], last]),
        f"{name}_step": np.concatenate([[0.0], step]),
        f"{name}_pace": np.where(path == 0, 0.0, pace),
        f"{name}_turn": np.concatenate([[0.0, 0.0], np.where(rested, 0.0, turn)])[: len(gram)],
        f"{name}_straightness": np.where(path == 0, 1.0, straight),
    }


def kept_between(matched: jt.Bool[np.ndarray, "visit unit"]) -> Kept:
    """Whether each unit was followed from one visit to another.

    Parameters
    ----------
    matched : array of bool, (visit, unit)
        Whether a unit is that of the visit before; of the first visit it does not matter.
    """
    losses = np.cumsum(~matched, axis=0)
    kept: np.ndarray = losses[:, None] == losses[None]
    return kept


@QUIET
def evenness(
    values: jt.Float[np.ndarray, "visit sample unit"], kept: Kept | None = None
) -> PerVisit:
    r"""How evenly the units took part in the last movement: 1 if all moved alike, 1/n if one did.

    .. math:: \frac{(\sum_u e_u)^2}{n \sum_u e_u^2}, \qquad e_u = \sum_s (x_{su} - x'_{su})^2

    An optimizer that gives every synapse a step of one size moves units more evenly than one whose
    steps are as large as the gradient. 1 where nothing moved. Of units that were lost nothing is
    known: those kept since the visit before are counted, and NaN is returned where none was.
    """
    change = np.diff(values, axis=0)
    energy = np.einsum("vsu,vsu->vu", change, change).astype(np.float64)
    count = np.full(len(energy), energy.shape[1])
    if kept is not None:
        since = last(kept)
        energy, count = energy * since, since.sum(1)
    share = energy.sum(1) ** 2 / (count * np.vecdot(energy, energy))
    still = (energy.sum(1) == 0) & (count > 0)
    return np.concatenate([[1.0], np.where(still, 1.0, share)])


def last(kept: Kept) -> jt.Bool[np.ndarray, "movement unit"]:
    """Whether each unit is that of the visit before, from the second visit on."""
    since: np.ndarray = np.einsum("vvu->vu", kept[1:, :-1])
    return since
