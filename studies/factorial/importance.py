"""Where the importance of statistics lies, and which rules are confused, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import jaxtyping as jt
import numpy as np
from scipy.stats import t

from studies.factorial.accuracies import CONFIDENCE, Accuracy, over_bootstrap
from studies.factorial.layers import LayerResult, importance_map
from studies.factorial.subjects import Recorded

_DRAWS: Final = 2_000
_SEED: Final = 2020
_TESTED: Final = 1 / 3  # subjects tested in a fold, over those trained on


def over_folds(values: Sequence[float] | np.ndarray) -> Accuracy:
    """Mean over four folds, with an interval for folds that share training subjects.

    References
    ----------
    Nadeau and Bengio 2003, "Inference for the Generalization Error".
    """
    each = np.asarray(values, dtype=np.float64)
    variance = each.var(ddof=1) * (1 / len(each) + _TESTED)
    width = float(t.ppf((1 + CONFIDENCE) / 2, len(each) - 1) * np.sqrt(variance))
    mean = float(each.mean())
    return Accuracy(mean, mean - width, mean + width)


def share_of(recorded: Recorded, observable: str, found: LayerResult) -> Accuracy:
    """Share of medians and norms in the importance, minus their share of the statistics."""
    each = importance_map(recorded, observable, found).sum("visit")
    central = np.array([name.endswith(("_median", "_norm")) for name in each["statistic"].values])
    share = each.isel(statistic=central).sum("statistic") / each.sum("statistic")
    return over_folds(share.to_numpy() - central.mean())


def largest_part(recorded: Recorded, observable: str, found: LayerResult) -> Accuracy:
    """One half minus the largest share of the importance in a third of the visits."""
    each = importance_map(recorded, observable, found).sum("statistic").to_numpy()
    parts = _thirds(each)
    return over_folds(0.5 - parts.max(1) / parts.sum(1))


def late_minus_early(
    recorded: Recorded, observable: str, statistic: str, found: LayerResult
) -> Accuracy:
    """Share of the last third of visits in the importance of a statistic, minus the first."""
    each = importance_map(recorded, observable, found).sel(statistic=statistic).to_numpy()
    parts = _thirds(each)
    return over_folds((parts[:, 2] - parts[:, 0]) / parts.sum(1))


def _thirds(each: jt.Float[np.ndarray, "fold visit"]) -> jt.Float[np.ndarray, "fold 3"]:
    """Sums over each third of the visits after visit 0, at which no rule has acted."""
    parts = np.array_split(each[:, 1:], 3, axis=1)
    return np.stack([part.sum(1) for part in parts], axis=1)


def largest_confusion(
    recorded: Recorded, draws: Sequence[np.ndarray], pair: tuple[str, str]
) -> tuple[tuple[str, str], Accuracy]:
    """Confusion of two rules minus the largest of any other two, and these other two.

    The confusion of two rules is the mean share of the subjects of one that are identified as the
    other. The interval is a bootstrap over pairs of subjects, in which the largest is chosen anew.
    """
    classes = recorded.classes
    counts, tested = _by_pair(recorded, draws)
    pairs = list(combinations(range(len(classes)), 2))
    mine = pairs.index(tuple(sorted(classes.index(rule) for rule in pair)))  # type: ignore[arg-type]

    def confusions(weights: jt.Float[np.ndarray, "draw pair"]) -> np.ndarray:
        shares = np.einsum("dp,ptr->dtr", weights, counts) / (weights @ tested)[..., None]
        return np.stack([(shares[:, a, b] + shares[:, b, a]) / 2 for a, b in pairs], axis=1)

    whole = confusions(np.ones((1, len(tested))))[0]
    others = [place for place in range(len(pairs)) if place != mine]
    largest = max(others, key=lambda place: whole[place])
    value = float(whole[mine] - whole[largest])
    stream = np.random.default_rng(_SEED)
    weights = stream.multinomial(len(tested), np.full(len(tested), 1 / len(tested)), _DRAWS)
    each = confusions(weights.astype(np.float64))
    apart = each[:, mine] - each[:, others].max(1)
    names = classes[pairs[largest][0]], classes[pairs[largest][1]]
    return names, over_bootstrap(value, apart, len(draws))


def _by_pair(
    recorded: Recorded, draws: Sequence[np.ndarray]
) -> tuple[jt.Float[np.ndarray, "pair true rule"], jt.Float[np.ndarray, "pair true"]]:
    """Predictions of the subjects of each pair and rule, averaged over draws, and their number."""
    classes = np.array(recorded.classes)
    true = recorded.labels[:, None] == classes
    predicted = np.mean([each[:, None] == classes for each in draws], axis=0)
    _, place = np.unique(recorded.pairs, return_inverse=True)
    member = np.eye(place.max() + 1)[place]
    return (
        np.einsum("sp,st,sr->ptr", member, true.astype(float), predicted),
        np.einsum("sp,st->pt", member, true.astype(float)),
    )
