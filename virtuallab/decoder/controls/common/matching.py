r"""Accuracy of a recording in subjects that are matched in a covariate.

:func:`weighted` keeps all subjects: they are weighted so that the covariate has the same
distribution in every rule (overlap weights), and the recording's predictions are counted with these
weights. A decoder that depends on the covariate only is then at chance: the share of subjects that
it assigns to rule :math:`k` is the same in every rule, and these shares sum to one.
:func:`in_subsample` decodes the recording again in a subsample with equally many subjects of each
rule for each value.

References
----------
Li and Li 2019, "Propensity Score Weighting for Causal Inference with Multiple Treatments".
"""

from __future__ import annotations

from collections.abc import Sequence

import jaxtyping as jt
import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from scipy.stats import norm, rankdata
from sklearn.linear_model import LogisticRegression

from virtuallab.decoder.controls.common.chance import chance_p_value, guessing
from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.features.samples import Rows
from virtuallab.decoder.pairs import count_rules, pair_effect
from virtuallab.decoder.schemes.cross_validation import CrossValidated
from virtuallab.decoder.task import DecodingTask
from virtuallab.decoder.uncertainty.intervals import mean_interval, shares_of
from virtuallab.text import count_noun

_STRATA = ("architecture", "task")
_INVERSE_PENALTY = 10.0  # of the logistic regression
_TILT_PENALTY = 1e-2  # keeps tilts finite if no weights balance the means
_POWER = 0.8
_MIN_EFFECTIVE = 2.0  # effective subjects of a rule
_MAX_DIFFERENCE = 0.25  # of means, in standard deviations


def weighted(name: str, task: DecodingTask, covariates: np.ndarray, what: str) -> ControlResult:
    """Result of the recording in subjects weighted to have the same covariates (subject, column).

    Subjects with values that are not finite do not count. ``what`` are the covariates in words.
    """
    result = task.solved()
    known = np.isfinite(covariates).all(1)
    labels = task.labels[known]
    if set(labels.tolist()) != set(task.classes):
        reason = f"{what} are not known for every rule"
        return ControlResult.not_evaluated(name, "survive", int(known.sum()), reason)
    strata = _strata(task)[known]
    scores = _normal_scores(covariates[known], strata)
    weights = overlap_weights(scores, labels, strata)
    members = [labels == rule for rule in task.classes]
    effective = np.array([_effective(weights[mine]) for mine in members])
    correct = result.correct[known]
    pairs = None if task.samples.pairs is None else task.samples.pairs[known]
    effect = pair_effect(correct, labels, pairs, weights=weights)
    least = detectable(effective, task.confidence, effect)
    before, after = (
        _largest_difference(scores, w, members) for w in (np.ones(len(labels)), weights)
    )
    if effective.min() < _MIN_EFFECTIVE or least >= 1 or after > _MAX_DIFFERENCE:
        # Means of few subjects differ by chance: the largest difference of several pairs of rules
        # may be three standard errors.
        fewest = min(int(mine.sum()) for mine in members)
        noticed = max(_MAX_DIFFERENCE, 3 * (2 / fewest) ** 0.5)
        reason = (
            f"rules differ too much in {what} (by {before:.1f} standard deviations) for weights to "
            "match enough subjects"
            if max(before, after) > noticed
            else f"too few subjects: {effective.sum():.0f} count after weighting by {what}"
        )
        return ControlResult.not_evaluated(name, "survive", int(effective.sum()), reason)
    shares = np.array([np.average(correct[mine], weights=weights[mine]) for mine in members])
    note = (
        f"effective sample size {effective.sum():.0f} of {count_noun(len(known), 'subject')}; the "
        f"rules' mean {what} differ by {after:.2f} standard deviations after weighting and by "
        f"{before:.2f} before; an accuracy of {least:.2f} is detected with a power of {_POWER:g}"
    )
    return _shares_above_chance(name, task, shares, effective, note, effect)


def equally_many(groups: np.ndarray, labels: np.ndarray, stream: np.random.Generator) -> Rows:
    """Rows of a random subsample with equally many subjects of each rule in each group."""
    kept: list[Rows] = [np.array([], dtype=np.int64)]
    rules = sorted(set(labels.tolist()))
    for group in sorted(set(groups.tolist())):
        members = [np.flatnonzero((groups == group) & (labels == rule)) for rule in rules]
        fewest = min(map(len, members))
        kept += [stream.permutation(rows)[:fewest] for rows in members]
    return np.sort(np.concatenate(kept))


def in_subsample(name: str, task: DecodingTask, rows: Rows, note: str) -> ControlResult:
    """Result of the recording in a subsample, if it is large enough for the task's folds."""
    needed = task.analysis.folds * task.analysis.inner_folds
    chosen = task.samples.take(rows)
    count = count_rules(chosen.labels.tolist(), chosen.pairs)
    left = min(count[rule] for rule in task.classes)
    if left < needed:
        reason = (
            f"{count_noun(len(rows), 'subject')} matched, {left} of the rarest rule; each rule "
            f"needs {needed}"
        )
        return ControlResult.not_evaluated(name, "survive", len(rows), reason)
    result = task.decode(chosen, select=True, draws=task.analysis.repeats)
    return above_chance(name, task, result, note)


def above_chance(name: str, task: DecodingTask, result: CrossValidated, note: str) -> ControlResult:
    """Result of a control that must be above chance, from cross-validation."""
    return _shares_above_chance(name, task, *shares_of(result.confusion), note, result.pair_effect)


def _shares_above_chance(
    name: str,
    task: DecodingTask,
    shares: jt.Float[np.ndarray, " rule"],
    tested: jt.Float[np.ndarray, " rule"],
    note: str,
    effect: float,
) -> ControlResult:
    """Result from the share of each rule's subjects that were identified."""
    accuracy = float(shares.mean())
    low, high = mean_interval(
        shares, tested, task.confidence, repeats=task.analysis.repeats, effect=effect
    )
    p_value = chance_p_value(accuracy, tested, effect)
    chance = 1 / len(task.classes)
    return ControlResult(
        name=name,
        kind="survive",
        accuracy=accuracy,
        low=low,
        high=high,
        # The prior of the interval shifts a low accuracy upwards, more for fewer subjects.
        passed=low > chance and p_value < 1 - task.confidence,
        n_subjects=int(tested.sum()),
        note=note,
        p_value=p_value,
        difference=(accuracy - chance, low - chance, high - chance),
    )


def overlap_weights(
    values: jt.Float[np.ndarray, "subject column"], labels: np.ndarray, strata: np.ndarray
) -> jt.Float[np.ndarray, " subject"]:
    r"""Weights under which covariates have the same distribution in every rule.

    .. math:: w_i \propto \frac{1}{e_{k_i}(x_i)} \Big/ \sum_k \frac{1}{e_k(x_i)}

    with :math:`e_k(x)` the probability of rule :math:`k` given the covariates, by a logistic
    regression on them and their squares within each stratum. Remaining differences of means are
    removed by entropy balancing. Weights sum to 1 in each rule.

    References
    ----------
    Hainmueller 2012, "Entropy Balancing for Causal Effects".
    """
    each = np.concatenate([np.ones((len(values), 1)), values, values**2], axis=1)
    read = np.concatenate([each * (strata == s)[:, None] for s in np.unique(strata)], axis=1)
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=2_000).fit(read, labels)
    chance = np.maximum(model.predict_proba(read), 1e-9)
    places = np.searchsorted(model.classes_, labels)
    shared = 1 / (1 / chance).sum(1)
    weights = shared / chance[np.arange(len(labels)), places]
    wanted = np.average(read, axis=0, weights=shared)
    for rule in model.classes_:
        mine = labels == rule
        weights[mine] = _tilted(weights[mine], read[mine] - wanted)
    found: jt.Float[np.ndarray, " subject"] = weights
    return found


def _tilted(weights: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Entropy balancing: the closest weights for which the means of some columns are 0."""
    logarithm = np.log(weights)

    def objective(tilt: np.ndarray) -> tuple[float, np.ndarray]:
        exponent = logarithm + away @ tilt
        found = softmax(exponent)
        penalty = _TILT_PENALTY * tilt
        return float(logsumexp(exponent) + penalty @ tilt / 2), found @ away + penalty

    tilt = minimize(objective, np.zeros(away.shape[1]), jac=True, method="BFGS").x
    tilted: np.ndarray = softmax(logarithm + away @ tilt)
    return tilted


def detectable(
    tested: jt.Float[np.ndarray, " rule"], confidence: float, effect: float = 1.0
) -> float:
    """Lowest accuracy that is distinguished from chance with a power of 0.8."""
    chance, sd = guessing(tested, effect)
    return float(chance + (norm.ppf(confidence) + norm.ppf(_POWER)) * sd)


def _strata(task: DecodingTask) -> np.ndarray:
    known = [column for name in _STRATA if (column := task.column(name)) is not None]
    if not known:
        return np.full(len(task.labels), "")
    return np.array([" ".join(map(str, row)) for row in zip(*known, strict=True)])


def _effective(weights: np.ndarray) -> float:
    """Effective sample size: number of equally weighted subjects with the same variance."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _normal_scores(
    values: jt.Float[np.ndarray, "subject column"], strata: np.ndarray
) -> jt.Float[np.ndarray, "subject column"]:
    """Normal scores of the ranks within each stratum, which limit the leverage of outliers."""
    found = np.zeros(values.shape)
    for stratum in np.unique(strata):
        inside = strata == stratum
        ranks = rankdata(values[inside], axis=0)
        found[inside] = norm.ppf((ranks - 0.5) / inside.sum())
    return found


def _largest_difference(
    scores: np.ndarray, weights: np.ndarray, members: Sequence[np.ndarray]
) -> float:
    """Largest difference of two rules' weighted means, in any column."""
    means = [np.average(scores[mine], axis=0, weights=weights[mine]) for mine in members]
    return float(np.ptp(means, axis=0).max())
