"""Comparison of decoders of the same subjects, from who was identified by which decoder.

All designs are tested in the same subjects, so the difference of two accuracies is more precise
than either accuracy. Decoders of one sample share training subjects, so differences vary more than
those of independent subjects would, as accuracies do. Subjects of a pair are not independent, so
in a paired design variances are those of pairs, and bootstrap samples draw pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import jaxtyping as jt
import numpy as np
from scipy.stats import norm

from virtuallab.decoder.pairs import Pairs, pair_effect, pair_scores
from virtuallab.decoder.uncertainty.blocks import blocks
from virtuallab.decoder.uncertainty.intervals import balanced_number, dependence, mean_interval

# Share of the draws of the folds, or of the implantations, in which a subject was identified.
Correct = jt.Float[np.ndarray, "*design subject"]

_PSEUDO_COUNT = 0.5  # added to the number of subjects that only one of two decoders identified


def _members(labels: np.ndarray) -> list[np.ndarray]:
    """Subjects of each rule, as masks."""
    return [labels == rule for rule in sorted(set(labels.tolist()))]


def _counts(labels: np.ndarray) -> jt.Float[np.ndarray, " rule"]:
    return np.array([float(mine.sum()) for mine in _members(labels)])


def balanced(correct: Correct, labels: np.ndarray) -> jt.Float[np.ndarray, "*design"]:
    """Mean over rules of the share of subjects identified."""
    return np.asarray(np.mean([correct[..., mine].mean(-1) for mine in _members(labels)], axis=0))


def accuracy_interval(
    correct: jt.Float[np.ndarray, " subject"],
    labels: np.ndarray,
    confidence: float,
    *,
    repeats: int = 1,
    pairs: Pairs | None = None,
) -> tuple[float, float]:
    """Interval of the balanced accuracy, by ``intervals.mean_interval``.

    ``repeats`` is the number of draws of the folds, or of implantations, over which ``correct`` is
    a mean. They use the same subjects, so averaging narrows the interval to a limit only. ``pairs``
    are those of the subjects, in a paired design.
    """
    shares = np.array([correct[mine].mean() for mine in _members(labels)])
    effect = pair_effect(correct, labels, pairs)
    return mean_interval(shares, _counts(labels), confidence, repeats=repeats, effect=effect)


def difference(
    one: jt.Float[np.ndarray, " subject"],
    other: jt.Float[np.ndarray, " subject"],
    labels: np.ndarray,
    confidence: float,
    *,
    repeats: int = 1,
    pairs: Pairs | None = None,
) -> tuple[float, float, float]:
    r"""Balanced accuracy of one decoder minus that of another in the same subjects, with bounds.

    .. math:: \delta \pm z \sqrt{(p_+ + p_- - \delta^2) / (n + 1)}, \qquad
              \delta = p_+ - p_-, \quad p_\pm = (n \hat p_\pm + \tfrac12) / (n + 1)

    for the shares :math:`\hat p_+` and :math:`\hat p_-` (means over rules) that one decoder alone
    and the other alone identified. Half a subject is added to each, so that the interval keeps a
    width where the two never disagree. :math:`n` is the number of independent subjects with the
    same variance (:func:`~virtuallab.decoder.uncertainty.intervals.dependence`, and in a
    paired design :func:`~virtuallab.decoder.pairs.pair_effect`).

    Parameters
    ----------
    one, other : array, (subject,)
        Share of the draws of the folds, or of implantations, in which a subject was identified.
    labels : array of str, (subject,)
    confidence : float
    repeats : int
        Number of these draws.
    pairs : array of int, (subject,), optional

    Returns
    -------
    (difference, low, high)

    References
    ----------
    Agresti and Min 2005, "Simple Improved Confidence Intervals for Comparing Matched Proportions".
    Bonett and Price 2012, "Adjusted Wald Confidence Interval for a Difference of Binomial
    Proportions Based on Paired Data".
    """
    # As if draws were independent of one another: pairing them would make these shares smaller.
    alone = [float(balanced(each, labels)) for each in (one * (1 - other), other * (1 - one))]
    number = balanced_number(_counts(labels)) / dependence(repeats)

    def smoothed(number: float) -> tuple[float, float]:
        ahead, behind = (
            (number * each + _PSEUDO_COUNT) / (number + 2 * _PSEUDO_COUNT) for each in alone
        )
        return ahead, behind

    ahead, behind = smoothed(number)
    if pairs is not None:
        variance = ahead + behind - (ahead - behind) ** 2
        number /= pair_effect(one - other, labels, pairs, variance=variance)
        ahead, behind = smoothed(number)
    middle = ahead - behind
    deviation = np.sqrt((ahead + behind - middle**2) / (number + 2 * _PSEUDO_COUNT))
    width = float(norm.ppf((1 + confidence) / 2) * deviation)
    return float(balanced(one - other, labels)), middle - width, middle + width


def bootstrap_means(
    values: jt.Float[np.ndarray, "row subject"],
    labels: np.ndarray,
    draws: int,
    seed: int,
    pairs: Pairs | None = None,
) -> jt.Float[np.ndarray, "row draw"]:
    """Balanced means of bootstrap samples, which keep the number of subjects of each rule.

    In a paired design, pairs are drawn, and the mean is linear in the deviations of pairs
    (:func:`~virtuallab.decoder.pairs.pair_scores`): pairs that lack a rule need no special case.
    """
    stream = np.random.default_rng(seed)
    found = np.empty((len(values), draws))
    if pairs is not None:
        mean, scores = balanced(values, labels)[:, None], pair_scores(values, labels, pairs)
        count = scores.shape[1]
        for some in blocks(draws, count):
            size = some.stop - some.start
            number = stream.multinomial(count, np.full(count, 1 / count), size=size)
            found[:, some] = mean + scores @ number.T
        return found
    members = [np.flatnonzero(mine) for mine in _members(labels)]
    weight = np.zeros(len(labels))
    for mine in members:
        weight[mine] = len(members) * len(mine)
    streams = _stream_of_each(stream, members, draws)
    for some in blocks(draws, len(labels)):
        times = np.zeros((some.stop - some.start, len(labels)))
        for mine, own in zip(members, streams, strict=True):
            for row, drawn in enumerate(own.choice(mine, size=(len(times), len(mine)))):
                times[row] += np.bincount(drawn, minlength=len(labels))
        times /= weight
        found[:, some] = values @ times.T
    return found


def _stream_of_each(
    stream: np.random.Generator, members: Sequence[np.ndarray], draws: int
) -> list[np.random.Generator]:
    """Stream of each rule, whose draws follow those of the rules before."""
    found = []
    for mine in members:
        found.append(deepcopy(stream))
        for some in blocks(draws, len(mine)):
            stream.choice(mine, size=(some.stop - some.start, len(mine)))
    return found


def bootstrap_accuracies(
    correct: jt.Float[np.ndarray, "design subject"],
    labels: np.ndarray,
    draws: int,
    seed: int,
    *,
    repeats: int = 1,
    pairs: Pairs | None = None,
) -> jt.Float[np.ndarray, "draw design"]:
    """Balanced accuracies of designs in bootstrap samples of the subjects.

    All designs share the samples. Deviations from the mean are scaled to the variance of
    :func:`accuracy_interval`, since a bootstrap sample keeps the decoders of its subjects.
    """
    mean = balanced(correct, labels)
    drawn = bootstrap_means(correct, labels, draws, seed, pairs).T
    each = [correct[:, mine] for mine in _members(labels)]
    # Variance of bootstrap means, and of means of subjects that are identified in one draw each.
    own = sum(some.var(-1) / some.shape[-1] for some in each)
    single = sum(some.mean(-1) * (1 - some.mean(-1)) / some.shape[-1] for some in each)
    if pairs is not None:
        own = (pair_scores(correct, labels, pairs) ** 2).sum(-1) * len(each) ** 2
        single = single * np.array([pair_effect(some, labels, pairs) for some in correct])
    ratio = np.divide(single, own, out=np.ones_like(mean), where=own > 0)
    scale = np.sqrt(ratio * dependence(repeats))
    found: np.ndarray = np.clip(mean + scale * (drawn - mean), 0, 1)
    return found


def shortfall(
    correct: jt.Float[np.ndarray, "design subject"],
    labels: np.ndarray,
    confidence: float,
    *,
    repeats: int = 1,
    pairs: Pairs | None = None,
) -> jt.Float[np.ndarray, "design 3"]:
    """Accuracy of the best design minus that of each design, with bounds: (difference, low, high).

    All three are 0 for the best design itself. It was selected for its accuracy, so a design whose
    interval includes 0 cannot be distinguished from it.
    """
    best = int(balanced(correct, labels).argmax())
    found = [
        difference(correct[best], each, labels, confidence, repeats=repeats, pairs=pairs)
        for each in correct
    ]
    found[best] = (0.0, 0.0, 0.0)
    return np.array(found)
