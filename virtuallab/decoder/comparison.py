"""Compare decoders of the same subjects: who was identified by which.

Subjects vary from one experiment to another, so subjects are resampled; that all designs were tried
in the same ones makes a difference of two sharper than their accuracies.
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.intervals import interval

Right = jt.Float[
    np.ndarray, "*design subject"
]  # share of the implantations in which it was identified

_DRAWS = 2_000


def balanced(right: Right, labels: np.ndarray) -> jt.Float[np.ndarray, "*design"]:
    """Mean over rules of the share identified.

    Parameters
    ----------
    right : array, (..., subject)
    labels : array of str, (subject,)
    """
    shares = [right[..., labels == rule].mean(-1) for rule in sorted(set(labels.tolist()))]
    return np.asarray(np.mean(shares, axis=0))


def accuracy_interval(
    right: jt.Float[np.ndarray, " subject"], labels: np.ndarray, confidence: float, seed: int
) -> tuple[float, float]:
    """Credible interval of the balanced accuracy.

    It is that of as many subjects decoded once: averaging several implantations makes the accuracy
    surer than that, but they are in the same subjects.
    """
    rules = sorted(set(labels.tolist()))
    confusion = np.zeros((len(rules), len(rules)))
    for row, rule in enumerate(rules):
        mine = right[labels == rule]
        confusion[row, row] = mine.sum()
        confusion[row, row - 1] = (1 - mine).sum()
    return interval(confusion, confidence, seed)


def resampled(labels: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Draw subjects anew, as many of each rule as there are: indices (draw, subject)."""
    stream = np.random.default_rng(seed)
    found = np.empty((draws, len(labels)), dtype=np.int64)
    for rule in sorted(set(labels.tolist())):
        mine = np.flatnonzero(labels == rule)
        found[:, mine] = stream.choice(mine, size=(draws, len(mine)))
    return found


def shortfall(
    right: jt.Float[np.ndarray, "design subject"], labels: np.ndarray, confidence: float, seed: int
) -> jt.Float[np.ndarray, "design 3"]:
    """How far each design falls short of the best: the difference, and an interval of it.

    The best is that of highest accuracy, and luck had a part in its being so: an interval that
    reaches 0 says that a design cannot be told from it.

    Returns
    -------
    array, (design, 3)
        Difference (0 or more), low, high; by a bootstrap over subjects.
    """
    accuracy = balanced(right, labels)
    behind = right[int(accuracy.argmax())] - right
    draws = np.stack(
        [balanced(behind[:, chosen], labels) for chosen in resampled(labels, _DRAWS, seed)]
    )
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    low, high = np.quantile(draws, tails, axis=0)
    return np.column_stack([balanced(behind, labels), low, high])
