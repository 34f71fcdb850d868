"""Scores of stated probabilities against the true rules, for a decoder of any kind."""

from __future__ import annotations

from collections.abc import Sequence

import jaxtyping as jt
import numpy as np
import xarray as xr
from sklearn.metrics import confusion_matrix, log_loss, roc_auc_score

from virtuallab.decoder.diagnostics.reliability import reliability
from virtuallab.decoder.pairs import pair_effect
from virtuallab.decoder.tables import BOUNDS, accuracy_table
from virtuallab.decoder.uncertainty.calibration import Probability
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.vocabulary import describe


def score_probabilities(
    probability: Probability,
    labels: np.ndarray,
    rules: Sequence[str],
    *,
    kinds: np.ndarray | None = None,
    pairs: np.ndarray | None = None,
    confidence: float = 0.95,
) -> xr.Dataset:
    """Scores of stated probabilities, which were made without the labels.

    The predicted rule is the most probable one. Where several rules are equally probable, the
    subject counts in equal parts for each of them.

    Parameters
    ----------
    probability : array, (subject, rule)
        Rows sum to 1.
    labels : array of str, (subject,)
        True rule of each subject; at least two rules.
    rules : sequence of str, (rule,)
        Names of the columns, each once; they contain all labels.
    kinds : array of str, (subject,), optional
        Kind of each subject, its network and its task.
    pairs : array, (subject,), optional
        Pair of each subject; None if subjects are independent.
    confidence : float
        Of the intervals.

    Returns
    -------
    xr.Dataset
        ``balanced_accuracy``, ``interval`` (bound,), ``confusion`` (true_rule, predicted_rule),
        ``log_loss`` in nat, ``brier``, ``calibration_error``, ``calibration_error_least`` and
        ``pair_effect``. With kinds, also ``kind_accuracy``, ``kind_interval`` and ``kind_subjects``
        over ``kind``, which starts with the lowest accuracy.
    """
    order = sorted(rules)
    probability = probability[:, [list(rules).index(rule) for rule in order]]
    votes = _votes(probability)
    truth = np.searchsorted(np.array(order), labels)
    right = votes[np.arange(len(truth)), truth]
    effect = pair_effect(right, labels, pairs)
    found = accuracy_table(_confusion(votes, truth), order, confidence, repeats=None, effect=effect)
    stated = reliability(probability, truth)
    found["log_loss"] = float(log_loss(truth, probability, labels=np.arange(len(order))))
    found["brier"] = stated.brier
    found["calibration_error"] = stated.error
    found["calibration_error_least"] = stated.least_error
    found["pair_effect"] = effect
    if kinds is not None:
        found = found.merge(_by_kind(votes, truth, right, labels, kinds, pairs, confidence))
    for name, variable in found.variables.items():
        variable.attrs = describe(str(name))
    return found.assign_attrs(
        confidence=confidence, chance=1 / len(set(labels.tolist())), subjects=len(labels)
    )


def with_novelty(
    found: xr.Dataset, unknown: jt.Float[np.ndarray, " subject"], outside: np.ndarray
) -> xr.Dataset:
    """Scores, with that of the probability that the rule is none of the named rules.

    Parameters
    ----------
    found : xr.Dataset
        Of the subjects whose rule is named.
    unknown : array, (subject,)
        Stated probability that the rule is not named; any number that is higher for such rules.
    outside : array of bool, (subject,)
        Whether the rule is not named; both must occur.

    Returns
    -------
    xr.Dataset
        With ``novelty_auroc``: the probability that the number is higher for a random subject
        whose rule is not named than for one whose rule is; 0.5 for guessing. The attribute
        ``subjects_of_other_rules`` counts the former.
    """
    area = float(roc_auc_score(outside, unknown))
    scored = found.assign(novelty_auroc=((), area, describe("novelty_auroc")))
    return scored.assign_attrs(subjects_of_other_rules=int(outside.sum()))


def _votes(probability: Probability) -> jt.Float[np.ndarray, "subject rule"]:
    """Share of each subject that is identified as each rule; equal shares of tied rules."""
    # Sums and quotients of equal probabilities differ in the last digits.
    most = np.isclose(probability, probability.max(1, keepdims=True), rtol=1e-9, atol=0)
    found: np.ndarray = most / most.sum(1, keepdims=True)
    return found


def _confusion(
    votes: jt.Float[np.ndarray, "subject rule"], truth: jt.Int[np.ndarray, " subject"]
) -> jt.Float[np.ndarray, "true predicted"]:
    rows, columns = np.nonzero(votes)
    found: np.ndarray = confusion_matrix(
        truth[rows],
        columns,
        labels=np.arange(votes.shape[1]),
        sample_weight=votes[rows, columns],
    )
    return found


def _by_kind(
    votes: np.ndarray,
    truth: np.ndarray,
    right: np.ndarray,
    labels: np.ndarray,
    kinds: np.ndarray,
    pairs: np.ndarray | None,
    confidence: float,
) -> xr.Dataset:
    """Balanced accuracy of each kind, the lowest first."""
    rows = []
    for kind in sorted(set(kinds.tolist())):
        mine = kinds == kind
        table = _confusion(votes[mine], truth[mine])
        effect = pair_effect(right[mine], labels[mine], None if pairs is None else pairs[mine])
        bounds = interval(table, confidence, repeats=None, effect=effect)
        rows.append((balanced_accuracy(table), kind, bounds, int(mine.sum())))
    accuracies, names, bounds, counts = zip(*sorted(rows), strict=True)
    return xr.Dataset(
        {
            "kind_accuracy": ("kind", np.array(accuracies)),
            "kind_interval": (("kind", "bound"), np.array(bounds)),
            "kind_subjects": ("kind", np.array(counts)),
        },
        coords={"kind": np.array(names, dtype=object), "bound": np.array(BOUNDS, dtype=object)},
    )
