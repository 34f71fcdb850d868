"""The strict scheme: one verdict a subject, on subjects the decoder never saw.

Outer folds are drawn over subjects, stratified by rule and shuffled. Filling, scaling and the
choice of settings happen inside the training subjects of each fold. One draw of the folds moves the
accuracy (by a standard deviation of up to 0.05 with 40 subjects), so it is averaged over several.
What it estimates is the accuracy on new subjects, averaged over samples, of a decoder trained on a
sample of this size. It is not the accuracy of the one decoder that these very subjects give.

References
----------
Bates, Hastie and Tibshirani 2024, "Cross-Validation: What Does It Estimate and How Well Does It Do
It?".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import jaxtyping as jt
import numpy as np
from sklearn.model_selection import StratifiedKFold

from virtuallab.decoder.classifier import Classifier, Grid
from virtuallab.decoder.crossval import (
    chosen_settings,
    confusion_of,
    fit,
    probabilities,
    shuffled_folds,
)
from virtuallab.decoder.familiarity import Values
from virtuallab.decoder.samples import Samples
from virtuallab.decoder.trained import Answer, train


def nothing() -> None:
    """Do nothing: what is called after each step where nobody counts them."""


@dataclass(frozen=True)
class Outcome:
    """What came of testing every subject once in each draw of the folds.

    Parameters
    ----------
    confusion : array, (true, predicted)
        Mean over draws of the counts, so that each row adds up to the subjects of its rule.
    probability : array, (sample, rule)
        Mean over draws of the scores.
    right : array, (sample,)
        Share of the draws in which the sample was identified.
    """

    confusion: jt.Float[np.ndarray, "true predicted"]
    probability: jt.Float[np.ndarray, "sample rule"]
    right: jt.Float[np.ndarray, " sample"]


def cross_validated(
    classifier: Classifier,
    samples: Samples,
    classes: list[str],
    *,
    folds: int,
    inner_folds: int,
    seed: int,
    select: bool = True,
    repeats: int = 1,
) -> Outcome:
    """Identify each subject with a decoder trained on the others.

    Parameters
    ----------
    classifier : Classifier
    samples : Samples
        One a subject.
    classes : list of str
        Every rule there is.
    folds, inner_folds : int
    seed : int
        Of the folds and of the classifier.
    select : bool
        Choose settings by inner folds; otherwise the middle of the grid is taken.
    repeats : int
        Draws of the folds; settings are chosen anew in each.
    """
    grid = classifier.grid("strict", samples)
    grid = grid if select else [grid[len(grid) // 2]]
    return _mean(
        [
            _drawn(classifier, samples, classes, grid, folds, inner_folds, seed + draw)
            for draw in range(repeats)
        ]
    )


def _drawn(
    classifier: Classifier,
    samples: Samples,
    classes: list[str],
    grid: Grid,
    folds: int,
    inner_folds: int,
    seed: int,
) -> Outcome:
    """Test every subject once, by one draw of the folds."""
    found = np.zeros((len(samples.labels), len(classes)))
    for rows, test in shuffled_folds(samples.labels, folds, seed):
        inner = StratifiedKFold(inner_folds, shuffle=True, random_state=seed % 2**32)
        settings = chosen_settings(classifier, samples, rows, grid, inner, seed)
        fitted = fit(classifier, samples, rows, settings, seed)
        found[test] = probabilities(fitted, samples, test, classes)
    return _outcome(samples.labels, found, classes)


def believed(
    classifier: Classifier,
    samples: Samples,
    classes: list[str],
    *,
    folds: int,
    inner_folds: int,
    seed: int,
    repeats: int = 1,
    others: Values | None = None,
    step: Callable[[], None] = nothing,
) -> tuple[Outcome, Answer]:
    """Identify each subject as :func:`cross_validated` does, and say how sure that is.

    Probabilities, conformity and familiarity of a subject are those of one decoder that was trained
    and calibrated on the others: that of the first draw of the folds. A mean over draws would be
    the statement of several decoders, which nobody has who asks a recording. Parameters as for
    :func:`~virtuallab.decoder.trained.train`. ``step`` is called after each fold of the first draw,
    and after each further draw.
    """
    parts: list[Answer] = []
    rows: list[np.ndarray] = []
    for train_rows, test in shuffled_folds(samples.labels, folds, seed):
        trained = train(
            classifier,
            samples,
            train_rows,
            classes,
            inner_folds=inner_folds,
            seed=seed,
            others=others,
        )
        parts.append(trained.answer(samples.values[test]))
        rows.append(test)
        step()
    order = np.argsort(np.concatenate(rows))
    answer = Answer(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])[order]
            for field in fields(Answer)
        }
    )
    drawn = [_outcome(samples.labels, answer.probability, classes)]
    grid = classifier.grid("strict", samples)
    for draw in range(1, repeats):
        drawn.append(_drawn(classifier, samples, classes, grid, folds, inner_folds, seed + draw))
        step()
    return _mean(drawn), answer


def held_out(
    classifier: Classifier,
    samples: Samples,
    group: np.ndarray,
    out: str,
    classes: list[str],
    *,
    inner_folds: int,
    seed: int,
) -> Outcome:
    """Identify the subjects of one group with a decoder trained on all other groups.

    Parameters
    ----------
    group : array of str, (sample,)
        Say, each subject's architecture.
    out : str
        The group that is held out.
    """
    rows, test = np.flatnonzero(group != out), np.flatnonzero(group == out)
    inner = StratifiedKFold(inner_folds, shuffle=True, random_state=seed % 2**32)
    grid = classifier.grid("strict", samples)
    settings = chosen_settings(classifier, samples, rows, grid, inner, seed)
    fitted = fit(classifier, samples, rows, settings, seed)
    return _outcome(samples.labels[test], probabilities(fitted, samples, test, classes), classes)


def _outcome(labels: np.ndarray, found: np.ndarray, classes: list[str]) -> Outcome:
    predicted = np.array(classes, dtype=object)[found.argmax(1)]
    right = (predicted == labels).astype(np.float64)
    return Outcome(confusion_of(labels, predicted, classes), found, right)


def _mean(drawn: Sequence[Outcome]) -> Outcome:
    """Average over draws of the folds."""
    return Outcome(
        **{
            field.name: np.mean([getattr(each, field.name) for each in drawn], axis=0)
            for field in fields(Outcome)
        }
    )
